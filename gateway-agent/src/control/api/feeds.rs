//! Feeds.

use serde::{Deserialize, Serialize};

use crate::store::{ListName, Mode, UnixMillis};

/// Names a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedRequest {
    /// The feed's name in the configuration.
    pub name: String,
}

/// The feeds, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feeds {
    /// Each of them.
    pub feeds: Vec<FeedStatus>,
}

/// How a feed does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedStatus {
    /// Its name; lists of countries are called `country:KP`.
    pub name: String,
    /// The list that it feeds.
    pub list: ListName,
    /// What the agent does with it.
    pub state: FeedState,
    /// Entries of it that are on the list.
    pub entries: u64,
    /// When they last changed; null when the store has none.
    pub changed_unix_ms: Option<UnixMillis>,
    /// What the agent knows besides; null when none runs.
    pub agent: Option<FeedDetail>,
}

/// What the agent does with a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedState {
    /// It has not been read since the agent started.
    Waiting,
    /// It was read, and its entries are on the list.
    Fresh,
    /// It could not be read or taken; the entries it had stay.
    Failed,
    /// It lost most of its entries at once; those it had stay.
    HeldBack,
    /// No agent runs that would read it; the entries it had stay.
    Unattended,
}

impl FeedState {
    /// Its name in JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fresh => "fresh",
            Self::Failed => "failed",
            Self::HeldBack => "held-back",
            Self::Unattended => "unattended",
        }
    }
}

/// What the running agent knows of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedDetail {
    /// Where it comes from, without what may be secret in it.
    pub source: String,
    /// Whether its entries act.
    pub mode: Mode,
    /// How often it is read.
    pub interval_ms: u64,
    /// When it was last tried; null when not since the start.
    pub tried_unix_ms: Option<UnixMillis>,
    /// When it was last read well, changed or not; null when not since the start.
    pub success_unix_ms: Option<UnixMillis>,
    /// When it is tried next; null while it is under way.
    pub next_unix_ms: Option<UnixMillis>,
    /// Failures since the last success.
    pub failures: u32,
    /// What went wrong last; null when nothing did.
    pub error: Option<String>,
    /// How many entries it offers, when it is held back.
    pub offered: Option<u64>,
    /// Bad lines that were passed over.
    pub bad_lines: u64,
    /// Entries that no feed may bring and that were left out.
    pub left_out: u64,
    /// The first of both, in words.
    pub remarks: Vec<String>,
    /// What the last successful reading changed, in words; empty when nothing was read yet.
    pub last: String,
}
