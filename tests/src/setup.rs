//! The lists and limits of a test, for the host, the kernel and the model alike.

use std::net::IpAddr;

use gateway_agent::datapath::mirror::{Key, key};
use gateway_common::{
    lists::{Entry, MODE_SHADOW, ORIGIN_BAN},
    settings::{Further, Limit},
    syncookie::Endpoint,
    tables::List,
    time::Nanos,
};
use gateway_policy::grammar::Prefix;

/// An expiry that has passed on every clock.
pub const PAST: Nanos = Nanos(1);

/// An expiry that no test lives to see.
pub const FUTURE: Nanos = Nanos(u64::MAX / 2);

/// What a test finds in the lists.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Entries, no two for the same prefix of one list.
    pub items: Vec<Item>,
    /// Limits by class; classes past the end have none.
    pub limits: Vec<Limit>,
    /// What holds besides.
    pub further: Further,
    /// Whether attack mode is on.
    pub attack: bool,
    /// Sources that are known, each until then.
    pub known: Vec<(IpAddr, Nanos)>,
    /// The threshold above which SYNs are answered with cookies.
    pub cookies: Limit,
    /// Where SYNs may be answered, with the maximum segment size to announce.
    pub listening: Vec<(Endpoint, u16)>,
}

/// One entry of one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The list.
    pub list: List,
    /// The prefix.
    pub prefix: Prefix,
    /// The entry.
    pub entry: Entry,
}

/// A permanent deny entry with this rule.
#[must_use]
pub fn deny(prefix: &str, rule: u32) -> Item {
    Item::new(List::Deny, prefix, rule)
}

/// A permanent safelist entry with this rule.
#[must_use]
pub fn allow(prefix: &str, rule: u32) -> Item {
    Item::new(List::Allow, prefix, rule)
}

/// A ban with this rule, for as long as the test lasts.
#[must_use]
pub fn ban(prefix: &str, rule: u32) -> Item {
    let mut item = Item::new(List::Deny, prefix, rule).until(FUTURE);
    item.entry.origin = ORIGIN_BAN;
    item
}

/// A deny entry in shadow mode with this rule.
#[must_use]
pub fn shadow(prefix: &str, rule: u32) -> Item {
    let mut item = Item::new(List::Deny, prefix, rule);
    item.entry.mode = MODE_SHADOW;
    item
}

/// A zone of this rate class.
#[must_use]
pub fn zone(prefix: &str, class: u8) -> Item {
    let mut item = Item::new(List::Zone, prefix, 0);
    item.entry.class = class;
    item
}

impl Item {
    fn new(list: List, prefix: &str, rule: u32) -> Self {
        Self {
            list,
            prefix: prefix.parse().expect(prefix),
            entry: Entry {
                rule,
                ..Entry::default()
            },
        }
    }

    /// The entry with an expiry.
    #[must_use]
    pub fn until(mut self, expires: Nanos) -> Self {
        self.entry.expires = expires;
        self
    }

    /// The prefix as the kernel's key.
    #[must_use]
    pub fn key(&self) -> Key {
        key(self.prefix)
    }
}

impl Setup {
    /// These entries and no limits.
    #[must_use]
    pub fn of(items: impl IntoIterator<Item = Item>) -> Self {
        Self {
            items: items.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same under these limits besides.
    #[must_use]
    pub fn further(mut self, further: Further) -> Self {
        self.further = further;
        self
    }

    /// The same in attack mode, where these are known until then.
    #[must_use]
    pub fn attack(mut self, known: &[(&str, Nanos)]) -> Self {
        self.attack = true;
        let known = known.iter();
        self.known = known
            .map(|(source, until)| (source.parse().expect(source), *until))
            .collect();
        self
    }

    /// The same with SYNs answered above this threshold at these endpoints.
    #[must_use]
    pub fn cookies(mut self, threshold: Limit, listening: &[(Endpoint, u16)]) -> Self {
        self.cookies = threshold;
        self.listening = listening.to_vec();
        self
    }

    /// The same entries under these limits.
    #[must_use]
    pub fn limits(mut self, limits: &[Limit]) -> Self {
        self.limits = limits.to_vec();
        self
    }
}
