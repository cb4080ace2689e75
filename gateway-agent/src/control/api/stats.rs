//! What the filter counted.

use gateway_policy::grammar::Prefix;
use serde::{Deserialize, Serialize};

use crate::store::{RuleId, UnixMillis};

/// What the filter counted since it was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Per interface.
    pub interfaces: Vec<InterfaceStats>,
    /// All interfaces together.
    pub total: Totals,
    /// The rules in force that have dropped most, the first of them first; null unless asked for.
    #[serde(default)]
    pub busiest: Option<Vec<BusyRule>>,
}

/// What a rule in force has dropped: an entry, or an IPv4 /24 that is denied as a whole, where no
/// entry is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyRule {
    /// The entry's number; null for a block.
    pub rule: Option<RuleId>,
    /// The block; null for an entry.
    pub block: Option<Prefix>,
    /// Packets, at least: the count is never more than the truth.
    pub at_least: u64,
    /// Since when they are counted.
    pub since_unix_ms: Option<UnixMillis>,
}

/// What the filter counted on one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceStats {
    /// Its name.
    pub name: String,
    /// `native`, `generic` or `detached`.
    pub mode: String,
    /// One count per verdict, in a fixed order; verdicts that never fell are 0.
    pub verdicts: Vec<VerdictStats>,
    /// All verdicts together.
    pub total: Totals,
}

/// What was counted for one verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictStats {
    /// The verdict's name.
    pub verdict: String,
    /// `pass`, `drop` or `answer`.
    pub action: String,
    /// Packets.
    pub packets: u64,
    /// Their bytes, Ethernet header included.
    pub bytes: u64,
    /// Sampled events that found the ring buffer full.
    pub events_lost: u64,
}

/// Sums over verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Packets that were let in.
    pub passed_packets: u64,
    /// Their bytes.
    pub passed_bytes: u64,
    /// Packets that were dropped.
    pub dropped_packets: u64,
    /// Their bytes.
    pub dropped_bytes: u64,
    /// Packets that were answered by the filter itself.
    #[serde(default)]
    pub answered_packets: u64,
    /// Their bytes, before they became answers.
    #[serde(default)]
    pub answered_bytes: u64,
    /// Sampled events that found the ring buffer full.
    pub events_lost: u64,
}
