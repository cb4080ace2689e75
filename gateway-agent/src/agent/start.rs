//! From a configuration to a running agent, and down again.

use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use anyhow::Context;
use arc_swap::ArcSwap;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::MissedTickBehavior,
};

use super::{
    cookies::Cookies,
    filter,
    hooks::{Parts, Running},
    immune,
    interfaces::Watch,
    kept::{self, Chosen},
    limits,
    logs::Logs,
    metrics::DatapathCollector,
    patches::WafCollector,
    reconciler::{ReconcileCollector, Reconciler},
    snapshot,
    trial::Standings,
    watch::Look,
};
use crate::{
    config::Config,
    control::{
        FaultKind, Hooks, Kernel, Lists, ListsError, Service,
        lists::Absent,
        lock::WriterLock,
        server::{self, Socket},
    },
    datapath::Attached,
    feedback::Feedback,
    feeds::{FeedCollector, Feeds},
    http::{Gate, Listen, Observer, Server, Transport},
    observe::{self, Format, HttpMetrics, Metrics, Monitor},
    records::{self, Ring},
    reputation::Reputation,
    store::Store,
    tls::ServerTls,
};

/// How the agent is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration file.
    pub config: PathBuf,
}

/// Clients whose request limits are remembered in each zone.
const LIMITED_CLIENTS: usize = 262_144;

/// How long requests under way may take when the agent stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the start waits for a command that is changing something.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How often imports that nobody confirmed are looked for.
const TRIALS: Duration = Duration::from_millis(500);

/// How often the host's addresses and the stack's setting for SYN cookies are looked at.
const COOKIE_REFRESH: Duration = Duration::from_secs(5);

/// How often SYNs are counted.
const FLOOD_WATCH: Duration = Duration::from_millis(250);

/// How often the counts of rules that are gone are cleared away.
const COUNTS: Duration = Duration::from_secs(600);

/// How often the files in `waf.conf_d` are looked at: a change is in force after two looks.
const PATCHES: Duration = Duration::from_millis(200);

/// How often old records are looked for.
const EXPIRY: Duration = Duration::from_secs(600);

/// How long records stay that were kept before `waf.keep` became `off`.
const LEFT_BEHIND: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often key files are looked at.
const KEY_REFRESH: Duration = Duration::from_secs(5);

