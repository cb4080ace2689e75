//! Taking up another configuration while the agent runs: for good, or on trial.
//!
//! What was in force before a trial is kept in memory as it was, with the keys and rules that
//! were read then, so that going back to it reads no file that could have changed meanwhile.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use gateway_policy::grammar::Period;
use rustls::ServerConfig;

use super::{
    filter,
    hooks::{Parts, Running},
    immune,
    kept::{Kept, Place},
    snapshot,
};
use crate::{
    clock,
    config::{Config, Sources},
    control::{
        Fault, FaultKind,
        api::{Reloaded, TrialStatus},
    },
    datapath::Standing,
    http::{Settings, Transport},
    store::UnixMillis,
    tls::ServerTls,
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
struct Before {
    config: Arc<Config>,
    settings: Arc<Settings>,
    /// Of each listener with TLS, in their order.
    certificates: Vec<Arc<ServerConfig>>,
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Takes up what the files hold; for good, or for as long as `trial` says unless it is
    /// confirmed.
    pub(super) fn take_up(&self, trial: Option<Period>) -> Result<Reloaded, Fault> {
        let _one_at_a_time = self.reloading();
        let Some(parts) = self.parts.get() else {
            return Err(Fault::new(
                FaultKind::Busy,
                "the agent is still starting; try again",
            ));
        };
        if self.standings.trial().is_some() {
            return Err(Fault::new(
                FaultKind::Busy,
                "a configuration is on trial: say `gateway confirm`, or wait until it is taken \
                 back; nothing was changed",
            ));
        }
        if trial.is_some_and(|trial| trial.is_zero()) {
            return Err(Fault::new(
                FaultKind::Invalid,
                "a trial cannot last 0s; nothing was changed",
            ));
        }
        let bad = |words: String| Fault::new(FaultKind::BadConfig, words);
        let sources = Sources::read(&self.config_file).map_err(|faults| bad(faults.to_string()))?;
        let (new, warnings) = sources.load().map_err(|faults| bad(faults.to_string()))?;
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let new = Arc::new(new);
        let changed = self.config().changes(&new);
        let notes = match trial {
            None => {
                let notes = self.apply_or_go_back(&new, &self.before(parts), parts)?;
                self.standings.state().sources = sources;
                self.forget_kept();
                notes
            }
            Some(trial) => self.try_out(&new, sources, trial, parts)?,
        };
        let generation = self.next_generation();
        tracing::info!(
            generation,
            ?changed,
            on_trial = trial.is_some(),
            "configuration reloaded"
        );
        Ok(Reloaded {
            generation,
            notes,
            trial_until_unix_ms: self.standings.trial().map(|trial| trial.until_unix_ms),
        })
    }

    fn try_out(
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

    fn before(&self, parts: &Parts) -> Before {
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

    /// Takes a configuration up whole, or leaves the one before in force.
    fn apply_or_go_back(
        &self,
        new: &Arc<Config>,
        before: &Before,
        parts: &Parts,
    ) -> Result<Vec<String>, Fault> {
        self.apply(new, parts).map_err(|error| {
            self.restore(new, before, parts);
            Fault::new(FaultKind::BadConfig, format!("{error:#}"))
        })
    }

    /// Goes back from a configuration that may be in force only in part. What fails is logged,
    /// and keeps nothing else from going back.
    fn restore(&self, from: &Config, before: &Before, parts: &Parts) {
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            tracing::error!("{what} cannot be taken back: {error}; `gateway reload` tries again");
        };
        if let Some(kernel) = &self.kernel {
            let mut datapath = kernel.datapath();
            if from.interfaces != before.config.interfaces
                && let Err(error) = filter::attach(&mut datapath, &before.config.interfaces)
            {
                failed("`interfaces`", &error);
            }
            if let Err(error) = filter::configure(&mut datapath, &before.config) {
                failed("the packet filter", &error);
            }
        }
        parts.gate.restore(Arc::clone(&before.settings));
        let slots = parts
            .transports
            .iter()
            .filter_map(|transport| match transport {
                Transport::Tls(slot) => Some(slot),
                Transport::Plain => None,
            });
        for (slot, certificates) in slots.zip(&before.certificates) {
            slot.store(Arc::clone(certificates));
        }
        if let Err(error) = self.enact(&before.config, parts) {
            failed("the safelist's management addresses", &error);
        }
    }

    fn apply(&self, new: &Arc<Config>, parts: &Parts) -> anyhow::Result<Vec<String>> {
        let old = self.config();
        // Whatever can fail for a reason in a file comes first; nothing has changed until then.
        let settings = snapshot::settings(new)?;
        let mut notes = Vec::new();
        let mut renewed = Vec::new();
        if old.listeners == new.listeners {
            for (listener, transport) in new.listeners.iter().zip(&parts.transports) {
                if let (Some(tls), Transport::Tls(slot)) = (&listener.tls, transport) {
                    renewed.push((slot, ServerTls::load(tls)?.config));
                }
            }
        } else {
            notes.push("listeners change with a restart; those that run stay as they are".into());
        }
        for (name, differs) in [
            ("admin", old.admin != new.admin),
            ("limits", old.limits != new.limits),
            ("log", old.log != new.log),
            ("waf.log", old.waf.log != new.waf.log),
            ("paths", old.paths != new.paths),
        ] {
            if differs {
                notes.push(format!("`{name}` changes with a restart"));
            }
        }
        if let Some(kernel) = &self.kernel {
            let mut datapath = kernel.datapath();
            if old.interfaces != new.interfaces {
                filter::attach(&mut datapath, &new.interfaces)?;
            }
            for interface in &new.interfaces {
                let name = interface.name.as_str();
                if datapath.standing(name) == Standing::Absent {
                    notes.push(format!("interface {name} is filtered when it appears"));
                }
            }
            filter::configure(&mut datapath, new)?;
        } else if !new.interfaces.is_empty() {
            notes.push("the packet filter starts with a restart".into());
        }
        parts.gate.replace(settings);
        for (slot, config) in renewed {
            slot.store(config);
        }
        self.enact(new, parts)?;
        Ok(notes)
    }

    /// The last part of taking up a configuration: what needs none of its files.
    fn enact(&self, new: &Arc<Config>, parts: &Parts) -> anyhow::Result<()> {
        parts.feedback.set_policy(new.bans);
        self.config.store(Arc::clone(new));
        if let Some(service) = parts.service.upgrade() {
            if self.kernel.is_some() {
                service.set_management(&new.networks.management)?;
            }
            let safelist = service.safelist()?;
            parts
                .feedback
                .set_immune(immune::of(new, &safelist), &service);
        }
        Ok(())
    }

    fn forget_kept(&self) {
        self.standings.state().taken_back = false;
        if let Err(error) = self.standings.place.clear() {
            tracing::error!(
                "{} cannot be removed: {error}; remove it, or the next start may go back to an \
                 older configuration",
                self.standings.place
            );
        }
    }

    fn next_generation(&self) -> u64 {
        self.configured
            .store(clock::unix_millis(), Ordering::Relaxed);
        self.generation.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// A time so far ahead that the clock does not reach it counts as a hundred years.
fn far(now: Instant, ahead: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
    now.checked_add(ahead.min(LONG)).unwrap_or(now)
}
