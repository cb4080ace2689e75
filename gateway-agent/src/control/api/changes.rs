//! What is taken up anew, and what is on trial.

use gateway_policy::grammar::Period;
use serde::{Deserialize, Serialize};

use crate::store::UnixMillis;

/// What was confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The tags whose imports stay now.
    pub tags: Vec<String>,
    /// The generation of the configuration that stays now; null when none was on trial.
    #[serde(default)]
    pub generation: Option<u64>,
}

/// Makes the agent read its configuration anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReloadRequest {
    /// Take it back after this time unless it is confirmed.
    #[serde(default)]
    pub confirm: Option<Period>,
}

/// What came of reading the configuration anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The generation now in force.
    pub generation: u64,
    /// What needs a restart to take effect, and other remarks, a sentence each.
    pub notes: Vec<String>,
    /// When it is taken back unless it is confirmed; null when it stays.
    #[serde(default)]
    pub trial_until_unix_ms: Option<UnixMillis>,
}
