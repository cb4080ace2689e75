//! The full lists in memory, and the kernel's summary derived from them.
//!
//! Pure: it holds no map and asks no kernel. The host oracle of the tests is fed by the same
//! code that feeds the kernel.

mod blocks4;
mod bucket4;
mod cells4;
mod cells6;
pub(super) mod changes4;
mod index4;
mod lengths;
mod marks4;

use std::collections::BTreeMap;

use gateway_common::{
    lists::{Entry, Key4, Key6, index4::Bucket},
    settings::Settings,
    tables::List,
};
use gateway_policy::grammar::Prefix;
use std::net::IpAddr;

pub(super) use self::bucket4::steps;
pub use self::index4::Reindexed;
use self::{cells4::Cells4, cells6::Cells6, index4::Index4, lengths::LengthCounts};

/// The lists, and the summary as the kernel should have it.
pub struct Mirror {
    deny: Family,
    allow: Family,
    zone: Family,
    cells4: Cells4,
    cells6: Cells6,
    index4: Index4,
}

/// What of the kernel's summary a change touched, with its new values, to be written in this
/// order: the index, then the words. A word may come twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Buckets of the IPv4 index.
    pub index4: Reindexed,
    /// Index and value of IPv4 words.
    pub words4: Vec<(u32, u64)>,
    /// Index and value of IPv6 words.
    pub words6: Vec<(u32, u64)>,
}

/// A prefix as the kernel's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// For the IPv4 maps.
    V4(Key4),
    /// For the IPv6 maps.
    V6(Key6),
}

/// One list's entries, by address and then length.
#[derive(Default)]
struct Family {
    v4: BTreeMap<Key4, Entry>,
    v6: BTreeMap<Key6, Entry>,
    lengths: LengthCounts,
}

