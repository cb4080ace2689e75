//! The index of denied IPv4 addresses, derived from the lists.
//!
//! What a bucket holds is a function of the entries; where in it a record stands is not, for none
//! may move while the kernel reads.

use std::collections::HashMap;

use gateway_common::lists::{
    Entry, Key4, MODE_ENFORCE,
    index4::{
        Bucket, LEAST_INDEX_BITS, LEAST_INDEXED, MOST_INDEX_BITS, Record, bucket4, index_shift,
    },
};

use super::{
    blocks4::{Blocks, Entries, touching},
    bucket4::{fit, held, is_full, steps},
    cells4::is_lasting,
};

/// Changed blocks from which on all are derived in one pass over the lists.
const MANY: usize = 4_096;

/// Records for each bucket, at most: of eight places few buckets need more. An index that becomes
/// fuller is built anew, and so is one of which a quarter would do.
const FULLEST: usize = 3;

/// The index as the kernel should have it.
pub(super) struct Index4 {
    bits: u32,
    buckets: Vec<Bucket>,
    /// What the buckets should hold that have no room for it.
    overfull: HashMap<u32, Vec<Record>>,
    /// How many records there should be.
    records: usize,
    /// Blocks whose records may not be what they should be.
    dirty: Vec<u32>,
    is_all_dirty: bool,
}

/// Buckets that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Index and content, to be written in this order; one may come more than once.
    pub buckets: Vec<(u32, Bucket)>,
    /// Whether their number changed: then these are all of them, and the kernel must not go by the
    /// index while they are written.
    pub is_resized: bool,
}

impl Index4 {
    pub(super) fn new() -> Self {
        Self {
            bits: LEAST_INDEX_BITS,
            buckets: vec![Bucket::default(); 1 << LEAST_INDEX_BITS],
            overfull: HashMap::new(),
            records: 0,
            dirty: Vec::new(),
            is_all_dirty: false,
        }
    }

    /// By how much the number of a block is shifted to find its bucket.
    pub(super) const fn shift(&self) -> u32 {
        index_shift(self.bits)
    }

    pub(super) fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Begins with what the kernel holds, before any entry is there: its size, and where records
    /// stand. Anything else than an index of a possible size is left alone.
    pub(super) fn adopt(&mut self, buckets: Vec<Bucket>) {
        let bits = buckets.len().checked_ilog2().unwrap_or(0);
        let is_possible = (LEAST_INDEX_BITS..=MOST_INDEX_BITS).contains(&bits);
        if is_possible && buckets.len() == 1 << bits {
            self.bits = bits;
            self.buckets = buckets;
            self.is_all_dirty = true;
        }
    }

    /// Takes note that the entry for `key` came, changed or went, for [`Index4::take_changed`].
    pub(super) fn touch(&mut self, key: &Key4) {
        if key.length < LEAST_INDEXED || self.is_all_dirty {
            return;
        }
        let blocks = Blocks::around(u32::from_be_bytes(key.address), key.length);
        self.dirty.extend(blocks.numbers());
        if self.dirty.len() > MANY {
            self.is_all_dirty = true;
            self.dirty = Vec::new();
        }
    }

    /// The buckets that change with the entry for `key`, given the deny list, the safelist and the
    /// zones. Blocks that were [touched](Index4::touch) are left as they are: who adds one entry
    /// does not wait for a million others.
    pub(super) fn update(&mut self, key: &Key4, lists: [&Entries; 3]) -> Reindexed {
        if key.length < LEAST_INDEXED {
            return Reindexed::default();
        }
        let blocks = Blocks::around(u32::from_be_bytes(key.address), key.length);
        self.derive(blocks.numbers(), lists)
    }

