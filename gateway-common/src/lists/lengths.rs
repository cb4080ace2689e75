//! Which prefix lengths a list holds, so that a look-up probes no others.

/// Sets of prefix lengths, one per address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Lengths {
    /// Bit n is set when the IPv4 list holds a prefix of n bits, 0 to 32.
    pub v4: u64,
    /// Bit n of word n / 64 is set when the IPv6 list holds a prefix of n bits, 0 to 128.
    pub v6: [u64; 3],
}

const _: () = assert!(size_of::<Lengths>() == 32);

impl Lengths {
    /// Adds an IPv4 length.
    pub const fn insert4(&mut self, length: u32) {
        self.v4 |= 1 << (length & 63);
    }

    /// Adds an IPv6 length.
    pub const fn insert6(&mut self, length: u32) {
        let bit = 1 << (length & 63);
        let [short, long, full] = &mut self.v6;
        match length >> 6 {
            0 => *short |= bit,
            1 => *long |= bit,
            _ => *full |= bit,
        }
    }
}

/// The highest bit set in `word`, which must not be zero.
#[inline(always)]
pub(super) const fn longest(word: u64) -> u32 {
    63 - word.leading_zeros()
}
