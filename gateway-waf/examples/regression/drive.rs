//! Takes a test's requests through all phases.

use gateway_waf::{RuleMatch, TxContext, UnixMillis, Waf};

use crate::{
    origin,
    suite::{Case, Stage},
    wire::{self, Request},
};

/// What became of a stage.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// The rules that were logged, in the order of the log.
    pub(crate) logged: Vec<u64>,
    /// The log, a line for each match.
    pub(crate) log: String,
}

impl Outcome {
    /// The rules that were logged, each once.
    pub(crate) fn ids(&self) -> Vec<u64> {
        let mut ids = self.logged.clone();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn add(&mut self, matches: &[RuleMatch]) {
        for line in matches.iter().filter(|m| m.log) {
            self.logged.push(line.rule_id);
            self.log.push_str(&format!("{line}\n"));
        }
    }
}

/// The status of a request that no server takes.
const REFUSED: u16 = 400;

/// Runs every stage of a test.
pub(crate) fn all_stages(waf: &Waf, case: &Case) -> Vec<Outcome> {
    case.stages.iter().map(|stage| run(waf, stage)).collect()
}

fn run(waf: &Waf, stage: &Stage) -> Outcome {
    let mut outcome = Outcome::default();
    for uri in stage.input.targets() {
        let bytes = wire::write(&stage.input, uri).unwrap_or_default();
        outcome.status = REFUSED;
        if let Some(request) = wire::read(&bytes) {
            send(waf, &request, stage, &mut outcome);
        }
    }
    outcome
}

fn send(waf: &Waf, request: &Request, stage: &Stage, outcome: &mut Outcome) {
    let mut transaction = waf.transaction(&TxContext {
        now: UnixMillis(1_700_000_000_000),
        request_id: "regression",
        client: [127, 0, 0, 1].into(),
        client_port: 40_000,
        server: [127, 0, 0, 1].into(),
        server_port: 80,
    });
    transaction.request_line(&request.method, &request.uri, &request.protocol);
    for (name, value) in &request.headers {
        transaction.request_header(name, value);
    }
    let _ = transaction.phase1();
    transaction.append_body(&request.body);
    let _ = transaction.phase2();
    let answer = origin::answer(request, stage.input.response.as_ref());
    transaction.response_status(answer.status, b"HTTP/1.1");
    for (name, value) in &answer.headers {
        transaction.response_header(name.as_bytes(), value.as_bytes());
    }
    let _ = transaction.phase3();
    transaction.append_response_body(&answer.body);
    let _ = transaction.phase4();
    transaction.phase5();
    outcome.status = answer.status;
    outcome.add(transaction.matches());
}
