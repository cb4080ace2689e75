//! The last stage: the request goes to its upstream, and the head of the response comes back.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response, Uri, Version};

use super::Visit;
use super::access::Permitted;
use super::validate::Valid;
use super::waf::Inspection;
use crate::http::answer::REQUEST_ID;
use crate::http::exchange::Exchange;
use crate::http::harden::Hardening;
use crate::http::headers::{remove_hop_by_hop, remove_reserved};
use crate::http::ids::is_traceparent;
use crate::http::outcome::Reached;
use crate::http::refusal::{Refusal, UpstreamFault};
use crate::http::server::Connection;
use crate::http::settings::{Identification, Settings};
use crate::http::upstream::{Attempt, BodyFault, Failed, Relay, send as send_upstream};
use crate::identity::Identity;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Sends the request.
///
/// # Errors
/// When no target answers, or the client's body ends badly on the way.
pub(super) async fn send(
    visit: &mut Visit<'_>,
    request: Permitted<Valid>,
) -> Result<Response<Relay>, Refusal> {
    let (connection, settings) = (visit.connection, visit.settings);
    let (exchange, upload) = (&mut *visit.exchange, &visit.upload);
    let (identity, destination, request) = request.into_parts();
    let upstream = &destination.upstream;
    let Valid {
        mut head,
        authority,
        body,
    } = request;
    let mut headers = fields(
        exchange,
        connection,
        settings,
        &mut head,
        authority,
        identity.as_ref(),
    );
    if destination.leaks.is_some() {
        // Nor in parts, whose borders a client could lay through it.
        headers.remove(header::ACCEPT_ENCODING);
        headers.remove(header::RANGE);
        headers.remove(header::IF_RANGE);
    }
    if visit
        .inspection
        .as_ref()
        .is_some_and(Inspection::wants_responses)
    {
        // What the rules shall read must not come compressed.
        headers.remove(header::ACCEPT_ENCODING);
    }
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let uri: Uri = target
        .parse()
        .map_err(|_| Refusal::Upstream(UpstreamFault::BadResponse))?;
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = head.method;
    *outgoing.uri_mut() = uri;
    *outgoing.version_mut() = Version::HTTP_11;
    *outgoing.headers_mut() = headers;

    let mut attempt = Attempt::default();
    // Noted now, in case the client does not wait for the answer.
    exchange.outcome().upstream = Some(Reached {
        name: Arc::clone(upstream.name()),
        target: None,
        attempts: 0,
        error: None,
    });
    let result = send_upstream(&connection.pool, upstream, outgoing, upload, &mut attempt).await;
    exchange.outcome().upstream = Some(Reached {
        name: Arc::clone(upstream.name()),
        target: attempt.target,
        attempts: attempt.count,
        error: attempt.error,
    });
    result.map_err(|failed| match failed {
        Failed::Upstream(fault) => Refusal::Upstream(fault),
        Failed::Body(BodyFault::TooLarge) => Refusal::BodyTooLarge,
        Failed::Body(BodyFault::Stalled) => Refusal::BodyTimeout,
        Failed::Body(BodyFault::Broken) => Refusal::BodyBroken,
    })
}

/// Removes from a response what is not the client's to see.
pub(super) fn strip(headers: &mut HeaderMap, hardening: &Hardening) {
    remove_hop_by_hop(headers);
    hardening.strip(headers);
}

/// The fields that the upstream gets, made of those that the client sent.
fn fields(
    exchange: &Exchange,
    connection: &Connection,
    settings: &Settings,
    head: &mut Parts,
    authority: HeaderValue,
    identity: Option<&Identity>,
) -> HeaderMap {
    let peer = exchange.peer();
    let chain = settings.proxies.chain(peer, &head.headers);
    let proto = forwarded_proto(connection, settings, &head.headers, peer.ip());
    let mut headers = std::mem::take(&mut head.headers);
    remove_hop_by_hop(&mut headers);
    let reserved: Vec<HeaderName> = settings.identity.reserved().cloned().collect();
    remove_reserved(&mut headers, &reserved);
    // The body is framed anew, and Expect has been answered.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::EXPECT);
    join_cookies(&mut headers);

    forwarding(&mut headers, &chain, peer.ip(), proto, &authority);
    headers.insert(header::HOST, authority);
    via(&mut headers, head.version);
    insert(&mut headers, REQUEST_ID, &exchange.request().to_string());
    let traced = headers
        .get(TRACEPARENT)
        .is_some_and(|value| is_traceparent(value.as_bytes()));
    if !traced {
        headers.remove(TRACESTATE);
        let value = exchange.gate().ids.traceparent(exchange.request());
        insert(&mut headers, TRACEPARENT, &value);
    }
    identify(&mut headers, &settings.identity, identity);
    headers
}

