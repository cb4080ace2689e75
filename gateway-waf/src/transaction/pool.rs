//! The bytes of one transaction, each value kept once, with what transformations made of it.

use crate::transform::{Transform, UnicodeMap};

/// A value in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data(u32);

impl Data {
    /// The empty value, which every pool holds.
    pub(super) const EMPTY: Self = Self(0);
}

/// An arena of values. Transformed values are remembered, so that a chain of transformations
/// that many rules share runs once per value.
#[derive(Debug)]
pub(super) struct Pool {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Results of transformations, linked per value.
    results: Vec<Outcome>,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    end: usize,
    /// One past the index of the newest result in `results`; 0 where there is none.
    newest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    transform: Transform,
    data: Data,
    older: u32,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(4096),
            entries: vec![Entry {
                start: 0,
                end: 0,
                newest: 0,
            }],
            results: Vec::new(),
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
            newest: 0,
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
        let mut pool = Pool::new();
        let upper = pool.add(b"ABC");
        let lower = pool.transform(upper, Transform::Lowercase, None);
        assert_eq!(pool.get(lower), b"abc");
        assert_eq!(pool.transform(upper, Transform::Lowercase, None), lower);
        assert_eq!(pool.transform(lower, Transform::Lowercase, None), lower);
        assert_eq!(pool.transform(upper, Transform::Trim, None), upper);
        assert_eq!(pool.transform(upper, Transform::Lowercase, None), lower);
    }
}