impl Mirror {
    /// Empty lists; `seed` is that of the settings.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            deny: Family::default(),
            allow: Family::default(),
            zone: Family::default(),
            cells4: Cells4::new(),
            cells6: Cells6::new(seed),
            index4: Index4::new(),
        }
    }

    /// The entry of `list` for exactly `key`.
    #[must_use]
    pub fn get(&self, list: List, key: Key) -> Option<&Entry> {
        let family = self.family(list);
        match key {
            Key::V4(key) => family.v4.get(&key),
            Key::V6(key) => family.v6.get(&key),
        }
    }

    /// Every entry of `list`, IPv4 first, by address.
    pub fn entries(&self, list: List) -> impl Iterator<Item = (Prefix, &Entry)> {
        let family = self.family(list);
        let v4 = family
            .v4
            .iter()
            .map(|(key, entry)| (prefix(Key::V4(*key)), entry));
        let v6 = family
            .v6
            .iter()
            .map(|(key, entry)| (prefix(Key::V6(*key)), entry));
        v4.chain(v6)
            .filter_map(|(prefix, entry)| Some((prefix?, entry)))
    }

    /// How many IPv4 and IPv6 entries `list` holds.
    #[must_use]
    pub fn count(&self, list: List) -> (usize, usize) {
        let family = self.family(list);
        (family.v4.len(), family.v6.len())
    }

    /// Adds or replaces an entry. The words returned are to be written after the entry itself.
    pub fn insert(&mut self, list: List, key: Key, entry: Entry) -> Changed {
        self.put(list, key, entry);
        self.recompute(key)
    }

    /// Removes an entry. The words returned are to be written after the entry is gone.
    pub fn remove(&mut self, list: List, key: Key) -> (Option<Entry>, Changed) {
        let old = self.drop(list, key);
        if old.is_none() {
            return (None, Changed::default());
        }
        (old, self.recompute(key))
    }

    /// Adds or replaces an entry, or removes it (`None`), and leaves the summary as it is until
    /// [`Mirror::derive`].
    pub fn stage(&mut self, list: List, key: Key, entry: Option<Entry>) {
        self.touch(key);
        match entry {
            Some(entry) => self.put(list, key, entry),
            None => drop(self.drop(list, key)),
        }
    }

    /// Derives the whole summary; returns every word that is not what it was.
    pub fn derive(&mut self) -> Changed {
        let lists = [&self.deny.v4, &self.allow.v4, &self.zone.v4];
        Changed {
            index4: self.index4.take_changed(lists),
            words4: self.cells4.recompute(0, 0, lists),
            words6: self.cells6.take_changed(),
        }
    }

    /// Adds or replaces many entries; the summary is derived once when they touch many blocks.
    /// Returns every word that is not what it was.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = (List, Key, Entry)>) -> Changed {
        let mut touched = Vec::new();
        for (list, key, entry) in entries {
            self.touch(key);
            self.put(list, key, entry);
            if let Key::V4(key) = key {
                touched.push(key);
            }
        }
        let lists = [&self.deny.v4, &self.allow.v4, &self.zone.v4];
        let words4 = if cells4::are_few(&touched) {
            let each = |key: &Key4| {
                let address = u32::from_be_bytes(key.address);
                self.cells4.recompute(address, key.length, lists)
            };
            touched.iter().flat_map(each).collect()
        } else {
            self.cells4.recompute(0, 0, lists)
        };
        Changed {
            index4: self.index4.take_changed(lists),
            words4,
            words6: self.cells6.take_changed(),
        }
    }

    /// Writes the prefix lengths present into `settings`.
    pub fn describe(&self, settings: &mut Settings) {
        settings.deny = self.deny.lengths.present();
        settings.allow = self.allow.lengths.present();
        settings.zone = self.zone.lengths.present();
    }

    /// Every word of the IPv4 summary.
    #[must_use]
    pub fn words4(&self) -> &[u64] {
        self.cells4.words()
    }

    /// Every word of the IPv6 summary.
    #[must_use]
    pub fn words6(&self) -> &[u64] {
        self.cells6.words()
    }

    /// Every bucket of the IPv4 index.
    #[must_use]
    pub fn buckets4(&self) -> &[Bucket] {
        self.index4.buckets()
    }

    /// [`Settings::index_shift`] that goes with [`Mirror::buckets4`].
    #[must_use]
    pub const fn index_shift(&self) -> u32 {
        self.index4.shift()
    }

    /// Begins with the index that the kernel has, before any entry is there.
    pub(super) fn adopt(&mut self, buckets: Vec<Bucket>) {
        self.index4.adopt(buckets);
    }

    /// Takes note of a change whose part of the index is derived later.
    fn touch(&mut self, key: Key) {
        if let Key::V4(key) = key {
            self.index4.touch(&key);
        }
    }

    fn drop(&mut self, list: List, key: Key) -> Option<Entry> {
        let family = self.family_mut(list);
        let old = match key {
            Key::V4(key) => family.v4.remove(&key),
            Key::V6(key) => family.v6.remove(&key),
        }?;
        family.lengths.remove(key);
        if let Key::V6(key) = key {
            self.cells6.remove(list, key);
        }
        Some(old)
    }

    fn put(&mut self, list: List, key: Key, entry: Entry) {
        let family = self.family_mut(list);
        let new = match key {
            Key::V4(key) => family.v4.insert(key, entry).is_none(),
            Key::V6(key) => family.v6.insert(key, entry).is_none(),
        };
        if !new {
            return;
        }
        family.lengths.insert(key);
        if let Key::V6(key) = key {
            self.cells6.insert(list, key);
        }
    }

    fn recompute(&mut self, key: Key) -> Changed {
        let lists = [&self.deny.v4, &self.allow.v4, &self.zone.v4];
        match key {
            Key::V4(key) => {
                let address = u32::from_be_bytes(key.address);
                Changed {
                    index4: self.index4.update(&key, lists),
                    words4: self.cells4.recompute(address, key.length, lists),
                    words6: Vec::new(),
                }
            }
            Key::V6(_) => Changed {
                words6: self.cells6.take_changed(),
                ..Changed::default()
            },
        }
    }

    fn family(&self, list: List) -> &Family {
        match list {
            List::Deny => &self.deny,
            List::Allow => &self.allow,
            List::Zone => &self.zone,
        }
    }

    fn family_mut(&mut self, list: List) -> &mut Family {
        match list {
            List::Deny => &mut self.deny,
            List::Allow => &mut self.allow,
            List::Zone => &mut self.zone,
        }
    }
}

/// The kernel's key for a prefix.
#[must_use]
pub fn key(prefix: Prefix) -> Key {
    let length = prefix.len().into();
    match prefix.network() {
        IpAddr::V4(address) => Key::V4(Key4::new(address.octets(), length)),
        IpAddr::V6(address) => Key::V6(Key6::new(address.octets(), length)),
    }
}

/// The prefix of a kernel's key; `None` when its length is impossible.
pub(super) fn prefix(key: Key) -> Option<Prefix> {
    let (address, length): (IpAddr, u32) = match key {
        Key::V4(key) => (key.address.into(), key.length),
        Key::V6(key) => (key.address.into(), key.length),
    };
    Prefix::holding(address, u8::try_from(length).ok()?).ok()
}

#[cfg(test)]
mod tests;