    /// The buckets that change with all the blocks touched since the last call, likewise.
    pub(super) fn take_changed(&mut self, lists: [&Entries; 3]) -> Reindexed {
        if self.is_all_dirty {
            return self.build(lists);
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        self.derive(dirty, lists)
    }

    fn derive(&mut self, blocks: impl IntoIterator<Item = u32>, lists: [&Entries; 3]) -> Reindexed {
        let mut changed = Reindexed::default();
        for block in blocks {
            let wanted = condensed(&mut records(block, lists), block);
            self.set_block(block, wanted, &mut changed.buckets);
        }
        if fitting_bits(self.records, self.bits) == self.bits {
            return changed;
        }
        let built = self.build(lists);
        if built.is_resized {
            return built;
        }
        changed.buckets.extend(built.buckets);
        changed
    }

    /// Derives all of it.
    fn build(&mut self, lists: [&Entries; 3]) -> Reindexed {
        self.is_all_dirty = false;
        self.dirty = Vec::new();
        let all = all_records(lists);
        self.records = all.len();
        let bits = fitting_bits(all.len(), self.bits);
        let is_resized = bits != self.bits;
        if is_resized {
            self.bits = bits;
            self.buckets = vec![Bucket::default(); 1 << bits];
        }
        self.overfull.clear();
        let shift = self.shift();
        let mut placed: Vec<(u32, Record)> = all
            .into_iter()
            .map(|(block, record)| (bucket4(block << 8, shift), record))
            .collect();
        placed.sort_unstable();
        let mut writes = Vec::new();
        let mut of_bucket = placed
            .chunk_by(|(one, _), (other, _)| one == other)
            .peekable();
        for index in (0..).take(self.buckets.len()) {
            let is_next = of_bucket.peek().and_then(|chunk| chunk.first());
            let chunk = match is_next {
                Some((next, _)) if *next == index => of_bucket.next().unwrap_or_default(),
                _ => &[],
            };
            let wanted = chunk.iter().map(|(_, record)| *record).collect();
            self.set_bucket(index, wanted, &mut writes);
        }
        if is_resized {
            writes = (0..).zip(self.buckets.iter().copied()).collect();
        }
        Reindexed {
            buckets: writes,
            is_resized,
        }
    }

    fn set_block(&mut self, block: u32, wanted: Vec<Record>, writes: &mut Vec<(u32, Bucket)>) {
        let index = bucket4(block << 8, self.shift());
        let all = match self.overfull.get(&index) {
            Some(records) => records.clone(),
            None => held(self.bucket(index)).collect(),
        };
        let (mut before, mut records): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|record| record.is_of(block << 8));
        before.sort_unstable();
        if before == wanted {
            return;
        }
        self.records = self.records + wanted.len() - before.len();
        records.extend(wanted);
        self.set_bucket(index, records, writes);
    }

    fn set_bucket(&mut self, index: u32, wanted: Vec<Record>, writes: &mut Vec<(u32, Bucket)>) {
        let old = self.bucket(index);
        let new = fit(old, &wanted);
        if is_full(&new) {
            self.overfull.insert(index, wanted);
        } else {
            self.overfull.remove(&index);
        }
        writes.extend(steps(old, new).into_iter().map(|bucket| (index, bucket)));
        if let Some(bucket) = self.buckets.get_mut(index as usize) {
            *bucket = new;
        }
    }

    fn bucket(&self, index: u32) -> Bucket {
        self.buckets
            .get(index as usize)
            .copied()
            .unwrap_or_default()
    }
}

/// Bits for the number of buckets: those there are, if they will do.
fn fitting_bits(records: usize, bits: u32) -> u32 {
    let buckets = records.div_ceil(FULLEST).max(1).next_power_of_two();
    let wanted = buckets.ilog2().clamp(LEAST_INDEX_BITS, MOST_INDEX_BITS);
    if wanted > bits || wanted + 1 < bits {
        wanted
    } else {
        bits
    }
}

/// The records of one block, from the entries that are indexed.
fn records(block: u32, lists: [&Entries; 3]) -> Vec<Record> {
    let [deny, allow, zone] = lists;
    let blocks = Blocks::one(block);
    let indexed = |list| touching(list, blocks).filter(|(key, _)| key.length >= LEAST_INDEXED);
    let mut records: Vec<Record> = indexed(deny)
        .map(|(key, entry)| record(block, key, entry))
        .collect();
    if indexed(allow).chain(indexed(zone)).next().is_some() {
        records.push(Record::slow(block << 8));
    }
    records
}

