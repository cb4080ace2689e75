//! The thread that compares the kernel's maps with the store, for as long as the agent runs.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

use crate::{
    control::{Fault, Round, Service},
    datapath::SummaryWalk,
};

/// From one round to the next.
const PAUSE: Duration = Duration::from_secs(5);

/// How many times as long as a step it rests after it: one part in 33 of a processor is used.
const REST: u32 = 32;

/// The shortest and the longest rest.
const RESTS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// The running thread; it ends when this is dropped.
pub(super) struct Reconciler {
    stop: Arc<AtomicBool>,
    failures: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Reconciler {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(service: Arc<Service>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let failures = Arc::new(AtomicU64::new(0));
        let work = Work {
            service,
            stop: Arc::clone(&stop),
            failures: Arc::clone(&failures),
        };
        let thread = thread::Builder::new()
            .name("reconciler".into())
            .spawn(move || work.run())?;
        Ok(Self {
            stop,
            failures,
            thread: Some(thread),
        })
    }

    /// How often a round failed.
    pub(super) fn failures(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.failures)
    }
}

impl Drop for Reconciler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

struct Work {
    service: Arc<Service>,
    stop: Arc<AtomicBool>,
    failures: Arc<AtomicU64>,
}

impl Work {
    fn run(&self) {
        let mut walk = SummaryWalk::default();
        let mut refused = 0;
        let mut failed = None;
        while self.rest(PAUSE) {
            let round = self.service.audit(&mut walk, &mut |took, wrong| {
                // What is wrong shall not stay so for the sake of the processor.
                let rest = if wrong { took } else { took * REST };
                self.rest(rest.clamp(RESTS.0, RESTS.1))
            });
            match round {
                Ok(round) => {
                    failed = None;
                    tell(&round, &mut refused);
                }
                Err(fault) => self.fail(fault, &mut failed),
            }
        }
    }

    /// The same fault is logged once, until a round succeeds or fails otherwise.
    fn fail(&self, fault: Fault, last: &mut Option<Fault>) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        if last.as_ref() != Some(&fault) {
            tracing::error!("cannot compare the kernel's maps with the store: {fault}");
            *last = Some(fault);
        }
    }

    /// Sleeps; says whether to go on.
    fn rest(&self, rest: Duration) -> bool {
        let until = std::time::Instant::now() + rest;
        while !self.stop.load(Ordering::Acquire) {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::park_timeout(left);
        }
        false
    }
}

fn tell(round: &Round, refused: &mut u64) {
    let repairs = round.repairs;
    if repairs.any() {
        tracing::warn!(
            missing = repairs.missing,
            extra = repairs.extra,
            different = repairs.different,
            expiry = repairs.expiry,
            summary = repairs.summary,
            settings = repairs.settings,
            wanted = round.wanted,
            in_force = round.in_force,
            "the kernel's maps were not as they should be: mended"
        );
    }
    if round.whole && round.refused != *refused {
        *refused = round.refused;
        if round.refused > 0 {
            tracing::error!(
                entries = round.refused,
                "not in force: the kernel's map is full; remove entries or merge them into prefixes"
            );
        } else {
            tracing::info!("all entries are in force again");
        }
    }
}

/// What the rounds found, for `/metrics`.
pub(super) struct ReconcileCollector {
    pub(super) service: Arc<Service>,
    pub(super) failures: Arc<AtomicU64>,
}

impl std::fmt::Debug for ReconcileCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReconcileCollector")
    }
}

impl Collector for ReconcileCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let failures = ConstCounter::new(self.failures.load(Ordering::Relaxed));
        let metric = encoder.encode_descriptor(
            "reconcile_failures",
            "Rounds of comparing the kernel's maps with the store that failed",
            None,
            failures.metric_type(),
        )?;
        failures.encode(metric)?;
        let Some(status) = self.service.reconciled() else {
            return Ok(());
        };
        let gauges: [(&str, &str, f64); 5] = [
            (
                "reconcile_ratio",
                "Of the entries that should be in force, the share that the kernel held in the \
                 last round, before anything was mended",
                status.ratio(),
            ),
            (
                "reconcile_wanted",
                "Entries that should be in force",
                float(status.wanted),
            ),
            (
                "reconcile_refused",
                "Entries that are not in force because the kernel's map is full",
                float(status.refused),
            ),
            (
                "reconcile_last_round_timestamp_seconds",
                "When the last whole round ended",
                float(status.at_unix_ms.0) / 1e3,
            ),
            (
                "reconcile_last_round_duration_seconds",
                "How long it took, its pauses included",
                float(status.took_ms) / 1e3,
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        let kind = ConstCounter::new(0_u64);
        let mut metric = encoder.encode_descriptor(
            "reconcile_repairs",
            "What was wrong in the kernel's maps and was mended, by kind",
            None,
            kind.metric_type(),
        )?;
        for (kind, count) in status.repairs.by_kind() {
            ConstCounter::new(count).encode(metric.encode_family(&[("kind", kind)])?)?;
        }
        Ok(())
    }
}

/// Exact up to 2^53, which no count here reaches.
fn float(n: u64) -> f64 {
    n as f64
}
