//! The per-CPU counters behind each verdict, and behind each rule in shadow mode.

use crate::{abi::MAX_INTERFACES, time::Nanos, verdict::VERDICT_SLOTS};

/// What one CPU counted for one verdict on one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counter {
    /// Packets with this verdict.
    pub packets: u64,
    /// Their bytes, Ethernet header included.
    pub bytes: u64,
    /// When this CPU last sent an event for this verdict, on the limiter's clock
    /// ([`crate::Tables::elapsed`]).
    pub sampled_at: Nanos,
    /// Events that found the ring buffer full.
    pub events_lost: u64,
}

const _: () = assert!(size_of::<Counter>() == 32);

/// What one CPU counted for one rule in shadow mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Hits {
    /// Packets that the rule would have dropped.
    pub packets: u64,
    /// Their bytes, Ethernet header included.
    pub bytes: u64,
}

const _: () = assert!(size_of::<Hits>() == 16);

/// Counters in the map: a block of [`VERDICT_SLOTS`] for each interface slot, with one for each
/// verdict and [`openings`] at its end.
pub const COUNTERS: u32 = MAX_INTERFACES * VERDICT_SLOTS;

/// The place in each block that counts packets which open a TCP connection: those that the lists
/// let through and that have no defect, whatever the limits make of them.
const OPENINGS: u32 = VERDICT_SLOTS - 1;

const _: () = assert!(crate::Verdict::ALL.len() <= OPENINGS as usize);

/// Where the openings of interface `slot` are counted.
#[inline(always)]
#[must_use]
pub const fn openings(slot: u32) -> u32 {
    slot * VERDICT_SLOTS + OPENINGS
}

/// Where the counter of `verdict` on interface `slot` stands in the map.
#[inline(always)]
#[must_use]
pub const fn index(slot: u32, verdict: crate::Verdict) -> u32 {
    slot * VERDICT_SLOTS + verdict as u32
}
