//! Many changes at once, a little at a time, so that others get their turn in between.
//!
//! Entries come and go first, and the summary follows at the end: it costs about as much to
//! derive for a million entries as for a few thousand. Until then what was added does not act
//! yet, where nothing announces it, and what was removed may go on acting in whole blocks.

use aya::maps::MapError;
use gateway_common::{
    lists::{
        Entry,
        cells::{Table4, table4},
        index4::Bucket,
    },
    tables::List,
};
use gateway_policy::grammar::Prefix;

use super::{
    Datapath,
    error::DatapathError,
    lists::{put, take},
    mirror::{Changed, key},
};

/// Words that are written in one go: less than a millisecond.
const WORDS: usize = 1_000;

/// A summary that was derived and is being written.
pub struct Derived {
    changed: Changed,
    /// Buckets and words written so far.
    buckets: usize,
    written: usize,
    /// How many changes there had been when it was derived.
    changes: u64,
}

impl Datapath {
    /// Puts entries there and takes some away (`None`), without their summary. Those before the
    /// one that is refused are changed all the same.
    ///
    /// # Errors
    ///
    /// As [`Datapath::insert`].
    pub fn stage(
        &mut self,
        list: List,
        changes: &[(Prefix, Option<Entry>)],
    ) -> Result<(), DatapathError> {
        self.mirror()?;
        let puts = changes.iter().filter(|(_, entry)| entry.is_some());
        self.announce_lengths(list, puts.map(|(prefix, _)| *prefix))?;
        for (prefix, entry) in changes {
            let key = key(*prefix);
            let family = self.maps.family(list);
            match entry {
                Some(entry) => put(family, list, *prefix, key, entry)?,
                None => take(family, key)?,
            }
            self.mirror()?.stage(list, key, *entry);
        }
        Ok(())
    }

    /// Derives the summary of all that was staged, to be written with [`Datapath::write_some`].
    ///
    /// # Errors
    ///
    /// When the kernel's maps cannot be read.
    pub fn derive(&mut self) -> Result<Derived, DatapathError> {
        let changed = self.mirror()?.derive();
        if !changed.index4.buckets.is_empty() {
            // What others write into it meanwhile may be meant for another size.
            self.switch_index(0)?;
        }
        Ok(Derived {
            changed,
            buckets: 0,
            written: 0,
            changes: self.changes,
        })
    }

    /// Writes the next words of a summary; says whether there are more.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn write_some(&mut self, derived: &mut Derived) -> Result<bool, DatapathError> {
        if self.write_some_buckets(derived)? {
            return Ok(true);
        }
        // What others changed in between has been written, and must not be undone.
        let overtaken = self.changes != derived.changes;
        let mirror = self.mirror()?;
        let now = |words: &[u64], index: u32, word: u64| match overtaken {
            true => words.get(index as usize).copied().unwrap_or(word),
            false => word,
        };
        // Marks and short lengths may only gain bits before the cells that lead to them are
        // written. One bit too many costs a look-up, one too few a verdict.
        let now4 = |index: u32, word: u64| match table4(index) {
            Table4::Marks | Table4::Short => word | now(mirror.words4(), index, word),
            Table4::Cells | Table4::Regions | Table4::Wide => now(mirror.words4(), index, word),
        };
        let skip6 = derived.written.saturating_sub(derived.changed.words4.len());
        let words4 = derived.changed.words4.iter().skip(derived.written);
        let words4: Vec<(u32, u64)> = words4
            .take(WORDS)
            .map(|(index, word)| (*index, now4(*index, *word)))
            .collect();
        let words6 = derived.changed.words6.iter().skip(skip6);
        let words6: Vec<(u32, u64)> = words6
            .take(WORDS - words4.len())
            .map(|(index, word)| (*index, now(mirror.words6(), *index, *word)))
            .collect();
        let mut write = || -> Result<(), MapError> {
            for (index, word) in &words4 {
                self.maps.cells4.set(*index, word, 0)?;
            }
            for (index, word) in &words6 {
                self.maps.cells6.set(*index, word, 0)?;
            }
            Ok(())
        };
        write().map_err(DatapathError::kernel("writing the lists' summary"))?;
        derived.written += words4.len() + words6.len();
        let all = derived.changed.words4.len() + derived.changed.words6.len();
        if derived.written < all {
            return Ok(true);
        }
        self.write_lengths()?;
        let shift = self.mirror()?.index_shift();
        self.switch_index(shift)?;
        Ok(false)
    }

    /// Writes the next buckets of the index, as they should be by now; says whether there are
    /// more. The kernel does not go by the index meanwhile, so their order is of no account.
    fn write_some_buckets(&mut self, derived: &mut Derived) -> Result<bool, DatapathError> {
        let left = derived.changed.index4.buckets.iter().skip(derived.buckets);
        let mirror = self.mirror()?.buckets4();
        // One that is not there any more belonged to an index of another size, which was replaced.
        let next: Vec<(u32, Bucket)> = left
            .take(WORDS)
            .filter_map(|(index, _)| Some((*index, *mirror.get(*index as usize)?)))
            .collect();
        if derived.buckets >= derived.changed.index4.buckets.len() {
            return Ok(false);
        }
        self.write_buckets(&next)?;
        derived.buckets += WORDS;
        Ok(true)
    }
}
