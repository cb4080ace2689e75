//! The IPv4 summary: one exact cell for each /24 block.

use std::collections::BTreeMap;

use gateway_common::lists::{
    Entry, Key4, MODE_ENFORCE, ORIGIN_BAN,
    cells::{Cell, Place, WORDS4, place4},
};

/// An entry of the safelist or a zone touches the block.
const LISTED: u8 = 1;
/// A permanent, enforced deny entry covers the whole block.
const WHOLE: u8 = 2;
/// A deny entry touches the block.
const DENY: u8 = 4;
/// A deny entry lies inside the block, or is a ban, which is looked up to be counted as one.
const INSIDE: u8 = 8;

/// The words as the kernel should have them.
pub(super) struct Cells4 {
    words: Vec<u64>,
}

type Entries = BTreeMap<Key4, Entry>;

impl Cells4 {
    pub(super) fn new() -> Self {
        Self {
            words: vec![0; WORDS4 as usize],
        }
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Derives the cells of `address`/`length` anew from the deny list, the safelist and the
    /// zones; returns the words that changed.
    pub(super) fn recompute(
        &mut self,
        address: u32,
        length: u32,
        lists: [&Entries; 3],
    ) -> Vec<(u32, u64)> {
        let block_length = length.min(24);
        let first = address >> 8;
        let mut flags = vec![0; 1 << (24 - block_length)];
        for (entries, mark) in lists
            .into_iter()
            .zip([deny_marks, listed_marks, listed_marks])
        {
            let base = (0..block_length)
                .filter_map(|len| entries.get_key_value(&Key4::of(address, len)))
                .fold(0, |marks, (key, entry)| marks | mark(key, entry));
            flags.iter_mut().for_each(|flags| *flags |= base);
            let start = Key4 {
                address: (first << 8).to_be_bytes(),
                length: 0,
            };
            let last = (first << 8) | (u32::MAX.checked_shr(block_length).unwrap_or(0));
            let end = Key4 {
                address: last.to_be_bytes(),
                length: 32,
            };
            for (key, entry) in entries.range(start..=end) {
                // A covering prefix that starts where this range does was counted above.
                if key.length < block_length {
                    continue;
                }
                let from = ((u32::from_be_bytes(key.address) >> 8) - first) as usize;
                let count = 1 << (24 - key.length.min(24));
                let marks = mark(key, entry);
                flags
                    .iter_mut()
                    .skip(from)
                    .take(count)
                    .for_each(|flags| *flags |= marks);
            }
        }
        self.write(first, &flags)
    }

    fn write(&mut self, first: u32, flags: &[u8]) -> Vec<(u32, u64)> {
        let mut changed: Vec<(u32, u64)> = Vec::new();
        for (block, flags) in (first..).zip(flags) {
            let Place { word, .. } = place4((block << 8).to_be_bytes());
            let place = place4((block << 8).to_be_bytes());
            let Some(current) = self.words.get_mut(word as usize) else {
                continue;
            };
            let new = place.write(*current, cell(*flags));
            if new == *current {
                continue;
            }
            *current = new;
            match changed.last_mut() {
                Some((last, value)) if *last == word => *value = new,
                _ => changed.push((word, new)),
            }
        }
        changed
    }
}

fn deny_marks(key: &Key4, entry: &Entry) -> u8 {
    if key.length > 24 || entry.origin == ORIGIN_BAN {
        DENY | INSIDE
    } else if entry.is_permanent() && entry.mode == MODE_ENFORCE {
        DENY | WHOLE
    } else {
        DENY
    }
}

fn listed_marks(_: &Key4, _: &Entry) -> u8 {
    LISTED
}

const fn cell(flags: u8) -> Cell {
    if flags & LISTED != 0 {
        Cell::Any
    } else if flags & WHOLE != 0 && flags & INSIDE == 0 {
        Cell::Whole
    } else if flags & DENY != 0 {
        Cell::Deny
    } else {
        Cell::Clear
    }
}
