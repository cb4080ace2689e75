//! The way to upstreams: targets, connections, and one request to one of them.
//!
//! Spoken is HTTP/1.1 without TLS. Each worker has its own [`Pool`] of idle connections, so no
//! connection crosses threads.

mod body;
mod pool;
mod send;
mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(super) use body::{BodyFault, ClientBody, Outgoing, Relay, Upload, behind};
pub(super) use pool::Pool;
pub(super) use send::{Attempt, Failed, send};
pub use target::{Target, TargetError};

/// A service with its targets.
#[derive(Debug)]
pub struct Upstream {
    name: Arc<str>,
    targets: Vec<Target>,
    times: UpstreamTimes,
    turn: AtomicUsize,
}

/// How long an upstream may take, and how connections to it are kept.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamTimes {
    /// For a connection to one target.
    pub connect: Duration,
    /// From the end of the request to the head of the response, and while it does not read the
    /// request.
    pub response: Duration,
    /// For the next piece of the response body.
    pub piece: Duration,
    /// How long an unused connection is kept; shorter than what the upstream keeps it.
    pub idle: Duration,
    /// How many unused connections each worker keeps to one target.
    pub idle_connections: usize,
    /// How long a target is left out after it refused a connection, while there are others.
    pub rest: Duration,
}

impl Default for UpstreamTimes {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            response: Duration::from_secs(30),
            piece: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            idle_connections: 64,
            rest: Duration::from_secs(5),
        }
    }
}

/// The most targets tried for one request.
const MAX_ATTEMPTS: usize = 3;

impl Upstream {
    /// An upstream; requests take turns among its targets.
    #[must_use]
    pub fn new(name: &str, targets: Vec<Target>, times: UpstreamTimes) -> Self {
        Self {
            name: name.into(),
            targets,
            times,
            turn: AtomicUsize::new(0),
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its targets.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The targets to try, best first: from the next in turn on, those that rest last.
    fn candidates(&self) -> impl Iterator<Item = &Target> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let start = turn.checked_rem(self.targets.len()).unwrap_or(0);
        let (before, from) = self.targets.split_at_checked(start).unwrap_or((&[], &[]));
        let (ready, resting): (Vec<_>, Vec<_>) = from
            .iter()
            .chain(before)
            .partition(|target| target.is_ready());
        ready.into_iter().chain(resting).take(MAX_ATTEMPTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(targets: &[&str]) -> Upstream {
        let targets = targets.iter().map(|text| text.parse().unwrap()).collect();
        Upstream::new("app", targets, UpstreamTimes::default())
    }

    fn order(upstream: &Upstream) -> Vec<String> {
        upstream
            .candidates()
            .map(|target| target.authority().to_string())
            .collect()
    }

    #[test]
    fn targets_take_turns() {
        let upstream = upstream(&["http://a:1", "http://b:2", "http://c"]);
        assert_eq!(order(&upstream), ["a:1", "b:2", "c:80"]);
        assert_eq!(order(&upstream), ["b:2", "c:80", "a:1"]);
        assert_eq!(order(&upstream), ["c:80", "a:1", "b:2"]);
    }

    #[test]
    fn a_resting_target_comes_last_and_alone_it_is_tried() {
        let upstream = upstream(&["http://a:1", "http://b:2"]);
        upstream.targets()[0].rest(Duration::from_secs(60), "gone");
        assert_eq!(order(&upstream), ["b:2", "a:1"]);
        assert_eq!(order(&upstream), ["b:2", "a:1"]);
        upstream.targets()[0].recovered();
        assert_eq!(order(&upstream), ["a:1", "b:2"]);
    }

    #[test]
    fn no_targets_are_no_candidates() {
        assert!(order(&upstream(&[])).is_empty());
    }
}
