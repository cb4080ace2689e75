//! The sixth stage: whether the request keeps to its route's contract.
//!
//! It comes behind the rules of the WAF, though it would often be cheaper: an attack in a field
//! that no schema knows is an attack all the same, and whoever sends it should be known for it.

use std::sync::Arc;

use gateway_policy::access::NormalPath;
use gateway_policy::bans::Mode;
use http::HeaderMap;
use http::header::HeaderValue;
use http::request::Parts;
use tokio::time::timeout;

use super::Visit;
use super::access::Permitted;
use super::body::{Start, unseen};
use super::coding::{self, Coding};
use super::waf::Inspected;
use crate::http::gate::Gate;
use crate::http::refusal::Refusal;
use crate::http::settings::BodyLimits;
use crate::http::stage::{FailModes, Stage};
use crate::http::upstream::{ClientBody, Outgoing};
use crate::validation::{Asked, BodyRule, Contract, Left};

/// A request that may go to the upstream.
#[derive(Debug)]
pub(super) struct Valid {
    pub head: Parts,
    pub authority: HeaderValue,
    pub body: Outgoing,
}

/// Holds a request against the contract of its route, if it has one.
///
/// # Errors
/// What it violates, or why its body cannot be had. In shadow mode violations are noted, and the
/// request goes on.
pub(super) async fn judge(
    visit: &mut Visit<'_>,
    request: Permitted<Inspected>,
) -> Result<Permitted<Valid>, Refusal> {
    let (request, permission) = request.split();
    let Inspected {
        head,
        authority,
        path,
        mut start,
    } = request;
    let body = visit.body.as_mut().ok_or(Refusal::BodyBroken)?;
    if let Some(contract) = &permission.destination().contract {
        let judging = Judging {
            contract,
            fail: visit.settings.fail,
            limits: &visit.settings.bodies,
            gate: &visit.connection.gate,
        };
        match judging.run(&head, &path, body, &mut start).await {
            Ok(()) => {}
            Err(Found::Violation(refusal)) if contract.mode() == Mode::Shadow => {
                visit.exchange.outcome().shadow = Some(refusal);
            }
            Err(Found::Violation(refusal) | Found::NoBody(refusal)) => return Err(refusal),
        }
    }
    let rest = visit.body.take().filter(|body| !body.is_end());
    Ok(permission.map(|()| Valid {
        head,
        authority,
        body: Outgoing::new(
            start.bytes.freeze(),
            start.kept,
            rest,
            Arc::clone(&visit.upload),
        ),
    }))
}

/// Over HTTP/2 a body of no bytes may end in a frame of its own.
fn is_empty(body: &ClientBody) -> bool {
    body.is_end() || body.size_hint().upper() == Some(0)
}

/// What stands in a request's way.
enum Found {
    /// It does not keep to the contract, or nobody can tell.
    Violation(Refusal),
    /// The body did not come, so there is nothing that could go on.
    NoBody(Refusal),
}

struct Judging<'v> {
    contract: &'v Contract,
    fail: FailModes,
    limits: &'v BodyLimits,
    gate: &'v Gate,
}

impl Judging<'_> {
    async fn run(
        &self,
        head: &Parts,
        path: &NormalPath,
        body: &mut ClientBody,
        start: &mut Start,
    ) -> Result<(), Found> {
        let asked = Asked {
            method: &head.method,
            path,
            query: head.uri.query().unwrap_or_default(),
            fields: &head.headers,
            has_body: !start.bytes.is_empty() || !is_empty(body),
        };
        let left = self.guarded(|| self.contract.head(&asked).map_err(Refusal::Invalid))?;
        let Left::Body(rule) = left else {
            return Ok(());
        };
        let read = timeout(self.limits.whole, self.read(body, start)).await;
        read.unwrap_or(Err(Found::NoBody(Refusal::BodyTimeout)))?;
        self.guarded(|| self.content(rule, &head.headers, start))
    }

    /// Reads the rest of the body, within what is inspected.
    async fn read(&self, body: &mut ClientBody, start: &mut Start) -> Result<(), Found> {
        loop {
            if start.bytes.len() > self.limits.inspected {
                return Err(Found::Violation(Refusal::BodyTooLarge));
            }
            let piece = start.piece(body, self.gate, self.limits).await;
            if piece.map_err(Found::NoBody)?.is_none() {
                return Ok(());
            }
        }
    }

    fn content(
        &self,
        rule: BodyRule<'_>,
        fields: &HeaderMap,
        start: &mut Start,
    ) -> Result<(), Refusal> {
        let codings = Coding::of(fields).map_err(unseen)?;
        if !codings.is_empty() && !start.bytes.is_empty() && start.decoded.is_none() {
            let decoded = coding::decode(&codings, &start.bytes, self.limits.inspected);
            start.decoded = Some(decoded.map_err(unseen)?);
        }
        let text = start.decoded.as_deref().unwrap_or(&start.bytes);
        rule.body(fields, text).map_err(Refusal::Invalid)
    }

    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Found> {
        self.fail
            .guard(Stage::Validate, work)
            .and_then(|done| done.ok_or(Refusal::StageFailed(Stage::Validate)))
            .map_err(Found::Violation)
    }
}
