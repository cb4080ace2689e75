//! The index of denied IPv4 addresses in the kernel.
//!
//! It may be left out at any time: without it the kernel asks the tables behind it. So while its
//! size changes it is off, and it goes on again when all of it is written.

use aya::maps::MapError;
use gateway_common::lists::index4::{Bucket, LEAST_INDEX_BITS, MOST_INDEX_BITS, index_shift};

use super::{
    Datapath,
    error::DatapathError,
    mirror::{Reindexed, steps},
    object::Maps,
};

/// Buckets that one step compares: a few milliseconds.
const BUCKETS: u32 = 4_096;

/// A walk over the kernel's index.
#[derive(Debug, Default)]
pub(super) struct IndexWalk {
    next: u32,
    /// How many buckets were wrong so far.
    pub(super) mended: usize,
}

impl Datapath {
    /// Writes buckets of the index.
    pub(super) fn write_index(&mut self, changed: &Reindexed) -> Result<(), DatapathError> {
        if changed.is_resized {
            self.switch_index(0)?;
        }
        self.write_buckets(&changed.buckets)?;
        if changed.is_resized {
            let shift = self.mirror()?.index_shift();
            self.switch_index(shift)?;
        }
        Ok(())
    }

    /// Writes all of the index where the kernel's differs from the mirror's.
    pub(super) fn rewrite_index(&mut self) -> Result<(), DatapathError> {
        let mirror = self.mirror()?;
        let (shift, buckets) = (mirror.index_shift(), mirror.buckets4().to_vec());
        let is_of_size = self.settings.index_shift == shift;
        if !is_of_size {
            self.switch_index(0)?;
        }
        let held = held_index(&self.maps, shift)?;
        let differing: Vec<(u32, Bucket)> = (0..)
            .zip(buckets.into_iter().zip(held))
            .filter(|(_, (new, old))| new != old)
            .map(|(index, (new, _))| (index, new))
            .collect();
        self.write_buckets(&differing)?;
        self.switch_index(shift)
    }

    /// Compares the next buckets with the mirror's, and writes those that differ. Says whether
    /// that was all of them.
    pub(super) fn mend_index(&mut self, walk: &mut IndexWalk) -> Result<bool, DatapathError> {
        let mirror = self.mirror()?;
        let shift = mirror.index_shift();
        let next: Vec<(u32, Bucket)> = (walk.next..)
            .zip(mirror.buckets4().iter().skip(walk.next as usize).copied())
            .take(BUCKETS as usize)
            .collect();
        if next.is_empty() {
            // An import that failed half-way left it off.
            if self.settings.index_shift != shift {
                self.rewrite_index()?;
            }
            return Ok(true);
        }
        let mut wrong = Vec::new();
        for (index, bucket) in &next {
            let held = self.maps.index4.get(index, 0);
            let held = held.map_err(DatapathError::kernel("reading the lists' index"))?;
            wrong.extend(steps(held, *bucket).into_iter().map(|step| (*index, step)));
            walk.mended += usize::from(held != *bucket);
        }
        walk.next = walk.next.saturating_add(BUCKETS);
        self.write_buckets(&wrong)?;
        Ok(false)
    }

    pub(super) fn write_buckets(&mut self, buckets: &[(u32, Bucket)]) -> Result<(), DatapathError> {
        let mut write = || -> Result<(), MapError> {
            for (index, bucket) in buckets {
                self.maps.index4.set(*index, bucket, 0)?;
            }
            Ok(())
        };
        write().map_err(DatapathError::kernel("writing the lists' index"))
    }

    /// Puts an index of that size in force; 0 is none.
    pub(super) fn switch_index(&mut self, shift: u32) -> Result<(), DatapathError> {
        if self.settings.index_shift == shift {
            return Ok(());
        }
        self.settings.index_shift = shift;
        self.maps.write_settings(&self.settings)
    }
}

/// The buckets that the kernel holds for an index of that size; none when it has an impossible
/// one.
pub(super) fn held_index(maps: &Maps, shift: u32) -> Result<Vec<Bucket>, DatapathError> {
    let bits = (LEAST_INDEX_BITS..=MOST_INDEX_BITS).find(|bits| index_shift(*bits) == shift);
    let Some(bits) = bits else {
        return Ok(Vec::new());
    };
    (0..1 << bits)
        .map(|index| maps.index4.get(&index, 0))
        .collect::<Result<_, _>>()
        .map_err(DatapathError::kernel("reading the lists' index"))
}
