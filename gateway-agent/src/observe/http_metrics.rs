//! The metrics of requests and connections.

use std::fmt;
use std::sync::Arc;

use gateway_waf::RuleMatch;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, EncodeMetric, LabelSetEncoder,
};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::LogCounts;
use crate::http::{ConnectionEnd, Gate, Observer, Outcome, Refusal, Stage, Written};

/// Counts outcomes.
#[derive(Debug)]
pub struct HttpMetrics {
    /// By the first digit of the status.
    classes: [Counter; 5],
    refusals: Family<Label, Counter>,
    shadows: Family<Label, Counter>,
    leaks: Family<Label, Counter>,
    endings: Family<Label, Counter>,
    degraded: Family<Label, Counter>,
    shadowed: Counter,
    upstreams: Family<UpstreamLabels, Counter>,
    stages: [Histogram; Stage::ALL.len()],
    total: Histogram,
}

/// The bounds of all times in seconds, from 10 µs to 10 s.
const BOUNDS: [f64; 13] = [
    0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0,
];

/// One label with one of few values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Label {
    name: &'static str,
    value: &'static str,
}

impl EncodeLabelSet for Label {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        (self.name, self.value).encode(encoder.encode_label())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct UpstreamLabels {
    upstream: Arc<str>,
    result: &'static str,
}

impl EncodeLabelSet for UpstreamLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        ("upstream", &*self.upstream).encode(encoder.encode_label())?;
        ("result", self.result).encode(encoder.encode_label())
    }
}

impl HttpMetrics {
    /// Adds the metrics of requests to a registry.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Arc<Self> {
        let requests = Family::<Label, Counter>::default();
        let refusals = Family::default();
        let shadows = Family::default();
        let leaks = Family::default();
        let endings = Family::default();
        let degraded = Family::default();
        let shadowed = Counter::default();
        let upstreams = Family::default();
        let times = Family::<Label, Histogram, _>::new_with_constructor(bounded as fn() -> _);
        let total = bounded();
        registry.register(
            "http_requests",
            "Requests by class of status",
            requests.clone(),
        );
        registry.register(
            "http_refusals",
            "Requests refused, by reason",
            refusals.clone(),
        );
        registry.register(
            "http_shadow_refusals",
            "Requests that would have been refused outside of shadow mode, by reason",
            shadows.clone(),
        );
        registry.register(
            "http_leaks",
            "What was found in responses that should not be there, by kind",
            leaks.clone(),
        );
        registry.register("http_answers", "How answers ended", endings.clone());
        registry.register(
            "http_degraded",
            "Requests that a stage let through because it failed open",
            degraded.clone(),
        );
        registry.register(
            "waf_shadow_matches",
            "Matches of WAF rules in shadow",
            shadowed.clone(),
        );
        registry.register(
            "http_upstream_results",
            "Requests that came as far as an upstream, by what came of it",
            upstreams.clone(),
        );
        registry.register_with_unit(
            "http_stage",
            "Time in each stage of the pipeline",
            Unit::Seconds,
            times.clone(),
        );
        registry.register_with_unit(
            "http_request",
            "Time from the head of a request to the end of its answer",
            Unit::Seconds,
            total.clone(),
        );
        let class = |value| {
            requests.get_or_create_owned(&Label {
                name: "class",
                value,
            })
        };
        Arc::new(Self {
            classes: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(class),
            refusals,
            shadows,
            leaks,
            endings,
            degraded,
            shadowed,
            upstreams,
            stages: Stage::ALL.map(|stage| {
                times.get_or_create_owned(&Label {
                    name: "stage",
                    value: stage.name(),
                })
            }),
            total,
        })
    }

    /// Adds what the server counts by itself: connections, the limiters' memory, lost lines of
    /// the `logs`, by their names.
    pub fn collect(
        registry: &mut Registry,
        gate: Arc<Gate>,
        logs: Vec<(&'static str, Arc<LogCounts>)>,
    ) {
        registry.register_collector(Box::new(Counted { gate, logs }));
    }

    fn upstream(&self, outcome: &Outcome) {
        let Some(reached) = &outcome.upstream else {
            return;
        };
        let result = match &outcome.refusal {
            None => "answered",
            Some(Refusal::Upstream(fault)) => fault.name(),
            Some(refusal) => refusal.row().name,
        };
        let labels = UpstreamLabels {
            upstream: Arc::clone(&reached.name),
            result,
        };
        self.upstreams.get_or_create(&labels).inc();
    }
}