/// What the upstream is told of who asks. Fields of these names that the client sent are gone.
fn identify(headers: &mut HeaderMap, how: &Identification, identity: Option<&Identity>) {
    if how.verifier.is_some() && !how.forward_token {
        headers.remove(header::AUTHORIZATION);
    }
    let Some(identity) = identity else { return };
    if let Some(name) = &how.subject_header {
        insert(headers, name.clone(), &identity.subject);
    }
    if let Some(name) = &how.roles_header {
        // A role with a comma in its name would read as two.
        let roles: Vec<&str> = identity
            .roles
            .iter()
            .map(String::as_str)
            .filter(|role| !role.contains(','))
            .collect();
        insert(headers, name.clone(), &roles.join(","));
    }
}

/// The scheme that the client used: what a trusted proxy says, else what was seen here.
fn forwarded_proto(
    connection: &Connection,
    settings: &Settings,
    headers: &HeaderMap,
    peer: IpAddr,
) -> &'static str {
    let said = headers
        .get(X_FORWARDED_PROTO)
        .filter(|_| settings.proxies.trusts(peer))
        .map(HeaderValue::as_bytes);
    match said {
        Some(b"https") => "https",
        Some(b"http") => "http",
        _ if connection.tls => "https",
        _ => "http",
    }
}

/// Writes the forwarding fields anew: the addresses from the client on, then the peer.
fn forwarding(
    headers: &mut HeaderMap,
    chain: &[IpAddr],
    peer: IpAddr,
    proto: &'static str,
    authority: &HeaderValue,
) {
    let hops: Vec<IpAddr> = chain.iter().copied().chain([peer]).collect();
    let list: Vec<String> = hops.iter().map(IpAddr::to_string).collect();
    insert(headers, X_FORWARDED_FOR, &list.join(", "));
    if let Some(client) = list.first() {
        insert(headers, X_REAL_IP, client);
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
    headers.insert(X_FORWARDED_HOST, authority.clone());
    // RFC 7239 section 4: one element for each hop; what the client asked stands in the first.
    let host = authority.to_str().unwrap_or_default();
    let mut value = String::new();
    for (i, hop) in hops.iter().enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        let _ = match hop {
            IpAddr::V4(addr) => write!(value, "{separator}for={addr}"),
            IpAddr::V6(addr) => write!(value, "{separator}for=\"[{addr}]\""),
        };
        if i == 0 {
            let _ = write!(value, ";host=\"{host}\";proto={proto}");
        }
    }
    insert(headers, header::FORWARDED, &value);
}

/// Adds this hop (RFC 9110 section 7.6.3).
fn via(headers: &mut HeaderMap, version: Version) {
    let received = match version {
        Version::HTTP_2 => "2 gateway",
        Version::HTTP_10 => "1.0 gateway",
        _ => "1.1 gateway",
    };
    headers.append(header::VIA, HeaderValue::from_static(received));
}

/// HTTP/2 may send cookies in several fields, HTTP/1.1 not (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut values = headers.get_all(header::COOKIE).iter();
    if values.next().is_none() || values.next().is_none() {
        return;
    }
    let all: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

/// Sets a field; text that no field may hold leaves it out, which says less but nothing false.
fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    match HeaderValue::from_bytes(text.as_bytes()) {
        Ok(value) => headers.insert(name, value),
        Err(_) => headers.remove(name),
    };
}
