//! Comparing the kernel's maps with what the agent believes of them, a little at a time.
//!
//! Everything else in this folder trusts the [`Mirror`](super::Mirror); here the kernel is asked.

use aya::maps::{Array, HashMap, MapData, MapError};
use gateway_common::{
    lists::{Entry, cells::WORDS4},
    tables::List,
};
use gateway_policy::grammar::Prefix;

use super::{
    Datapath,
    error::DatapathError,
    index::IndexWalk,
    mirror::{Changed, Key, Reindexed, changes4::Changes, key, prefix},
    object::{Family, Maps},
};

/// Words of the summary that one step compares: a few milliseconds.
const WORDS: u32 = 4_096;

/// Wrong words that are remembered until they are written; more are found by the next walk.
const MOST_WRONG: usize = 1 << 20;

/// A walk over the kernel's summary. Wrong words are written at its end, in one order that is
/// sound at every instant.
#[derive(Debug, Default)]
pub struct SummaryWalk {
    index: IndexWalk,
    next: u32,
    wrong: Vec<u32>,
}

/// A walk over the keys of one list, on handles of its own, so that it needs no lock.
pub struct Keys {
    family: Family,
    most: usize,
}

/// What is wrong with one entry of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is not there.
    Missing,
    /// It says something else.
    Different,
}

impl SummaryWalk {
    /// Whether wrong words were found that are not written yet.
    #[must_use]
    pub fn found_any(&self) -> bool {
        !self.wrong.is_empty()
    }
}

impl Datapath {
    /// The entry for exactly this prefix, as the kernel has it.
    ///
    /// # Errors
    ///
    /// When the kernel's map cannot be read.
    pub fn held(&mut self, list: List, prefix: Prefix) -> Result<Option<Entry>, DatapathError> {
        held(self.maps.family(list), key(prefix))
    }

    /// Opens a list's maps once more, to walk over what they hold.
    ///
    /// # Errors
    ///
    /// When the pins cannot be opened, or the kernel's maps cannot be read.
    pub fn keys(&mut self, list: List) -> Result<Keys, DatapathError> {
        let (v4, v6) = self.count(list)?;
        Ok(Keys {
            family: Maps::open(&self.pins)?.into_family(list),
            // A walk that meets a key just as it is removed begins anew.
            most: (v4 + v6).saturating_mul(2).saturating_add(10_000),
        })
    }