/// Runs the agent until SIGTERM or SIGINT. The packet filter stays on its interfaces.
///
/// # Errors
/// Why it could not start, in one sentence; nothing is left half attached then.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let Chosen {
        config,
        warnings,
        sources,
        kept,
        place,
    } = kept::choose(&options.config)?;
    observe::init_app_log(Format::Json, config.log.level.name())?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let config = Arc::new(config);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), config = %options.config.display(), "starting");

    if kept {
        tracing::warn!(
            kept = %place,
            "the files hold a configuration that was tried and not confirmed: starting by the one \
             before it; `gateway reload` takes the files up"
        );
    }

    // Whatever a file can make fail comes before the first trace of this agent.
    let look = Look::at(config.waf.conf_d.path());
    let settings = snapshot::settings(&config)?;
    let listens = listens(&config)?;
    let _lock = WriterLock::take(&WriterLock::path_beside(&config.paths.store), LOCK_PATIENCE)?;
    let socket = Socket::bind(&config.paths.socket)?;
    let store = Store::open(&config.paths.store, crate::store::Options::default())?;

    let kernel = match config.interfaces.is_empty() {
        true => None,
        false => Some(Arc::new(Kernel::new(filter::load(&config)?))),
    };
    let lists: Arc<dyn Lists> = match &kernel {
        Some(kernel) => Arc::clone(kernel) as _,
        None => Arc::new(Absent(ListsError::Absent(
            "the configuration names no interfaces".into(),
        ))),
    };
    let running = Arc::new(Running::new(
        options.config.clone(),
        Arc::clone(&config),
        Standings::new(place, sources, kept),
        kernel.clone(),
    ));
    running.patches().loaded(look);
    let service = Arc::new(Service::new(lists, store, Arc::clone(&running) as _));
    if kernel.is_some() {
        bring_in_step(&service, &config)?;
    }

    let events = kernel
        .as_ref()
        .map(|kernel| kernel.datapath().events())
        .transpose()?;
    let reputation = kernel
        .as_ref()
        .map(|kernel| {
            let policy = limits::reputation(&config.attack_mode);
            Reputation::start(policy, Arc::clone(kernel))
        })
        .transpose()?;
    let safelist = service.safelist()?;
    let feedback = Feedback::start(
        config.bans,
        immune::of(&config, &safelist),
        Arc::clone(&service),
        events,
        reputation.as_ref().map(Reputation::handle),
    )?;
    let reporter = feedback.reporter();
    let metrics = Arc::new(Metrics::default());
    let logs = Logs::start(&config)?;
    let mut observers: Vec<Arc<dyn Observer>> = vec![
        Arc::clone(&reporter) as _,
        metrics.register(HttpMetrics::new) as _,
    ];
    observers.extend(logs.observers());
    observers.extend(
        reputation
            .as_ref()
            .map(|reputation| reputation.witness() as _),
    );
    let gate = Arc::new(Gate::new(settings, LIMITED_CLIENTS, reporter, observers));
    metrics.register(|registry| {
        feedback.metrics().register(registry);
        if let Some(reputation) = &reputation {
            reputation.metrics().register(registry);
        }
        HttpMetrics::collect(registry, Arc::clone(&gate), logs.counts());
        if let Some(kernel) = &kernel {
            registry.register_collector(Box::new(DatapathCollector {
                kernel: Arc::clone(kernel),
                running: Arc::clone(&running),
            }));
        }
        registry.register_collector(Box::new(WafCollector {
            running: Arc::clone(&running),
            gate: Arc::clone(&gate),
            records: logs.record_files(),
        }));
    });
    let reconciler = match kernel.is_some() {
        true => Some(Reconciler::start(Arc::clone(&service))?),
        false => None,
    };
    if let Some(reconciler) = &reconciler {
        let collector = ReconcileCollector {
            service: Arc::clone(&service),
            failures: reconciler.failures(),
        };
        metrics.register(|registry| registry.register_collector(Box::new(collector)));
    }
    let health = Arc::clone(&running);
    let monitor = Monitor::start(config.admin.bind.addr(), Arc::clone(&metrics), move || {
        health.health()
    })?;
    tracing::info!(address = %monitor.addr(), "metrics and health");

    let feeds = match &kernel {
        Some(_) => Some(Feeds::start(config.feeds.clone(), Arc::clone(&service))?),
        None => None,
    };
    if let Some(feeds) = &feeds {
        let collector = FeedCollector(feeds.handle());
        metrics.register(|registry| registry.register_collector(Box::new(collector)));
    }

    // The filter before the listeners: no connection is accepted that it has not seen.
    let guarded = match &kernel {
        Some(kernel) => guard(kernel, &config)?,
        None => Vec::new(),
    };
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let limits = snapshot::connection_limits(&config.limits);
    let http = match Server::start(&listens, limits, workers, Arc::clone(&gate)) {
        Ok(http) => http,
        Err(error) => {
            if let Some(kernel) = &kernel {
                filter::give_back(&mut kernel.datapath(), &guarded)?;
            }
            return Err(error.into());
        }
    };
    for address in http.addrs() {
        tracing::info!(%address, "listening");
    }
    // The listeners before the cookies: what is answered must find somebody.
    let cookies = kernel
        .as_ref()
        .map(|kernel| Arc::new(Cookies::new(Arc::clone(kernel), &config)));
    if let Some(cookies) = &cookies {
        cookies.apply(&config, http.addrs());
    }
    running.complete(Parts {
        cookies: cookies.clone(),
        service: Arc::downgrade(&service),
        feedback: feedback.handle(),
        reputation: reputation.as_ref().map(Reputation::handle),
        feeds: feeds.as_ref().map(Feeds::handle),
        gate,
        transports: listens
            .iter()
            .map(|listen| listen.transport.clone())
            .collect(),
        addresses: http.addrs().to_vec(),
    });

    // A feed may have put somebody on the safelist before anybody could hear of it.
    running.safelist_changed();

    let watch = match &kernel {
        Some(kernel) => Some(Watch::start(Arc::clone(kernel), Arc::clone(&running))?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(attend(
        socket,
        Arc::clone(&service),
        Arc::clone(&running),
        logs,
    ));
    drop(watch);
    if let Some(cookies) = &cookies {
        cookies.end();
    }
    let drained = http.shutdown(DRAIN);
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "cut off at the end of the drain");
    }
    drop(monitor);
    if let Some(feeds) = feeds {
        feeds.stop();
    }
    drop(reconciler);
    feedback.stop();
    if let Some(reputation) = reputation {
        reputation.stop();
    }
    tracing::info!("stopped; the packet filter stays in force (`gateway detach` removes it)");
    outcome
}

/// Listeners with their certificates.
fn listens(config: &Config) -> anyhow::Result<Vec<Listen>> {
    config
        .listeners
        .iter()
        .map(|listener| {
            let transport = match &listener.tls {
                Some(tls) => Transport::Tls(Arc::new(ArcSwap::new(ServerTls::load(tls)?.config))),
                None => Transport::Plain,
            };
            Ok(Listen {
                bind: listener.bind.addr(),
                transport,
            })
        })
        .collect()
}