fn bounded() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Observer for HttpMetrics {
    fn found(&self, matches: &[RuleMatch]) -> Option<Written> {
        let shadowed = matches.iter().filter(|hit| hit.shadow.is_some()).count();
        if shadowed > 0 {
            self.shadowed.inc_by(shadowed as u64);
        }
        None
    }

    fn outcome(&self, outcome: &Arc<Outcome>) {
        let class = usize::from(outcome.status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.classes.get(class) {
            counter.inc();
        }
        if let Some(refusal) = &outcome.refusal {
            let value = refusal.row().name;
            self.refusals
                .get_or_create(&Label {
                    name: "refusal",
                    value,
                })
                .inc();
        }
        if let Some(refusal) = &outcome.shadow {
            let value = refusal.row().name;
            self.shadows
                .get_or_create(&Label {
                    name: "refusal",
                    value,
                })
                .inc();
        }
        for (kind, count) in &outcome.leaks {
            let value = kind.name();
            let label = Label {
                name: "kind",
                value,
            };
            self.leaks.get_or_create(&label).inc_by(u64::from(*count));
        }
        if let Some(stage) = outcome.degraded {
            self.degraded
                .get_or_create(&Label {
                    name: "stage",
                    value: stage.name(),
                })
                .inc();
        }
        let value = outcome.ending.name();
        self.endings
            .get_or_create(&Label {
                name: "ending",
                value,
            })
            .inc();
        self.upstream(outcome);
        for (stage, span) in outcome.timings.iter() {
            if let Some(histogram) = self.stages.get(stage as usize) {
                histogram.observe(span.as_duration().as_secs_f64());
            }
        }
        self.total
            .observe(outcome.timings.total().as_duration().as_secs_f64());
    }
}

/// Reads what the server and the access log count by themselves.
#[derive(Debug)]
struct Counted {
    gate: Arc<Gate>,
    logs: Vec<(&'static str, Arc<LogCounts>)>,
}

impl Collector for Counted {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let load = self.gate.load();
        let limiter = self.gate.limiter_counters();
        for (name, help, value) in [
            (
                "http_connections_open",
                "Connections open now",
                load.open() as u64,
            ),
            (
                "http_requests_active",
                "Requests being served now",
                load.requests() as u64,
            ),
            (
                "http_limiter_clients",
                "Clients whose limit is remembered",
                limiter.clients,
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let server = [
            (
                "http_connections_accepted",
                "Connections accepted",
                load.accepted(),
            ),
            (
                "http_accept_errors",
                "Failed calls of accept",
                load.accept_errors(),
            ),
            (
                "http_limiter_reclaimed",
                "Places in the limiters taken over from idle clients",
                limiter.reclaimed,
            ),
            (
                "http_limiter_overflowed",
                "Requests judged by the newcomers' shared limit, for want of places",
                limiter.overflowed,
            ),
        ];
        for (name, help, value) in server {
            count(&mut encoder, name, help, value)?;
        }
        for (name, log) in &self.logs {
            for (what, help, value) in [
                ("lines", "Lines written", log.written()),
                ("lost", "Entries lost in a full channel", log.lost()),
                ("failed", "Lines that were not written", log.failed()),
            ] {
                count(&mut encoder, &format!("{name}_log_{what}"), help, value)?;
            }
        }
        let mut ends = encoder.encode_descriptor(
            "http_connections_ended",
            "Connections by the way they ended, refused ones among them",
            None,
            ConstCounter::new(0u64).metric_type(),
        )?;
        for end in ConnectionEnd::ALL {
            let label = Label {
                name: "end",
                value: end.name(),
            };
            ConstCounter::new(load.ended(end)).encode(ends.encode_family(&label)?)?;
        }
        Ok(())
    }
}

fn count(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> Result<(), fmt::Error> {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}
