//! What the pipeline asks of the maps.

use crate::{
    lists::{Entry, Key4, Key6},
    settings::Settings,
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

    /// The clock the lists' expiries and the limiter run on; it may lag by a scheduler tick.
    fn now(&self) -> Nanos;

    /// Word `index` of the packed IPv4 cells; 0 past the end.
    fn cells4(&self, index: u32) -> u64;

    /// Word `index` of the packed IPv6 cells; 0 past the end.
    fn cells6(&self, index: u32) -> u64;

    /// The IPv4 entry of `list` for exactly `key`.
    fn entry4(&self, list: List, key: &Key4) -> Option<Entry>;

    /// The IPv6 entry of `list` for exactly `key`.
    fn entry6(&self, list: List, key: &Key6) -> Option<Entry>;

    /// The limiter cell at `slot`, 0 when it was never used or lies past the end.
    fn limiter(&self, slot: u32) -> u64;

    /// Puts `new` into the limiter cell at `slot` if it still holds `old`; says whether it did.
    fn limiter_swap(&self, slot: u32, old: u64, new: u64) -> bool;
}
