//! What the engine asks the gateway to do with a transaction.

/// The verdict of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Pass,
    /// Answer with this status and stop.
    Deny {
        /// The HTTP status to answer with.
        status: u16,
        /// The rule that decided.
        rule_id: u64,
    },
    /// Close the connection without an answer.
    Drop {
        /// The rule that decided.
        rule_id: u64,
    },
    /// Answer with a redirect and stop.
    Redirect {
        /// The HTTP status to answer with, 3xx.
        status: u16,
        /// The value of `Location`; free of control characters.
        location: String,
        /// The rule that decided.
        rule_id: u64,
    },
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        *self == Self::Pass
    }

    /// The rule that decided, unless the decision is to go on. 0 stands for a limit of the
    /// engine itself.
    #[must_use]
    pub fn rule_id(&self) -> Option<u64> {
        match self {
            Self::Pass => None,
            Self::Deny { rule_id, .. }
            | Self::Drop { rule_id }
            | Self::Redirect { rule_id, .. } => Some(*rule_id),
        }
    }
}

/// What became of a piece of the request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyState {
    /// Kept for inspection; more may come.
    Buffered,
    /// The limit is reached and the rules say to inspect what came before it: the rest of the
    /// body goes on without being looked at.
    Truncated,
    /// The body is not inspected: switched off by the rules.
    Ignored,
    /// The limit is exceeded and the rules say to refuse the request.
    Refused(Decision),
}
