//! The summary that answers the common packet in a load or two: two bits for every block of
//! addresses that say whether the lists hold anything there at all.
//!
//! IPv4 has five tables in one map, from the coarse one that fits a processor's cache to the
//! fine one that few packets need:
//!
//! 1. a bit for each /22 ([`region4`]), 512 KiB: whether any of its four cells is not clear;
//! 2. a [`Cell`] for each /24, 4 MiB, exact;
//! 3. a word of [`Marks`] for each /24 whose cell is neither clear nor whole, shared by the 32
//!    blocks that differ in their first five bits alone, 4 MiB: where in the block entries are,
//!    and of which lengths;
//! 4. a set of lengths for each /16 ([`short4`]), 128 KiB: those of the prefixes shorter than /16
//!    that cover it, which would mark every word;
//! 5. a bit for each /16 ([`wide4`]), 8 KiB: whether a prefix covers it that is too short for the
//!    [index](super::index4), which is asked between the second table and the third.
//!
//! IPv6 has three tables of cells in one map: one cell for each /16 block, exact, for prefixes
//! shorter than /32; one for each /32 block by hash, for prefixes of /32 to /47; one for each /48
//! block by hash, for /48 and longer. Where blocks share a word or a cell, a clean one may look
//! listed, which costs time and never a verdict.
//!
//! The summary is derived from the lists. Whoever adds an entry writes it before what announces
//! it, the finer table before the coarser one, and whoever removes one recomputes the summary
//! after.

mod v4;
mod v6;

pub use v4::{
    LEAST_MARKED, MARK_WORDS, Marks, Table4, WORDS4, marks4, place4, region4, sharing_marks4,
    short4, table4, wide4,
};
pub use v6::{WORDS6, place6_16, place6_32, place6_48};

/// What the lists hold for a block of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cell {
    /// Nothing: the source is on no list.
    #[default]
    Clear = 0,
    /// Deny entries, whole or in part: look them up.
    Deny = 1,
    /// A permanent, enforced deny entry covers the whole block and nothing longer competes.
    Whole = 2,
    /// Entries of the safelist or a zone, perhaps deny entries too: look all of them up.
    Any = 3,
}

impl Cell {
    /// The cell with the lower two bits of `bits`.
    #[inline(always)]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Clear,
            1 => Self::Deny,
            2 => Self::Whole,
            _ => Self::Any,
        }
    }
}

/// Where `BITS` bits stand that belong to a block: the word in the map and the shift within the
/// word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field<const BITS: u32> {
    /// Index of the 64-bit word.
    pub word: u32,
    /// Bits to shift right.
    pub shift: u32,
}

impl<const BITS: u32> Field<BITS> {
    const MASK: u64 = (1 << BITS) - 1;

    /// The `nth` field from the start of word `base`.
    #[inline(always)]
    const fn nth(base: u32, nth: u32) -> Self {
        let each = 64 / BITS;
        Self {
            word: base + nth / each,
            shift: nth % each * BITS,
        }
    }

    /// Reads the bits out of their word.
    #[inline(always)]
    #[must_use]
    pub const fn bits(self, word: u64) -> u64 {
        (word >> self.shift) & Self::MASK
    }

    /// The word with the bits replaced by the lowest of `bits`.
    #[must_use]
    pub const fn with(self, word: u64, bits: u64) -> u64 {
        (word & !(Self::MASK << self.shift)) | ((bits & Self::MASK) << self.shift)
    }
}

/// Where a cell stands.
pub type Place = Field<2>;

impl Place {
    /// Reads the cell out of its word.
    #[inline(always)]
    #[must_use]
    pub const fn read(self, word: u64) -> Cell {
        Cell::from_bits(word >> self.shift)
    }

    /// The word with the cell replaced.
    #[must_use]
    pub const fn write(self, word: u64, cell: Cell) -> u64 {
        self.with(word, cell as u64)
    }
}

/// A keyed 64-bit mix: two rounds of multiply and fold (the finaliser of MurmurHash3).
#[inline(always)]
#[must_use]
pub(crate) const fn mix(seed: u64, value: u64) -> u64 {
    let x = value ^ seed;
    let x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_do_not_touch_their_neighbours() {
        let place = place4([10, 0, 5, 77]);
        let word = place.write(u64::MAX, Cell::Whole);
        assert_eq!(place.read(word), Cell::Whole);
        assert_eq!(word.count_ones(), 63);
        assert_eq!(place.write(word, Cell::Any), u64::MAX);
    }

    #[test]
    fn fields_of_every_width_stay_within_their_word() {
        let bit = region4([0, 0, 0x0b, 0]);
        assert_eq!((bit.with(0, 1), bit.bits(4), bit.bits(!4)), (4, 1, 0));
        let lengths = short4([10, 3, 0, 0]);
        assert_eq!(lengths.with(0, u64::MAX), 0xffff << 48);
        assert_eq!(lengths.bits(0x1234 << 48), 0x1234);
    }
}
