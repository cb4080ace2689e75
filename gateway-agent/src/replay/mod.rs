//! Requests of the past under two rule sets: what would change.
//!
//! Each request goes through the phases of the request twice with either rule set: once to see
//! whether it is refused, once only watching, to see all that matches. Responses are not kept, so
//! their phases are not replayed, and what stands in the collections of clients begins empty.

mod access_log;
mod har;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use gateway_waf::{RuleEngine, TxContext, UnixMillis, Waf};
use serde::Serialize;

pub use access_log::{Line, parse as parse_log_line};
pub use har::{HarError, parse as parse_har};

use crate::records::{Record, Request};

/// A request to be replayed.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// Its id, or where it stands.
    pub id: String,
    /// Who sent it.
    pub client: IpAddr,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// The route that it took, where that is known.
    pub route: Option<String>,
    /// The request.
    pub request: Request,
    /// What rules found in it when it came, and whether they could block.
    pub found: Option<(BTreeSet<u64>, bool)>,
}

impl From<Record> for Specimen {
    fn from(record: Record) -> Self {
        let of_request = record.matches.iter().filter(|hit| hit.phase <= 2);
        Self {
            found: Some((
                of_request.map(|hit| hit.id).collect(),
                record.mode == "block",
            )),
            id: record.request,
            client: record.client,
            route: record.route,
            at: record.time_unix_ms,
            request: record.copy,
        }
    }
}

/// What one rule set makes of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rule that refuses it.
    pub blocked: Option<u64>,
    /// The rules that match until it is refused.
    pub until: BTreeSet<u64>,
    /// All rules that match when none refuses.
    pub all: BTreeSet<u64>,
}

/// What rules make of a request, whatever `SecRuleEngine` says.
#[must_use]
pub fn judge(waf: &Waf, specimen: &Specimen) -> Verdict {
    let (blocked, until) = run(waf, specimen, RuleEngine::On);
    let (_, all) = run(waf, specimen, RuleEngine::DetectionOnly);
    Verdict {
        blocked,
        until,
        all,
    }
}

fn run(waf: &Waf, specimen: &Specimen, engine: RuleEngine) -> (Option<u64>, BTreeSet<u64>) {
    let request = &specimen.request;
    let mut transaction = waf.transaction(&TxContext {
        now: UnixMillis(specimen.at),
        request_id: &specimen.id,
        client: specimen.client,
        client_port: 0,
        server: Ipv4Addr::LOCALHOST.into(),
        server_port: 443,
    });
    transaction.set_engine(engine);
    if let Some(route) = &specimen.route {
        transaction.set_route(route);
    }
    transaction.request_line(&request.method.0, &request.target.0, &request.protocol.0);
    for (name, value) in &request.headers {
        transaction.request_header(&name.0, &value.0);
    }
    // What is kept is what the rules saw behind any coding.
    transaction.body_is_decoded();
    if transaction.phase1().is_pass() {
        if let Some(body) = &request.body {
            transaction.append_body(&body.0);
        }
        transaction.phase2();
    }
    let ids = transaction.matches().iter().map(|m| m.rule_id).collect();
    (transaction.decision().rule_id(), ids)
}

/// What would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The requests that were read.
    pub requests: u64,
    /// Those that could not be judged: what is masked or not kept of them is what rules had found
    /// something in.
    pub unjudged: Named,
    /// Of the rest, those of which something is masked or not kept: other rules might find more.
    pub partial: u64,
    /// Those that would be refused and are not now.
    pub blocked: Named,
    /// Those that are refused now and would not be.
    pub passed: Named,
    /// The rules that would match other requests.
    pub rules: BTreeMap<u64, RuleChange>,
}

/// How many requests, and the ids of the first 20.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// How many.
    pub count: u64,
    /// The first.
    pub requests: Vec<String>,
}

/// What changes for one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// Requests that it would match and does not now.
    pub newly: Named,
    /// Requests that it matches now and would not.
    pub no_longer: Named,
}

/// The most ids that are named.
const NAMED: usize = 20;

impl Named {
    fn add(&mut self, id: &str) {
        self.count += 1;
        if self.requests.len() < NAMED {
            self.requests.push(id.to_owned());
        }
    }
}

impl Report {
    /// Whether anything would change.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.blocked.count > 0 || self.passed.count > 0 || !self.rules.is_empty()
    }

    /// Adds what becomes of one request.
    pub fn add(&mut self, specimen: &Specimen, now: &Waf, candidate: &Waf) {
        self.requests += 1;
        let whole = specimen.request.masked == 0 && specimen.request.is_whole();
        let before = judge(now, specimen);
        if !whole
            && let Some((found, blocks)) = &specimen.found
            && found != if *blocks { &before.until } else { &before.all }
        {
            return self.unjudged.add(&specimen.id);
        }
        self.partial += u64::from(!whole);
        let after = judge(candidate, specimen);
        match (before.blocked, after.blocked) {
            (None, Some(_)) => self.blocked.add(&specimen.id),
            (Some(_), None) => self.passed.add(&specimen.id),
            (None, None) | (Some(_), Some(_)) => {}
        }
        for rule in after.all.difference(&before.all) {
            self.rules.entry(*rule).or_default().newly.add(&specimen.id);
        }
        for rule in before.all.difference(&after.all) {
            self.rules
                .entry(*rule)
                .or_default()
                .no_longer
                .add(&specimen.id);
        }
    }
}
