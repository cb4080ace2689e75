//! The fifth stage: the rules of the WAF see the request, with its body; behind the last, they see
//! the response.

mod body;
mod charset;
mod response;
mod view;

use std::sync::Arc;
use std::time::Duration;

use gateway_policy::access::NormalPath;
use gateway_waf::{Decision, RuleEngine, Transaction, TxContext, UnixMillis, Waf};
use http::header::HeaderValue;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use tokio::time::timeout;

pub(super) use self::charset::is_readable;
pub(super) use self::response::{is_event_stream, respond};
use self::view::View;
use super::Visit;
use super::access::Permitted;
use super::body::Start;
use super::form::{Formed, Unformed};
use crate::clock;
use crate::http::address::ClientAddr;
use crate::http::case::Case;
use crate::http::destination::Destination;
use crate::http::exchange::Exchange;
use crate::http::gate::Gate;
use crate::http::ids::RequestId;
use crate::http::mask;
use crate::http::observer::Written;
use crate::http::outcome::RuleHit;
use crate::http::refusal::Refusal;
use crate::http::server::Connection;
use crate::http::settings::{BodyLimits, Guard, Keep};
use crate::http::stage::{FailModes, Stage};
use crate::http::upstream::ClientBody;

/// A request that the rules let through, with what they saw of its body.
#[derive(Debug)]
pub(super) struct Inspected {
    pub head: Parts,
    pub authority: HeaderValue,
    pub path: NormalPath,
    pub start: Start,
}

/// The most rule matches that go into the outcome.
const MAX_HITS: usize = 16;
/// How long an answer waits for the log.
const WRITTEN: Duration = Duration::from_secs(1);
/// How long the body of a request is read that is refused already.
const WITNESS: Duration = Duration::from_secs(2);

/// Inspects a request.
///
/// # Errors
/// When a rule refuses it, or its body cannot be had or looked into.
pub(super) async fn inspect(
    visit: &mut Visit<'_>,
    request: Permitted<Formed>,
) -> Result<Permitted<Inspected>, Refusal> {
    let (request, permission) = request.split();
    let limits = &visit.settings.bodies;
    let body = visit.body.as_ref().ok_or(Refusal::BodyBroken)?;
    if body.size_hint().lower() > limits.size {
        return Err(Refusal::BodyTooLarge);
    }
    let mut start = Start::default();
    visit.inspection = Inspection::open(visit, Some(permission.destination()));
    if let (Some(inspection), Some(body)) = (&mut visit.inspection, &mut visit.body) {
        let view = View::of(visit.raw.as_ref(), &request.head);
        let fields = &request.head.headers;
        let judged = inspection
            .run(view, fields, body, limits.whole, &mut start)
            .await;
        let outcome = visit.exchange.outcome();
        outcome.rules = inspection.hits();
        if let Judged::Failed = judged? {
            outcome.degraded = Some(Stage::Waf);
        }
    }
    Ok(permission.map(|()| Inspected {
        head: request.head,
        authority: request.authority,
        path: request.path,
        start,
    }))
}

/// Shows the rules a request that is refused for its form: who sends such requests is known by
/// what is in them. Returns the refusal, or that of a rule.
pub(super) async fn witness(visit: &mut Visit<'_>, unformed: Unformed) -> Refusal {
    visit.inspection = Inspection::open(visit, None);
    let (Some(inspection), Some(body)) = (&mut visit.inspection, &mut visit.body) else {
        return unformed.refusal;
    };
    let view = View::of(visit.raw.as_ref(), &unformed.head);
    let judged = inspection
        .run(
            view,
            &unformed.head.headers,
            body,
            WITNESS,
            &mut Start::default(),
        )
        .await;
    visit.exchange.outcome().rules = inspection.hits();
    match judged {
        Err(blocked @ Refusal::WafBlocked { .. }) => blocked,
        Err(_) | Ok(_) => unformed.refusal,
    }
}

