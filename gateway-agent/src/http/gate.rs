//! What all connections share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use gateway_policy::bans::Offence;
use gateway_policy::limits::Counters;
use gateway_waf::RuleMatch;

use super::case::Case;
use super::ids::Ids;
use super::limiters::Limiters;
use super::load::{Load, Present};
use super::observer::{Banned, Observer, Written};
use super::outcome::Outcome;
use super::settings::Settings;

/// The pipeline with its settings, its memory and those who are told.
pub struct Gate {
    settings: ArcSwap<Settings>,
    pub(super) limiters: Limiters,
    pub(super) ids: Ids,
    pub(super) banned: Arc<dyn Banned>,
    observers: Vec<Arc<dyn Observer>>,
    load: Arc<Load>,
    /// Requests in which nothing was found, for taking samples.
    ordinary: AtomicU64,
}

impl Gate {
    /// A pipeline that remembers the limits of `clients` clients in each zone.
    #[must_use]
    pub fn new(
        settings: Settings,
        clients: usize,
        banned: Arc<dyn Banned>,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Self {
        Self {
            limiters: Limiters::new(settings.quotas, clients),
            settings: ArcSwap::from_pointee(settings),
            ids: Ids::default(),
            banned,
            observers,
            load: Arc::new(Load::default()),
            ordinary: AtomicU64::new(0),
        }
    }

    /// Puts other settings in place. Requests that have begun keep theirs; what clients have
    /// used of their limits keeps counting.
    pub fn replace(&self, settings: Settings) {
        self.restore(Arc::new(settings));
    }

    /// The same with settings that stood before.
    pub fn restore(&self, settings: Arc<Settings>) {
        self.limiters.set(settings.quotas);
        self.settings.store(settings);
    }

    /// The settings that stand now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// How much there is to do.
    #[must_use]
    pub fn load(&self) -> &Arc<Load> {
        &self.load
    }

    /// What became of newcomers at the limiters.
    #[must_use]
    pub fn limiter_counters(&self) -> Counters {
        self.limiters.counters()
    }

    pub(super) fn offence(&self, offence: &Offence) {
        for observer in &self.observers {
            observer.offence(offence);
        }
    }

    pub(super) fn proven(&self, source: IpAddr, subject: &str) {
        for observer in &self.observers {
            observer.proven(source, subject);
        }
    }

    /// Tells what rules found; what comes back is to be waited for.
    pub(super) fn found(&self, matches: &[RuleMatch]) -> Vec<Written> {
        let observers = self.observers.iter();
        observers
            .filter_map(|observer| observer.found(matches))
            .collect()
    }

    /// Tells of a case; what comes back is to be waited for.
    pub(super) fn case(&self, case: Case) -> Vec<Written> {
        let case = Arc::new(case);
        let observers = self.observers.iter();
        observers
            .filter_map(|observer| observer.case(&case))
            .collect()
    }

    /// Whether this ordinary request is the one in `one_in` that is told.
    pub(super) fn is_sample(&self, one_in: u64) -> bool {
        one_in > 0
            && self
                .ordinary
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(one_in)
    }

    pub(super) fn outcome(&self, outcome: &Arc<Outcome>) {
        for observer in &self.observers {
            observer.outcome(outcome);
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("load", &self.load)
            .finish_non_exhaustive()
    }
}

/// The count of requests being served, as something that can be held.
#[derive(Debug)]
pub(super) struct Requests(Arc<Load>);

impl Requests {
    /// Counts one more request; `None` when there are `most` already.
    pub(super) fn enter(load: &Arc<Load>, most: usize) -> Option<Present<Self>> {
        Present::enter(Self(Arc::clone(load)), most)
    }
}

impl AsRef<AtomicUsize> for Requests {
    fn as_ref(&self) -> &AtomicUsize {
        &self.0.requests
    }
}

/// The count of open connections, as something that can be held.
#[derive(Debug)]
pub(super) struct Connections(Arc<Load>);

impl Connections {
    /// Counts one more connection; `None` when there are `most` already.
    pub(super) fn enter(load: &Arc<Load>, most: usize) -> Option<Present<Self>> {
        Present::enter(Self(Arc::clone(load)), most)
    }
}

impl AsRef<AtomicUsize> for Connections {
    fn as_ref(&self) -> &AtomicUsize {
        &self.0.open
    }
}
