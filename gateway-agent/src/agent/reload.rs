//! Taking up another configuration while the agent runs.

use std::sync::{Arc, atomic::Ordering};

use gateway_policy::grammar::Period;

use super::{
    filter,
    hooks::{Parts, Running},
    immune, limits, snapshot,
    trial::Before,
    watch::Look,
};
use crate::{
    clock,
    config::{Config, Sources},
    control::{Fault, FaultKind, api::Reloaded},
    datapath::Standing,
    http::Transport,
    tls::ServerTls,
};

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
                self.standings.settle(sources);
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

    /// Takes a configuration up whole, or leaves the one before in force.
    pub(super) fn apply_or_go_back(
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
    pub(super) fn restore(&self, from: &Config, before: &Before, parts: &Parts) {
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
        let look = Look::at(new.waf.conf_d.path());
        let settings = snapshot::settings(new)?;
        snapshot::carry_over(&settings, &parts.gate.settings());
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
            ("waf.keep", old.waf.keep != new.waf.keep),
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
        self.patches().loaded(look);
        for (slot, config) in renewed {
            slot.store(config);
        }
        self.enact(new, parts)?;
        Ok(notes)
    }

    /// The last part of taking up a configuration: what needs none of its files.
    fn enact(&self, new: &Arc<Config>, parts: &Parts) -> anyhow::Result<()> {
        parts.feedback.set_policy(new.bans);
        if let Some(reputation) = &parts.reputation {
            reputation.set_policy(limits::reputation(&new.attack_mode));
        }
        if let Some(cookies) = &parts.cookies {
            cookies.apply(new, &parts.addresses);
        }
        let old = self.config.swap(Arc::clone(new));
        self.upstreams.store(Arc::new(immune::upstreams(new)));
        if let Some(feeds) = &parts.feeds {
            let anew = old.networks != new.networks || old.access != new.access;
            feeds.configure(new.feeds.clone(), anew);
        }
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

    pub(super) fn next_generation(&self) -> u64 {
        self.configured
            .store(clock::unix_millis(), Ordering::Relaxed);
        self.generation.fetch_add(1, Ordering::Relaxed) + 1
    }
}
