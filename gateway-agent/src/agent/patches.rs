//! The rules of the WAF while the agent runs: how they stand, and what becomes of them when a
//! file in `waf.conf_d` changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::hooks::Running;
use super::load_rules;
use super::watch::{Look, Watch};
use crate::clock;
use crate::config::Config;
use crate::control::api::WafStatus;
use crate::http::Gate;
use crate::records::RingCounts;
use crate::store::UnixMillis;

/// How the rules stand.
#[derive(Debug, Default)]
pub(super) struct Patches(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    watch: Watch,
    loaded: u64,
    /// Why the rules in the files are not those in force.
    fault: Option<String>,
    reloads: u64,
    failures: u64,
}

impl Patches {
    /// The rules in force are those of the files at this look, or later.
    pub(super) fn loaded(&self, look: Look) {
        let mut state = self.state();
        state.watch.acted(look);
        state.loaded = clock::unix_millis();
        state.fault = None;
    }

    /// Looks at the files, and puts their rules in force where they have changed. When they
    /// cannot be used, those in force stay.
    pub(super) fn refresh(&self, config: &Config, gate: &Gate) {
        let folder = config.waf.conf_d.path();
        let look = Look::at(folder);
        if !config.is_waf_used() || !self.state().watch.is_due(&look) {
            return;
        }
        let begun = Instant::now();
        let result = load_rules(config);
        let mut state = self.state();
        // Also where they have a fault: it is told once, and they are read again when they change.
        state.watch.acted(look);
        match result {
            Ok(mut rules) => {
                let settings = gate.settings();
                if let Some(replaced) = &*settings.waf.load() {
                    rules.waf.carry_over(replaced);
                }
                rules.tell();
                settings.waf.store(Some(Arc::new(rules.waf)));
                state.loaded = clock::unix_millis();
                state.fault = None;
                state.reloads += 1;
                let took = begun.elapsed().as_millis();
                tracing::info!(folder = %folder.display(), ms = took, "WAF rules changed");
            }
            Err(fault) => {
                let fault = fault.to_string();
                state.failures += 1;
                tracing::error!(folder = %folder.display(), "the WAF rules in force stay: {fault}");
                state.fault = Some(fault);
            }
        }
    }

    /// What `gateway status` says; `None` without rules.
    pub(super) fn status(&self, config: &Config, gate: &Gate) -> Option<WafStatus> {
        let settings = gate.settings();
        let waf = settings.waf.load_full()?;
        let state = self.state();
        Some(WafStatus {
            rules: waf.rules() as u64,
            shadow: waf.in_shadow() as u64,
            shadow_routes: waf
                .routes_in_shadow()
                .map(|(route, rules)| (route.to_owned(), rules as u64))
                .collect(),
            conf_d: config.waf.conf_d.path().display().to_string(),
            loaded_unix_ms: UnixMillis(state.loaded),
            fault: state.fault.clone(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers of the rules for `/metrics`.
pub(super) struct WafCollector {
    pub(super) running: Arc<Running>,
    pub(super) gate: Arc<Gate>,
    pub(super) records: Option<Arc<RingCounts>>,
}

impl std::fmt::Debug for WafCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WafCollector")
    }
}

impl Collector for WafCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let settings = self.gate.settings();
        let (rules, shadow, routes) = settings.waf.load().as_ref().map_or((0, 0, 0), |waf| {
            (waf.rules(), waf.in_shadow(), waf.routes_in_shadow().count())
        });
        let (reloads, failures, stale) = {
            let state = self.running.patches().state();
            (state.reloads, state.failures, state.fault.is_some())
        };
        let gauges = [
            ("waf_rules", "Rules of the WAF in force", rules),
            (
                "waf_rules_shadow",
                "Of these, rules in shadow on every route",
                shadow,
            ),
            (
                "waf_shadow_routes",
                "Routes on which further rules are in shadow",
                routes,
            ),
            (
                "waf_rules_stale",
                "1 while the files in waf.conf_d have a fault and older rules are in force",
                usize::from(stale),
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let removed = self.records.as_ref().map(|files| files.removed());
        let counters = [
            (
                "waf_rules_changed",
                "Times that changed files in waf.conf_d came into force",
                Some(reloads),
            ),
            (
                "waf_rules_refused",
                "Times that changed files in waf.conf_d had a fault",
                Some(failures),
            ),
            (
                "waf_records_files_removed",
                "Files of records removed to make room",
                removed,
            ),
        ];
        for (name, help, value) in counters {
            let Some(value) = value else { continue };
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        Ok(())
    }
}
