//! Joins HTTP and the data path: what a request did becomes what the kernel drops.
//!
//! The HTTP workers hand offences over through a bounded queue and never wait: when it is full,
//! the offence is lost and counted. One thread asks the ledger and carries out what it says.
//! Another reads the sampled drops, and so sees when a ban bites.

mod drops;
mod latency;
mod metrics;
mod worker;

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use gateway_common::time::Nanos;
use gateway_policy::{
    bans::{Ban, BanPolicy, Capacity, Command, Immune, Ledger, Offence, OffenceKind},
    grammar::Prefix,
};

use self::{latency::Awaiting, worker::Worker};
use crate::{
    clock,
    control::{BanOrder, Fault, Service},
    datapath::Events,
    http::{Banned, Observer},
    reputation, store,
};

pub use metrics::Metrics;

/// Offences that may wait for the ledger.
const QUEUE: usize = 8192;

/// Clients whose offences are remembered, and clients that may be banned, at once.
const CAPACITY: Capacity = Capacity {
    clients: 65_536,
    bans: 65_536,
};

/// The loop back, while it runs.
pub struct Feedback {
    shared: Arc<Shared>,
    queue: SyncSender<Offence>,
    threads: Vec<JoinHandle<()>>,
}

/// What the HTTP workers see of it.
pub struct Reporter {
    shared: Arc<Shared>,
    queue: SyncSender<Offence>,
}

struct Shared {
    ledger: Mutex<Ledger>,
    policy: Mutex<BanPolicy>,
    awaiting: Mutex<Awaiting>,
    metrics: Metrics,
    stopping: AtomicBool,
}

impl Feedback {
    /// Takes up the bans of an earlier run and starts the threads. `events` is the data path's
    /// ring buffer, and `reputation` who is known; `None` when there is no data path.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a thread cannot be had.
    pub fn start(
        policy: BanPolicy,
        immune: Immune,
        service: Arc<Service>,
        events: Option<Events>,
        reputation: Option<reputation::Handle>,
    ) -> anyhow::Result<Self> {
        let mut ledger = Ledger::new(policy, immune, CAPACITY);
        take_up(&mut ledger, &service, memory_of(&policy))?;
        let shared = Arc::new(Shared {
            ledger: Mutex::new(ledger),
            policy: Mutex::new(policy),
            awaiting: Mutex::default(),
            metrics: Metrics::default(),
            stopping: AtomicBool::new(false),
        });
        let (queue, offences) = sync_channel(QUEUE);
        let worker = Worker {
            shared: Arc::clone(&shared),
            service,
            reputation,
            offences,
        };
        let mut threads = vec![
            thread::Builder::new()
                .name("feedback".into())
                .spawn(move || worker.run())?,
        ];
        if let Some(events) = events {
            let shared = Arc::clone(&shared);
            threads.push(
                thread::Builder::new()
                    .name("drops".into())
                    .spawn(move || drops::read(events, &shared))?,
            );
        }
        Ok(Self {
            shared,
            queue,
            threads,
        })
    }

    /// The end that the HTTP workers hold.
    #[must_use]
    pub fn reporter(&self) -> Arc<Reporter> {
        Arc::new(Reporter {
            shared: Arc::clone(&self.shared),
            queue: self.queue.clone(),
        })
    }

    /// The handle through which changes of policy, safelist and bans reach the ledger.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            shared: Arc::clone(&self.shared),
        }
    }

    /// The counters and histograms, for the registry.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Ends the threads, after the offences that wait have been dealt with.
    pub fn stop(self) {
        self.shared.stopping.store(true, Ordering::Release);
        for thread in self.threads {
            // A thread that panicked has said so on its own.
            let _ = thread.join();
        }
    }
}

