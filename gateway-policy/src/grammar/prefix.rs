//! Address prefixes: `10.0.0.0/8`, `2001:db8::/32`, and a bare address for one host.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Excerpt;
use super::text::text_serde;

/// A range of addresses that share their first bits, with no host bits set.
///
/// IPv4 written inside IPv6 (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is IPv4: packets
/// never carry that form, so a list entry kept in it would match nothing. Prefixes order by
/// family (IPv4 first), then address, then length, so a listing shows the wider one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(IpNet);

/// The number of leading bits that all IPv4-mapped IPv6 addresses share.
const MAPPED_BITS: u8 = 96;

impl Prefix {
    /// The prefix of length `len` that holds `addr`, whatever its host bits.
    ///
    /// # Errors
    /// When `len` is above 32 for IPv4 or 128 for IPv6.
    pub fn holding(addr: IpAddr, len: u8) -> Result<Self, PrefixError> {
        let long = |max| PrefixError::Length {
            input: Excerpt::of(&format!("{addr}/{len}")),
            max,
        };
        match addr {
            IpAddr::V4(a) => Ipv4Net::new(a, len)
                .map(|n| IpNet::V4(n.trunc()))
                .map_err(|_| long(32)),
            IpAddr::V6(a) => Ipv6Net::new(a, len)
                .map(|n| IpNet::V6(n.trunc()))
                .map_err(|_| long(128)),
        }
        .map(fold)
    }

    /// The IPv4 prefix of length `LEN` that holds `addr`; the length is checked at compile time.
    #[must_use]
    pub fn v4<const LEN: u8>(addr: Ipv4Addr) -> Self {
        const { assert!(LEN <= 32, "an IPv4 prefix has at most 32 bits") };
        Self(IpNet::V4(
            Ipv4Net::new(addr, LEN)
                .unwrap_or_else(|_| addr.into())
                .trunc(),
        ))
    }

    /// The IPv6 prefix of length `LEN` that holds `addr`; the length is checked at compile time.
    #[must_use]
    pub fn v6<const LEN: u8>(addr: Ipv6Addr) -> Self {
        const { assert!(LEN <= 128, "an IPv6 prefix has at most 128 bits") };
        fold(IpNet::V6(
            Ipv6Net::new(addr, LEN)
                .unwrap_or_else(|_| addr.into())
                .trunc(),
        ))
    }

    /// The prefix of one address.
    #[must_use]
    pub fn host(addr: IpAddr) -> Self {
        Self(IpNet::from(addr.to_canonical()))
    }

    /// The first address.
    #[must_use]
    pub fn network(self) -> IpAddr {
        self.0.network()
    }

    /// The last address.
    #[must_use]
    pub fn last(self) -> IpAddr {
        self.0.broadcast()
    }

    /// The number of bits that all its addresses share.
    #[must_use]
    #[allow(
        clippy::len_without_is_empty,
        reason = "the length of a prefix is no count of items"
    )]
    pub fn len(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether it is a single address.
    #[must_use]
    pub fn is_host(self) -> bool {
        self.0.prefix_len() == self.0.max_prefix_len()
    }

    /// Whether it is every address of its family: to deny it is to lock oneself out.
    #[must_use]
    pub fn is_everything(self) -> bool {
        self.0.prefix_len() == 0
    }

    /// Whether it holds IPv4 addresses.
    #[must_use]
    pub fn is_ipv4(self) -> bool {
        matches!(self.0, IpNet::V4(_))
    }

    /// Whether `addr` is in it. An IPv4-mapped IPv6 address counts as the IPv4 address.
    #[must_use]
    pub fn contains(self, addr: IpAddr) -> bool {
        self.0.contains(&addr.to_canonical())
    }

    /// Whether every address of `other` is in it.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether it shares an address with `other`.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The underlying network type.
    #[must_use]
    pub fn as_ipnet(self) -> IpNet {
        self.0
    }
}

impl From<IpAddr> for Prefix {
    fn from(addr: IpAddr) -> Self {
        Self::host(addr)
    }
}

