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

use super::{filter, immune, limits, snapshot};
use crate::{
    clock,
    config::{self, Config},
    control::{
        Actor, Fault, FaultKind, Hooks, Kernel, Service,
        api::{AgentStatus, FeedStatus, Reloaded, UpstreamStatus},
    },
    feedback, feeds,
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
    /// Where the upstreams were when the configuration was taken up: nobody who denies a prefix
    /// shall wait for their names to be resolved.
    upstreams: ArcSwap<Vec<(Prefix, String)>>,
    parts: OnceLock<Parts>,
}

/// What comes to be only after the service, which needs the hooks.
pub(super) struct Parts {
    /// The service holds the hooks, so the hooks must not hold the service.
    pub(super) service: Weak<Service>,
    pub(super) feedback: feedback::Handle,
    /// None without a packet filter.
    pub(super) feeds: Option<feeds::Handle>,
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
            upstreams: ArcSwap::from_pointee(immune::upstreams(&config)),
            config: ArcSwap::new(config),
            started: UnixMillis(now),
            configured: AtomicU64::new(now),
            generation: AtomicU64::new(1),
            reloading: Mutex::new(()),
            kernel,
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
            filter::configure(&mut datapath, new)?;
        } else if !new.interfaces.is_empty() {
            notes.push("the packet filter starts with a restart".into());
        }
        parts.gate.replace(settings);
        for (slot, config) in renewed {
            slot.store(config);
        }
        parts.feedback.set_policy(new.bans);
        self.config.store(Arc::clone(new));
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
        Ok(notes)
    }

    fn feed_handle(&self) -> Result<&feeds::Handle, Fault> {
        let parts = self
            .parts
            .get()
            .ok_or_else(|| Fault::new(FaultKind::Busy, "the agent is still starting; try again"))?;
        parts.feeds.as_ref().ok_or_else(|| {
            Fault::new(
                FaultKind::NoFilter,
                "feeds are not read: the configuration names no interfaces to filter on",
            )
        })
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
            limits: limits::in_words(&config.packet_limits, &config.rate_limits),
            feeds: self.feeds().unwrap_or_default(),
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
        all.extend(self.upstreams.load().iter().cloned());
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

    fn feeds(&self) -> Option<Vec<FeedStatus>> {
        Some(self.parts.get()?.feeds.as_ref()?.status())
    }

    fn refresh_feed(&self, name: &str) -> Result<FeedStatus, Fault> {
        self.feed_handle()?.refresh(name)
    }

    fn accept_feed(&self, actor: &Actor, name: &str) -> Result<FeedStatus, Fault> {
        self.feed_handle()?.accept(actor, name)
    }
}
