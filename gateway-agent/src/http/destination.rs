//! Where a route leads, and what holds on the way.

use std::sync::Arc;

use super::delivery::Leaks;
use super::harden::Hardening;
use super::settings::Guard;
use super::upstream::Upstream;
use crate::validation::Contract;

/// The end of a route.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The route as the configuration describes it.
    pub route: Arc<str>,
    /// Who answers.
    pub upstream: Arc<Upstream>,
    /// What the WAF does with its requests, where that differs from
    /// [`Settings::guard`](super::settings::Settings::guard).
    pub guard: Option<Guard>,
    /// What requests have to keep to, if they have to.
    pub contract: Option<Arc<Contract>>,
    /// Header fields of answers, where they are the route's own.
    pub hardening: Option<Arc<Hardening>>,
    /// What is looked for in responses, if something is.
    pub leaks: Option<Arc<Leaks>>,
}

impl Destination {
    /// A route to an upstream, and nothing else.
    #[must_use]
    pub fn to(route: &str, upstream: Arc<Upstream>) -> Self {
        Self {
            route: route.into(),
            upstream,
            guard: None,
            contract: None,
            hardening: None,
            leaks: None,
        }
    }
}
