//! One entry of a list, as it stands in the kernel's maps.

use crate::time::Nanos;

/// The entry acts.
pub const MODE_ENFORCE: u8 = 0;
/// The entry only counts what it would have done.
pub const MODE_SHADOW: u8 = 1;

/// An operator put the entry there by hand.
pub const ORIGIN_OPERATOR: u8 = 0;
/// A feed brought it.
pub const ORIGIN_FEED: u8 = 1;
/// The agent banned the source.
pub const ORIGIN_BAN: u8 = 2;
/// The configuration file names it.
pub const ORIGIN_CONFIG: u8 = 3;

/// A list entry; the prefix is the map's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Entry {
    /// When the kernel stops honouring it; [`Nanos::ZERO`] means never.
    pub expires: Nanos,
    /// Id under which the agent's store keeps the words that go with it.
    pub rule: u32,
    /// [`MODE_ENFORCE`] or [`MODE_SHADOW`].
    pub mode: u8,
    /// One of the `ORIGIN_` constants.
    pub origin: u8,
    /// Rate class, for zone entries.
    pub class: u8,
    /// Zero.
    pub reserved: u8,
}

const _: () = assert!(size_of::<Entry>() == 16);

impl Entry {
    /// Whether the entry may expire by itself.
    #[inline(always)]
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.expires.0 == 0
    }

    /// Whether the entry still counts at `now`.
    #[inline(always)]
    #[must_use]
    pub const fn is_live(&self, now: Nanos) -> bool {
        self.is_permanent() || now.0 < self.expires.0
    }
}
