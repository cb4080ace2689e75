//! The bytes of one transaction, each value kept once, with what was learnt about it.

use crate::{
    prefilter::Prefilter,
    transform::{Transform, UnicodeMap},
};

/// A value in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data(u32);

impl Data {
    /// The empty value, which every pool holds.
    pub(super) const EMPTY: Self = Self(0);
    /// No value.
    const NONE: Self = Self(u32::MAX);
}

/// An arena of values. What transformations make of a value and which tests the prefilter leaves
/// for it is remembered, so that rules which share them ask once.
#[derive(Debug)]
pub(super) struct Pool {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Results of single transformations that changed something, linked per value.
    results: Vec<Outcome>,
    /// Results of whole chains, a row of `chains` per value that was asked.
    rows: Vec<Data>,
    chains: usize,
    /// Bits of the prefilter, `words` per value that was asked.
    scans: Vec<u64>,
    words: usize,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    end: usize,
    /// One bit per transformation that is known to change nothing.
    unchanged: u64,
    /// One past the index of the newest result in `results`; 0 where there is none.
    newest: u32,
    /// One past the number of the value's row in `rows`.
    row: u32,
    /// One past the number of the value's bits in `scans`.
    scan: u32,
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    transform: Transform,
    data: Data,
    older: u32,
}

impl Pool {
    /// Makes a pool for rules with this many chains and words of prefilter bits.
    pub(super) fn new(chains: usize, words: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(4096),
            entries: vec![Entry {
                start: 0,
                end: 0,
                unchanged: 0,
                newest: 0,
                row: 0,
                scan: 0,
            }],
            results: Vec::new(),
            rows: Vec::new(),
            chains,
            scans: Vec::new(),
            words,
            scratch: Vec::new(),
        }
    }

    /// Keeps a copy of `bytes`.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Data {
        if bytes.is_empty() {
            return Data::EMPTY;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let data = Data(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(Entry {
            start,
            end: self.bytes.len(),
            unchanged: 0,
            newest: 0,
            row: 0,
            scan: 0,
        });
        data
    }

    pub(super) fn get(&self, data: Data) -> &[u8] {
        self.entry(data)
            .and_then(|e| self.bytes.get(e.start..e.end))
            .unwrap_or_default()
    }

    /// What `transform` makes of `data`: `data` itself where it changes nothing.
    pub(super) fn transform(
        &mut self,
        data: Data,
        transform: Transform,
        map: Option<&UnicodeMap>,
    ) -> Data {
        let Some(entry) = self.entry(data) else {
            return data;
        };
        // Most leave most values as they are.
        let bit = 1 << transform as u32;
        if entry.unchanged & bit != 0 {
            return data;
        }
        let newest = entry.newest;
        let mut link = newest;
        while let Some(outcome) = self.outcome(link) {
            if outcome.transform == transform {
                return outcome.data;
            }
            link = outcome.older;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let changed = transform.apply(self.get(data), map, &mut scratch);
        let result = if changed { self.add(&scratch) } else { data };
        self.scratch = scratch;
        if !changed {
            if let Some(entry) = self.entries.get_mut(data.0 as usize) {
                entry.unchanged |= bit;
            }
            return data;
        }
        self.results.push(Outcome {
            transform,
            data: result,
            older: newest,
        });
        let link = u32::try_from(self.results.len()).unwrap_or_default();
        if let Some(entry) = self.entries.get_mut(data.0 as usize) {
            entry.newest = link;
        }
        result
    }

    /// What the chain of this number, which consists of `transforms`, makes of `data`.
    pub(super) fn chain(
        &mut self,
        data: Data,
        chain: usize,
        transforms: &[Transform],
        map: Option<&UnicodeMap>,
    ) -> Data {
        if transforms.is_empty() {
            return data;
        }
        let row = match self.entry(data) {
            Some(entry) if entry.row > 0 => entry.row as usize - 1,
            _ => {
                let row = self.rows.len() / self.chains.max(1);
                self.rows.resize(self.rows.len() + self.chains, Data::NONE);
                if let Some(entry) = self.entries.get_mut(data.0 as usize) {
                    entry.row = u32::try_from(row + 1).unwrap_or_default();
                }
                row
            }
        };
        let place = row * self.chains + chain;
        match self.rows.get(place) {
            Some(known) if *known != Data::NONE => *known,
            _ => {
                let result = transforms
                    .iter()
                    .fold(data, |data, t| self.transform(data, *t, map));
                if let Some(place) = self.rows.get_mut(place) {
                    *place = result;
                }
                result
            }
        }
    }

    /// Which tests may match `data`, as bits.
    pub(super) fn scan(&mut self, data: Data, prefilter: &Prefilter) -> &[u64] {
        let scan = match self.entry(data) {
            Some(entry) if entry.scan > 0 => entry.scan as usize - 1,
            _ => {
                let start = self.scans.len();
                self.scans.resize(start + self.words, 0);
                let scan = start / self.words.max(1);
                let value = match self.entries.get_mut(data.0 as usize) {
                    Some(entry) => {
                        entry.scan = u32::try_from(scan + 1).unwrap_or_default();
                        self.bytes.get(entry.start..entry.end).unwrap_or_default()
                    }
                    None => &[],
                };
                prefilter.scan(value, self.scans.get_mut(start..).unwrap_or_default());
                scan
            }
        };
        self.scans
            .get(scan * self.words..(scan + 1) * self.words)
            .unwrap_or_default()
    }

    fn entry(&self, data: Data) -> Option<Entry> {
        self.entries.get(data.0 as usize).copied()
    }

    fn outcome(&self, link: u32) -> Option<Outcome> {
        self.results.get((link as usize).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transformation_runs_once_and_copies_only_changes() {
        let mut pool = Pool::new(1, 0);
        let upper = pool.add(b"ABC");
        let lower = pool.transform(upper, Transform::Lowercase, None);
        assert_eq!(pool.get(lower), b"abc");
        assert_eq!(pool.transform(upper, Transform::Lowercase, None), lower);
        assert_eq!(pool.transform(lower, Transform::Lowercase, None), lower);
        assert_eq!(pool.transform(upper, Transform::Trim, None), upper);
        assert_eq!(pool.transform(upper, Transform::Lowercase, None), lower);
    }

    #[test]
    fn a_chain_is_remembered_as_a_whole() {
        let mut pool = Pool::new(2, 0);
        let chain = [Transform::UrlDecode, Transform::Lowercase];
        let data = pool.add(b"%41B");
        let result = pool.chain(data, 1, &chain, None);
        assert_eq!(pool.get(result), b"ab");
        assert_eq!(pool.chain(data, 1, &[Transform::Length], None), result);
        assert_eq!(pool.chain(data, 0, &[], None), data);
    }
}
