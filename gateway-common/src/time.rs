//! The one clock of the project: nanoseconds of `CLOCK_MONOTONIC`, as the kernel's
//! `bpf_ktime_get_ns` and `bpf_ktime_get_coarse_ns` report it.

/// An instant on `CLOCK_MONOTONIC`, or a span between two; nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The start of the clock; as an expiry it means "never".
    pub const ZERO: Self = Self(0);
    /// The far end of the clock, about 584 years after boot.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of whole milliseconds, saturating.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    /// A span of whole seconds, saturating.
    #[must_use]
    pub const fn from_secs(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000_000))
    }

    /// This instant moved later by `span`, saturating at [`Nanos::MAX`].
    #[must_use]
    pub const fn saturating_add(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The span from `earlier` to this instant; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// This instant or span as a [`core::time::Duration`].
    #[must_use]
    pub const fn as_duration(self) -> core::time::Duration {
        core::time::Duration::from_nanos(self.0)
    }
}

impl From<core::time::Duration> for Nanos {
    fn from(d: core::time::Duration) -> Self {
        Self(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
    }
}
