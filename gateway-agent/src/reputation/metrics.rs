//! What is counted of known sources and of attack mode.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// Counters and gauges; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    mode: Gauge,
    begun: Counter,
    known: Gauge,
    refused: Counter,
    lost: Counter,
    failed: Counter,
}

impl Metrics {
    /// Puts the metrics into `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "attack_mode",
            "Whether attack mode is on, 0 or 1",
            self.mode.clone(),
        );
        registry.register(
            "attack_mode_begun",
            "How often attack mode has begun",
            self.begun.clone(),
        );
        registry.register(
            "known_sources",
            "Sources that are known as good clients",
            self.known.clone(),
        );
        registry.register(
            "known_sources_refused",
            "Proofs of sources that could not be made known, for as many are as can be",
            self.refused.clone(),
        );
        registry.register(
            "known_sources_lost",
            "Proofs that found the queue full",
            self.lost.clone(),
        );
        registry.register(
            "known_sources_failed",
            "Proofs that the kernel refused to write down",
            self.failed.clone(),
        );
    }

    pub(super) fn mode(&self, on: bool) {
        self.mode.set(on.into());
    }

    pub(super) fn begins(&self) {
        self.begun.inc();
    }

    pub(super) fn known(&self, count: usize) {
        self.known.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn refused(&self) {
        self.refused.inc();
    }

    pub(super) fn refusals(&self) -> u64 {
        self.refused.get()
    }

    pub(super) fn lost(&self) {
        self.lost.inc();
    }

    pub(super) fn failed(&self) {
        self.failed.inc();
    }
}
