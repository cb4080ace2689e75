//! Lists that are searched from end to end.

use std::net::IpAddr;

use gateway_common::{
    Verdict,
    lists::{Entry, MODE_ENFORCE, ORIGIN_BAN},
    tables::List,
    time::Nanos,
};
use gateway_policy::grammar::Prefix;

use crate::setup::Item;

/// Every entry of every list.
#[derive(Clone, Debug, Default)]
pub struct Lists(Vec<Item>);

/// What the lists say of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is on the safelist, by this rule.
    Allowed(u32),
    /// It is denied, as this verdict and by this rule.
    Denied(Verdict, u32),
    /// Nothing decides.
    Open {
        /// The class of its zone, 0 outside of every zone.
        class: u8,
        /// The rule that would deny it, were it not in shadow mode.
        watched: Option<u32>,
    },
}

impl Lists {
    /// Lists that hold these entries.
    #[must_use]
    pub fn of(items: &[Item]) -> Self {
        let mut lists = Self::default();
        for item in items {
            lists.insert(*item);
        }
        lists
    }

    /// Adds an entry in place of the one with the same prefix.
    pub fn insert(&mut self, item: Item) {
        self.remove(item.list, item.prefix);
        self.0.push(item);
    }

    /// Removes an entry; says whether there was one.
    pub fn remove(&mut self, list: List, prefix: Prefix) -> bool {
        let before = self.0.len();
        self.0
            .retain(|item| (item.list, item.prefix) != (list, prefix));
        self.0.len() < before
    }

    /// Every entry.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// What the lists say of an address: the longest live prefix decides, the safelist before
    /// the deny list where both hold it. Entries in shadow mode decide nothing.
    #[must_use]
    pub fn find(&self, source: IpAddr, now: Nanos) -> Found {
        let source = source.to_canonical();
        let mut around: Vec<&Item> = self
            .0
            .iter()
            .filter(|item| covers(item.prefix, source) && lives(&item.entry, now))
            .collect();
        around.sort_by_key(|item| {
            let rank = match item.list {
                List::Allow => 0,
                List::Deny => 1,
                List::Zone => 2,
            };
            (std::cmp::Reverse(item.prefix.len()), rank)
        });
        let (mut class, mut watched) = (0, None);
        for item in around {
            let entry = &item.entry;
            match item.list {
                List::Allow => return Found::Allowed(entry.rule),
                List::Deny if entry.mode == MODE_ENFORCE => {
                    return Found::Denied(denial(item), entry.rule);
                }
                List::Deny => watched = watched.or(Some(entry.rule)),
                List::Zone if class == 0 => class = entry.class,
                List::Zone => {}
            }
        }
        Found::Open { class, watched }
    }
}

fn denial(item: &Item) -> Verdict {
    if item.entry.origin == ORIGIN_BAN {
        Verdict::Banned
    } else if item.prefix.is_host() {
        Verdict::DeniedExact
    } else {
        Verdict::DeniedPrefix
    }
}

fn lives(entry: &Entry, now: Nanos) -> bool {
    entry.expires == Nanos::ZERO || entry.expires > now
}

/// Whether the address begins with the prefix, bit by bit.
fn covers(prefix: Prefix, source: IpAddr) -> bool {
    let (network, source) = match (prefix.network(), source) {
        (IpAddr::V4(network), IpAddr::V4(source)) => {
            (network.octets().to_vec(), source.octets().to_vec())
        }
        (IpAddr::V6(network), IpAddr::V6(source)) => {
            (network.octets().to_vec(), source.octets().to_vec())
        }
        _ => return false,
    };
    (0..usize::from(prefix.len())).all(|bit| {
        let of = |bytes: &[u8]| bytes[bit / 8] >> (7 - bit % 8) & 1;
        of(&network) == of(&source)
    })
}
