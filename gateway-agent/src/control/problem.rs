//! Faults on the wire: problem details (RFC 9457) with the kind as an extension member.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, FaultKind};

/// The media type (RFC 9457 section 3).
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// A fault as the socket carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Problem {
    /// `about:blank`: the title says no more than the status does, and `code` tells kinds apart.
    #[serde(rename = "type")]
    pub(super) type_uri: String,
    /// A few words that are the same for every fault of the kind.
    pub(super) title: String,
    /// The HTTP status.
    pub(super) status: u16,
    /// What, why, and what to do.
    pub(super) detail: String,
    /// The kind, for programs.
    pub(super) code: FaultKind,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self {
            type_uri: "about:blank".to_owned(),
            title: fault.kind.title().to_owned(),
            status: fault.kind.status(),
            detail: fault.detail,
            code: fault.kind,
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::new(problem.code, problem.detail)
    }
}
