//! The numbers that rules go by: those of list entries, which the agent's store gives out, and
//! above them two ranges for what decides without being an entry.

/// The last number that a list entry may have.
pub const LAST_ENTRY: u32 = LIMITS - 1;

/// Limits of the packet filter: the kind in bits 8..16, the place among its kind below.
const LIMITS: u32 = 0xfe00_0000;

/// Blocks that are denied as a whole: the first three bytes of their addresses.
const BLOCKS: u32 = 0xff00_0000;

/// A kind of limit, as the settings have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LimitKind {
    /// [`crate::settings::Settings::limits`], by class.
    Packets = 0,
    /// [`crate::settings::Further::bytes`], by class.
    Bytes = 1,
    /// [`crate::settings::Further::connections`], by class.
    Connections = 2,
    /// [`crate::settings::Further::sites`].
    Sites = 3,
    /// [`crate::settings::Further::destinations`].
    Destinations = 4,
    /// [`crate::settings::Further::ports`].
    Ports = 5,
    /// [`crate::settings::Settings::cookies`].
    Cookies = 6,
    /// [`crate::settings::Further::countries`].
    Countries = 7,
}

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// No rule.
    None,
    /// The list entry with this number.
    Entry(u32),
    /// A limit of the packet filter: its kind, and its place in the settings.
    Limit(LimitKind, u8),
    /// The IPv4 /24 that begins so: it is denied as a whole, and no entry was looked up.
    Block([u8; 3]),
}

/// The number of a limit.
#[inline(always)]
#[must_use]
pub const fn limit(kind: LimitKind, nth: usize) -> u32 {
    LIMITS | (kind as u32) << 8 | nth as u32 & 0xff
}

/// The number of the /24 around an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn block(address: [u8; 4]) -> u32 {
    BLOCKS | u32::from_be_bytes(address) >> 8
}

/// The number of the list entry that `rule` is, or of the limit; 0 for a block, which is denied
/// without saying by which of its entries.
#[must_use]
pub const fn without_blocks(rule: u32) -> u32 {
    if rule >= BLOCKS { 0 } else { rule }
}

impl Rule {
    /// What `number` stands for; a number of the limits' range that none of them has is none.
    #[must_use]
    pub const fn of(number: u32) -> Self {
        match number {
            0 => Self::None,
            1..=LAST_ENTRY => Self::Entry(number),
            BLOCKS.. => {
                let [_, a, b, c] = number.to_be_bytes();
                Self::Block([a, b, c])
            }
            LIMITS.. => {
                let [_, zero, kind, nth] = number.to_be_bytes();
                let kind = match (zero, kind) {
                    (0, 0) => LimitKind::Packets,
                    (0, 1) => LimitKind::Bytes,
                    (0, 2) => LimitKind::Connections,
                    (0, 3) => LimitKind::Sites,
                    (0, 4) => LimitKind::Destinations,
                    (0, 5) => LimitKind::Ports,
                    (0, 6) => LimitKind::Cookies,
                    (0, 7) => LimitKind::Countries,
                    _ => return Self::None,
                };
                Self::Limit(kind, nth)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_for_one_thing_each() {
        assert_eq!(Rule::of(0), Rule::None);
        assert_eq!(Rule::of(1), Rule::Entry(1));
        assert_eq!(Rule::of(LAST_ENTRY), Rule::Entry(LAST_ENTRY));
        for kind in [
            LimitKind::Packets,
            LimitKind::Bytes,
            LimitKind::Connections,
            LimitKind::Sites,
            LimitKind::Destinations,
            LimitKind::Ports,
            LimitKind::Cookies,
            LimitKind::Countries,
        ] {
            for nth in [0, 1, 15] {
                assert_eq!(Rule::of(limit(kind, nth)), Rule::Limit(kind, nth as u8));
            }
        }
        assert_eq!(Rule::of(limit(LimitKind::Countries, 0) + 0x100), Rule::None);
        for address in [[0, 0, 0, 0], [198, 51, 100, 7], [255, 255, 255, 255]] {
            let [a, b, c, _] = address;
            assert_eq!(Rule::of(block(address)), Rule::Block([a, b, c]));
        }
    }
}
