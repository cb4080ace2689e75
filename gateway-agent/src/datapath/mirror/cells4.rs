//! The IPv4 summary: a bit for each /22, a cell for each /24, and for the cells that are mixed,
//! marks and short lengths.
//!
//! Every word is a function of the entries alone, whatever led to them.

use std::collections::BTreeMap;

use gateway_common::lists::{
    Entry, Key4, MODE_ENFORCE, ORIGIN_BAN,
    cells::{Cell, LEAST_MARKED, Marks, WORDS4, marks4, place4, region4, short4, wide4},
    index4::LEAST_INDEXED,
};

use super::{
    blocks4::{Blocks, Entries, touching},
    changes4::Changes,
    marks4,
};

/// An entry of the safelist or a zone touches the block.
const LISTED: u8 = 1;
/// A permanent, enforced deny entry covers the whole block.
const WHOLE: u8 = 2;
/// A deny entry touches the block.
const DENY: u8 = 4;
/// A deny entry lies inside the block: it is looked up, to be told by its rule.
const INSIDE: u8 = 8;
/// A ban touches the block: it is looked up, to be counted as one.
const BANNED: u8 = 16;
/// Permanent, enforced deny entries inside the block cover all of it together.
const FILLED: u8 = 32;

/// Mixed blocks from which on it is quicker to derive all marks in one pass over the entries than
/// each word from the 32 blocks that share it.
const MANY: usize = 64;

/// The words as the kernel should have them.
pub(super) struct Cells4 {
    words: Vec<u64>,
}