/// The records of every block, with its number, by number.
fn all_records(lists: [&Entries; 3]) -> Vec<(u32, Record)> {
    let [deny, allow, zone] = lists;
    let mut found = Vec::with_capacity(deny.len());
    let blocks_of = |key: &Key4| Blocks::around(u32::from_be_bytes(key.address), key.length);
    let is_indexed = |(key, _): &(&Key4, &Entry)| key.length >= LEAST_INDEXED;
    for (key, entry) in deny.iter().filter(is_indexed) {
        let blocks = blocks_of(key).numbers();
        found.extend(blocks.map(|block| (block, record(block, key, entry))));
    }
    for (key, _) in allow.iter().chain(zone).filter(is_indexed) {
        let blocks = blocks_of(key).numbers();
        found.extend(blocks.map(|block| (block, Record::slow(block << 8))));
    }
    found.sort_unstable();
    let mut all = Vec::with_capacity(found.len());
    for chunk in found.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((block, _)) = chunk.first() else {
            continue;
        };
        let mut records: Vec<Record> = chunk.iter().map(|(_, record)| *record).collect();
        let records = condensed(&mut records, *block);
        all.extend(records.into_iter().map(|record| (*block, record)));
    }
    all
}

/// What a deny entry means for one of its blocks.
fn record(block: u32, key: &Key4, entry: &Entry) -> Record {
    let address = block << 8;
    let is_wider = key.length < 24;
    if is_lasting(entry) && is_wider {
        Record::deny(address, 24, false)
    } else if entry.mode != MODE_ENFORCE || is_wider {
        Record::slow(address)
    } else {
        Record::deny(
            u32::from_be_bytes(key.address),
            key.length,
            !is_lasting(entry),
        )
    }
}

/// The records of a block as they are written: one for all where the lists have to be asked, or
/// where denied hosts fill it.
fn condensed(records: &mut Vec<Record>, block: u32) -> Vec<Record> {
    records.sort_unstable();
    records.dedup();
    let address = block << 8;
    let most = Bucket::default().len();
    if fill(records) {
        vec![Record::deny(address, 24, false)]
    } else if records.iter().any(|record| record.is_slow()) || records.len() > most {
        vec![Record::slow(address)]
    } else {
        std::mem::take(records)
    }
}

/// Whether these deny the whole block, and nobody need know as what.
fn fill(records: &[Record]) -> bool {
    let mut hosts = [0_u64; 4];
    for record in records {
        if record.is_slow() || record.asks() || record.length() == 24 {
            return false;
        }
        let first = record.host() as usize;
        for host in (first..256).take(1 << (32 - record.length())) {
            if let Some(word) = hosts.get_mut(host / 64) {
                *word |= 1 << (host % 64);
            }
        }
    }
    hosts == [u64::MAX; 4]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_blocks_look_the_same() {
        for bits in [LEAST_INDEX_BITS, 15, MOST_INDEX_BITS] {
            let seen = |block: u32| {
                let address = block << 8;
                (bucket4(address, index_shift(bits)), Record::slow(address))
            };
            let all: std::collections::HashSet<_> = (0..1 << 24).step_by(97).map(seen).collect();
            assert_eq!(all.len(), (1_usize << 24).div_ceil(97));
        }
    }

    #[test]
    fn it_grows_and_shrinks_with_the_lists() {
        let mut index = Index4::new();
        let mut deny = Entries::new();
        let empty = Entries::new();
        for block in 0..60_000_u32 {
            let key = Key4::of(block.wrapping_mul(0x9e37_7900), 24);
            deny.insert(
                key,
                Entry {
                    rule: 1,
                    ..Entry::default()
                },
            );
            index.touch(&key);
        }
        let changed = index.take_changed([&deny, &empty, &empty]);
        assert!(changed.is_resized);
        assert_eq!(changed.buckets.len(), index.buckets().len());
        assert!(index.buckets().len() >= 60_000 / FULLEST);
        let all: Vec<Key4> = deny.keys().copied().collect();
        for key in all {
            deny.remove(&key);
            index.touch(&key);
        }
        assert!(index.take_changed([&deny, &empty, &empty]).is_resized);
        assert_eq!(index.buckets().len(), 1 << LEAST_INDEX_BITS);
        assert!(
            index
                .buckets()
                .iter()
                .all(|bucket| *bucket == Bucket::default())
        );
    }
}
