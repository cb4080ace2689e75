//! A map from prefixes to values that answers for addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::grammar::Prefix;

/// Prefixes with a value each.
///
/// A lookup costs one search per prefix length in use, longest first: configured networks have
/// a handful of lengths, so this beats walking a trie bit by bit and is simpler.
#[derive(Clone, Debug)]
pub struct PrefixMap<V> {
    entries: BTreeMap<Prefix, V>,
    lengths4: Vec<u8>,
    lengths6: Vec<u8>,
}

impl<V> Default for PrefixMap<V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            lengths4: Vec::new(),
            lengths6: Vec::new(),
        }
    }
}

impl<V> PrefixMap<V> {
    /// Adds a prefix; `Err` gives `value` back when the prefix is there already, and changes
    /// nothing.
    ///
    /// # Errors
    /// When the prefix is in the map.
    pub fn insert(&mut self, prefix: Prefix, value: V) -> Result<(), V> {
        if self.entries.contains_key(&prefix) {
            return Err(value);
        }
        let lengths = if prefix.is_ipv4() {
            &mut self.lengths4
        } else {
            &mut self.lengths6
        };
        let longer = lengths.partition_point(|len| *len > prefix.len());
        if lengths.get(longer) != Some(&prefix.len()) {
            lengths.insert(longer, prefix.len());
        }
        self.entries.insert(prefix, value);
        Ok(())
    }

    /// The value of exactly this prefix.
    #[must_use]
    pub fn get(&self, prefix: Prefix) -> Option<&V> {
        self.entries.get(&prefix)
    }

    /// The longest prefix that holds `addr`.
    #[must_use]
    pub fn longest(&self, addr: IpAddr) -> Option<(Prefix, &V)> {
        self.covering(Prefix::host(addr))
    }

    /// A prefix that shares an address with `prefix`: the longest that covers it, or else the
    /// first inside it.
    #[must_use]
    pub fn overlapping(&self, prefix: Prefix) -> Option<(Prefix, &V)> {
        self.covering(prefix).or_else(|| {
            let last = Prefix::host(prefix.last());
            self.entries
                .range(prefix..=last)
                .next()
                .map(|(p, v)| (*p, v))
        })
    }

    /// All prefixes in listing order.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix, &V)> {
        self.entries.iter().map(|(p, v)| (*p, v))
    }

    fn covering(&self, prefix: Prefix) -> Option<(Prefix, &V)> {
        let lengths = if prefix.is_ipv4() {
            &self.lengths4
        } else {
            &self.lengths6
        };
        let shorter = lengths.partition_point(|len| *len > prefix.len());
        lengths.iter().skip(shorter).find_map(|len| {
            let candidate = Prefix::holding(prefix.network(), *len).ok()?;
            self.entries.get_key_value(&candidate).map(|(p, v)| (*p, v))
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    /// Addresses close enough together that prefixes of them overlap often.
    pub(crate) fn crowded_addr() -> impl Strategy<Value = IpAddr> {
        let v4 = (0u8..4, 0u8..4).prop_map(|(a, b)| Ipv4Addr::new(10, 0, a << 6, b << 6).into());
        let v6 = (0u16..4, 0u16..4, 0u16..4).prop_map(|(a, b, c)| {
            Ipv6Addr::new(0x2001, 0xdb8, a << 14, b << 14, 0, 0, 0, c << 14).into()
        });
        prop_oneof![v4, v6]
    }

    pub(crate) fn crowded_prefix() -> impl Strategy<Value = Prefix> {
        (crowded_addr(), 0u8..=32, prop::bool::ANY).prop_map(|(addr, len, host)| {
            let len = if addr.is_ipv4() { len } else { len * 4 };
            if host {
                addr.into()
            } else {
                Prefix::holding(addr, len).unwrap()
            }
        })
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_list(
            prefixes in prop::collection::vec(crowded_prefix(), 0..24),
            addr in crowded_addr(),
            asked in crowded_prefix(),
        ) {
            let mut map = PrefixMap::default();
            let mut list: Vec<(Prefix, usize)> = Vec::new();
            for (i, prefix) in prefixes.into_iter().enumerate() {
                let new = list.iter().all(|(p, _)| *p != prefix);
                prop_assert_eq!(map.insert(prefix, i).is_ok(), new);
                if new {
                    list.push((prefix, i));
                }
            }
            let longest = list.iter().filter(|(p, _)| p.contains(addr)).max_by_key(|(p, _)| p.len());
            prop_assert_eq!(map.longest(addr).map(|(p, v)| (p, *v)), longest.copied());

            let found = map.overlapping(asked);
            prop_assert_eq!(found.is_some(), list.iter().any(|(p, _)| p.overlaps(asked)));
            if let Some((p, v)) = found {
                prop_assert!(p.overlaps(asked));
                prop_assert!(list.contains(&(p, *v)));
            }
            prop_assert_eq!(map.iter().count(), list.len());
            prop_assert_eq!(map.get(asked).copied(), list.iter().find(|(p, _)| *p == asked).map(|e| e.1));
        }
    }
}