impl Cells4 {
    pub(super) fn new() -> Self {
        Self {
            words: vec![0; WORDS4 as usize],
        }
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Derives the summary of the blocks around `address`/`length` anew from the deny list, the
    /// safelist and the zones; returns the words that changed, in a safe order.
    pub(super) fn recompute(
        &mut self,
        address: u32,
        length: u32,
        lists: [&Entries; 3],
    ) -> Vec<(u32, u64)> {
        let blocks = Blocks::around(address, length);
        let mut changes = Changes::default();
        let mixed = self.write_cells(blocks, lists, &mut changes);
        self.write_regions(blocks, &mut changes);
        self.write_marks(mixed, lists, &mut changes);
        if length < LEAST_MARKED {
            self.write_short(blocks, lists, &mut changes);
        }
        if length < LEAST_INDEXED {
            self.write_wide(
                Blocks::around(address & !0xffff, length.min(16)),
                lists,
                &mut changes,
            );
        }
        changes.in_order()
    }

    /// Writes the cells; returns the blocks that are mixed now or were before.
    fn write_cells(
        &mut self,
        blocks: Blocks,
        lists: [&Entries; 3],
        changes: &mut Changes,
    ) -> Vec<u32> {
        let mut flags = vec![0; blocks.count()];
        for (entries, flags_of) in lists
            .into_iter()
            .zip([deny_flags, listed_flags, listed_flags])
        {
            for (key, entry) in touching(entries, blocks) {
                let new = flags_of(key, entry);
                let (skip, take) = blocks.within(key);
                flags
                    .iter_mut()
                    .skip(skip)
                    .take(take)
                    .for_each(|flags| *flags |= new);
            }
        }
        let [deny, ..] = lists;
        for block in filled(deny, blocks) {
            if let Some(flags) = flags.get_mut(block) {
                *flags |= FILLED;
            }
        }
        let mut mixed = Vec::new();
        for (block, flags) in blocks.numbers().zip(flags) {
            let place = place4((block << 8).to_be_bytes());
            let new = cell(flags);
            let old = place.read(self.word(place.word));
            if is_mixed(old) || is_mixed(new) {
                mixed.push(block);
            }
            if new != old {
                let word = place.write(self.word(place.word), new);
                self.set(place.word, word, changes);
            }
        }
        mixed
    }

    fn write_regions(&mut self, blocks: Blocks, changes: &mut Changes) {
        for region in blocks.regions() {
            let first = region << 2;
            let listed = (first..first + 4).any(|block| self.cell(block) != Cell::Clear);
            let region = region4((first << 8).to_be_bytes());
            let word = region.with(self.word(region.word), listed.into());
            self.set(region.word, word, changes);
        }
    }

    fn write_marks(&mut self, mixed: Vec<u32>, lists: [&Entries; 3], changes: &mut Changes) {
        let is_mixed = |block| is_mixed(self.cell(block));
        let words: Vec<(u32, Marks)> = if mixed.len() > MANY {
            marks4::of_all(lists, is_mixed)
        } else {
            let words: BTreeMap<u32, u32> = mixed
                .into_iter()
                .map(|block| (marks4((block << 8).to_be_bytes()), block))
                .collect();
            words
                .into_iter()
                .map(|(word, block)| (word, marks4::shared_by(block, lists, is_mixed)))
                .collect()
        };
        for (word, marks) in words {
            self.set(word, marks.0, changes);
        }
    }

    /// Writes which of `blocks`, whole /16s, have a prefix that is too short for the index.
    fn write_wide(&mut self, blocks: Blocks, lists: [&Entries; 3], changes: &mut Changes) {
        let mut wide = vec![false; blocks.count() >> 8];
        let entries = lists.into_iter().flat_map(|list| touching(list, blocks));
        for (key, _) in entries.filter(|(key, _)| key.length < LEAST_INDEXED) {
            let (skip, take) = blocks.within(key);
            wide.iter_mut()
                .skip(skip >> 8)
                .take(take.div_ceil(1 << 8))
                .for_each(|wide| *wide = true);
        }
        for (block, is_wide) in blocks.numbers().step_by(1 << 8).zip(wide) {
            let wide = wide4((block << 8).to_be_bytes());
            let word = wide.with(self.word(wide.word), is_wide.into());
            self.set(wide.word, word, changes);
        }
    }

    /// Writes the short lengths of `blocks`, whole /16s.
    fn write_short(&mut self, blocks: Blocks, lists: [&Entries; 3], changes: &mut Changes) {
        let mut lengths = vec![0; blocks.count() >> 8];
        let entries = lists.into_iter().flat_map(|list| touching(list, blocks));
        for (key, _) in entries.filter(|(key, _)| key.length < LEAST_MARKED) {
            let (skip, take) = blocks.within(key);
            lengths
                .iter_mut()
                .skip(skip >> 8)
                .take(take >> 8)
                .for_each(|lengths| *lengths |= 1 << key.length);
        }
        for (block, lengths) in blocks.numbers().step_by(1 << 8).zip(lengths) {
            let short = short4((block << 8).to_be_bytes());
            let word = short.with(self.word(short.word), lengths);
            self.set(short.word, word, changes);
        }
    }

    fn cell(&self, block: u32) -> Cell {
        let place = place4((block << 8).to_be_bytes());
        place.read(self.word(place.word))
    }

    fn word(&self, index: u32) -> u64 {
        self.words.get(index as usize).copied().unwrap_or(0)
    }

    fn set(&mut self, index: u32, new: u64, changes: &mut Changes) {
        if let Some(word) = self.words.get_mut(index as usize)
            && *word != new
        {
            changes.note(index, *word, new);
            *word = new;
        }
    }
}

/// Whether the summary is derived sooner for each of these prefixes than for all addresses.
pub(super) fn are_few(keys: &[Key4]) -> bool {
    keys.len() < 1_000 && keys.iter().all(|key| key.length >= LEAST_MARKED)
}

fn deny_flags(key: &Key4, entry: &Entry) -> u8 {
    if entry.origin == ORIGIN_BAN {
        DENY | BANNED
    } else if key.length > 24 {
        DENY | INSIDE
    } else if is_lasting(entry) {
        DENY | WHOLE
    } else {
        DENY
    }
}

/// Whether what this entry covers is dropped for as long as the entry is there, and nobody need
/// know as what.
pub(super) fn is_lasting(entry: &Entry) -> bool {
    entry.is_permanent() && entry.mode == MODE_ENFORCE && entry.origin != ORIGIN_BAN
}

/// Which of `blocks` the deny entries inside them cover from end to end, counted from the first.
fn filled(deny: &Entries, blocks: Blocks) -> impl Iterator<Item = usize> {
    let mut block = None;
    let mut hosts = [0_u64; 4];
    // In the order of addresses, so one block comes after the other.
    let inside = touching(deny, blocks).filter(|(key, entry)| key.length > 24 && is_lasting(entry));
    inside.filter_map(move |(key, _)| {
        let (before, _) = blocks.within(key);
        if block.replace(before) != Some(before) {
            hosts = [0; 4];
        }
        let was_full = hosts == [u64::MAX; 4];
        let [.., first] = key.address;
        for host in (u32::from(first)..256).take(1 << (32 - key.length)) {
            if let Some(word) = hosts.get_mut(host as usize / 64) {
                *word |= 1 << (host % 64);
            }
        }
        (!was_full && hosts == [u64::MAX; 4]).then_some(before)
    })
}

fn listed_flags(_: &Key4, _: &Entry) -> u8 {
    LISTED
}

const fn cell(flags: u8) -> Cell {
    if flags & LISTED != 0 {
        Cell::Any
    } else if flags & BANNED != 0 {
        Cell::Deny
    } else if flags & FILLED != 0 || flags & (WHOLE | INSIDE) == WHOLE {
        Cell::Whole
    } else if flags & DENY != 0 {
        Cell::Deny
    } else {
        Cell::Clear
    }
}

/// Whether the kernel looks entries up in a block with this cell.
const fn is_mixed(cell: Cell) -> bool {
    match cell {
        Cell::Clear | Cell::Whole => false,
        Cell::Deny | Cell::Any => true,
    }
}
