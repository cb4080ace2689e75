//! Who counts as one client.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::grammar::Prefix;

/// The unit that limits and bans hold for: an IPv4 address, or an IPv6 /64.
///
/// One IPv6 subscriber has at least a /64 and may use any address in it (RFC 6177, RFC 8981),
/// so a single IPv6 address identifies nobody. Behind a translator it is the other way round:
/// all of IPv4 stands in the one prefix `64:ff9b::/96` (RFC 6052 section 2.1), so an address in
/// the /64 around it is a client by itself; one ban must not take the whole old internet with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(Prefix);

/// The translators' prefix.
const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

impl ClientKey {
    /// The client whose prefix is exactly `prefix`, when it is one.
    #[must_use]
    pub fn from_prefix(prefix: Prefix) -> Option<Self> {
        let key = Self::from(prefix.network());
        (key.0 == prefix).then_some(key)
    }

    /// All addresses of this client.
    #[must_use]
    pub fn prefix(self) -> Prefix {
        self.0
    }

    /// The site this client belongs to: the IPv6 /48 (what one end site gets at most, RFC 6177),
    /// or the IPv4 address itself. For sharing out memory, not for bans.
    #[must_use]
    pub(crate) fn site(self) -> Prefix {
        match self.0.network() {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(_) if self.0.is_host() => self.0,
            IpAddr::V6(addr) => Prefix::v6::<48>(addr),
        }
    }
}

impl From<IpAddr> for ClientKey {
    fn from(addr: IpAddr) -> Self {
        match addr.to_canonical() {
            IpAddr::V4(addr) => Self(addr.into()),
            IpAddr::V6(addr) if Prefix::v6::<64>(NAT64).contains(addr.into()) => Self(addr.into()),
            IpAddr::V6(addr) => Self(Prefix::v6::<64>(addr)),
        }
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(addr: &str) -> String {
        ClientKey::from(addr.parse::<IpAddr>().unwrap()).to_string()
    }

    #[test]
    fn ipv4_is_a_host_and_ipv6_a_64() {
        for (addr, client) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("64:ff9b::192.0.2.7", "64:ff9b::c000:207"),
            ("64:ff9b:1::1", "64:ff9b:1::/64"),
        ] {
            assert_eq!(key(addr), client, "{addr}");
        }
    }

    #[test]
    fn only_whole_clients_come_from_prefixes() {
        let of = |text: &str| ClientKey::from_prefix(text.parse().unwrap());
        for text in ["192.0.2.7", "2001:db8::/64", "64:ff9b::1"] {
            assert_eq!(of(text).map(|k| k.to_string()).as_deref(), Some(text));
        }
        for text in [
            "192.0.2.0/24",
            "2001:db8::1",
            "2001:db8::/48",
            "64:ff9b::/64",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_site_is_a_48() {
        let site = |text: &str| {
            ClientKey::from(text.parse::<IpAddr>().unwrap())
                .site()
                .to_string()
        };
        assert_eq!(site("2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(site("192.0.2.7"), "192.0.2.7");
        assert_eq!(site("64:ff9b::1"), "64:ff9b::1");
    }

    proptest! {
        #[test]
        fn a_client_holds_its_addresses(addr: IpAddr) {
            let client = ClientKey::from(addr);
            prop_assert!(client.prefix().contains(addr));
            prop_assert_eq!(ClientKey::from_prefix(client.prefix()), Some(client));
        }
    }
}