/// A text that is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// The part before the slash is no address.
    #[error(
        "{input} is not an address or prefix; write for example 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32"
    )]
    Address {
        /// What was written.
        input: Excerpt,
    },
    /// An address with a zone: lists hold for all interfaces.
    #[error("{input} names an interface; write the address without `%`")]
    Scoped {
        /// What was written.
        input: Excerpt,
    },
    /// The part behind the slash is no length for this family.
    #[error("{input} has no valid length; a number from 0 to {max} goes behind the slash")]
    Length {
        /// What was written.
        input: Excerpt,
        /// The longest prefix of the family.
        max: u8,
    },
    /// Bits are set behind the length: either the length or the address is a mistake.
    #[error("{input} has host bits set; write {network} or {host}")]
    HostBits {
        /// What was written.
        input: Excerpt,
        /// The prefix that holds the address.
        network: Prefix,
        /// The address alone.
        host: Prefix,
    },
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let input = || Excerpt::of(text);
        let text = text.trim();
        if text.contains('%') {
            return Err(PrefixError::Scoped { input: input() });
        }
        let (addr, len) = match text.split_once('/') {
            Some((addr, len)) => (addr, Some(len)),
            None => (text, None),
        };
        let addr: IpAddr = addr
            .parse()
            .map_err(|_| PrefixError::Address { input: input() })?;
        let Some(len) = len else {
            return Ok(Self::host(addr));
        };
        let max = if addr.is_ipv4() { 32 } else { 128 };
        // `u8::from_str` would also take `+8` and `008`.
        let plain = len.len() <= 3 && (len == "0" || !len.starts_with(['+', '0']));
        let len: u8 = plain
            .then(|| len.parse().ok())
            .flatten()
            .filter(|len| *len <= max)
            .ok_or_else(|| PrefixError::Length {
                input: input(),
                max,
            })?;
        let prefix = Self::holding(addr, len)?;
        if unfolded(addr, len) != Some(addr) {
            let host = Self::host(addr);
            return Err(PrefixError::HostBits {
                input: input(),
                network: prefix,
                host,
            });
        }
        Ok(prefix)
    }
}

/// The first address of `addr/len` in the family it was written in.
fn unfolded(addr: IpAddr, len: u8) -> Option<IpAddr> {
    IpNet::new(addr, len).ok().map(|net| net.network())
}

