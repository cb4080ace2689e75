//! What the control socket may ask of the running agent.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use gateway_policy::grammar::Prefix;

use super::{filter, immune, limits, patches::Patches, snapshot, watch::Look};
use crate::{
    clock,
    config::{self, Config},
    control::{
        Fault, FaultKind, Hooks, Kernel, Service,
        api::{AgentStatus, Reloaded, UpstreamStatus},
    },
    feedback,
    http::{Gate, Transport},
    observe::Health,
    store::UnixMillis,
    tls::ServerTls,
};

/// The running agent, as far as it can be changed while it runs.
pub(super) struct Running {
    config_file: PathBuf,
    config: ArcSwap<Config>,
    started: UnixMillis,
    configured: AtomicU64,
    generation: AtomicU64,
    /// One reload at a time.
    reloading: Mutex<()>,
    kernel: Option<Arc<Kernel>>,
    patches: Patches,
    parts: OnceLock<Parts>,
}

/// What comes to be only after the service, which needs the hooks.
pub(super) struct Parts {
    /// The service holds the hooks, so the hooks must not hold the service.
    pub(super) service: Weak<Service>,
    pub(super) feedback: feedback::Handle,
    pub(super) gate: Arc<Gate>,
    /// Of each listener, in the order of the configuration.
    pub(super) transports: Vec<Transport>,
    pub(super) addresses: Vec<String>,
}

impl Running {
    pub(super) fn new(
        config_file: PathBuf,
        config: Arc<Config>,
        kernel: Option<Arc<Kernel>>,
    ) -> Self {
        let now = clock::unix_millis();
        Self {
            config_file,
            config: ArcSwap::new(config),
            started: UnixMillis(now),
            configured: AtomicU64::new(now),
            generation: AtomicU64::new(1),
            reloading: Mutex::new(()),
            kernel,
            patches: Patches::default(),
            parts: OnceLock::new(),
        }
    }

    /// The last step of the start.
    pub(super) fn complete(&self, parts: Parts) {
        // Called once; a second set of parts would belong to no listener.
        let _ = self.parts.set(parts);
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// How the rules of the WAF stand.
    pub(super) fn patches(&self) -> &Patches {
        &self.patches
    }

    /// Rules in `waf.conf_d` are taken up without a reload.
    pub(super) fn refresh_rules(&self) {
        let _one_at_a_time = self.reloading();
        if let Some(parts) = self.parts.get() {
            self.patches.refresh(&self.config(), &parts.gate);
        }
    }

    /// Rotated key files are taken up without a reload.
    pub(super) fn refresh_keys(&self) {
        let Some(parts) = self.parts.get() else {
            return;
        };
        let settings = parts.gate.settings();
        let Some(verifier) = &settings.identity.verifier else {
            return;
        };
        let refresh = verifier.refresh();
        for issuer in refresh.renewed {
            tracing::info!(issuer, "token keys renewed");
        }
        for (issuer, fault) in refresh.kept {
            tracing::error!(issuer, "the old token keys stay in use: {fault}");
        }
    }

    /// For `/healthz`: the agent is well once it listens.
    pub(super) fn health(&self) -> Health {
        let parts = self.parts.get();
        let mut detail = serde_json::Map::new();
        detail.insert(
            "generation".into(),
            self.generation.load(Ordering::Relaxed).into(),
        );
        detail.insert(
            "listeners".into(),
            parts.map_or(0, |parts| parts.addresses.len()).into(),
        );
        detail.insert("filter".into(), self.kernel.is_some().into());
        Health {
            healthy: parts.is_some(),
            detail,
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
            filter::configure(&mut datapath, new)?;
        } else if !new.interfaces.is_empty() {
            notes.push("the packet filter starts with a restart".into());
        }
        parts.gate.replace(settings);
        self.patches.loaded(look);
        for (slot, config) in renewed {
            slot.store(config);
        }
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
        Ok(notes)
    }

    fn reloading(&self) -> MutexGuard<'_, ()> {
        self.reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hooks for Running {
    fn agent(&self) -> Option<AgentStatus> {
        let config = self.config();
        Some(AgentStatus {
            pid: std::process::id(),
            started_unix_ms: self.started,
            config: self.config_file.display().to_string(),
            generation: self.generation.load(Ordering::Relaxed),
            configured_unix_ms: UnixMillis(self.configured.load(Ordering::Relaxed)),
            listeners: self
                .parts
                .get()
                .map(|parts| parts.addresses.clone())
                .unwrap_or_default(),
            upstreams: config
                .access
                .upstreams()
                .iter()
                .map(|upstream| UpstreamStatus {
                    name: upstream.name.clone(),
                    targets: upstream
                        .targets
                        .iter()
                        .map(config::Target::authority)
                        .collect(),
                })
                .collect(),
            waf: self
                .parts
                .get()
                .and_then(|parts| self.patches.status(&config, &parts.gate)),
            limits: limits::in_words(&config.packet_limits, &config.rate_limits),
        })
    }

    fn reload(&self) -> Result<Reloaded, Fault> {
        let _one_at_a_time = self.reloading();
        let Some(parts) = self.parts.get() else {
            return Err(Fault::new(
                FaultKind::Busy,
                "the agent is still starting; try again",
            ));
        };
        let (new, warnings) = config::load(&self.config_file)
            .map_err(|faults| Fault::new(FaultKind::BadConfig, faults.to_string()))?;
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let new = Arc::new(new);
        let changed = self.config().changes(&new);
        let notes = self
            .apply(&new, parts)
            .map_err(|error| Fault::new(FaultKind::BadConfig, format!("{error:#}")))?;
        self.configured
            .store(clock::unix_millis(), Ordering::Relaxed);
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!(generation, ?changed, "configuration reloaded");
        Ok(Reloaded { generation, notes })
    }

    fn protected(&self) -> Vec<(Prefix, String)> {
        let config = self.config();
        let named = |prefixes: &[Prefix], what: &str| {
            prefixes
                .iter()
                .map(|prefix| (*prefix, what.to_owned()))
                .collect::<Vec<_>>()
        };
        let mut all = named(&config.networks.management, "the management network");
        all.extend(named(&config.networks.proxies, "a trusted proxy"));
        for (name, prefixes) in &config.networks.trusted {
            all.extend(named(prefixes, &format!("the trusted network {name}")));
        }
        all
    }

    fn lifted(&self, prefix: Prefix) {
        if let Some(parts) = self.parts.get() {
            parts.feedback.lifted(prefix);
        }
    }

    fn safelist_changed(&self) {
        let Some(parts) = self.parts.get() else {
            return;
        };
        let Some(service) = parts.service.upgrade() else {
            return;
        };
        match service.safelist() {
            Ok(safelist) => {
                parts
                    .feedback
                    .set_immune(immune::of(&self.config(), &safelist), &service);
            }
            Err(fault) => tracing::error!("the ledger does not know the new safelist: {fault}"),
        }
    }
}
