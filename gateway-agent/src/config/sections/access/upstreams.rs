//! Upstreams.

use std::collections::HashMap;

use gateway_policy::grammar::Period;

use super::Context;
use crate::config::raw;
use crate::config::tree::{At, Entries};
use crate::config::values::Target;

/// The servers that answer for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// The servers, at least one: asked in turn, passed over when they cannot be reached.
    pub targets: Vec<Target>,
    /// How long a connection may take to be made.
    pub connect_timeout: Period,
    /// How long the server may take to answer.
    pub timeout: Period,
}

/// One of the upstreams of one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpstreamId(usize);

impl UpstreamId {
    /// Its place in [`Access::upstreams`](super::Access::upstreams).
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// The names of the upstreams that are written, also of those with faults.
pub(super) struct Names {
    ids: HashMap<String, UpstreamId>,
}

impl Names {
    pub(super) fn get(&self, name: &str) -> Option<UpstreamId> {
        self.ids.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(String::as_str)
    }
}

const LEAST: Period = Period::from_millis(10);
const MOST: Period = Period::from_secs(24 * 3600);

pub(super) fn check(raw: Entries<raw::Upstream>, cx: &Context<'_>) -> (Vec<Upstream>, Names) {
    let mut upstreams = Vec::new();
    let mut ids = HashMap::new();
    for (key, raw) in raw.0 {
        let Some(name) = cx.line(&key) else {
            continue;
        };
        ids.insert(name.clone(), UpstreamId(ids.len()));
        if let Some(upstream) = check_upstream(name, raw, cx) {
            upstreams.push(upstream);
        }
    }
    (upstreams, Names { ids })
}

fn check_upstream(name: String, raw: At<raw::Upstream>, cx: &Context<'_>) -> Option<Upstream> {
    let place = raw.place();
    let raw = raw.take()?;
    if raw.targets.0.is_empty() {
        cx.report
            .fault(place, "found no target, expected at least one in `targets`");
    }
    let mut targets: Vec<Target> = Vec::new();
    for raw in raw.targets.0 {
        let place = raw.place();
        let Some(target) = raw.take() else {
            continue;
        };
        if targets.contains(&target) {
            cx.report
                .fault(place, format!("found the target {target} again"));
        } else {
            targets.push(target);
        }
    }
    Some(Upstream {
        name,
        targets,
        connect_timeout: cx.period(raw.connect_timeout, Period::from_secs(2), (LEAST, MOST)),
        timeout: cx.period(raw.timeout, Period::from_secs(30), (LEAST, MOST)),
    })
}
