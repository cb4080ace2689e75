//! Packet rates per source, in memory that a flood can neither grow nor take over.
//!
//! The algorithm is GCRA (ITU-T I.371, Annex A): a cell keeps the *theoretical arrival time* of
//! the source's next packet; a packet that comes more than the tolerance ahead of it is over
//! the limit. One `u64` a source: 12 bits of tag tell sources apart, 52 bits of time in ticks.
//!
//! A cell whose time has passed holds nothing worth keeping, so the next source may take it.
//! Each source has four places to go: two beside each other in a small table, which stays in the
//! processor's cache, and two beside each other in a large one, which is asked only when both of
//! the first are busy with other sources. Only when all four are busy does it share one. A source
//! that sends one packet keeps a cell busy for one interval, and until the clock moves on. So
//! filling the table takes [`CELLS`] packets within the longer of interval and jiffy, and as long
//! as a flood of spoofed sources sends a tenth of that, it displaces nobody.
//!
//! What a source may send beyond its limit: each account that it keeps holds to the limit by
//! itself, and there are three at most, its own in either table and the one that it shares when
//! both are full. So with places to be had it is held to once its limit, after it had to go to
//! the large table and found a place in the small one to twice that, and never to more than
//! three times. And a packet goes free when other processors come before each of its attempts
//! ([`ATTEMPTS`], and one more for the packet rate): a factor of 1 + (n - 1) / 5 for n of them. It
//! may send less where it shares a cell: with a source of the same tag beside it (1 in 4096), or
//! with any other when all places are busy. `docs/LIMITS.md` has the figures.

mod further;
mod gcra;

pub(crate) use further::SYNS;
pub use further::{Traffic, destination4, destination6, further};
pub use gcra::{Admission, Attempt, Charge, admit, attempt, charge, identity4, identity6};

use crate::time::Nanos;

/// Cells of the small table; 512 KiB.
const NEAR: u32 = 1 << 16;

/// Cells of the large table; 8 MiB.
const FAR: u32 = 1 << 20;

/// Cells of both tables, the small one first.
pub const CELLS: u32 = NEAR + FAR;

/// Attempts to update a cell before the packet goes free; one more for the packet rate. Each lost
/// attempt means that another processor charged the same cell in the meantime.
pub const ATTEMPTS: u32 = 4;

/// Nanoseconds of one tick. 52 bits of ticks last seven years of uptime.
pub const TICK_NANOS: u64 = 64;

/// Bytes that a limit of bytes has its interval for.
pub const BYTES_UNIT: u64 = 4096;

/// Bits of the arrival time in a cell; the tag has the rest.
const TIME_BITS: u32 = 52;

/// An instant or span in ticks, as a cell stores it.
#[inline(always)]
const fn ticks(at: Nanos) -> u64 {
    (at.0 / TICK_NANOS) & ((1 << TIME_BITS) - 1)
}

impl crate::settings::Limit {
    /// The limit of `count` packets per `period`, with bursts of up to `burst` at that rate.
    ///
    /// The interval is rounded down to whole ticks, so that nobody gets less than the rate; it
    /// is at least one tick, which caps a limit at 15.6 million packets a second.
    #[must_use]
    pub const fn new(count: u64, period: Nanos, burst: Nanos, mode: u8) -> Self {
        let interval = match period.0.checked_div(count.saturating_mul(TICK_NANOS)) {
            None | Some(0) => 1,
            Some(ticks) => ticks,
        };
        Self {
            interval,
            tolerance: burst.0 / TICK_NANOS,
            mode: mode as u64,
        }
    }

    /// The limit of `count` bytes per `period`, likewise. Its interval is that of [`BYTES_UNIT`]
    /// bytes: from a tick, 64 GB a second, to 52 days, beyond which a frame's would overflow.
    #[must_use]
    pub const fn bytes(count: u64, period: Nanos, burst: Nanos, mode: u8) -> Self {
        const MOST: u64 = 1 << 46;
        let unit = Nanos(period.0.saturating_mul(BYTES_UNIT));
        let limit = Self::new(count, unit, burst, mode);
        if limit.interval < MOST {
            return limit;
        }
        Self {
            interval: MOST,
            ..limit
        }
    }
}