fn fold(net: IpNet) -> Prefix {
    let IpNet::V6(v6) = net else {
        return Prefix(net);
    };
    let folded = v6
        .prefix_len()
        .checked_sub(MAPPED_BITS)
        .zip(v6.network().to_ipv4_mapped())
        .and_then(|(len, addr)| Ipv4Net::new(addr, len).ok());
    Prefix(folded.map_or(net, IpNet::V4))
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_host() {
            self.network().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

impl From<Ipv4Addr> for Prefix {
    fn from(addr: Ipv4Addr) -> Self {
        Self::host(addr.into())
    }
}

impl From<Ipv6Addr> for Prefix {
    fn from(addr: Ipv6Addr) -> Self {
        Self::host(addr.into())
    }
}

text_serde!(Prefix, "an address or prefix such as 10.0.0.0/8 or 2001:db8::1", numbers: false);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::check;
    use super::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> String {
        text.parse::<Prefix>().unwrap_err().to_string()
    }

    #[test]
    fn reads_both_families_and_folds_mapped_addresses() {
        for (text, shown, len) in [
            ("10.0.0.0/8", "10.0.0.0/8", 8),
            ("192.0.2.7", "192.0.2.7", 32),
            ("192.0.2.7/32", "192.0.2.7", 32),
            (" 192.0.2.7 ", "192.0.2.7", 32),
            ("2001:DB8::/32", "2001:db8::/32", 32),
            ("2001:db8::1", "2001:db8::1", 128),
            ("::ffff:1.2.3.4", "1.2.3.4", 32),
            ("::ffff:1.2.3.4/128", "1.2.3.4", 32),
            ("::ffff:1.2.3.0/120", "1.2.3.0/24", 24),
            ("::ffff:0:0/96", "0.0.0.0/0", 0),
            ("::fffe:0:0/95", "::fffe:0:0/95", 95),
            ("0.0.0.0/0", "0.0.0.0/0", 0),
            ("::/0", "::/0", 0),
        ] {
            let prefix = p(text);
            assert_eq!(
                (prefix.to_string().as_str(), prefix.len()),
                (shown, len),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_the_rest_and_says_what_to_write() {
        assert_eq!(
            refused("10.0.0.5/8"),
            "`10.0.0.5/8` has host bits set; write 10.0.0.0/8 or 10.0.0.5"
        );
        assert_eq!(
            refused("::ffff:10.0.0.5/104"),
            "`::ffff:10.0.0.5/104` has host bits set; write 10.0.0.0/8 or 10.0.0.5"
        );
        assert_eq!(
            refused("2001:db8::1/64"),
            "`2001:db8::1/64` has host bits set; write 2001:db8::/64 or 2001:db8::1"
        );
        for text in [
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
        ] {
            assert!(
                refused(text).contains("0 to 32"),
                "{text}: {}",
                refused(text)
            );
        }
        assert!(refused("10.0.0.0/255.0.0.0").contains("0 to 32"));
        assert!(refused("2001:db8::/129").contains("0 to 128"));
        assert!(refused("fe80::1%eth0").contains("without `%`"));
        for text in [
            "",
            "10",
            "10.0.0",
            "010.0.0.1",
            "example.com",
            "10.0.0.1:80",
            "[::1]",
        ] {
            assert!(refused(text).contains("not an address or prefix"), "{text}");
        }
    }

    #[test]
    fn knows_what_it_holds() {
        assert!(p("10.0.0.0/8").contains("10.1.2.3".parse().unwrap()));
        assert!(p("10.0.0.0/8").contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!p("10.0.0.0/8").contains("11.0.0.0".parse().unwrap()));
        assert!(!p("::/0").contains("10.0.0.1".parse().unwrap()));
        assert!(p("0.0.0.0/0").is_everything() && p("::/0").is_everything());
        assert!(p("10.0.0.1").is_host() && !p("10.0.0.0/31").is_host());
        assert!(p("10.0.0.0/8").overlaps(p("10.1.0.0/16")));
        assert!(p("10.1.0.0/16").overlaps(p("10.0.0.0/8")));
        assert!(!p("10.1.0.0/16").covers(p("10.0.0.0/8")));
        assert!(!p("10.0.0.0/9").overlaps(p("10.128.0.0/9")));
    }

    #[test]
    fn lists_ipv4_first_and_the_wider_prefix_first() {
        let mut all = [
            "2001:db8::/32",
            "10.0.0.0/16",
            "9.9.9.9",
            "10.0.0.0/8",
            "::/0",
        ]
        .map(p);
        all.sort();
        assert_eq!(
            all.map(|p| p.to_string()),
            [
                "9.9.9.9",
                "10.0.0.0/8",
                "10.0.0.0/16",
                "::/0",
                "2001:db8::/32"
            ]
        );
    }

    #[test]
    fn serde_takes_text_only() {
        assert_eq!(check::read::<Prefix>("10.0.0.0/8"), Ok(p("10.0.0.0/8")));
        assert!(
            check::read::<Prefix>("10.0.0.5/8")
                .unwrap_err()
                .contains("host bits")
        );
        assert!(
            check::read::<Prefix>(10u64)
                .unwrap_err()
                .contains("expected an address or prefix")
        );
        assert_eq!(check::written(&p("10.0.0.0/8")), "10.0.0.0/8");
    }

    proptest! {
        #[test]
        fn text_and_back_v4(addr: Ipv4Addr, len in 0u8..=32) {
            let prefix = Prefix::holding(addr.into(), len).unwrap();
            prop_assert!(prefix.contains(addr.into()));
            prop_assert_eq!(prefix.to_string().parse::<Prefix>(), Ok(prefix));
        }

        #[test]
        fn text_and_back_v6(addr: Ipv6Addr, len in 0u8..=128) {
            let prefix = Prefix::holding(addr.into(), len).unwrap();
            prop_assert_eq!(prefix.to_string().parse::<Prefix>(), Ok(prefix));
        }

        #[test]
        fn mapped_is_the_same_as_ipv4(addr: Ipv4Addr, len in 0u8..=32) {
            let mapped = Prefix::holding(addr.to_ipv6_mapped().into(), len + 96).unwrap();
            prop_assert_eq!(mapped, Prefix::holding(addr.into(), len).unwrap());
        }

        #[test]
        fn any_text_gets_an_answer(text in "[0-9a-f:./%+ ]{0,24}") {
            if let Ok(prefix) = text.parse::<Prefix>() {
                prop_assert_eq!(prefix.to_string().parse::<Prefix>(), Ok(prefix));
            }
        }
    }
}
