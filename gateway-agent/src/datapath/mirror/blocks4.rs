//! Ranges of /24 blocks, and the entries that touch them.

use std::{collections::BTreeMap, ops::Range};

use gateway_common::lists::{Entry, Key4};

/// A list's entries, by address and then length.
pub(super) type Entries = BTreeMap<Key4, Entry>;

/// The /24 blocks of a prefix, or the one around a longer prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Number of the first: its address without the last byte.
    first: u32,
    /// Length of the prefix, at most 24.
    length: u32,
}

impl Blocks {
    /// Those around the prefix `address`/`length`.
    pub(super) fn around(address: u32, length: u32) -> Self {
        Self {
            first: address >> 8,
            length: length.min(24),
        }
    }

    /// One block, by its number.
    pub(super) const fn one(number: u32) -> Self {
        Self {
            first: number,
            length: 24,
        }
    }

    pub(super) const fn count(self) -> usize {
        1 << (24 - self.length)
    }

    pub(super) const fn numbers(self) -> Range<u32> {
        self.first..self.first + (1 << (24 - self.length))
    }

    /// Numbers of the /22 blocks that these lie in: the number of a block without its last bits.
    pub(super) const fn regions(self) -> Range<u32> {
        let numbers = self.numbers();
        numbers.start >> 2..((numbers.end - 1) >> 2) + 1
    }

    /// Which of the blocks a prefix touches: how many come before them, and how many they are.
    pub(super) fn within(self, key: &Key4) -> (usize, usize) {
        if key.length <= self.length {
            return (0, self.count());
        }
        let before = (u32::from_be_bytes(key.address) >> 8) - self.first;
        (before as usize, 1 << (24 - key.length.min(24)))
    }
}

/// The entries that cover the blocks or lie in them.
pub(super) fn touching(entries: &Entries, blocks: Blocks) -> impl Iterator<Item = (&Key4, &Entry)> {
    let start = blocks.first << 8;
    let covering =
        (0..blocks.length).filter_map(move |len| entries.get_key_value(&Key4::of(start, len)));
    let first = Key4 {
        address: start.to_be_bytes(),
        length: 0,
    };
    let last = Key4 {
        address: (start | u32::MAX.checked_shr(blocks.length).unwrap_or(0)).to_be_bytes(),
        length: 32,
    };
    // A covering prefix that starts where the blocks do is among the covering ones.
    let inside = entries
        .range(first..=last)
        .filter(move |(key, _)| key.length >= blocks.length);
    covering.chain(inside)
}
