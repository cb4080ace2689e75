//! The summary that answers the common packet in one load: two bits for every block of
//! addresses that say whether the lists hold anything there at all.
//!
//! IPv4 has one cell for each of the 2^24 /24 blocks, 4 MiB in all, exact. IPv6 has three
//! regions in one map: one cell for each /16 block, exact, for prefixes shorter than /32; one
//! for each /32 block by hash, for prefixes of /32 to /47; one for each /48 block by hash, for
//! /48 and longer. A hash collision can only make a clean block look mixed, which costs time
//! and never a verdict.
//!
//! Cells are derived from the lists. Whoever adds an entry writes it before the cell that
//! announces it, and whoever removes one recomputes the cells after.

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

/// Where a cell stands: the word in the map and the shift within the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index of the 64-bit word.
    pub word: u32,
    /// Bits to shift right.
    pub shift: u32,
}

impl Place {
    #[inline(always)]
    const fn nth(cell: u32) -> Self {
        Self {
            word: cell >> 5,
            shift: (cell & 31) * 2,
        }
    }

    /// Reads the cell out of its word.
    #[inline(always)]
    #[must_use]
    pub const fn read(self, word: u64) -> Cell {
        Cell::from_bits(word >> self.shift)
    }

    /// The word with the cell replaced.
    #[must_use]
    pub const fn write(self, word: u64, cell: Cell) -> u64 {
        (word & !(3 << self.shift)) | ((cell as u64) << self.shift)
    }
}

/// Words of the IPv4 map: 2^24 cells.
pub const WORDS4: u32 = 1 << 19;

/// Bits of a /32 region index.
const BITS_32: u32 = 20;
/// Bits of a /48 region index.
const BITS_48: u32 = 22;
/// First cell of the region of /32 blocks.
const BASE_32: u32 = 1 << 16;
/// First cell of the region of /48 blocks.
const BASE_48: u32 = BASE_32 + (1 << BITS_32);

/// Words of the IPv6 map: the three regions.
pub const WORDS6: u32 = (BASE_48 + (1 << BITS_48)) >> 5;

/// The cell of the /24 block around an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn place4(address: [u8; 4]) -> Place {
    Place::nth(u32::from_be_bytes(address) >> 8)
}

/// The cell of the /16 block around an IPv6 address, given its upper half.
#[inline(always)]
#[must_use]
pub const fn place6_16(high: u64) -> Place {
    Place::nth((high >> 48) as u32)
}

/// The cell of the /32 block around an IPv6 address, given its upper half.
#[inline(always)]
#[must_use]
pub const fn place6_32(seed: u64, high: u64) -> Place {
    Place::nth(BASE_32 + (mix(seed, high >> 32) >> (64 - BITS_32)) as u32)
}

/// The cell of the /48 block around an IPv6 address, given its upper half.
#[inline(always)]
#[must_use]
pub const fn place6_48(seed: u64, high: u64) -> Place {
    Place::nth(BASE_48 + (mix(seed, high >> 16) >> (64 - BITS_48)) as u32)
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
    fn the_last_block_fits_the_map() {
        assert_eq!(place4([255, 255, 255, 0]).word, WORDS4 - 1);
        for high in [0, u64::MAX, 0x2001_0db8_dead_beef] {
            assert!(place6_16(high).word < BASE_32 >> 5);
            assert!(place6_32(7, high).word >= BASE_32 >> 5);
            assert!(place6_32(7, high).word < BASE_48 >> 5);
            assert!(place6_48(7, high).word >= BASE_48 >> 5);
            assert!(place6_48(7, high).word < WORDS6);
        }
    }
}
