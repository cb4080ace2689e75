//! Feeds.

use serde::{Deserialize, Serialize};

use super::WouldDrop;
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
    /// What it feeds.
    pub list: FeedTarget,
    /// What the agent does with it.
    pub state: FeedState,
    /// Entries of it that are on the list.
    pub entries: u64,
    /// When they last changed; null when the store has none.
    pub changed_unix_ms: Option<UnixMillis>,
    /// What its entries in shadow mode would have dropped, of those that it has now; null when it
    /// is enforced, or that is not known.
    #[serde(default)]
    pub would_drop: Option<WouldDrop>,
    /// What the agent knows besides; null when none runs.
    pub agent: Option<FeedDetail>,
}

/// What a feed feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedTarget {
    /// The deny list.
    Deny,
    /// The safelist.
    Allow,
    /// No list: its sources are held to the limit of countries.
    Limit,
}

impl FeedTarget {
    /// Its name in JSON and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
            Self::Limit => "limit",
        }
    }

    /// What a person calls it in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Deny => ListName::Deny.words(),
            Self::Allow => ListName::Allow.words(),
            Self::Limit => "the limit of countries",
        }
    }

    /// The list; `None` for the limit.
    #[must_use]
    pub const fn list(self) -> Option<ListName> {
        match self {
            Self::Deny => Some(ListName::Deny),
            Self::Allow => Some(ListName::Allow),
            Self::Limit => None,
        }
    }
}

impl From<ListName> for FeedTarget {
    fn from(list: ListName) -> Self {
        match list {
            ListName::Deny => Self::Deny,
            ListName::Allow => Self::Allow,
        }
    }
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
