//! The tables of the IPv4 summary.

use super::{Field, Place};
use crate::lists::Key4;

/// First word of the lengths of short prefixes, behind the 2^22 regions.
const SHORT4: u32 = 1 << 16;

/// First word of the cells, behind the lengths for 2^16 blocks.
const CELLS4: u32 = SHORT4 + (1 << 14);

/// First word of the marks, behind the 2^24 cells.
const MARKS4: u32 = CELLS4 + (1 << 19);

/// Words of marks: one for the blocks whose numbers agree in the lower 19 bits.
pub const MARK_WORDS: u32 = 1 << 19;

/// First word of the bits for wide prefixes, behind the marks.
const WIDE4: u32 = MARKS4 + MARK_WORDS;

/// Words of the IPv4 map: the five tables.
pub const WORDS4: u32 = WIDE4 + (1 << 10);

/// The tables of the IPv4 map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table4 {
    /// A bit for each /22.
    Regions,
    /// Sixteen bits for each /16.
    Short,
    /// Two bits for each /24.
    Cells,
    /// A word for each 32 blocks.
    Marks,
    /// A bit for each /16.
    Wide,
}

/// The table that `word` of the IPv4 map belongs to.
#[must_use]
pub const fn table4(word: u32) -> Table4 {
    if word < SHORT4 {
        Table4::Regions
    } else if word < CELLS4 {
        Table4::Short
    } else if word < MARKS4 {
        Table4::Cells
    } else if word < WIDE4 {
        Table4::Marks
    } else {
        Table4::Wide
    }
}

/// The bit of the /22 around an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn region4(address: [u8; 4]) -> Field<1> {
    Field::nth(0, u32::from_be_bytes(address) >> 10)
}

/// The cell of the /24 block around an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn place4(address: [u8; 4]) -> Place {
    Field::nth(CELLS4, u32::from_be_bytes(address) >> 8)
}

/// The lengths, as [`crate::lists::Lengths`] has them, of the prefixes shorter than
/// [`LEAST_MARKED`] that hold the /16 around an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn short4(address: [u8; 4]) -> Field<16> {
    Field::nth(SHORT4, u32::from_be_bytes(address) >> 16)
}

/// The bit that says whether a prefix shorter than
/// [`LEAST_INDEXED`](crate::lists::index4::LEAST_INDEXED) holds an address of the /16 around an
/// IPv4 address.
#[inline(always)]
#[must_use]
pub const fn wide4(address: [u8; 4]) -> Field<1> {
    Field::nth(WIDE4, u32::from_be_bytes(address) >> 16)
}

/// The word of the marks of the /24 block around an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn marks4(address: [u8; 4]) -> u32 {
    MARKS4 + ((u32::from_be_bytes(address) >> 8) & (MARK_WORDS - 1))
}

/// The numbers of the blocks whose marks share a word with those of `block`.
pub fn sharing_marks4(block: u32) -> impl Iterator<Item = u32> {
    let shared = block & (MARK_WORDS - 1);
    (0..(1 << 24) / MARK_WORDS).map(move |nth| nth * MARK_WORDS + shared)
}

/// Prefixes shorter than this leave no marks, for they would mark every word.
pub const LEAST_MARKED: u32 = 16;

/// Where in a /24 block entries are and which lengths they have: in the lower half a bit for
/// each eight addresses that an entry covers or lies in, in the upper half a bit for each length
/// from 1 to 32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Marks(pub u64);

impl Marks {
    /// The marks that a prefix leaves in each /24 block that it touches.
    #[must_use]
    pub const fn of(key: &Key4) -> Self {
        if key.length < LEAST_MARKED || key.length > 32 {
            return Self(0);
        }
        let length = 1 << (31 + key.length);
        let [_, _, _, host] = key.address;
        let places = match 32 - key.length {
            host_bits @ 0..=7 => ((1 << (((1 << host_bits) + 7) >> 3)) - 1) << (host >> 3),
            _ => u32::MAX as u64,
        };
        Self(length | places)
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The lengths, as [`crate::lists::Lengths`] has them, of the prefixes of at least
    /// [`LEAST_MARKED`] bits that may hold an address of the block.
    #[inline(always)]
    #[must_use]
    pub const fn candidates(self, address: u32) -> u64 {
        if (self.0 >> ((address >> 3) & 31)) & 1 == 0 {
            return 0;
        }
        (self.0 >> 32) << 1
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_address_of_a_prefix_finds_its_length_marked() {
        for length in LEAST_MARKED..=32 {
            for host in 0..=255 {
                let key = Key4::new([10, 0, 5, host], length);
                let marks = Marks::of(&key);
                for other in 0..=255u8 {
                    let inside = Key4::new([10, 0, 5, other], length) == key;
                    let found = marks.candidates(other.into()) & (1 << length) != 0;
                    let near = other >> 3 == host >> 3;
                    assert_eq!(found, inside || near, "{key:?} {other}");
                }
            }
        }
        assert_eq!(Marks::of(&Key4::new([10, 0, 0, 0], 15)), Marks(0));
    }

    #[test]
    fn blocks_that_share_marks_are_those_of_the_same_word() {
        let word = marks4([10, 1, 2, 0]);
        let sharing: Vec<_> = sharing_marks4(0x0a_0102).collect();
        assert_eq!(sharing.len(), 32);
        assert!(sharing.contains(&0x0a_0102));
        for block in sharing {
            assert_eq!(marks4((block << 8).to_be_bytes()), word);
        }
    }

    #[test]
    fn the_last_block_fits_the_map() {
        assert_eq!(region4([255, 255, 255, 255]).word, SHORT4 - 1);
        assert_eq!(short4([0, 0, 0, 0]).word, SHORT4);
        assert_eq!(short4([255, 255, 255, 255]).word, CELLS4 - 1);
        assert_eq!(place4([0, 0, 0, 0]).word, CELLS4);
        assert_eq!(place4([255, 255, 255, 0]).word, MARKS4 - 1);
        assert_eq!(marks4([0, 0, 0, 0]), MARKS4);
        assert_eq!(marks4([255, 255, 255, 0]), WIDE4 - 1);
        assert_eq!(wide4([0, 0, 0, 0]).word, WIDE4);
        assert_eq!(wide4([255, 255, 255, 255]).word, WORDS4 - 1);
    }
}
