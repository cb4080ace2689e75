//! Joins HTTP and the data path the other way: who has proven to be a good client becomes known
//! to the kernel, and when the kernel counts an attack, only they keep their packet rate.
//!
//! The HTTP workers hand proofs over through a bounded queue and never wait. One thread writes
//! them into the kernel's map, watches the counters, and turns attack mode on and off.

mod metrics;
mod watch;

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use gateway_common::{
    abi::KNOWN_CAPACITY,
    settings::{Attack, ORDER_OFF, ORDER_ON},
    time::Nanos,
};
use gateway_policy::reputation::{AttackMode, AttackPolicy, KnownSources, Learned, Order};

use self::watch::Watch;
use crate::{
    clock,
    control::{Kernel, api::AttackWatch},
    datapath::{DatapathError, identity},
    http::Observer,
};

pub use metrics::Metrics;

/// Proofs that may wait to be written.
const QUEUE: usize = 4_096;

/// What the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReputationPolicy {
    /// When attack mode is on.
    pub attack: AttackPolicy,
    /// For how long a source is known after its last proof.
    pub lifetime: Nanos,
}

/// The two-way reputation, while it runs.
pub struct Reputation {
    shared: Arc<Shared>,
    queue: SyncSender<Written>,
    thread: JoinHandle<()>,
}

/// What the kernel's map is to hold.
#[derive(Clone, Copy, Debug)]
struct Written {
    source: u64,
    until: Nanos,
    /// Whose place it takes.
    instead_of: Option<u64>,
}

struct Shared {
    known: Mutex<KnownSources>,
    mode: Mutex<AttackMode>,
    metrics: Metrics,
    kernel: Arc<Kernel>,
    stopping: AtomicBool,
}

impl Reputation {
    /// Takes up what an earlier run left in the kernel, and starts the thread.
    ///
    /// # Errors
    ///
    /// When the kernel's map cannot be read, or a thread cannot be had.
    pub fn start(policy: ReputationPolicy, kernel: Arc<Kernel>) -> anyhow::Result<Self> {
        let (past, attack) = {
            let datapath = kernel.datapath();
            (datapath.known()?, datapath.settings().attack)
        };
        let capacity = usize::try_from(KNOWN_CAPACITY).unwrap_or(usize::MAX);
        let mut known = KnownSources::new(policy.lifetime, capacity);
        let now = clock::monotonic();
        let ended = past.iter().filter(|(_, until)| *until <= now);
        for (source, _) in ended {
            kernel.datapath().forget(*source)?;
        }
        known.restore(past, now);
        let mode = AttackMode::new(policy.attack, attack.on != 0);
        let shared = Arc::new(Shared {
            known: Mutex::new(known),
            mode: Mutex::new(mode),
            metrics: Metrics::default(),
            kernel,
            stopping: AtomicBool::new(false),
        });
        let (queue, written) = sync_channel(QUEUE);
        let watch = Watch::new(Arc::clone(&shared), written);
        let thread = thread::Builder::new()
            .name("reputation".into())
            .spawn(move || watch.run())?;
        Ok(Self {
            shared,
            queue,
            thread,
        })
    }

    /// The end that the HTTP workers hold.
    #[must_use]
    pub fn witness(&self) -> Arc<Witness> {
        Arc::new(Witness {
            shared: Arc::clone(&self.shared),
            queue: self.queue.clone(),
        })
    }

    /// The handle for questions and changes.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            shared: Arc::clone(&self.shared),
        }
    }

    /// The counters, for the registry.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Ends the thread. Attack mode and who is known stay in the kernel as they are.
    pub fn stop(self) {
        self.shared.stopping.store(true, Ordering::Release);
        // A thread that panicked has said so on its own.
        let _ = self.thread.join();
    }
}

/// Sees proofs.
pub struct Witness {
    shared: Arc<Shared>,
    queue: SyncSender<Written>,
}

impl Observer for Witness {
    fn proven(&self, source: IpAddr, subject: &str) {
        let source = identity(source);
        let learned = self
            .shared
            .known()
            .record(source, subject, clock::monotonic());
        match learned {
            Learned::Fresh => {}
            Learned::Remember { until, instead_of } => {
                let written = Written {
                    source,
                    until,
                    instead_of,
                };
                if self.queue.try_send(written).is_err() {
                    // It will prove itself again.
                    self.shared.known().forget(source);
                    self.shared.metrics.lost();
                }
            }
            Learned::NoRoom => self.shared.metrics.refused(),
        }
    }
}

/// Lets others ask, and change what it goes by.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// Replaces the policy.
    pub fn set_policy(&self, policy: ReputationPolicy) {
        self.shared.known().set_lifetime(policy.lifetime);
        self.shared.mode().set_policy(policy.attack);
    }

    /// A client was banned: it must prove itself anew afterwards.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn forget(&self, client: IpAddr) -> Result<(), DatapathError> {
        let source = identity(client);
        match self.shared.known().forget(source) {
            true => self.shared.kernel.datapath().forget(source),
            false => Ok(()),
        }
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> AttackWatch {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        AttackWatch {
            cause: self.shared.mode().cause().map(|cause| cause.to_string()),
            known: count(self.shared.known().len()),
            refused: self.shared.metrics.refusals(),
        }
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, KnownSources> {
        lock(&self.known)
    }

    fn mode(&self) -> MutexGuard<'_, AttackMode> {
        lock(&self.mode)
    }
}

/// A panic under one of these locks may have cost one source its place, which is no reason to
/// stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn order_of(attack: &Attack) -> Order {
    match attack.order {
        ORDER_ON => Order::On,
        ORDER_OFF => Order::Off,
        _ => Order::Auto,
    }
}