    /// Makes the kernel hold the next entries of `list` behind `after` as the mirror does, at
    /// most `limit`. Returns how many were compared, what was mended, and the last one.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn mend_mirrored(
        &mut self,
        list: List,
        after: Option<Prefix>,
        limit: usize,
    ) -> Result<(usize, Vec<Drift>, Option<Prefix>), DatapathError> {
        let behind = |prefix: &Prefix| after.is_none_or(|after| *prefix > after);
        let next: Vec<(Prefix, Entry)> = self
            .entries(list)?
            .filter(|(prefix, _)| behind(prefix))
            .take(limit)
            .map(|(prefix, entry)| (prefix, *entry))
            .collect();
        let mut mended = Vec::new();
        for (prefix, entry) in &next {
            let drift = match self.held(list, *prefix)? {
                Some(held) if held == *entry => continue,
                Some(_) => Drift::Different,
                None => Drift::Missing,
            };
            self.insert(list, *prefix, *entry)?;
            mended.push(drift);
        }
        Ok((next.len(), mended, next.last().map(|(prefix, _)| *prefix)))
    }

    /// Removes those of `prefixes` from the kernel's `list` that the mirror does not hold; says
    /// how many.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn drop_unknown(
        &mut self,
        list: List,
        prefixes: &[Prefix],
    ) -> Result<usize, DatapathError> {
        let mut dropped = 0;
        for prefix in prefixes {
            let known = self.mirror()?.get(list, key(*prefix)).is_some();
            if !known && self.held(list, *prefix)?.is_some() {
                self.remove(list, *prefix)?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// Writes the settings again if the kernel's are not those in force; says whether they were
    /// not.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn mend_settings(&mut self) -> Result<bool, DatapathError> {
        if self.maps.settings()? == self.settings {
            return Ok(false);
        }
        self.maps.write_settings(&self.settings)?;
        Ok(true)
    }

    /// Compares the next words of the summary, after the buckets of the index. `Some` at the end of
    /// the walk: how many of them were wrong and have been written.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn mend_summary(&mut self, walk: &mut SummaryWalk) -> Result<Option<usize>, DatapathError> {
        if !self.mend_index(&mut walk.index)? {
            return Ok(None);
        }
        self.mirror()?;
        let Some(mirror) = &self.mirror else {
            return Ok(Some(0));
        };
        let (words4, words6) = (mirror.words4(), mirror.words6());
        let all = WORDS4.saturating_add(u32::try_from(words6.len()).unwrap_or(u32::MAX));
        let end = walk.next.saturating_add(WORDS).min(all);
        for index in walk.next..end {
            let differs = match index.checked_sub(WORDS4) {
                None => differing(words4, &self.maps.cells4, index)?,
                Some(index6) => differing(words6, &self.maps.cells6, index6)?,
            };
            if differs.is_some() && walk.wrong.len() < MOST_WRONG {
                walk.wrong.push(index);
            }
        }
        walk.next = end;
        if end < all {
            return Ok(None);
        }
        // Looked at once more, for the lists may have changed since.
        let mut changes4 = Changes::default();
        let mut words = Vec::new();
        let mut wrong = 0;
        for index in std::mem::take(&mut walk.wrong) {
            match index.checked_sub(WORDS4) {
                None => {
                    if let Some((old, new)) = differing(words4, &self.maps.cells4, index)? {
                        changes4.note(index, old, new);
                        wrong += 1;
                    }
                }
                Some(index) => {
                    if let Some((_, new)) = differing(words6, &self.maps.cells6, index)? {
                        words.push((index, new));
                        wrong += 1;
                    }
                }
            }
        }
        walk.next = 0;
        wrong += std::mem::take(&mut walk.index).mended;
        self.write_cells(&Changed {
            index4: Reindexed::default(),
            words4: changes4.in_order(),
            words6: words,
        })?;
        Ok(Some(wrong))
    }
}

impl Keys {
    /// Hands all keys to `take`, at most `chunk` at a time; keys that come and go meanwhile may
    /// be missed or come twice. `take` ends the walk by returning `false`. Says whether the walk
    /// came to its end; it does not when keys are removed faster than it gets on.
    ///
    /// # Errors
    ///
    /// When the kernel's maps cannot be read, or what `take` returns.
    pub fn walk<E: From<DatapathError>>(
        &self,
        chunk: usize,
        take: &mut dyn FnMut(&[Prefix]) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let v4 = self.family.v4.keys().map(|key| key.map(Key::V4));
        let v6 = self.family.v6.keys().map(|key| key.map(Key::V6));
        // The loader's iterators begin anew after their end.
        let mut keys = v4.chain(v6).fuse().take(self.most);
        let mut seen = 0;
        loop {
            let mut prefixes = Vec::with_capacity(chunk);
            for found in keys.by_ref().take(chunk) {
                let found = found.map_err(DatapathError::kernel("walking over a list"))?;
                seen += 1;
                prefixes.extend(prefix(found));
            }
            if prefixes.is_empty() {
                return Ok(seen < self.most);
            }
            if !take(&prefixes)? {
                return Ok(false);
            }
        }
    }
}

fn held(family: &Family, key: Key) -> Result<Option<Entry>, DatapathError> {
    fn get<K: aya::Pod>(
        map: &HashMap<MapData, K, Entry>,
        key: &K,
    ) -> Result<Option<Entry>, DatapathError> {
        match map.get(key, 0) {
            Ok(entry) => Ok(Some(entry)),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(DatapathError::kernel("reading an entry")(error)),
        }
    }
    match key {
        Key::V4(key) => get(&family.v4, &key),
        Key::V6(key) => get(&family.v6, &key),
    }
}

/// What the kernel holds in a word and what it should, where the two differ.
fn differing(
    words: &[u64],
    kernel: &Array<MapData, u64>,
    index: u32,
) -> Result<Option<(u64, u64)>, DatapathError> {
    let held = kernel
        .get(&index, 0)
        .map_err(DatapathError::kernel("reading the lists' summary"))?;
    let should = words.get(index as usize).copied().unwrap_or(0);
    Ok((held != should).then_some((held, should)))
}
