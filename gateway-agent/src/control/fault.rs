//! Why a call of the control API failed: a kind for programs, a sentence for people.

use serde::{Deserialize, Serialize};

use super::lists::ListsError;
use crate::store::{StoreError, StoreFault};

/// A call that was not carried out. Nothing was changed, unless the sentence says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Fault {
    /// What kind of fault.
    pub kind: FaultKind,
    /// What, why, and what to do, in one sentence.
    pub detail: String,
}

/// The kinds of fault; their names are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The request makes no sense.
    Invalid,
    /// It would lock somebody out, and was not forced.
    NeedsForce,
    /// There is no such entry.
    NotFound,
    /// The entry belongs to another origin, which must take it away.
    NotYours,
    /// A map or the disk is full.
    Full,
    /// There is no filter in the kernel to change or to ask.
    NoFilter,
    /// The kernel refused.
    Kernel,
    /// The store refused.
    Store,
    /// Somebody else is at it; try again.
    Busy,
    /// It needs a running agent.
    NoAgent,
    /// The new configuration has faults; the old one stays.
    BadConfig,
    /// The agent did not answer, or not in time, or not in a form we know.
    Transport,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }
}

impl FaultKind {
    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::NotFound => 404,
            Self::NeedsForce | Self::NotYours => 409,
            Self::BadConfig => 422,
            Self::Kernel | Self::Store => 500,
            Self::Transport => 502,
            Self::NoFilter | Self::Busy | Self::NoAgent => 503,
            Self::Full => 507,
        }
    }

    /// A few words that are the same for every fault of the kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Invalid => "The request makes no sense",
            Self::NeedsForce => "The change would lock somebody out",
            Self::NotFound => "There is no such entry",
            Self::NotYours => "The entry belongs to another origin",
            Self::Full => "There is no room left",
            Self::NoFilter => "No filter is loaded",
            Self::Kernel => "The kernel refused",
            Self::Store => "The store failed",
            Self::Busy => "Somebody else is making a change",
            Self::NoAgent => "No agent runs",
            Self::BadConfig => "The configuration has faults",
            Self::Transport => "The agent did not answer",
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let kind = match error.fault {
            StoreFault::Busy => FaultKind::Busy,
            StoreFault::DiskFull | StoreFault::RulesExhausted => FaultKind::Full,
            StoreFault::Open(_)
            | StoreFault::CannotOpen(_)
            | StoreFault::Corrupt(_)
            | StoreFault::ReadOnly
            | StoreFault::Newer { .. }
            | StoreFault::Foreign(_)
            | StoreFault::Nonsense(_)
            | StoreFault::Sqlite(_) => FaultKind::Store,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ListsError> for Fault {
    fn from(error: ListsError) -> Self {
        let kind = match error {
            ListsError::Absent(_) => FaultKind::NoFilter,
            ListsError::Full { .. } => FaultKind::Full,
            ListsError::Failed(_) => FaultKind::Kernel,
        };
        Self::new(kind, error.to_string())
    }
}
