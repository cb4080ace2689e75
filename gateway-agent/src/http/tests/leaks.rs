//! Responses that tell what they should not.

use std::sync::Arc;

use gateway_policy::access::{Requirement, RouteTable};
use gateway_waf::leaks::{Action, Kind, Search};

use super::client::Reply;
use super::world::{World, route, times, upstream};
use crate::http::{Destination, Ending, FailMode, Leaks, Refusal, Stage};

const CARD: &str = "4111 1111 1111 1111";
const MASKED: &str = "**** **** **** 1111";

/// `/looked/**` is looked into, `/open/**` is not.
fn world(action: Action, fail: FailMode) -> World {
    World::start(|setup| {
        let app = upstream("app", &[setup.origin()], times());
        let mut looked = route("/looked/**", Requirement::None, &app);
        let leaks = Leaks {
            search: Search::new(|_| action).unwrap().unwrap(),
            types: ["text/*", "application/json"]
                .map(|t| t.parse().unwrap())
                .to_vec(),
            fail,
        };
        looked.target = Arc::new(Destination {
            leaks: Some(Arc::new(leaks)),
            ..Destination::to("/**", Arc::clone(&app))
        });
        let routes = vec![looked, route("/open/**", Requirement::None, &app)];
        setup.settings.routes = RouteTable::new(routes, &setup.settings.roles).unwrap();
    })
}

fn say(world: &World, media: &str, text: &str, field: &str) -> Reply {
    let mut headers = vec![("x-say-type", media), ("x-say", text)];
    if !field.is_empty() {
        headers.push(("x-say-field", field));
    }
    world.get_with("/looked/x", &headers)
}

#[test]
fn what_is_found_is_masked_and_counted_and_the_length_stays() {
    let world = world(Action::Mask, FailMode::FailClosed);
    let text = format!("your card {CARD}, your key AKIAIOSFODNN7EXAMPLE");
    let reply = say(
        &world,
        "text/plain",
        &text,
        "content-digest: sha-256=:YQ==:",
    );
    let expected = format!("your card {MASKED}, your key {}", "*".repeat(20));
    assert_eq!(reply.body, expected);
    assert_eq!(reply.header("content-length"), text.len().to_string());
    assert_eq!(
        reply.header("content-digest"),
        "",
        "it was the sum of another body"
    );
    let outcome = world.seen.outcome(0);
    assert_eq!(outcome.leaks, [(Kind::Card, 1), (Kind::Key, 1)]);
    assert_eq!(
        (outcome.ending, outcome.sent),
        (Ending::Complete, text.len() as u64)
    );

    let json = say(
        &world,
        "application/json",
        r#"{"card": 4111111111111111}"#,
        "",
    );
    assert_eq!(json.json()["card"], 9_999_999_999_991_111_u64);
    assert_eq!(
        say(&world, "image/png", CARD, "").body,
        CARD,
        "of another type"
    );
    assert_eq!(say(&world, "text/plain", "", "").body, "");
    let open = world.get_with("/open/x", &[("x-say-type", "text/plain"), ("x-say", CARD)]);
    assert_eq!(open.body, CARD, "of another route");
}

#[test]
fn whole_and_uncompressed_responses_are_asked_for() {
    let world = world(Action::Log, FailMode::FailClosed);
    let fields = [
        ("range", "bytes=0-3"),
        ("if-range", "\"a\""),
        ("accept-encoding", "gzip"),
    ];
    let reply = world.get_with("/looked/x", &fields);
    for (name, _) in fields {
        assert_eq!(reply.upstream_header(name), [""; 0], "{name}");
        assert!(
            !world
                .get_with("/open/x", &fields)
                .upstream_header(name)
                .is_empty()
        );
    }
    let noted = say(&world, "text/plain", CARD, "content-digest: x");
    assert_eq!(
        (&*noted.body, noted.header("content-digest")),
        (CARD.as_bytes(), "x")
    );
    assert_eq!(world.seen.outcome(4).leaks, [(Kind::Card, 1)]);
}

#[test]
fn what_is_blocked_is_a_request_id_and_nothing_else() {
    let world = world(Action::Block, FailMode::FailClosed);
    let reply = say(&world, "text/plain", CARD, "x-secret: 1");
    assert_eq!(reply.status, 502);
    assert_eq!(reply.header("x-secret"), "");
    let problem = reply.json();
    assert_eq!(problem["code"], "response-leak");
    assert_eq!(problem["request_id"], reply.header("x-request-id"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("1111"));
    let outcome = world.seen.outcome(0);
    assert_eq!(outcome.refusal, Some(Refusal::ResponseLeak(Kind::Card)));
    assert_eq!(outcome.leaks, [(Kind::Card, 1)]);
    assert!(world.seen.offences().is_empty(), "the client did nothing");
    assert_eq!(world.gate.load().kept(), 0);
    assert_eq!(
        say(&world, "text/plain", "all is well", "").body,
        "all is well"
    );
}

#[test]
fn what_is_found_late_ends_the_body() {
    let world = world(Action::Block, FailMode::FailClosed);
    let mut raw = world.raw();
    // Too slow for it to be waited for.
    raw.send(
        b"GET /looked/x HTTP/1.1\r\nHost: a\r\nX-Say-Type: text/plain\r\nX-Say-Late: 1\r\n\
          X-Say: 4111 1111 1111 1111\r\n\r\n",
    );
    let got = raw.rest();
    let text = String::from_utf8_lossy(&got);
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(
        !text.contains("1111") && !text.ends_with("0\r\n\r\n"),
        "{text}"
    );
    assert_eq!(world.seen.outcome(0).ending, Ending::LeakStopped);
}

#[test]
fn what_cannot_be_read_follows_the_fail_mode() {
    let unread = [
        ("text/plain", "content-encoding: gzip"),
        ("text/plain", "content-encoding: unheard-of"),
        ("text/plain", "content-range: bytes 0-3/10"),
        ("text/plain; charset=utf-16", ""),
    ];
    let closed = world(Action::Mask, FailMode::FailClosed);
    let open = world(Action::Mask, FailMode::FailOpen);
    for (n, (media, field)) in unread.into_iter().enumerate() {
        let reply = say(&closed, media, CARD, field);
        assert_eq!(reply.json()["code"], "response-unseen", "{media} {field}");
        assert_eq!(say(&open, media, CARD, field).body, CARD, "{media} {field}");
        assert_eq!(open.seen.outcome(n).degraded, Some(Stage::Leaks));
    }
    assert_eq!(
        say(&closed, "image/png", CARD, "content-encoding: gzip").status,
        200
    );
}

#[test]
fn events_go_through_as_they_come() {
    let world = world(Action::Block, FailMode::FailClosed);
    let mut raw = world.raw();
    raw.send(
        b"GET /looked/x HTTP/1.1\r\nHost: a\r\nX-Say-Type: text/event-stream\r\n\
          X-Say: data: all is well\r\nX-Say-Event: 1\r\nX-Say-On: 1\r\n\r\n",
    );
    let mut got = Vec::new();
    while !got.ends_with(b"all is well\n\n\r\n") {
        got.extend(raw.bytes(1));
    }
    assert!(got.starts_with(b"HTTP/1.1 200 "));
}
