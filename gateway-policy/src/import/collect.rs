//! What the readers find, and what is left of it: each prefix once, in order.

use super::element;
use super::fault::{ImportError, LineFault, MAX_TOLD};
use super::format::Format;
use crate::grammar::{Period, Prefix};

/// An entry of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The addresses.
    pub prefix: Prefix,
    /// The line it stood on, from 1.
    pub line: u32,
    /// How long it had left there; for good when absent.
    pub ttl: Option<Period>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The format it was read as.
    pub format: Format,
    /// Its entries, by prefix; no prefix comes twice.
    pub entries: Vec<Entry>,
    /// Entries that said again what another one says; they were merged.
    pub duplicates: usize,
    /// Entries that lie inside another one of the file; they are kept.
    pub covered: usize,
    /// Bad lines that were passed over, the first [`MAX_TOLD`] of them.
    pub faults: Vec<LineFault>,
    /// How many there were in all.
    pub bad_lines: usize,
}

/// Takes what a reader finds, bounded.
pub(super) struct Collector {
    entries: Vec<Entry>,
    capacity: usize,
    /// Entries merged away so far.
    duplicates: usize,
    faults: Vec<LineFault>,
    more: usize,
    /// Bad lines that are passed over.
    tolerated: usize,
}

impl Collector {
    pub(super) fn new(capacity: usize, tolerated: usize) -> Self {
        Self {
            entries: Vec::new(),
            capacity,
            duplicates: 0,
            faults: Vec::new(),
            more: 0,
            tolerated,
        }
    }

    /// Takes an address, a prefix or a range, or notes why not.
    pub(super) fn take(
        &mut self,
        line: u32,
        text: &str,
        ttl: Option<Period>,
    ) -> Result<(), ImportError> {
        if let Err(what) = element::each(text, |prefix| {
            self.entries.push(Entry { prefix, line, ttl });
        }) {
            self.refuse(line, what);
        }
        // Two families fill half of it at most, so between two merges comes as much as is merged.
        if self.entries.len() > self.capacity.saturating_mul(4) {
            self.merge();
            self.check_room()?;
        }
        Ok(())
    }

    /// Notes a bad line.
    pub(super) fn refuse(&mut self, line: u32, what: impl Into<String>) {
        if self.faults.len() < MAX_TOLD {
            let what = what.into();
            self.faults.push(LineFault { line, what });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn finish(mut self, format: Format) -> Result<Imported, ImportError> {
        let bad_lines = self.faults.len().saturating_add(self.more);
        if bad_lines > self.tolerated {
            return Err(ImportError::Lines {
                faults: self.faults,
                more: self.more,
            });
        }
        if self.entries.is_empty() {
            return Err(ImportError::Empty);
        }
        self.merge();
        self.check_room()?;
        Ok(Imported {
            format,
            duplicates: self.duplicates,
            covered: covered(&self.entries),
            entries: self.entries,
            faults: self.faults,
            bad_lines,
        })
    }

    /// Sorts the entries and leaves each prefix once: the first line, the longest time.
    fn merge(&mut self) {
        let before = self.entries.len();
        self.entries.sort_by_key(|entry| (entry.prefix, entry.line));
        self.entries.dedup_by(|again, kept| {
            let same = again.prefix == kept.prefix;
            if same {
                kept.ttl = kept.ttl.zip(again.ttl).map(|(a, b)| a.max(b));
            }
            same
        });
        self.duplicates += before - self.entries.len();
    }

    fn check_room(&self) -> Result<(), ImportError> {
        let v4 = self.entries.partition_point(|entry| entry.prefix.is_ipv4());
        for (count, family) in [(v4, "IPv4"), (self.entries.len() - v4, "IPv6")] {
            if count > self.capacity {
                return Err(ImportError::TooMany {
                    family,
                    capacity: self.capacity,
                });
            }
        }
        Ok(())
    }
}

/// How many of the entries lie inside another one. They are in order, so the wider one comes
/// first, and everything in it right behind.
fn covered(entries: &[Entry]) -> usize {
    let mut outer: Option<Prefix> = None;
    let mut covered = 0;
    for entry in entries {
        if outer.is_some_and(|outer| outer.covers(entry.prefix)) {
            covered += 1;
        } else {
            outer = Some(entry.prefix);
        }
    }
    covered
}