/// Makes the kernel's lists those of the store and the configuration.
fn bring_in_step(service: &Service, config: &Config) -> anyhow::Result<()> {
    service.recover()?;
    for tag in service.roll_back_overdue()? {
        tracing::warn!(tag, "nobody confirmed the import: taken back");
    }
    let done = service.reconcile()?;
    tracing::info!(
        kept = done.kept,
        written = done.written,
        removed = done.removed,
        adopted = done.adopted,
        "lists in step with the store"
    );
    if let Some(refusal) = done.refusal {
        tracing::error!(entries = done.refused, "not in force: {refusal}");
    }
    Ok(service.set_management(&config.networks.management)?)
}

/// Puts the program on the interfaces.
fn guard(kernel: &Kernel, config: &Config) -> anyhow::Result<Vec<Attached>> {
    let guarded = filter::attach(&mut kernel.datapath(), &config.interfaces)?;
    guarded.iter().for_each(filter::tell);
    Ok(guarded)
}

/// Answers the control socket and signals until one of them says stop.
async fn attend(
    socket: Socket,
    service: Arc<Service>,
    running: Arc<Running>,
    logs: Logs,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut keys = tokio::time::interval(KEY_REFRESH);
    let mut trials = tokio::time::interval(TRIALS);
    let mut cookies = tokio::time::interval(COOKIE_REFRESH);
    let mut floods = tokio::time::interval(FLOOD_WATCH);
    let mut counts = tokio::time::interval(COUNTS);
    let mut patches = tokio::time::interval(PATCHES);
    patches.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut expiry = tokio::time::interval(EXPIRY);
    let trying = Arc::clone(&service);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let control = server::serve(socket, service, async {
        let _ = stopped.await;
    });
    let control = tokio::spawn(control);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                logs.reopen();
                reload(&running).await;
            }
            _ = trials.tick() => {
                let service = Arc::clone(&trying);
                let running = Arc::clone(&running);
                tokio::task::spawn_blocking(move || roll_back(&service, &running)).await?;
            }
            _ = cookies.tick() => {
                let running = Arc::clone(&running);
                tokio::task::spawn_blocking(move || running.refresh_cookies()).await?;
            }
            _ = floods.tick() => {
                let running = Arc::clone(&running);
                tokio::task::spawn_blocking(move || running.watch_cookies()).await?;
            }
            _ = counts.tick() => {
                let service = Arc::clone(&trying);
                tokio::task::spawn_blocking(move || forget_counts(&service)).await?;
            }
            _ = patches.tick() => {
                let running = Arc::clone(&running);
                tokio::task::spawn_blocking(move || running.refresh_rules()).await?;
            }
            _ = expiry.tick() => {
                let config = running.config();
                tokio::task::spawn_blocking(move || expire(&config)).await?;
            }
            _ = keys.tick() => {
                let running = Arc::clone(&running);
                tokio::task::spawn_blocking(move || running.refresh_keys()).await?;
            }
        }
    }
    tracing::info!("stopping");
    let _ = stop.send(());
    control.await?.context("the control socket failed")
}

/// Removes the records that are too old, also those that an agent with other settings left.
fn expire(config: &Config) {
    let age = config
        .waf
        .keep
        .map_or(LEFT_BEHIND, |keep| keep.age.as_duration());
    let folder = records::folder(&config.paths.store);
    if let Err(error) = Ring::expire(&folder, age) {
        tracing::error!(folder = %folder.display(), "old WAF records stay: {error}");
    }
}

/// Takes back the configuration and the imports that nobody has confirmed.
fn roll_back(service: &Service, running: &Running) {
    if let Some(generation) = running.roll_back_overdue()
        && let Err(fault) = service.log_roll_back(generation)
    {
        tracing::error!("the store's log does not know that it was taken back: {fault}");
    }
    match service.roll_back_overdue() {
        Ok(tags) => {
            for tag in tags {
                tracing::warn!(tag, "nobody confirmed the import: taken back");
            }
        }
        Err(fault) => tracing::error!("taking back what nobody confirmed: {fault}"),
    }
}

/// Makes room for the counts of other rules.
fn forget_counts(service: &Service) {
    match service.forget_counts() {
        Ok(0) => {}
        Ok(rules) => tracing::debug!(rules, "counts of rules that are gone were cleared away"),
        // Without a filter there are none.
        Err(fault) if fault.kind == FaultKind::NoFilter => {}
        Err(fault) => tracing::error!("clearing the counts of rules that are gone: {fault}"),
    }
}

/// SIGHUP: what goes wrong goes to the log, and the old configuration stays.
async fn reload(running: &Arc<Running>) {
    let running = Arc::clone(running);
    match tokio::task::spawn_blocking(move || running.reload(None)).await {
        Ok(Ok(reloaded)) => {
            for note in reloaded.notes {
                tracing::warn!("{note}");
            }
        }
        Ok(Err(fault)) => tracing::error!("the running configuration stays: {fault}"),
        Err(error) => tracing::error!("the reload came to no end: {error}"),
    }
}
