//! Attack mode.

use serde::{Deserialize, Serialize};

use crate::store::UnixMillis;

/// Attack mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackStatus {
    /// Whether it is on: sources that are not known are held to a lower packet rate.
    pub on: bool,
    /// What was ordered: `auto` (the agent decides by its configuration), `on`, or `off`.
    pub order: OrderName,
    /// Since when it is on, or off; null when that was never changed.
    pub since_unix_ms: Option<UnixMillis>,
    /// What begins it, why it is on, and who is known, as far as a running agent knows.
    pub agent: Option<AttackWatch>,
}

/// What the agent knows of attack mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackWatch {
    /// Why it is on, in words; null when it is off.
    pub cause: Option<String>,
    /// How many sources are known as good clients.
    pub known: u64,
    /// Sources that could not be made known, for there were too many.
    pub refused: u64,
}

/// An order about attack mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OrderName {
    /// The agent decides, by its configuration
    #[default]
    Auto,
    /// On, until another order
    On,
    /// Off, until another order
    Off,
}

impl OrderName {
    /// The name, as the API and the command line write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// An order about attack mode, as a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackOrder {
    /// The order.
    pub order: OrderName,
}
