//! The index of denied IPv4 addresses: a hash table of /24 blocks that answers for most sources
//! which the cells ([`super::cells`]) do not: those in blocks that are denied in part.
//!
//! A [`Bucket`] holds up to eight [`Record`]s, half a cache line, so that one load tells whether a
//! source is denied, is not, or needs a closer look: there are no chains to follow. It has as many
//! buckets as the lists need, for what fits the processor's cache is what is quick.
//!
//! The index is derived from the lists, and never complete: where a bucket is full, a record says
//! so, a wide prefix covers the address or the whole index is off, the exact tables behind it are
//! asked. A record keeps its place in the bucket for as long as it is there, so that whoever reads
//! a bucket while it is written misses none that stays.

/// Bits of a block's number.
const BLOCK_BITS: u32 = 24;

/// The fewest buckets, in bits: records tell blocks apart by the lowest `24 - 12` bits only.
pub const LEAST_INDEX_BITS: u32 = 12;

/// The most buckets, in bits; 16 MiB.
pub const MOST_INDEX_BITS: u32 = 19;

/// Prefixes shorter than this are not indexed, for each would take many records: where there are
/// any, [`wide4`](super::cells::wide4) says so.
pub const LEAST_INDEXED: u32 = 20;

/// The records of the blocks that share a place.
pub type Bucket = [Record; 8];

/// What makes buckets of neighbouring blocks lie apart: odd, so that no two blocks become one.
const SPREAD: u32 = 0x009e_3779;

/// Where the fields of a record start.
const TAG: u32 = 19;
const HOST: u32 = 11;
const SLOW: u32 = 10;
const LENGTH: u32 = 6;
const VALID: u32 = 1 << 31;
const ASKS: u32 = 1;

/// One thing the lists say of a /24 block or of a part of it, in four bytes:
///
/// | bits | |
/// | --- | --- |
/// | 31 | set, for 0 is no record |
/// | 19–30 | which of the bucket's blocks |
/// | 11–18 | the last byte of the address |
/// | 10 | the exact tables have to be asked |
/// | 6–9 | how many bits of that byte count |
/// | 0 | the entry has to be asked for |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Record(pub u32);

impl Record {
    /// No record.
    pub const NONE: Self = Self(0);

    /// In a bucket's last place: there is more than it holds.
    pub const FULL: Self = Self(u32::MAX);

    /// A deny entry, of the prefix `address`/`length`, for the block that `address` lies in.
    /// `asks` says that it may end or is told by its rule.
    #[must_use]
    pub const fn deny(address: u32, length: u32, asks: bool) -> Self {
        let bits = length.saturating_sub(BLOCK_BITS);
        let host = address & 0xff & (0xff00 >> bits);
        Self(Self::of(address & !0xff | host) | bits << LENGTH | asks as u32)
    }

    /// The block of `address` has something that the exact tables have to be asked about.
    #[must_use]
    pub const fn slow(address: u32) -> Self {
        Self(Self::of(address & !0xff) | 1 << SLOW)
    }

    /// Whether it belongs to the block of `address`, given that it stands in its bucket.
    #[must_use]
    pub const fn is_of(self, address: u32) -> bool {
        (self.0 ^ Self::of(address)) >> TAG == 0
    }

    /// Whether there is none.
    #[inline(always)]
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the exact tables have to be asked.
    #[inline(always)]
    #[must_use]
    pub const fn is_slow(self) -> bool {
        self.0 & (1 << SLOW) != 0
    }

    /// Whether the entry has to be asked for: it is there, but may have ended.
    #[inline(always)]
    #[must_use]
    pub const fn asks(self) -> bool {
        self.0 & ASKS != 0
    }

    /// Length of the prefix, from 24.
    #[inline(always)]
    #[must_use]
    pub const fn length(self) -> u32 {
        BLOCK_BITS + (self.0 >> LENGTH & 15)
    }

    /// The last byte of the prefix's address.
    #[must_use]
    pub const fn host(self) -> u8 {
        (self.0 >> HOST) as u8
    }

    /// The fields that tell addresses apart.
    #[inline(always)]
    const fn of(address: u32) -> u32 {
        let tag = spread(address) & ((1 << LEAST_INDEX_BITS) - 1);
        VALID | tag << TAG | (address & 0xff) << HOST
    }

    /// Whether the record decides about an address whose fields are `wanted`.
    #[inline(always)]
    const fn holds(self, wanted: u32) -> bool {
        let beside = 8_u32.wrapping_sub(self.0 >> LENGTH & 15);
        ((self.0 ^ wanted) >> HOST) >> (beside & 31) == 0
    }
}

/// The number of an address's block, spread over all 24 bits.
#[inline(always)]
const fn spread(address: u32) -> u32 {
    (address >> 8).wrapping_mul(SPREAD) & ((1 << BLOCK_BITS) - 1)
}

/// The bucket of an address in an index whose size is given by
/// [`shift`](crate::settings::Settings::index_shift).
#[inline(always)]
#[must_use]
pub const fn bucket4(address: u32, shift: u32) -> u32 {
    spread(address) >> (shift & 31)
}

/// The shift that goes with an index of `1 << bits` buckets.
#[must_use]
pub const fn index_shift(bits: u32) -> u32 {
    BLOCK_BITS - bits
}

/// The record that decides about an address: that of the longest prefix, but for one that says
/// the exact tables have to be asked. [`Record::NONE`] when no list has anything on it.
#[inline(always)]
#[must_use]
pub fn decisive(bucket: &Bucket, address: u32) -> Record {
    /// What of a record says which of two decides.
    const RANK: u32 = (1 << (SLOW + 1)) - 1;
    let wanted = Record::of(address);
    let mut found = Record::NONE;
    for record in bucket {
        if record.holds(wanted) && record.0 & RANK >= found.0 & RANK {
            found = *record;
        }
    }
    let [.., last] = *bucket;
    if last.0 == Record::FULL.0 {
        return Record::slow(address);
    }
    found
}
