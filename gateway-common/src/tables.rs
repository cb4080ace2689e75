//! What the pipeline asks of the maps.

use crate::{
    limiter::{self, Admission, Attempt, Charge},
    lists::{self, Entry, Key4, Key6, Lists, Packed, index4::Bucket},
    pipeline,
    settings::Settings,
    syncookie::Endpoint,
    time::Nanos,
};

/// The three lists of the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// Sources to drop.
    Deny,
    /// Sources to pass whatever they send.
    Allow,
    /// Networks with a rate class of their own.
    Zone,
}

/// The maps, answered by the kernel or by memory on the host.
pub trait Tables {
    /// The settings in force.
    fn settings(&self) -> &Settings;

    /// The clock the lists' expiries run on; it may lag by a scheduler tick.
    fn now(&self) -> Nanos;

    /// The clock the limiter runs on: one that may start anywhere, for only spans count, and may
    /// lag by a scheduler tick.
    fn elapsed(&self) -> Nanos {
        self.now()
    }

    /// Word `index` of the packed IPv4 cells; 0 past the end.
    fn cells4(&self, index: u32) -> u64;

    /// Bucket `index` of the IPv4 index; `None` past the end.
    fn bucket4(&self, index: u32) -> Option<&Bucket>;

    /// Word `index` of the packed IPv6 cells; 0 past the end.
    fn cells6(&self, index: u32) -> u64;

    /// The IPv4 entry of `list` for exactly `key`.
    fn entry4(&self, list: List, key: &Key4) -> Option<Entry>;

    /// The IPv6 entry of `list` for exactly `key`.
    fn entry6(&self, list: List, key: &Key6) -> Option<Entry>;

    /// The maximum segment size to announce at `endpoint`; 0 where nothing listens whose SYNs may
    /// be answered.
    fn listening(&self, endpoint: &Endpoint) -> u16;

    /// The limiter cell at `slot`, 0 when it was never used or lies past the end.
    fn limiter(&self, slot: u32) -> u64;

    /// Returns `value`. In the kernel, the verifier forgets what it knew of it: states of a loop
    /// that differ in it alone are then one state to check.
    fn forget(&self, value: u64) -> u64 {
        value
    }

    /// Calls [`lists::listed4`], as [`Tables::walk4`] does its walk.
    fn listed4(&self, address: u32, all: bool) -> Packed
    where
        Self: Sized,
    {
        lists::listed4(self, address, all)
    }

    /// Calls [`lists::walk4`]; the kernel's shell puts a function boundary around it, so that the
    /// verifier checks it once and not once for every way that leads to it.
    fn walk4(&self, address: u32, all: bool) -> Packed
    where
        Self: Sized,
    {
        lists::walk4(self, address, all)
    }

    /// Calls [`lists::walk6`], as [`Tables::walk4`] does.
    fn walk6(&self, high: u64, low: u64, all: bool) -> Packed
    where
        Self: Sized,
    {
        lists::walk6(self, high, low, all)
    }

    /// Calls [`lists::probe4`], as [`Tables::walk4`] does.
    fn probe4(&self, address: u32, length: u32, lists: Lists) -> Packed
    where
        Self: Sized,
    {
        lists::probe4(self, address, length, lists)
    }

    /// Calls [`lists::probe6`], as [`Tables::walk4`] does.
    fn probe6(&self, high: u64, low: u64, length: u32, lists: Lists) -> Packed
    where
        Self: Sized,
    {
        lists::probe6(self, high, low, length, lists)
    }

    /// Calls [`limiter::attempt`], likewise.
    fn attempt(&self, charge: Charge) -> Attempt
    where
        Self: Sized,
    {
        limiter::attempt(self, charge)
    }

    /// Calls [`limiter::charge`], as [`Tables::walk4`] does its walk.
    fn charge(&self, charge: Charge) -> Admission
    where
        Self: Sized,
    {
        limiter::charge(self, charge)
    }

    /// Calls [`pipeline::under_attack`], likewise.
    fn under_attack(&self, source: u64, class: u64) -> u64
    where
        Self: Sized,
    {
        pipeline::under_attack(self, source, class)
    }

    /// Whether the source with this [identity](limiter::identity4) has proven itself, and not too
    /// long ago.
    fn is_known(&self, identity: u64) -> bool;

    /// Counts a packet that opens a TCP connection, whatever becomes of it by the limits.
    fn count_opening(&self) {}

    /// Puts `new` into the limiter cell at `slot` if it still holds `old`; says whether it did.
    fn limiter_swap(&self, slot: u32, old: u64, new: u64) -> bool;
}
