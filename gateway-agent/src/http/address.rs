//! Who sent a request: the peer of the connection, and the client it speaks for.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use gateway_policy::grammar::Prefix;
use http::HeaderMap;
use http::header::HeaderName;

/// The address at the other end of the TCP connection. IPv4 arriving on an IPv6 socket is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(IpAddr);

impl PeerAddr {
    /// The peer's address.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl From<SocketAddr> for PeerAddr {
    fn from(addr: SocketAddr) -> Self {
        Self(addr.ip().to_canonical())
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The address that limits, bans and zones hold for: the peer, or the client that a trusted
/// proxy names. Only [`TrustedProxies::client`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(IpAddr);

impl ClientAddr {
    /// The client's address.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl From<PeerAddr> for ClientAddr {
    fn from(peer: PeerAddr) -> Self {
        Self(peer.0)
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Prefix>);

/// The list that proxies append the address they were asked from to; there is no RFC for it,
/// but every proxy writes it.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl TrustedProxies {
    /// Proxies in any of `prefixes` are believed.
    #[must_use]
    pub fn new(prefixes: Vec<Prefix>) -> Self {
        Self(prefixes)
    }

    /// Whether `addr` is one of the proxies.
    #[must_use]
    pub fn trusts(&self, addr: IpAddr) -> bool {
        self.0.iter().any(|prefix| prefix.contains(addr))
    }

    /// The client of a request: the peer, unless it is a trusted proxy; then the rightmost
    /// address of `X-Forwarded-For` that is no trusted proxy, or the leftmost when all are.
    ///
    /// Addresses further left were written by somebody nobody vouches for. An element that is no
    /// address makes the whole list worthless: the peer is the client then.
    #[must_use]
    pub fn client(&self, peer: PeerAddr, headers: &HeaderMap) -> ClientAddr {
        self.chain(peer, headers)
            .first()
            .copied()
            .map_or(ClientAddr(peer.0), ClientAddr)
    }

    /// The addresses of `X-Forwarded-For` from the client rightwards, empty when the peer itself
    /// is the client.
    #[must_use]
    pub fn chain(&self, peer: PeerAddr, headers: &HeaderMap) -> Vec<IpAddr> {
        if self.0.is_empty() || !self.trusts(peer.0) {
            return Vec::new();
        }
        let mut chain = Vec::new();
        let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let elements = lines
            .iter()
            .rev()
            .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for element in elements {
            let Some(addr) = element_addr(element) else {
                return Vec::new();
            };
            chain.push(addr);
            if !self.trusts(addr) {
                break;
            }
        }
        chain.reverse();
        chain
    }
}

/// An element of the list: an address, or as some proxies write it, one with a port.
fn element_addr(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim();
    let addr = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .or_else(|fault| bracketed(text).ok_or(fault))
        .ok()?;
    Some(addr.to_canonical())
}

fn bracketed(text: &str) -> Option<IpAddr> {
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8:ffff::/48".parse().unwrap(),
        ])
    }

    fn client(peer: &str, lists: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(list).unwrap());
        }
        let peer = PeerAddr::from(SocketAddr::new(peer.parse().unwrap(), 4711));
        proxies().client(peer, &headers).to_string()
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &["10.0.0.1"]), "192.0.2.1");
    }

    #[test]
    fn behind_trusted_proxies_the_rightmost_untrusted_address_is_the_client() {
        for (lists, expected) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
            (&["6.6.6.6, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
            (&["6.6.6.6", "198.51.100.7,10.1.1.1"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["[2001:db8::7]:443"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["2001:db8::7 , 2001:db8:ffff::1"], "2001:db8::7"),
            (&["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
            (&["::ffff:198.51.100.7"], "198.51.100.7"),
        ] {
            assert_eq!(client("10.0.0.1", lists), expected, "{lists:?}");
        }
    }

    #[test]
    fn a_malformed_list_makes_the_proxy_the_client() {
        for lists in [
            &[""][..],
            &["unknown"],
            &["198.51.100.7, "],
            &["198.51.100.7, junk"],
            &[],
        ] {
            assert_eq!(client("10.0.0.1", lists), "10.0.0.1", "{lists:?}");
        }
    }

    #[test]
    fn junk_left_of_the_client_is_never_read() {
        assert_eq!(client("10.0.0.1", &["junk, 198.51.100.7"]), "198.51.100.7");
    }
}
