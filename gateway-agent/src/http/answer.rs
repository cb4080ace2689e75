//! The answers that the gateway itself gives, and the body of every answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use gateway_common::time::Nanos;
use gateway_policy::limits::{Quota, ceil_secs};
use http::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;

use super::delivery::{Delivery, DeliveryFault};
use super::drain::Drain;
use super::exchange::Exchange;
use super::ids::RequestId;
use super::outcome::Ending;
use super::refusal::{Adds, Row};
use super::upstream::BodyFault;
use crate::validation::Breach;

/// The id of a request, in requests to upstreams and in all answers.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A problem as RFC 9457 writes it.
#[derive(Serialize)]
struct Problem<'a> {
    /// No page describes the problem beyond its status (section 4.2.1).
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// The refusal's stable name.
    code: &'a str,
    request_id: String,
    /// Seconds, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// What is wrong and where, as in RFC 9457 section 3.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Breach],
}

/// The answer to a refused request.
pub(super) fn refused(row: &Row, request: RequestId, realm: &str) -> Response<Bytes> {
    let retry_after = match &row.adds {
        Adds::Limit(exceeded) => Some(ceil_secs(exceeded.retry_after)),
        Adds::RetryAfter(secs) => Some(*secs),
        Adds::Nothing
        | Adds::Challenge(_)
        | Adds::Allow(_)
        | Adds::Location(_)
        | Adds::Accept(_)
        | Adds::AcceptCodings
        | Adds::Close => None,
    };
    let problem = Problem {
        r#type: "about:blank",
        title: row.status.canonical_reason().unwrap_or("Refused"),
        status: row.status.as_u16(),
        detail: &row.detail,
        code: row.name,
        request_id: request.to_string(),
        retry_after,
        errors: &row.errors,
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = row.status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(secs) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    add(row, realm, headers);
    response
}

fn add(row: &Row, realm: &str, headers: &mut HeaderMap) {
    let field = match &row.adds {
        Adds::Nothing | Adds::RetryAfter(_) => None,
        Adds::Limit(exceeded) => {
            limit_fields(
                exceeded.zone,
                exceeded.quota,
                0,
                exceeded.reset_after,
                headers,
            );
            None
        }
        Adds::Challenge(None) => Some((header::WWW_AUTHENTICATE, bearer(realm))),
        Adds::Challenge(Some(error)) => {
            let (bearer, detail) = (bearer(realm), &row.detail);
            let challenge = format!("{bearer}, error=\"{error}\", error_description=\"{detail}\"");
            Some((header::WWW_AUTHENTICATE, challenge))
        }
        Adds::Allow(methods) => Some((header::ALLOW, methods.clone())),
        Adds::Location(location) => Some((header::LOCATION, location.clone())),
        Adds::Accept(types) => Some((header::ACCEPT, types.clone())),
        Adds::AcceptCodings => Some((
            header::ACCEPT_ENCODING,
            "gzip, deflate, br, zstd".to_owned(),
        )),
        Adds::Close => Some((header::CONNECTION, "close".to_owned())),
    };
    if let Some((name, text)) = field
        && let Ok(value) = HeaderValue::try_from(text)
    {
        headers.insert(name, value);
    }
}

fn bearer(realm: &str) -> String {
    let realm: String = realm.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    format!("Bearer realm=\"{realm}\"")
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-09): the quota and
/// its window, what is left of it, and in how many seconds it is whole again.
fn limit_fields(
    zone: &str,
    quota: Quota,
    remaining: u32,
    reset_after: Nanos,
    headers: &mut HeaderMap,
) {
    let policy = format!(
        "\"{zone}\";q={};w={}",
        quota.burst(),
        ceil_secs(quota.window())
    );
    let limit = format!("\"{zone}\";r={remaining};t={}", ceil_secs(reset_after));
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// Adds the fields that all answers have.
pub(super) fn finish(
    headers: &mut HeaderMap,
    request: RequestId,
    hsts: Option<&HeaderValue>,
    note: Option<Note>,
) {
    if let Ok(id) = HeaderValue::try_from(request.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(hsts) = hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    if let Some(note) = note {
        note.announce(headers);
    }
}

/// What an allowed request is told of its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    /// The zone that the limit is for.
    pub zone: &'static str,
    /// The limit.
    pub quota: Quota,
    /// How many more requests there may be now.
    pub remaining: u32,
    /// How long until a whole burst may be.
    pub reset_after: Nanos,
}

impl Note {
    fn announce(self, headers: &mut HeaderMap) {
        limit_fields(
            self.zone,
            self.quota,
            self.remaining,
            self.reset_after,
            headers,
        );
    }
}

/// The body of an answer. It carries the exchange along, which ends when the body does.
#[derive(Debug)]
pub(super) struct AnswerBody {
    content: Content,
    exchange: Box<Exchange>,
    /// What is left of the request; the answer does not end before it.
    unread: Option<Drain>,
}

#[derive(Debug)]
enum Content {
    Whole(Option<Bytes>),
    Relay(Box<Delivery>),
}

impl AnswerBody {
    /// A body of the gateway's own, to a request with a body of which something is `unread`.
    pub(super) fn whole(bytes: Bytes, unread: Option<Drain>, mut exchange: Box<Exchange>) -> Self {
        let content = Content::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()));
        exchange.hand_off();
        Self {
            content,
            exchange,
            unread,
        }
        .settled()
    }

    /// The body of an upstream's response.
    pub(super) fn relay(relay: Delivery, mut exchange: Box<Exchange>) -> Self {
        exchange.hand_off();
        Self {
            content: Content::Relay(Box::new(relay)),
            exchange,
            unread: None,
        }
        .settled()
    }

    fn settled(mut self) -> Self {
        if self.is_end_stream() {
            self.exchange.end(Ending::Complete);
        }
        self
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = &mut *self;
        this.exchange.taken();
        let frame = match &mut this.content {
            Content::Whole(bytes) => match (bytes.take(), &mut this.unread) {
                (Some(bytes), _) => Some(Ok(Frame::data(bytes))),
                (None, Some(unread)) => {
                    ready!(unread.poll(cx));
                    None
                }
                (None, None) => None,
            },
            Content::Relay(relay) => {
                let frame = ready!(Pin::new(&mut **relay).poll_frame(cx));
                this.exchange.leaks(relay.found());
                frame
            }
        };
        match &frame {
            Some(Ok(frame)) => {
                let len = frame.data_ref().map_or(0, Bytes::len);
                this.exchange.sent(len as u64);
                if this.is_end_stream() {
                    this.exchange.end(Ending::Complete);
                }
            }
            Some(Err(DeliveryFault::Broken(_))) => this.exchange.end(Ending::UpstreamBroke),
            Some(Err(DeliveryFault::Leak(_))) => this.exchange.end(Ending::LeakStopped),
            None => this.exchange.end(Ending::Complete),
        }
        // Either way the connection shows the client that there would be more.
        Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyFault::Broken)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => {
                bytes.is_none() && self.unread.as_ref().is_none_or(Drain::is_done)
            }
            Content::Relay(relay) => relay.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Content::Relay(relay) => relay.size_hint(),
        }
    }
}