/// Whether the rules ran, or failed open.
enum Judged {
    Done,
    Failed,
}

/// One request under the rules.
#[derive(Debug)]
pub(super) struct Inspection<'w> {
    transaction: Transaction<'w>,
    /// Whether rules may refuse; else they only note.
    blocks: bool,
    fail: FailModes,
    limits: &'w BodyLimits,
    gate: &'w Gate,
    keep: Option<Keep>,
    guard: Guard,
    request: RequestId,
    client: ClientAddr,
    subject: Option<Box<str>>,
    route: Option<Arc<str>>,
    /// Whether the last phase has run.
    concluded: bool,
}

impl<'w> Inspection<'w> {
    /// Begins, when there are rules and the route wants them.
    fn open(visit: &mut Visit<'w>, to: Option<&Destination>) -> Option<Self> {
        let (waf, settings) = (visit.waf?, visit.settings);
        let guard = to.and_then(|to| to.guard).unwrap_or(settings.guard);
        if guard == Guard::Off {
            return None;
        }
        let mut transaction = begin(waf, guard, &visit.exchange, visit.connection);
        if let Some(to) = to {
            transaction.set_route(&to.route);
        }
        Some(Self {
            blocks: transaction.engine() == RuleEngine::On,
            transaction,
            fail: settings.fail,
            limits: &settings.bodies,
            gate: &visit.connection.gate,
            keep: settings.keep,
            guard,
            request: visit.exchange.request(),
            client: visit.exchange.client(),
            subject: visit.exchange.outcome().subject.clone(),
            route: to.map(|to| Arc::clone(&to.route)),
            concluded: false,
        })
    }

    /// Runs the phases of the request, and keeps what was read of its body for the upstream. The
    /// body may take as long as `whole`.
    async fn run(
        &mut self,
        view: View<'_>,
        fields: &HeaderMap,
        body: &mut ClientBody,
        whole: Duration,
        start: &mut Start,
    ) -> Result<Judged, Refusal> {
        let (fail, limits) = (self.fail, self.limits);
        let first = fail.guard(Stage::Waf, || {
            self.transaction.limit_body(limits.inspected);
            view.show(&mut self.transaction);
            follow(self.transaction.phase1())
        })?;
        if first.is_none() {
            return Ok(Judged::Failed);
        }
        // What comes of the body comes after the rules have seen what there is of it.
        let body = if !body.is_end() && self.transaction.wants_body() {
            let read = timeout(whole, self.body(fields, body, start)).await;
            read.unwrap_or(Err(Refusal::BodyTimeout))
        } else {
            Ok(())
        };
        let second = fail.guard(Stage::Waf, || follow(self.transaction.phase2()));
        match (body, second) {
            // What a rule finds in half a body weighs more than that it is half; rule 0 is the
            // engine's own word for too large.
            (Err(refusal), Ok(_) | Err(Refusal::WafBlocked { rule: 0, .. })) => Err(refusal),
            (_, second) => Ok(second?.map_or(Judged::Failed, |()| Judged::Done)),
        }
    }

    /// Runs the last phase, and tells what was found in all of them. Resolves when that is
    /// written down.
    pub(super) async fn conclude(&mut self, status: StatusCode) -> Vec<RuleHit> {
        let written = self.log(status);
        let all = async {
            for written in written {
                // It resolves in either way.
                let _ = written.await;
            }
        };
        // A disk that hangs must not hang the gateway.
        let _ = timeout(WRITTEN, all).await;
        self.hits()
    }

    fn log(&mut self, status: StatusCode) -> Vec<Written> {
        self.concluded = true;
        let transaction = &mut self.transaction;
        let logged = self.fail.guard(Stage::Waf, || {
            transaction.tick(UnixMillis(clock::unix_millis()));
            transaction.response_status(status.as_u16(), b"HTTP/1.1");
            transaction.phase5();
            Ok(())
        });
        // The answer stands already; what was found before is told all the same.
        drop(logged);
        let mut written = self.gate.found(transaction.matches());
        written.extend(self.tell(status));
        written
    }

