//! One reading of both clocks, so that an expiry is turned from one into the other without
//! drifting between two readings.

use gateway_common::time::Nanos;

use crate::clock;
use crate::store::UnixMillis;

/// The present, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For the store and for people.
    pub wall: UnixMillis,
    /// For the kernel.
    pub monotonic: Nanos,
}

/// Where the service reads the time.
pub type Clock = fn() -> Now;

impl Now {
    /// Reads the host's clocks.
    #[must_use]
    pub fn read() -> Self {
        Self {
            wall: UnixMillis(clock::unix_millis()),
            monotonic: clock::monotonic(),
        }
    }

    /// The kernel's form of an expiry: [`Nanos::ZERO`] for never. A moment that has passed
    /// becomes the start of the clock's first nanosecond, which has passed too.
    #[must_use]
    pub fn to_kernel(self, expires: Option<UnixMillis>) -> Nanos {
        let Some(UnixMillis(at)) = expires else {
            return Nanos::ZERO;
        };
        let instant = match at.checked_sub(self.wall.0) {
            Some(ahead) => self.monotonic.saturating_add(Nanos::from_millis(ahead)),
            None => self.monotonic.since(Nanos::from_millis(self.wall.0 - at)),
        };
        Nanos(instant.0.max(1))
    }

    /// The store's form of a kernel expiry: `None` for never.
    #[must_use]
    pub fn to_wall(self, expires: Nanos) -> Option<UnixMillis> {
        if expires == Nanos::ZERO {
            return None;
        }
        let millis = |span: Nanos| span.0 / 1_000_000;
        let at = if expires >= self.monotonic {
            let ahead = millis(expires.since(self.monotonic));
            self.wall.0.saturating_add(ahead)
        } else {
            let behind = millis(self.monotonic.since(expires));
            self.wall.0.saturating_sub(behind)
        };
        Some(UnixMillis(at))
    }

    /// The moment `span` from now.
    #[must_use]
    pub fn after(self, span: Nanos) -> UnixMillis {
        // Rounded up: an entry never ends earlier than asked for.
        UnixMillis(self.wall.0.saturating_add(span.0.div_ceil(1_000_000)))
    }

    /// The moment `span` ago.
    #[must_use]
    pub fn before(self, span: Nanos) -> UnixMillis {
        UnixMillis(self.wall.0.saturating_sub(span.0 / 1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now {
        wall: UnixMillis(1_000_000),
        monotonic: Nanos::from_secs(50),
    };

    #[test]
    fn expiries_go_to_the_kernel_and_back() {
        for at in [950_001, 999_999, 1_000_000, 1_000_001, 2_000_000] {
            let at = Some(UnixMillis(at));
            assert_eq!(NOW.to_wall(NOW.to_kernel(at)), at);
        }
        assert_eq!(NOW.to_kernel(None), Nanos::ZERO);
        assert_eq!(NOW.to_wall(Nanos::ZERO), None);
    }

    #[test]
    fn what_ended_before_boot_is_not_permanent() {
        assert_eq!(NOW.to_kernel(Some(UnixMillis(0))), Nanos(1));
    }

    #[test]
    fn a_span_is_never_cut_short() {
        assert_eq!(NOW.after(Nanos(1)), UnixMillis(1_000_001));
        assert_eq!(NOW.after(Nanos::from_millis(5)), UnixMillis(1_000_005));
        assert_eq!(NOW.after(Nanos::MAX).0, 1_000_000 + 18_446_744_073_710);
    }
}
