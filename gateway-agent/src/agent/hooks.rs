//! What the control socket may ask of the running agent.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use gateway_policy::{
    bans::Mode,
    grammar::{Period, Prefix},
};

use super::{cookies::Cookies, immune, limits, patches::Patches, trial::Standings};
use crate::{
    clock,
    config::{self, Config},
    control::{
        Actor, Fault, FaultKind, Hooks, Kernel, Lists as _, Service,
        api::{
            AgentStatus, AttackWatch, FeedStatus, LimitStatus, Reloaded, UpstreamStatus, WouldDrop,
        },
        lists::Interface,
    },
    datapath::Standing,
    feedback, feeds,
    http::{Gate, Transport},
    observe::Health,
    reputation,
    store::{self, UnixMillis},
};

/// The running agent, as far as it can be changed while it runs.
pub(super) struct Running {
    pub(super) config_file: PathBuf,
    pub(super) config: ArcSwap<Config>,
    pub(super) standings: Standings,
    started: UnixMillis,
    pub(super) configured: AtomicU64,
    pub(super) generation: AtomicU64,
    /// One reload at a time.
    reloading: Mutex<()>,
    pub(super) kernel: Option<Arc<Kernel>>,
    /// Where the upstreams were when the configuration was taken up: nobody who denies a prefix
    /// shall wait for their names to be resolved.
    pub(super) upstreams: ArcSwap<Vec<(Prefix, String)>>,
    patches: Patches,
    pub(super) parts: OnceLock<Parts>,
}

/// What comes to be only after the service, which needs the hooks.
pub(super) struct Parts {
    /// The service holds the hooks, so the hooks must not hold the service.
    pub(super) service: Weak<Service>,
    pub(super) feedback: feedback::Handle,
    pub(super) reputation: Option<reputation::Handle>,
    /// None without a packet filter.
    pub(super) feeds: Option<feeds::Handle>,
    pub(super) gate: Arc<Gate>,
    /// Of each listener, in the order of the configuration.
    pub(super) transports: Vec<Transport>,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) cookies: Option<Arc<Cookies>>,
}

impl Running {
    pub(super) fn new(
        config_file: PathBuf,
        config: Arc<Config>,
        standings: Standings,
        kernel: Option<Arc<Kernel>>,
    ) -> Self {
        let now = clock::unix_millis();
        Self {
            config_file,
            upstreams: ArcSwap::from_pointee(immune::upstreams(&config)),
            config: ArcSwap::new(config),
            standings,
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

    /// The configuration, which does not change as long as the guard is held; `None` while a
    /// reload is under way.
    pub(super) fn settled(&self) -> Option<(MutexGuard<'_, ()>, Arc<Config>)> {
        let guard = match self.reloading.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some((guard, self.config()))
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

    /// Addresses come and go without a reload.
    pub(super) fn refresh_cookies(&self) {
        if let Some(cookies) = self.cookies() {
            cookies.refresh();
        }
    }

    /// Floods begin without a reload.
    pub(super) fn watch_cookies(&self) {
        if let Some(cookies) = self.cookies() {
            cookies.watch();
        }
    }

    fn cookies(&self) -> Option<&Cookies> {
        self.parts.get()?.cookies.as_deref()
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

    /// The limits in force, with what those in shadow mode would have dropped.
    pub(super) fn limits(&self, config: &Config) -> Vec<LimitStatus> {
        let in_words = |limit: limits::Named| LimitStatus {
            would_drop: match (limit.mode, &self.kernel) {
                (Some(Mode::Shadow), Some(kernel)) => would_drop(kernel, &limit),
                (_, None) | (Some(Mode::Enforce) | None, _) => None,
            },
            name: limit.name,
            value: limit.value,
            mode: limit.mode.map(|mode| match mode {
                Mode::Enforce => store::Mode::Enforce,
                Mode::Shadow => store::Mode::Shadow,
            }),
        };
        limits::named(config).into_iter().map(in_words).collect()
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

    pub(super) fn reloading(&self) -> MutexGuard<'_, ()> {
        self.reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the packet filter counted for a limit in shadow mode; `None` when it cannot be read.
fn would_drop(kernel: &Kernel, limit: &limits::Named) -> Option<WouldDrop> {
    let mut sum = WouldDrop::default();
    for rule in &limit.rules {
        let (packets, bytes) = kernel.would_drop(*rule).ok()?.unwrap_or_default();
        sum.packets = sum.packets.saturating_add(packets);
        sum.bytes = sum.bytes.saturating_add(bytes);
    }
    Some(sum)
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
            trial: self.standings.trial(),
            taken_back: self.standings.taken_back(),
            listeners: self
                .parts
                .get()
                .map(|parts| parts.addresses.iter().map(ToString::to_string).collect())
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
            limits: self.limits(&config),
            syn_cookies: self.cookies().map(Cookies::status),
            feeds: self.feeds().unwrap_or_default(),
        })
    }

    fn attack(&self) -> Option<AttackWatch> {
        Some(self.parts.get()?.reputation.as_ref()?.status())
    }

    fn limit_name(&self, rule: u32) -> Option<String> {
        let named = limits::named(&self.config());
        let found = named.into_iter().find(|limit| limit.rules.contains(&rule));
        found.map(|limit| limit.name)
    }

    fn reload(&self, trial: Option<Period>) -> Result<Reloaded, Fault> {
        self.take_up(trial)
    }

    fn confirm(&self) -> Option<u64> {
        self.keep()
    }

    fn unfiltered(&self) -> Vec<Interface> {
        let Some(kernel) = &self.kernel else {
            return Vec::new();
        };
        let datapath = kernel.datapath();
        let config = self.config();
        let named = config.interfaces.iter().map(|one| one.name.as_str());
        named
            .filter_map(|name| {
                let mode = match datapath.standing(name) {
                    Standing::Filtered | Standing::Renamed => return None,
                    Standing::Bare => "unfiltered",
                    Standing::Absent => "absent",
                };
                Some(Interface {
                    name: name.to_owned(),
                    mode: mode.to_owned(),
                })
            })
            .collect()
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
