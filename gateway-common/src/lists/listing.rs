//! The lists' answer about one source.

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
    /// Denied as part of a prefix; the number of the block ([`crate::rule`]) when the summary alone
    /// said that it is denied.
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

const CLASS: u64 = 0xff00;
const RULE: u64 = 0xffff_ffff_0000_0000;

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

    /// Whether a list decided, so that shorter prefixes need not be asked.
    #[inline(always)]
    pub(super) const fn decides(self) -> bool {
        self.0 as u8 != Kind::Unlisted as u8
    }

    /// Whether an enforced deny entry decided.
    #[inline(always)]
    pub(crate) const fn denies(self) -> bool {
        let kind = self.0 as u8;
        kind == Kind::DeniedExact as u8
            || kind == Kind::DeniedPrefix as u8
            || kind == Kind::Banned as u8
    }

    /// The rule of what decided, or of a shadow entry.
    #[inline(always)]
    pub(crate) const fn rule(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// This answer, with what it leaves open taken from `shorter`. Both are unlisted.
    #[inline(always)]
    pub(super) const fn or(self, shorter: Self) -> Self {
        let class = if self.0 & CLASS != 0 {
            self.0
        } else {
            shorter.0
        } & CLASS;
        let rule = if self.0 & RULE != 0 {
            self.0
        } else {
            shorter.0
        } & RULE;
        Self(class | rule)
    }

    #[inline(always)]
    pub(crate) const fn unpack(self) -> Listing {
        // Nearly every packet: one comparison instead of six.
        if self.0 == Self::NOTHING.0 {
            return Listing::Unlisted { class: 0 };
        }
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
