//! Keys of the list maps: a masked address and its prefix length.

/// An IPv4 prefix; the host bits are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct Key4 {
    /// Network address, network byte order.
    pub address: [u8; 4],
    /// Prefix length, 0 to 32.
    pub length: u32,
}

/// An IPv6 prefix; the host bits are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct Key6 {
    /// Network address, network byte order.
    pub address: [u8; 16],
    /// Prefix length, 0 to 128.
    pub length: u32,
}

const _: () = assert!(size_of::<Key4>() == 8 && size_of::<Key6>() == 20);

impl Key4 {
    /// The prefix of `length` bits around `address`.
    #[inline(always)]
    #[must_use]
    pub const fn new(address: [u8; 4], length: u32) -> Self {
        Self::of(u32::from_be_bytes(address), length)
    }

    /// The prefix of `length` bits around an address given as an integer.
    #[inline(always)]
    #[must_use]
    pub const fn of(address: u32, length: u32) -> Self {
        Self {
            address: (address & mask32(length)).to_be_bytes(),
            length,
        }
    }
}

impl Key6 {
    /// The prefix of `length` bits around `address`.
    #[inline(always)]
    #[must_use]
    pub const fn new(address: [u8; 16], length: u32) -> Self {
        let (high, low) = halves(address);
        Self::of(high, low, length)
    }

    /// The prefix of `length` bits around an address given as its halves.
    #[inline(always)]
    #[must_use]
    pub const fn of(high: u64, low: u64, length: u32) -> Self {
        let (high, low) = if length >= 64 {
            (high, low & mask64(length - 64))
        } else {
            (high & mask64(length), 0)
        };
        Self {
            address: join(high, low),
            length,
        }
    }
}

/// The upper and lower 64 bits of an IPv6 address.
///
/// Spelled out, for 128-bit arithmetic has no home on the BPF target.
#[inline(always)]
#[must_use]
pub(crate) const fn halves(address: [u8; 16]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address;
    (
        u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        u64::from_be_bytes([i, j, k, l, m, n, o, p]),
    )
}

#[inline(always)]
const fn join(high: u64, low: u64) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h] = high.to_be_bytes();
    let [i, j, k, l, m, n, o, p] = low.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// `length` leading ones; anything past 32 is all ones.
#[inline(always)]
const fn mask32(length: u32) -> u32 {
    if length == 0 {
        0
    } else {
        u32::MAX << (32u32.saturating_sub(length) & 31)
    }
}

/// `length` leading ones; anything past 64 is all ones.
#[inline(always)]
const fn mask64(length: u32) -> u64 {
    if length == 0 {
        0
    } else {
        u64::MAX << (64u32.saturating_sub(length) & 63)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_every_length() {
        for length in 0..=32 {
            let key = Key4::new([255; 4], length);
            assert_eq!(u32::from_be_bytes(key.address).count_ones(), length);
            assert_eq!(u32::from_be_bytes(key.address).leading_ones(), length);
        }
        for length in 0..=128 {
            let key = Key6::new([255; 16], length);
            assert_eq!(u128::from_be_bytes(key.address).count_ones(), length);
            assert_eq!(u128::from_be_bytes(key.address).leading_ones(), length);
        }
    }
}
