//! Responses under the rules of the WAF.

use super::client::Reply;
use super::world::{World, waf};
use crate::http::Refusal;

const RULES: &str = r#"
SecRuleEngine On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html text/event-stream
SecResponseBodyLimit 1000
SecResponseBodyLimitAction Reject
SecRule RESPONSE_STATUS "@streq 204" "id:200,phase:3,deny,log"
SecRule RESPONSE_HEADERS:Server "@contains origin" "id:201,phase:3,pass,log"
SecRule RESPONSE_BODY "@contains stack trace" "id:202,phase:4,deny,status:500,log"
SecRule RESPONSE_BODY "@contains go away" "id:203,phase:4,redirect:https://a.example/,log"
SecRule RESPONSE_STATUS "@rx ^(\d+)$" "id:204,phase:5,pass,log,msg:'%{MATCHED_VAR}'"
"#;

fn world(rules: &'static str) -> World {
    World::start(|setup| setup.settings.waf = Some(waf(rules)).into())
}

fn say(world: &World, media: &str, text: &str) -> Reply {
    let headers = [
        ("x-say-type", media),
        ("x-say", text),
        ("accept-encoding", "gzip"),
    ];
    world.get_with("/open/x", &headers)
}

/// The ids of the rules that matched in the last request.
fn rules(world: &World, requests: usize) -> Vec<u64> {
    let outcome = world.seen.outcome(requests - 1);
    outcome.rules.iter().map(|hit| hit.id).collect()
}

#[test]
fn a_response_is_refused_before_any_of_it_is_sent() {
    let world = world(RULES);
    let reply = say(
        &world,
        "text/html; charset=utf-8",
        "a stack trace of the app",
    );
    assert_eq!(reply.status, 500);
    let problem = reply.json();
    assert_eq!(problem["code"], "response-blocked");
    assert_eq!(problem["request_id"], reply.header("x-request-id"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("stack"));
    assert!(matches!(
        world.seen.outcome(0).refusal,
        Some(Refusal::ResponseBlocked { rule: 202, .. })
    ));
    assert_eq!(rules(&world, 1), [201, 202, 204]);
    assert_eq!(&*world.seen.outcome(0).rules[2].message, "500");
    assert!(world.seen.offences().is_empty(), "the client did nothing");

    let reply = say(&world, "text/html", "go away");
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (302, "https://a.example/")
    );
    assert_eq!(world.get("/empty").status, 403, "for its status");
}

#[test]
fn what_passes_arrives_whole() {
    let world = world(RULES);
    let reply = say(&world, "text/html", "all is well");
    assert_eq!(
        (reply.status.as_u16(), &*reply.body),
        (200, &b"all is well"[..])
    );
    assert_eq!(reply.header("content-length"), "11");
    assert_eq!(reply.header("server"), "", "which the rules saw");
    assert_eq!(rules(&world, 1), [201, 204]);
    assert_eq!(world.seen.outcome(0).sent, 11);
    assert_eq!(world.gate.load().kept(), 0);
    // Another media type is not looked into.
    let reply = say(&world, "text/css", "a stack trace");
    assert_eq!(reply.body, "a stack trace");
    let plain = world.get("/open/x");
    assert_eq!(
        plain.upstream_header("accept-encoding"),
        [""; 0],
        "it comes uncompressed"
    );
}

#[test]
fn a_body_beyond_the_limit_follows_the_rules() {
    let long = "x".repeat(2000);
    let reply = say(&world(RULES), "text/html", &long);
    assert_eq!(reply.status, 502);
    let partial = RULES.replace("LimitAction Reject", "LimitAction ProcessPartial");
    let world = world(partial.leak());
    assert_eq!(say(&world, "text/html", &long).body, long);
    let late = format!("{long} stack trace");
    assert_eq!(
        say(&world, "text/html", &late).body,
        late,
        "behind the limit"
    );
    let early = format!("stack trace {long}");
    assert_eq!(say(&world, "text/html", &early).status, 500);
}

#[test]
fn event_streams_go_through_at_once() {
    let world = world(RULES);
    let mut raw = world.raw();
    raw.send(
        b"GET /open/x HTTP/1.1\r\nHost: a\r\nX-Say-Type: text/event-stream\r\n\
          X-Say: a stack trace\r\nX-Say-On: 1\r\n\r\n",
    );
    let mut got = Vec::new();
    while !got.ends_with(b"a stack trace\r\n") {
        got.extend(raw.bytes(1));
    }
    assert!(got.starts_with(b"HTTP/1.1 200 "));
}

#[test]
fn an_upstream_that_breaks_off_under_inspection_is_a_bad_gateway() {
    let rules = RULES.replace("text/html", "text/plain *").leak();
    let world = world(rules);
    assert_eq!(world.get("/cut").json()["code"], "upstream-reset");
}

#[test]
fn detection_notes_and_sends() {
    let world = world(
        RULES
            .replace("SecRuleEngine On", "SecRuleEngine DetectionOnly")
            .leak(),
    );
    let reply = say(&world, "text/html", "a stack trace");
    assert_eq!(
        (reply.status.as_u16(), &*reply.body),
        (200, &b"a stack trace"[..])
    );
    assert_eq!(rules(&world, 1), [201, 202, 204]);
    let long = "x".repeat(2000);
    assert_eq!(say(&world, "text/html", &long).body, long);
}

#[test]
fn the_last_phase_runs_for_refused_requests_too() {
    let rules = format!("{RULES}\nSecRule ARGS \"@contains bad\" \"id:205,phase:1,deny,log\"\n");
    let world = world(rules.leak());
    assert_eq!(world.get("/open/x?a=bad").status, 403);
    assert_eq!(
        rules_and_status(&world, 0),
        ([205, 204].to_vec(), "403".into())
    );
    world.raw().send(b"GET /<x> HTTP/1.1\r\n\r\n").reply();
    assert_eq!(rules_and_status(&world, 1), ([204].to_vec(), "400".into()));
    assert_eq!(world.get("/reset").status, 502);
    assert_eq!(rules_and_status(&world, 2), ([204].to_vec(), "502".into()));
}

fn rules_and_status(world: &World, n: usize) -> (Vec<u64>, String) {
    let last = world.seen.outcome(n).rules.pop().unwrap();
    (rules(world, n + 1), last.message.into())
}
