//! A bucket of the index: what goes where in it, and how it is written while the kernel reads.

use gateway_common::lists::index4::{Bucket, Record};

/// The records of a bucket.
pub(super) fn held(bucket: Bucket) -> impl Iterator<Item = Record> {
    bucket.into_iter().filter(|record| !record.is_none())
}

/// Whether there is more than the bucket holds.
pub(super) fn is_full(bucket: &Bucket) -> bool {
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
pub(super) fn fit(old: Bucket, wanted: &[Record]) -> Bucket {
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

    use gateway_common::lists::index4::{LEAST_INDEX_BITS, bucket4, decisive, index_shift};
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
}
