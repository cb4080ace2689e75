//! The rules and the upstream's response.
//!
//! Its head is shown to the rules always, its body when they ask for it (`SecResponseBodyAccess`,
//! `SecResponseBodyMimeType`) and before any of it is sent. Event streams have no end that could
//! be waited for, so they go through whatever the rules ask for.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use gateway_waf::{BodyState, Decision, UnixMillis};
use http::header::{self, HeaderMap};
use http::response::Parts;
use http::{Response, StatusCode};
use hyper::body::Body;
use tokio::time::timeout;

use super::{Inspection, Visit, status};
use crate::clock;
use crate::http::load::Kept;
use crate::http::refusal::{Refusal, UpstreamFault};
use crate::http::stage::Stage;
use crate::http::upstream::{BodyFault, Relay};

/// Inspects a response.
///
/// # Errors
/// When a rule refuses it, or its body cannot be had.
pub(in super::super) async fn respond(
    visit: &mut Visit<'_>,
    response: Response<Relay>,
) -> Result<Response<Relay>, Refusal> {
    let Some(inspection) = &mut visit.inspection else {
        return Ok(response);
    };
    let (head, mut body) = response.into_parts();
    let judged = inspection.response(&head, &mut body).await;
    visit.exchange.outcome().rules = inspection.hits();
    if !judged? {
        visit.exchange.outcome().degraded = Some(Stage::Waf);
    }
    Ok(Response::from_parts(head, body))
}

impl Inspection<'_> {
    /// Whether rules may want to look into the body of the response.
    pub(in super::super) fn wants_responses(&self) -> bool {
        self.transaction.wants_responses()
    }

    /// Runs the phases of the response; `false` when that failed and it goes on unjudged.
    async fn response(&mut self, head: &Parts, body: &mut Relay) -> Result<bool, Refusal> {
        let fail = self.fail;
        let transaction = &mut self.transaction;
        let third = fail.guard(Stage::Waf, || {
            transaction.tick(UnixMillis(clock::unix_millis()));
            transaction.response_status(head.status.as_u16(), b"HTTP/1.1");
            for (name, value) in &head.headers {
                transaction.response_header(name.as_str().as_bytes(), value.as_bytes());
            }
            follow(transaction.phase3())
        })?;
        if third.is_none() {
            return Ok(false);
        }
        let wanted = self.transaction.wants_response_body() && !is_event_stream(&head.headers);
        if wanted && !body.is_end_stream() {
            let read = timeout(self.limits.whole, self.read_response(body)).await;
            read.unwrap_or(Err(Refusal::Upstream(UpstreamFault::Timeout)))?;
        }
        let fourth = fail.guard(Stage::Waf, || follow(self.transaction.phase4()))?;
        Ok(fourth.is_some())
    }

    /// Shows the rules the body as far as they look, and puts it back.
    async fn read_response(&mut self, body: &mut Relay) -> Result<(), Refusal> {
        let mut read = BytesMut::new();
        let mut kept = Kept::new(self.gate.load());
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            let frame = frame.map_err(|fault| {
                Refusal::Upstream(match fault {
                    BodyFault::Stalled => UpstreamFault::Timeout,
                    BodyFault::Broken | BodyFault::TooLarge => UpstreamFault::Reset,
                })
            })?;
            let piece = frame.into_data().unwrap_or_else(|_| Bytes::new());
            if !kept.grow(piece.len(), self.limits.memory) {
                return Err(Refusal::Overloaded);
            }
            read.extend_from_slice(&piece);
            match self.transaction.append_response_body(&piece) {
                BodyState::Buffered => {}
                BodyState::Truncated | BodyState::Ignored => break,
                BodyState::Refused(decision) => follow(decision)?,
            }
        }
        body.put_back(read.freeze(), kept);
        Ok(())
    }
}

/// Whether a body is a stream that has no end to wait for.
pub(in super::super) fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let media = value.as_bytes().split(|byte| *byte == b';').next();
        let media = media.unwrap_or_default().trim_ascii();
        media.eq_ignore_ascii_case(b"text/event-stream")
    })
}

/// What a response is refused for is not the client's doing, so it is no offence.
fn follow(decision: Decision) -> Result<(), Refusal> {
    let (rule, status, location) = match decision {
        Decision::Pass => return Ok(()),
        Decision::Deny { status, rule_id } => (rule_id, self::status(status), None),
        Decision::Drop { rule_id } => (rule_id, StatusCode::FORBIDDEN, None),
        Decision::Redirect {
            status,
            location,
            rule_id,
        } => (rule_id, self::status(status), Some(location)),
    };
    Err(Refusal::ResponseBlocked {
        rule,
        status,
        location,
    })
}
