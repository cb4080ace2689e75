//! The stages of the pipeline by name, and what happens when one of them fails itself.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::refusal::Refusal;

/// The stages in the order they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Bans and request limits of the client's address.
    Limit,
    /// The form of the request: what parsers could read in two ways.
    Form,
    /// The bearer token.
    Identity,
    /// Route, role and permission.
    Access,
    /// The rules of the WAF, with the request body.
    Waf,
    /// What the route takes: media types, schemas, operations.
    Validate,
    /// The way to the upstream, up to the head of its response.
    Upstream,
    /// What responses should not tell, up to their first byte.
    Leaks,
    /// The response body on its way to the client.
    Response,
}

impl Stage {
    /// Every stage in order.
    pub const ALL: [Self; 9] = [
        Self::Limit,
        Self::Form,
        Self::Identity,
        Self::Access,
        Self::Waf,
        Self::Validate,
        Self::Upstream,
        Self::Leaks,
        Self::Response,
    ];

    /// The stable name for logs, metrics and `check`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Form => "form",
            Self::Identity => "identity",
            Self::Access => "access",
            Self::Waf => "waf",
            Self::Validate => "validate",
            Self::Upstream => "upstream",
            Self::Leaks => "leaks",
            Self::Response => "response",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of a request when a stage cannot do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailMode {
    /// It goes on unjudged by the stage.
    FailOpen,
    /// It is refused with 500.
    FailClosed,
}

impl FailMode {
    /// `open` or `closed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FailOpen => "open",
            Self::FailClosed => "closed",
        }
    }
}

/// The fail modes that may be chosen. Form, identity, access and validation have no choice: what
/// they let through unjudged would reach an upstream that relies on them, so they fail closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailModes {
    /// Of the request limits.
    pub limit: FailMode,
    /// Of the WAF.
    pub waf: FailMode,
}

impl Default for FailModes {
    fn default() -> Self {
        // Without the limiter the kernel's packet limits still hold; a gateway that refuses
        // everybody would do the attacker's work.
        Self {
            limit: FailMode::FailOpen,
            waf: FailMode::FailClosed,
        }
    }
}

impl FailModes {
    /// The fail mode of a stage. That of the search for leaks is with what it looks for. The way to
    /// the upstream and back has none of its own: without an upstream there is no answer.
    #[must_use]
    pub const fn of(self, stage: Stage) -> FailMode {
        match stage {
            Stage::Limit => self.limit,
            Stage::Waf => self.waf,
            Stage::Form
            | Stage::Identity
            | Stage::Access
            | Stage::Validate
            | Stage::Upstream
            | Stage::Leaks
            | Stage::Response => FailMode::FailClosed,
        }
    }

    /// Runs the work of a stage. `None` means that it failed and the request goes on.
    ///
    /// # Errors
    /// What the work refuses, or [`Refusal::StageFailed`] when it panics and fails closed.
    pub fn guard<T>(
        self,
        stage: Stage,
        work: impl FnOnce() -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        // What a panic leaves half done is the request's own, or behind a lock that is taken
        // over with what is in it: a counter may be off by one.
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => result.map(Some),
            Err(_) => match self.of(stage) {
                FailMode::FailOpen => Ok(None),
                FailMode::FailClosed => Err(Refusal::StageFailed(stage)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_fails_does_what_its_mode_says() {
        let modes = FailModes::default();
        let broken = || -> Result<(), Refusal> { panic!("expected in this test") };
        assert_eq!(modes.guard(Stage::Limit, broken), Ok(None));
        for stage in [
            Stage::Form,
            Stage::Identity,
            Stage::Access,
            Stage::Waf,
            Stage::Validate,
        ] {
            assert_eq!(modes.guard(stage, broken), Err(Refusal::StageFailed(stage)));
        }
        assert_eq!(modes.guard(Stage::Waf, || Ok(7)), Ok(Some(7)));
        let refused = modes.guard(Stage::Limit, || Err::<(), _>(Refusal::Banned));
        assert_eq!(refused, Err(Refusal::Banned));
    }
}
