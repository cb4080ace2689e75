//! The IPv6 summary: counted, for several prefixes may share a hashed cell.

use std::collections::{BTreeSet, HashMap};

use gateway_common::{
    lists::{
        Key6,
        cells::{Cell, Place, WORDS6, place6_16, place6_32, place6_48},
    },
    tables::List,
};

/// The words as the kernel should have them, and how many prefixes stand behind each cell.
pub(super) struct Cells6 {
    seed: u64,
    words: Vec<u64>,
    counts: HashMap<Place, Count>,
    changed: BTreeSet<u32>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    deny: u32,
    listed: u32,
}

impl Cells6 {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            words: vec![0; WORDS6 as usize],
            counts: HashMap::new(),
            changed: BTreeSet::new(),
        }
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn insert(&mut self, list: List, key: Key6) {
        self.update(list, key, |count| *count = count.saturating_add(1));
    }

    pub(super) fn remove(&mut self, list: List, key: Key6) {
        self.update(list, key, |count| *count = count.saturating_sub(1));
    }

    /// The words that changed since the last call.
    pub(super) fn take_changed(&mut self) -> Vec<(u32, u64)> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .filter_map(|word| Some((word, *self.words.get(word as usize)?)))
            .collect()
    }

    fn update(&mut self, list: List, key: Key6, change: impl Fn(&mut u32)) {
        for place in self.places(key) {
            let count = self.counts.entry(place).or_default();
            match list {
                List::Deny => change(&mut count.deny),
                List::Allow | List::Zone => change(&mut count.listed),
            }
            let cell = match *count {
                Count { listed: 1.., .. } => Cell::Any,
                Count { deny: 1.., .. } => Cell::Deny,
                Count { .. } => Cell::Clear,
            };
            if cell == Cell::Clear {
                self.counts.remove(&place);
            }
            let Some(word) = self.words.get_mut(place.word as usize) else {
                continue;
            };
            let new = place.write(*word, cell);
            if new != *word {
                *word = new;
                self.changed.insert(place.word);
            }
        }
    }

    /// The cells that announce a prefix: those of its /48, its /32, or all of its /16 blocks.
    fn places(&self, key: Key6) -> Vec<Place> {
        let [a, b, c, d, e, f, g, h, ..] = key.address;
        let high = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        match key.length {
            48.. => vec![place6_48(self.seed, high)],
            32..48 => vec![place6_32(self.seed, high)],
            length => (0..1u64 << (16 - length.min(16)))
                .map(|block| place6_16(high + (block << 48)))
                .collect(),
        }
    }
}
