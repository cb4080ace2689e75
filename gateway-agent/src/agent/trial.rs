//! A configuration on trial: it is taken back unless somebody confirms it.
//!
//! What was in force before is kept in memory as it was, with the keys and rules that were read
//! then, so that going back to it reads no file that could have changed meanwhile; and on disk
//! ([`super::kept`]), should the agent not live to see the end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use gateway_policy::grammar::Period;
use rustls::ServerConfig;

use super::{
    hooks::{Parts, Running},
    kept::{Kept, Place},
};
use crate::{
    clock,
    config::{Config, Sources},
    control::{Fault, FaultKind, api::TrialStatus},
    http::{Settings, Transport},
    store::UnixMillis,
};

/// What the configuration in force was read from, and whether it stays.
pub(super) struct Standings {
    place: Place,
    state: Mutex<State>,
}

struct State {
    sources: Sources,
    /// Whether the files hold one that was tried and not confirmed.
    taken_back: bool,
    trial: Option<Trial>,
}

/// A configuration that is taken back unless it is confirmed.
struct Trial {
    deadline: Instant,
    until: UnixMillis,
    before: Before,
}

/// What was in force before.
pub(super) struct Before {
    pub(super) config: Arc<Config>,
    pub(super) settings: Arc<Settings>,
    /// Of each listener with TLS, in their order.
    pub(super) certificates: Vec<Arc<ServerConfig>>,
    sources: Sources,
}

impl Standings {
    pub(super) fn new(place: Place, sources: Sources, taken_back: bool) -> Self {
        Self {
            place,
            state: Mutex::new(State {
                sources,
                taken_back,
                trial: None,
            }),
        }
    }

    /// The trial that is under way.
    pub(super) fn trial(&self) -> Option<TrialStatus> {
        let state = self.state();
        state.trial.as_ref().map(|trial| TrialStatus {
            until_unix_ms: trial.until,
        })
    }

    /// Whether the files hold a configuration that was tried and not confirmed, and another one
    /// is in force.
    pub(super) fn taken_back(&self) -> bool {
        self.state().taken_back
    }

    /// Takes note that what was read from `sources` is in force for good.
    pub(super) fn settle(&self, sources: Sources) {
        self.state().sources = sources;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Takes `new` up until it is confirmed or the time is over.
    pub(super) fn try_out(
        &self,
        new: &Arc<Config>,
        tried: Sources,
        trial: Period,
        parts: &Parts,
    ) -> Result<Vec<String>, Fault> {
        if self.config().paths != new.paths {
            return Err(Fault::new(
                FaultKind::BadConfig,
                "`paths` change with a restart, so they cannot be tried; nothing was changed",
            ));
        }
        let before = self.before(parts);
        let confirmed = before.sources.clone();
        let earlier = self.standings.place.read().ok().flatten();
        // On the disk first: if what follows kills the agent, the next one knows.
        let kept = Kept {
            confirmed,
            tried: tried.clone(),
        };
        self.standings.place.write(&kept).map_err(|error| {
            Fault::new(
                FaultKind::Store,
                format!(
                    "the present configuration cannot be kept at {}: {error}; nothing was changed",
                    self.standings.place
                ),
            )
        })?;
        let notes = match self.apply_or_go_back(new, &before, parts) {
            Ok(notes) => notes,
            Err(fault) => {
                // What was kept from a trial before is needed still.
                let put_back = match earlier {
                    Some(earlier) => self.standings.place.write(&earlier),
                    None => self.standings.place.clear(),
                };
                if let Err(error) = put_back {
                    tracing::error!("{} is out of date: {error}", self.standings.place);
                }
                return Err(fault);
            }
        };
        let lasts = trial.as_duration();
        let mut state = self.standings.state();
        state.sources = tried;
        state.taken_back = false;
        state.trial = Some(Trial {
            deadline: far(Instant::now(), lasts),
            until: UnixMillis(
                clock::unix_millis()
                    .saturating_add(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)),
            ),
            before,
        });
        Ok(notes)
    }

    /// Keeps the configuration that is on trial; says its generation.
    pub(super) fn keep(&self) -> Option<u64> {
        let _one_at_a_time = self.reloading();
        self.standings.state().trial.take()?;
        self.forget_kept();
        let generation = self.generation.load(Ordering::Relaxed);
        tracing::info!(generation, "the configuration on trial was confirmed");
        Some(generation)
    }

    /// Goes back to the configuration before, if the time of the one on trial is over; says the
    /// new generation.
    pub(super) fn roll_back_overdue(&self) -> Option<u64> {
        let parts = self.parts.get()?;
        let is_due = |trial: &mut Trial| trial.deadline <= Instant::now();
        // Looked at before waiting for a reload that may take its time.
        if !self.standings.state().trial.as_mut().is_some_and(is_due) {
            return None;
        }
        let _one_at_a_time = self.reloading();
        let before = {
            let mut state = self.standings.state();
            let before = state.trial.take_if(is_due)?.before;
            state.sources = before.sources.clone();
            state.taken_back = true;
            before
        };
        self.restore(&self.config(), &before, parts);
        let generation = self.next_generation();
        tracing::warn!(
            generation,
            "nobody confirmed the configuration: the one before it is in force again, and the \
             files hold the other one still; `gateway reload` takes it up for good"
        );
        Some(generation)
    }

    /// What is in force now.
    pub(super) fn before(&self, parts: &Parts) -> Before {
        let certificates = parts
            .transports
            .iter()
            .filter_map(|transport| match transport {
                Transport::Tls(slot) => Some(slot.load_full()),
                Transport::Plain => None,
            })
            .collect();
        Before {
            config: self.config(),
            settings: parts.gate.settings(),
            certificates,
            sources: self.standings.state().sources.clone(),
        }
    }

    /// The files are in force for good: no older configuration is needed any more.
    pub(super) fn forget_kept(&self) {
        self.standings.state().taken_back = false;
        if let Err(error) = self.standings.place.clear() {
            tracing::error!(
                "{} cannot be removed: {error}; remove it, or the next start may go back to an \
                 older configuration",
                self.standings.place
            );
        }
    }
}

/// A time so far ahead that the clock does not reach it counts as a hundred years.
fn far(now: Instant, ahead: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
    now.checked_add(ahead.min(LONG)).unwrap_or(now)
}
