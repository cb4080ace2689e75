//! Addresses to listen at: `[::]:443`, `192.0.2.1:443`, `:443`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::{quoted, text_serde};

/// An address and port to listen at. `[::]` is every address of both families, and so is an
/// address that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bind(SocketAddr);

impl Bind {
    /// Listens at `addr`.
    #[must_use]
    pub const fn new(addr: SocketAddr) -> Self {
        Self(addr)
    }

    /// The address for the socket. When it is `[::]` the socket must take IPv4 too.
    #[must_use]
    pub const fn addr(self) -> SocketAddr {
        self.0
    }

    /// Whether only this host can connect.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }

    /// Whether two sockets cannot both listen. Port 0 is a free port, another one each time.
    #[must_use]
    pub fn collides(self, other: Self) -> bool {
        self.0.port() == other.0.port()
            && self.0.port() != 0
            && (self.0.ip() == other.0.ip() || self.covers(other) || other.covers(self))
    }

    fn covers(self, other: Self) -> bool {
        match self.0.ip() {
            IpAddr::V4(ip) => ip.is_unspecified() && other.0.is_ipv4(),
            IpAddr::V6(ip) => ip.is_unspecified(),
        }
    }
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |port: &str| -> Option<u16> {
            port.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| port.parse().ok())
                .flatten()
        };
        let addr = match text.strip_prefix(':') {
            Some(rest) => {
                port(rest).map(|port| SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port))
            }
            None => text.parse().ok(),
        };
        addr.map(Self).ok_or_else(|| {
            format!(
                "found {}, expected an IP address and a port, such as [::]:443, 192.0.2.1:443 or :443",
                quoted(text)
            )
        })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_serde!(Bind, "an IP address and a port, such as [::]:443 or :443", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_guides_write() {
        for (text, shown) in [
            (":443", "[::]:443"),
            ("[::]:443", "[::]:443"),
            ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
            ("127.0.0.1:0", "127.0.0.1:0"),
        ] {
            assert_eq!(text.parse::<Bind>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            ":",
            "443",
            "localhost:443",
            "::443",
            "1.2.3.4",
            ":65536",
            ":+1",
            ":x",
        ] {
            assert!(
                text.parse::<Bind>().unwrap_err().contains("[::]:443"),
                "{text}"
            );
        }
    }

    #[test]
    fn knows_what_cannot_listen_together() {
        let collide = |a: &str, b: &str| {
            let (a, b): (Bind, Bind) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(a.collides(b), b.collides(a));
            a.collides(b)
        };
        assert!(collide(":443", "192.0.2.1:443"));
        assert!(collide("[::]:443", "[2001:db8::1]:443"));
        assert!(collide("0.0.0.0:443", "192.0.2.1:443"));
        assert!(collide("192.0.2.1:443", "192.0.2.1:443"));
        assert!(!collide("0.0.0.0:443", "[2001:db8::1]:443"));
        assert!(!collide("192.0.2.1:443", "192.0.2.2:443"));
        assert!(!collide(":443", ":80"));
        assert!(!collide("127.0.0.1:0", "127.0.0.1:0"));
    }
}
