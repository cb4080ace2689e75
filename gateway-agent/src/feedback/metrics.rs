//! What the loop counts.

use gateway_common::{Verdict, time::Nanos};
use gateway_policy::bans::{OffenceKind, Ruling};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// Counters and histograms of the loop; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    offences: Family<Named, Counter>,
    rulings: Family<Named, Counter>,
    sampled: Family<Named, Counter>,
    lost: Counter,
    failed: Counter,
    in_force: Histogram,
    first_drop: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    name: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        // 50 µs to about 3 s.
        let latency = || Histogram::new(exponential_buckets(50e-6, 2.0, 17));
        Self {
            offences: Family::default(),
            rulings: Family::default(),
            sampled: Family::default(),
            lost: Counter::default(),
            failed: Counter::default(),
            in_force: latency(),
            first_drop: latency(),
        }
    }
}

impl Metrics {
    /// Puts the metrics into `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "offences",
            "Requests that may lead to a ban, by kind of offence",
            self.offences.clone(),
        );
        registry.register(
            "ban_rulings",
            "What the ban ledger made of offences",
            self.rulings.clone(),
        );
        registry.register(
            "sampled_drops",
            "Sampled drops read from the kernel, by verdict; the data path's counters have all",
            self.sampled.clone(),
        );
        registry.register(
            "offences_lost",
            "Offences that found the ledger's queue full",
            self.lost.clone(),
        );
        registry.register(
            "bans_failed",
            "Bans that the store or the kernel refused",
            self.failed.clone(),
        );
        registry.register_with_unit(
            "ban_in_force",
            "From the end of the offending request until the kernel has the ban",
            Unit::Seconds,
            self.in_force.clone(),
        );
        registry.register_with_unit(
            "ban_first_drop",
            "From the end of the offending request until the first packet is dropped",
            Unit::Seconds,
            self.first_drop.clone(),
        );
    }

    pub(super) fn offence(&self, kind: OffenceKind) {
        self.offences
            .get_or_create(&Named { name: kind.name() })
            .inc();
    }

    pub(super) fn ruling(&self, ruling: &Ruling) {
        self.rulings
            .get_or_create(&Named {
                name: ruling.name(),
            })
            .inc();
    }

    pub(super) fn sampled(&self, verdict: Verdict) {
        self.sampled
            .get_or_create(&Named {
                name: verdict.name(),
            })
            .inc();
    }

    pub(super) fn lost(&self) {
        self.lost.inc();
    }

    pub(super) fn failed(&self) {
        self.failed.inc();
    }

    pub(super) fn banned(&self, after: Nanos) {
        self.in_force.observe(after.as_duration().as_secs_f64());
    }

    pub(super) fn bit(&self, after: Nanos) {
        self.first_drop.observe(after.as_duration().as_secs_f64());
    }
}
