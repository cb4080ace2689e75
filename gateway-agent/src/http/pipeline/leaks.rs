//! Behind the rules for responses: what an upstream should not have said.
//!
//! Where something is to be blocked, the beginning of the body is read before any of it is sent,
//! so that most answers can still be refused whole; what is found later ends the body.

use std::future::poll_fn;
use std::time::Duration;

use gateway_waf::leaks::{Action, Framing};
use http::header::{self, HeaderMap, HeaderName};
use http::response::Parts;
use http::{Response, StatusCode};
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

use super::Visit;
use super::coding::Coding;
use super::waf::{is_event_stream, is_readable};
use crate::http::delivery::{Delivery, DeliveryFault, Screened};
use crate::http::load::Kept;
use crate::http::refusal::{Refusal, UpstreamFault};
use crate::http::stage::{FailMode, Stage};
use crate::http::upstream::{BodyFault, Relay};
use crate::validation::MediaType;

/// How much of a body is read before any of it is sent.
const AHEAD: usize = 128 << 10;
/// How long its first byte waits for that.
const AHEAD_WAIT: Duration = Duration::from_millis(250);
/// Sums over a body that may not be what is sent (RFC 9530, RFC 3230, RFC 1864).
const SUMS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// Looks into a response, if its route wants that.
///
/// # Errors
/// When something must not be sent, or nobody can tell.
pub(super) async fn screen(
    visit: &mut Visit<'_>,
    response: Response<Relay>,
) -> Result<Response<Delivery>, Refusal> {
    let leaks = visit.destination.as_ref().and_then(|to| to.leaks.clone());
    let (mut head, relay) = response.into_parts();
    let media = MediaType::of(&head.headers);
    let Some(leaks) = leaks.filter(|leaks| leaks.wants(media.as_ref())) else {
        return Ok(Response::from_parts(head, Delivery::Plain(relay)));
    };
    // Parts of a body are not asked for, since a border may run through what is looked for.
    head.headers.remove(header::ACCEPT_RANGES);
    if relay.is_end_stream() {
        return Ok(Response::from_parts(head, Delivery::Plain(relay)));
    }
    if !is_whole_text(&head) {
        return match leaks.fail {
            FailMode::FailClosed => Err(Refusal::ResponseUnseen),
            FailMode::FailOpen => {
                visit.exchange.outcome().degraded = Some(Stage::Leaks);
                Ok(Response::from_parts(head, Delivery::Plain(relay)))
            }
        };
    }
    if leaks.changes() {
        for name in SUMS {
            head.headers.remove(name);
        }
    }
    let framing = framing(&head.headers, media.as_ref());
    let kept = Kept::new(visit.connection.gate.load());
    let blocks = leaks.search.does(Action::Block) && framing != Framing::Events;
    let mut screened = Box::new(Screened::new(relay, leaks, framing, kept));
    if blocks {
        let read = read_ahead(&mut screened, visit.settings.bodies.memory).await;
        visit.exchange.outcome().leaks = screened.found().collect();
        read?;
    }
    Ok(Response::from_parts(head, Delivery::Screened(screened)))
}

/// Reads the beginning of a body.
async fn read_ahead(screened: &mut Screened, memory: usize) -> Result<(), Refusal> {
    let deadline = Instant::now() + AHEAD_WAIT;
    while screened.ahead() < AHEAD {
        let piece = timeout_at(deadline, poll_fn(|cx| screened.poll_ahead(cx, memory))).await;
        match piece {
            Ok(Ok(true)) => {}
            // Who is slow is looked at on the way.
            Ok(Ok(false)) | Err(_) => break,
            Ok(Err(DeliveryFault::Leak(kind))) => return Err(Refusal::ResponseLeak(kind)),
            Ok(Err(DeliveryFault::Broken(fault))) => {
                return Err(Refusal::Upstream(match fault {
                    BodyFault::Stalled => UpstreamFault::Timeout,
                    BodyFault::Broken | BodyFault::TooLarge => UpstreamFault::Reset,
                }));
            }
        }
    }
    Ok(())
}

/// Whether the bytes of a response are all of its text.
fn is_whole_text(head: &Parts) -> bool {
    let is_part = head.status == StatusCode::PARTIAL_CONTENT
        || head.headers.contains_key(header::CONTENT_RANGE);
    let is_coded = Coding::of(&head.headers).map_or(true, |codings| !codings.is_empty());
    !is_part && !is_coded && is_readable(&head.headers)
}

fn framing(headers: &HeaderMap, media: Option<&MediaType>) -> Framing {
    if is_event_stream(headers) {
        Framing::Events
    } else if media.is_some_and(MediaType::is_json) {
        Framing::Json
    } else {
        Framing::Text
    }
}
