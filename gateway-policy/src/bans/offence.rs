//! What a client can be banned for.

use std::fmt;
use std::str::FromStr;

use crate::grammar::Excerpt;

/// The kinds of offence; each has its own rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OffenceKind {
    /// A token that did not verify.
    FailedAuth,
    /// A request that the WAF refused.
    WafBlock,
    /// A request over the client's rate limit.
    LimitExceeded,
    /// A request that does not keep to what its route takes.
    InvalidRequest,
}

impl OffenceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::FailedAuth,
        Self::WafBlock,
        Self::LimitExceeded,
        Self::InvalidRequest,
    ];

    /// The stable name for logs, metrics and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FailedAuth => "failed-auth",
            Self::WafBlock => "waf-block",
            Self::LimitExceeded => "limit-exceeded",
            Self::InvalidRequest => "invalid-request",
        }
    }

    /// What the client did, as the end of a sentence: "banned for …".
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::FailedAuth => "tokens that did not verify",
            Self::WafBlock => "requests that the WAF refused",
            Self::LimitExceeded => "requests over its rate limit",
            Self::InvalidRequest => "requests that its route does not take",
        }
    }
}

impl fmt::Display for OffenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no kind of offence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no kind of offence; it is failed-auth, waf-block, limit-exceeded or invalid-request"
)]
pub struct UnknownOffence(pub Excerpt);

impl FromStr for OffenceKind {
    type Err = UnknownOffence;

    fn from_str(text: &str) -> Result<Self, UnknownOffence> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| UnknownOffence(Excerpt::of(text)))
    }
}

crate::grammar::text::text_serde!(OffenceKind, "a kind of offence", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in OffenceKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!(
            "failed_auth"
                .parse::<OffenceKind>()
                .unwrap_err()
                .to_string()
                .contains("waf-block")
        );
    }
}
