//! How the kernel's maps compare with what should be in force.

use serde::{Deserialize, Serialize};

use crate::store::UnixMillis;

/// How the kernel's maps compared with what should be in force, as of the last whole round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileStatus {
    /// When the round ended.
    pub at_unix_ms: UnixMillis,
    /// How long it took, its pauses included.
    pub took_ms: u64,
    /// Entries that should be in force, trusted networks included.
    pub wanted: u64,
    /// Of those, the ones that the kernel held, before anything was mended.
    pub in_force: u64,
    /// Entries that the kernel has no room for.
    pub refused: u64,
    /// What was mended since the agent started.
    pub repairs: Repairs,
}

/// What was mended in the kernel's maps, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repairs {
    /// Entries that were not there.
    pub missing: u64,
    /// Entries that should not have been there.
    pub extra: u64,
    /// Entries that said something else.
    pub different: u64,
    /// Entries that ended at another time, as after the clock was set.
    pub expiry: u64,
    /// Words of the summary that the lists are looked up by.
    pub summary: u64,
    /// How often the program's settings were not those in force.
    pub settings: u64,
}

impl ReconcileStatus {
    /// The share of the wanted entries that were in force, 0 to 1; 1 when none is wanted.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        match self.wanted {
            0 => 1.0,
            wanted => self.in_force as f64 / wanted as f64,
        }
    }
}

impl Repairs {
    /// Each kind by its name, with its count.
    #[must_use]
    pub const fn by_kind(&self) -> [(&'static str, u64); 6] {
        [
            ("missing", self.missing),
            ("extra", self.extra),
            ("different", self.different),
            ("expiry", self.expiry),
            ("summary", self.summary),
            ("settings", self.settings),
        ]
    }

    /// Whether anything was mended.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    pub(in crate::control) fn add(&mut self, more: &Self) {
        self.missing += more.missing;
        self.extra += more.extra;
        self.different += more.different;
        self.expiry += more.expiry;
        self.summary += more.summary;
        self.settings += more.settings;
    }
}
