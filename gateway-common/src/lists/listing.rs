//! The lists' answer about one source.

use crate::Tables;

/// What the lists say of a source. Rule ids are those of the entry that decided; 0 is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// The packet has no source to look up.
    NoSource,
    /// No list decides; the packet goes on.
    Unlisted {
        /// Rate class of the zone it lies in; 0 outside every zone.
        class: u8,
    },
    /// No list decides, but a shadow entry would have denied it.
    Shadowed {
        /// Rate class of the zone it lies in; 0 outside every zone.
        class: u8,
        /// The shadow entry's rule.
        rule: u32,
    },
    /// On the safelist.
    Allowed(u32),
    /// Denied as this very address.
    DeniedExact(u32),
    /// Denied as part of a prefix; 0 when the summary alone said that the block is denied.
    DeniedPrefix(u32),
    /// Banned by the agent.
    Banned(u32),
}

/// Which [`Listing`] a [`Packed`] holds.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Kind {
    Unlisted = 0,
    Allowed = 1,
    DeniedExact = 2,
    DeniedPrefix = 3,
    Banned = 4,
    NoSource = 5,
}

/// The lists' answer in one register, for the kernel's calling convention returns no more: the
/// kind in bits 0..8, the class in bits 8..16, the rule in the upper half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Packed(u64);

impl Packed {
    /// The answer that [`Packed::raw`] made this of.
    #[inline(always)]
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The register.
    #[inline(always)]
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    pub(crate) const NOTHING: Self = Self::new(Kind::Unlisted, 0, 0);
    pub(crate) const NO_SOURCE: Self = Self::new(Kind::NoSource, 0, 0);

    #[inline(always)]
    pub(super) const fn new(kind: Kind, class: u8, rule: u32) -> Self {
        Self(kind as u64 | (class as u64) << 8 | (rule as u64) << 32)
    }

    /// Unlisted, noting the first shadow entry that would have denied.
    #[inline(always)]
    pub(super) const fn with_shadow(self, rule: u32) -> Self {
        if self.0 >> 32 == 0 {
            Self(self.0 | (rule as u64) << 32)
        } else {
            self
        }
    }

    /// Unlisted, noting the class of the first zone.
    #[inline(always)]
    pub(super) const fn with_class(self, class: u8) -> Self {
        if (self.0 >> 8) as u8 == 0 {
            Self(self.0 | (class as u64) << 8)
        } else {
            self
        }
    }

    /// The same, but that the verifier no longer knows it; see [`Tables::forget`].
    #[inline(always)]
    pub(super) fn forgotten<T: Tables>(self, tables: &T) -> Self {
        Self(tables.forget(self.0))
    }

    #[inline(always)]
    pub(crate) const fn unpack(self) -> Listing {
        let class = (self.0 >> 8) as u8;
        let rule = (self.0 >> 32) as u32;
        match self.0 as u8 {
            k if k == Kind::Allowed as u8 => Listing::Allowed(rule),
            k if k == Kind::DeniedExact as u8 => Listing::DeniedExact(rule),
            k if k == Kind::DeniedPrefix as u8 => Listing::DeniedPrefix(rule),
            k if k == Kind::Banned as u8 => Listing::Banned(rule),
            k if k == Kind::NoSource as u8 => Listing::NoSource,
            _ if rule == 0 => Listing::Unlisted { class },
            _ => Listing::Shadowed { class, rule },
        }
    }
}
