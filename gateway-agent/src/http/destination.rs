//! Where a route leads, and what holds on the way.

use std::sync::Arc;

use super::delivery::Leaks;
use super::harden::Hardening;
use super::upstream::Upstream;
use crate::validation::Contract;

/// The end of a route.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Who answers.
    pub upstream: Arc<Upstream>,
    /// What requests have to keep to, if they have to.
    pub contract: Option<Arc<Contract>>,
    /// Header fields of answers, where they are the route's own.
    pub hardening: Option<Arc<Hardening>>,
    /// What is looked for in responses, if something is.
    pub leaks: Option<Arc<Leaks>>,
}

impl Destination {
    /// An upstream, and nothing else.
    #[must_use]
    pub fn to(upstream: Arc<Upstream>) -> Self {
        Self {
            upstream,
            contract: None,
            hardening: None,
            leaks: None,
        }
    }
}