    /// Tells the request whole, where that is wanted.
    fn tell(&mut self, status: StatusCode) -> Vec<Written> {
        let Some(keep) = self.keep else {
            return Vec::new();
        };
        let ordinary =
            self.transaction.matches().is_empty() && self.transaction.decision().is_pass();
        if ordinary && !self.gate.is_sample(keep.one_in) {
            return Vec::new();
        }
        let secret = |name: &[u8]| mask::is_secret(&String::from_utf8_lossy(name));
        let (transaction, fail) = (&mut self.transaction, self.fail);
        let told = fail.guard(Stage::Waf, || {
            let copy = transaction.copy(keep.body, &secret);
            Ok((transaction.explain(&secret), copy))
        });
        // A request is not judged by what can be told of it.
        let Ok(Some((explanations, copy))) = told else {
            return Vec::new();
        };
        let waited = self.gate.case(Case {
            request: self.request,
            at: clock::unix_millis(),
            client: self.client.ip(),
            subject: self.subject.take(),
            route: self.route.clone(),
            guard: self.guard,
            status,
            decision: self.transaction.decision().clone(),
            score: self.transaction.score(),
            matches: self.transaction.matches().to_vec(),
            explanations,
            copy,
        });
        // Nobody asks for an ordinary request by its id.
        if ordinary { Vec::new() } else { waited }
    }

    /// What the rules want logged.
    fn hits(&self) -> Vec<RuleHit> {
        self.transaction
            .matches()
            .iter()
            .filter(|hit| hit.log)
            .take(MAX_HITS)
            .map(|hit| RuleHit {
                id: hit.rule_id,
                message: mask::bounded(&hit.msg).into(),
                severity: hit.severity.map(gateway_waf::Severity::name),
                variable: mask::bounded(&hit.variable).into(),
            })
            .collect()
    }
}

impl Drop for Inspection<'_> {
    /// The client did not wait; what it did is known all the same.
    fn drop(&mut self) {
        if !self.concluded {
            let gone = Refusal::ClientGone.row().status;
            drop(self.log(gone));
        }
    }
}

/// A transaction that does no more than the guard allows.
fn begin<'w>(
    waf: &'w Waf,
    guard: Guard,
    exchange: &Exchange,
    connection: &Connection,
) -> Transaction<'w> {
    let id = exchange.request().to_string();
    let mut transaction = waf.transaction(&TxContext {
        now: UnixMillis(clock::unix_millis()),
        request_id: &id,
        client: exchange.client().ip(),
        client_port: connection.peer.port(),
        server: connection.local.ip(),
        server_port: connection.local.port(),
    });
    if guard == Guard::Detect && transaction.engine() == RuleEngine::On {
        transaction.set_engine(RuleEngine::DetectionOnly);
    }
    transaction
}

/// The status that a rule asks for, when an answer may have it.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code)
        .ok()
        .filter(|status| !status.is_informational())
        .unwrap_or(StatusCode::FORBIDDEN)
}

fn follow(decision: Decision) -> Result<(), Refusal> {
    match decision {
        Decision::Pass => Ok(()),
        Decision::Deny {
            status: code,
            rule_id,
        } => Err(Refusal::WafBlocked {
            rule: rule_id,
            status: status(code),
            location: None,
        }),
        // On HTTP/2 a connection carries other requests too, and silence teaches no more than
        // the answer does.
        Decision::Drop { rule_id } => Err(Refusal::WafBlocked {
            rule: rule_id,
            status: StatusCode::FORBIDDEN,
            location: None,
        }),
        Decision::Redirect {
            status: code,
            location,
            rule_id,
        } => Err(Refusal::WafBlocked {
            rule: rule_id,
            status: status(code),
            location: Some(location),
        }),
    }
}