/// Lets others change what the ledger goes by.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// An operator lifted the bans within `prefix`: the ledger forgets them.
    pub fn lifted(&self, prefix: Prefix) {
        // The kernel and the store have been told; that is how this came to be called.
        let _ = self.shared.ledger().lift(prefix);
    }

    /// Replaces whom no ban may touch. Bans that now may not be are taken back.
    pub fn set_immune(&self, immune: Immune, service: &Service) {
        let commands = self.shared.ledger().set_immune(immune);
        carry_out(&commands, service);
    }

    /// Replaces the rules. Bans that run go on as they were.
    pub fn set_policy(&self, policy: BanPolicy) {
        self.shared.ledger().set_policy(policy);
        *lock(&self.shared.policy) = policy;
    }
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// How many offences of this kind lead to a ban.
    fn limit_of(&self, kind: OffenceKind) -> u32 {
        let limit = lock(&self.policy)
            .rule(kind)
            .map_or(0, |rule| rule.limit().count().get());
        u32::try_from(limit).unwrap_or(u32::MAX)
    }
}

impl Observer for Reporter {
    fn offence(&self, offence: &Offence) {
        self.shared.metrics.offence(offence.kind);
        match self.queue.try_send(offence.clone()) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.shared.metrics.lost();
            }
        }
    }
}

impl Banned for Reporter {
    fn is_banned(&self, client: IpAddr) -> bool {
        self.shared.ledger().is_banned(client, clock::monotonic())
    }
}

/// A panic under one of these locks may have cost one client one count, which is no reason to
/// stop banning.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The longest time that any rule remembers a ban.
fn memory_of(policy: &BanPolicy) -> Nanos {
    OffenceKind::ALL
        .into_iter()
        .filter_map(|kind| policy.rule(kind))
        .map(|rule| rule.forget().as_nanos())
        .max()
        .unwrap_or(Nanos::ZERO)
}

/// Hands the ledger the bans of an earlier run, and the kernel those that run on.
fn take_up(ledger: &mut Ledger, service: &Service, memory: Nanos) -> Result<(), Fault> {
    let past = service.past_bans(memory)?;
    let bans = past.into_iter().filter_map(|order| {
        let offence = order.facts.offence.parse().ok()?;
        Some(Ban {
            prefix: order.client,
            mode: match order.mode {
                store::Mode::Enforce => gateway_policy::bans::Mode::Enforce,
                store::Mode::Shadow => gateway_policy::bans::Mode::Shadow,
            },
            from: order.from,
            until: order.until,
            strike: order.facts.strike,
            offence,
            evidence: gateway_policy::bans::Evidence::new(
                order.facts.request.as_deref().unwrap_or_default(),
                &order.reason,
            ),
        })
    });
    let restored = ledger.restore(bans, clock::monotonic());
    for (ban, fault) in &restored.refused {
        tracing::warn!(client = %ban.prefix, "a ban of an earlier run is not taken up: {fault}");
    }
    // Bans that run on are in the kernel already: the service made it follow the store.
    let lifts: Vec<_> = restored
        .commands
        .into_iter()
        .filter(|command| matches!(command, Command::Lift { .. }))
        .collect();
    carry_out(&lifts, service);
    Ok(())
}

/// Carries out what the ledger takes back by itself.
fn carry_out(commands: &[Command], service: &Service) {
    for command in commands {
        match command {
            Command::Lift { prefix, cause } => match service.unban(*prefix, &cause.to_string()) {
                Ok(_) => tracing::info!(client = %prefix, "ban lifted: {cause}"),
                Err(fault) => tracing::error!(client = %prefix, "lifting a ban: {fault}"),
            },
            Command::Ban(ban) => match service.ban(&order(ban, 0)) {
                Ok(_) => {}
                Err(fault) => tracing::error!(client = %ban.prefix, "renewing a ban: {fault}"),
            },
        }
    }
}

/// A ban as the service takes it; `count` is how many offences led to it.
fn order(ban: &Ban, count: u32) -> BanOrder {
    BanOrder {
        client: ban.prefix,
        mode: match ban.mode {
            gateway_policy::bans::Mode::Enforce => store::Mode::Enforce,
            gateway_policy::bans::Mode::Shadow => store::Mode::Shadow,
        },
        from: ban.from,
        until: ban.until,
        facts: store::BanFacts {
            offence: ban.offence.name().to_owned(),
            count,
            strike: ban.strike,
            request: Some(ban.evidence.request_id().to_owned()).filter(|id| !id.is_empty()),
        },
        reason: ban.evidence.detail().to_owned(),
    }
}
