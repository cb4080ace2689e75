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
    cells4::is_lasting,
};

/// Changed blocks from which on all are derived in one pass over the lists.
const MANY: usize = 4_096;

/// An index of `n` records has at least `n / FULLEST` buckets; one that grows or shrinks beyond
/// half or twice of what that makes is built anew.
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

    /// Takes note that the entry for `key` came, changed or went.
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

    /// The buckets that changed since the last call, given the deny list, the safelist and the
    /// zones.
    pub(super) fn take_changed(&mut self, lists: [&Entries; 3]) -> Reindexed {
        let mut changed = Reindexed::default();
        if !self.is_all_dirty {
            let mut dirty = std::mem::take(&mut self.dirty);
            dirty.sort_unstable();
            dirty.dedup();
            for block in dirty {
                let wanted = condensed(&mut records(block, lists), block);
                self.set_block(block, wanted, &mut changed.buckets);
            }
        }
        if self.is_all_dirty || fitting_bits(self.records, self.bits) != self.bits {
            return self.build(lists);
        }
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
    if wanted.abs_diff(bits) <= 1 {
        bits
    } else {
        wanted
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

fn held(bucket: Bucket) -> impl Iterator<Item = Record> {
    bucket.into_iter().filter(|record| !record.is_none())
}

fn is_full(bucket: &Bucket) -> bool {
    bucket.last() == Some(&Record::FULL)
}

/// The bucket with its last place taken by the mark.
fn marked(mut bucket: Bucket) -> Bucket {
    let [.., last] = &mut bucket;
    *last = Record::FULL;
    bucket
}

/// A bucket of the wanted records, where those that `old` has too keep their places; `old` marked
/// as full when there is no room.
fn fit(old: Bucket, wanted: &[Record]) -> Bucket {
    if wanted.len() > old.len() {
        return marked(old);
    }
    let mut new = old.map(|record| {
        if wanted.contains(&record) {
            record
        } else {
            Record::NONE
        }
    });
    // Places that were free come first: what takes the place of another is written in steps.
    let mut added = wanted.iter().filter(|record| !old.contains(record));
    for is_free_before in [true, false] {
        for (place, old) in new.iter_mut().zip(old) {
            if place.is_none()
                && old.is_none() == is_free_before
                && let Some(record) = added.next()
            {
                *place = *record;
            }
        }
    }
    new
}

/// What to write to get from one content to another, so that at any instant a source finds what
/// the lists said before or what they say now: a bucket that is marked as full decides nothing.
pub(in crate::datapath) fn steps(old: Bucket, new: Bucket) -> Vec<Bucket> {
    if old == new {
        return Vec::new();
    }
    if is_full(&new) {
        return vec![new];
    }
    if is_full(&old) {
        return vec![marked(new), new];
    }
    let pairs = || old.into_iter().zip(new);
    let adds = pairs().any(|(old, new)| old.is_none() && !new.is_none());
    let removes = pairs().any(|(old, new)| !old.is_none() && new.is_none());
    let replaces = pairs().any(|(old, new)| !old.is_none() && !new.is_none() && old != new);
    if replaces {
        vec![marked(old), marked(new), new]
    } else if adds && removes {
        let mut both = old;
        for (place, new) in both
            .iter_mut()
            .zip(new)
            .filter(|(place, _)| place.is_none())
        {
            *place = new;
        }
        vec![both, new]
    } else {
        vec![new]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use gateway_common::lists::index4::decisive;
    use proptest::prelude::*;

    use super::*;

    /// The `nth` block that shares a bucket with the first, in the smallest index.
    fn sharing(nth: u32) -> u32 {
        static BLOCKS: LazyLock<Vec<u32>> = LazyLock::new(|| {
            let bucket = |block: u32| bucket4(block << 8, index_shift(LEAST_INDEX_BITS));
            let blocks = (0..1 << 24).filter(|block| bucket(*block) == bucket(0));
            blocks.take(5).collect()
        });
        BLOCKS[nth as usize]
    }

    /// Records of few blocks with few hosts, so that places are contended for.
    fn records() -> impl Strategy<Value = Vec<Record>> {
        let record = (0..5_u32, 0..4_u32, 24..=32_u32, any::<bool>(), 0..9_u8);
        let record = record.prop_map(|(nth, host, length, asks, slow)| {
            let block = sharing(nth) << 8;
            match slow {
                0 => Record::slow(block),
                _ => Record::deny(block | host << 6, length, asks),
            }
        });
        prop::collection::btree_set(record, 0..12).prop_map(|all| all.into_iter().collect())
    }

    proptest! {
        /// However far the kernel has come in copying: what is on record before and after is on
        /// record, and what decides is what decided before, or what will, or doubt.
        #[test]
        fn at_no_instant_is_a_record_missing(
            before in records(),
            after in records(),
            order in Just([0_usize, 1, 2, 3, 4, 5, 6, 7]).prop_shuffle(),
        ) {
            let old = fit(Bucket::default(), &before);
            let new = fit(old, &after);
            let mut bucket = old;
            for step in steps(old, new) {
                for place in order {
                    bucket[place] = step[place];
                    for address in (0..5).flat_map(|nth| (0..4).map(move |host| sharing(nth) << 8 | host << 6)) {
                        let now = decisive(&bucket, address);
                        let is_known = old.contains(&now) || new.contains(&now) || now.is_slow();
                        let is_kept = [old, new].iter().all(|b| !decisive(b, address).is_none());
                        let right = if is_kept { is_known && !now.is_none() } else { is_known || now.is_none() };
                        prop_assert!(right, "{address:08x} in {bucket:?} from {old:?} to {new:?}");
                    }
                }
            }
            prop_assert_eq!(bucket, new);
            if is_full(&new) {
                prop_assert!(after.len() > new.len());
            } else {
                let mut held: Vec<_> = held(new).collect();
                held.sort_unstable();
                prop_assert_eq!(held, after);
            }
        }
    }

    #[test]
    fn the_longest_prefix_is_found_and_doubt_before_all() {
        let host = Record::deny(0x0a00_0005, 32, true);
        let net = Record::deny(0x0a00_0004, 30, false);
        let mut bucket = fit(
            Bucket::default(),
            &[net, host, Record::deny(0x0a00_0000, 24, false)],
        );
        assert_eq!(decisive(&bucket, 0x0a00_0005), host);
        assert_eq!(decisive(&bucket, 0x0a00_0006), net);
        assert_eq!(decisive(&bucket, 0x0a00_0008).length(), 24);
        assert!(decisive(&bucket, 0x0a00_0105).is_none());
        bucket = fit(bucket, &[net, host, Record::slow(0x0a00_0000)]);
        assert!(decisive(&bucket, 0x0a00_0005).is_slow());
        assert!(decisive(&bucket, 0x0a00_0105).is_none());
    }

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
        assert!(index.buckets().len() >= 60_000 / (2 * FULLEST));
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
