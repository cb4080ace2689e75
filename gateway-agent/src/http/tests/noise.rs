//! What is no HTTP, or no request that is served: it is refused, but not unseen.

use gateway_policy::bans::OffenceKind;

use super::client::Reply;
use super::world::{World, waf};
use crate::http::{Malformation, Outcome, Refusal};

/// Notes everything, and refuses nothing.
const NOTES: &str = r#"
SecRuleEngine DetectionOnly
SecRule REQUEST_METHOD "@rx .*" "id:1,phase:1,pass,log,msg:'%{MATCHED_VAR}'"
SecRule REQUEST_URI_RAW "@rx .*" "id:2,phase:1,pass,log,msg:'%{MATCHED_VAR}'"
SecRule REQUEST_PROTOCOL "@rx .*" "id:3,phase:1,pass,log,msg:'%{MATCHED_VAR}'"
SecRule REQUEST_HEADERS "@rx .*" "id:4,phase:1,pass,log,msg:'%{MATCHED_VAR_NAME} %{MATCHED_VAR}'"
SecRule REQUEST_BODY "@rx ." "id:5,phase:2,pass,log,msg:'%{MATCHED_VAR}'"
"#;

/// Refuses what it finds.
const BLOCKS: &str = r#"
SecRuleEngine On
SecRule REQUEST_URI_RAW "@contains <script" "id:10,phase:1,deny,log"
SecRule REQUEST_BODY "@contains evil" "id:11,phase:2,deny,log"
"#;

fn world(rules: &'static str) -> World {
    World::start(|setup| setup.settings.waf = Some(waf(rules)).into())
}

/// Sends bytes, and gives the answer and what was told of it.
fn send(world: &World, bytes: &[u8]) -> (Reply, Outcome) {
    let before = world.seen.outcomes().len();
    let mut raw = world.raw();
    let reply = raw.send(bytes).reply();
    (reply, world.seen.outcome(before))
}

/// What the rules of [`NOTES`] saw.
fn notes(outcome: &Outcome, rule: u64) -> Vec<&str> {
    let rules = outcome.rules.iter().filter(|hit| hit.id == rule);
    rules.map(|hit| &*hit.message).collect()
}

#[test]
fn rules_see_a_request_as_it_was_sent() {
    let world = world(NOTES);
    let (reply, outcome) = send(
        &world,
        b"PUT /open/%7e%zz?a='{x} HTTP/1.0\r\nhost: a\r\nX-One: 1\r\nACCEPT:  */*\t\r\n\
          x-one:2\r\nContent-Length: 4\r\nX-Raw: \xe9\r\n\r\nbody",
    );
    assert_eq!(reply.status, 400, "for its path");
    assert_eq!(notes(&outcome, 1), ["PUT"]);
    assert_eq!(notes(&outcome, 2), ["/open/%7e%zz?a='{x}"]);
    assert_eq!(notes(&outcome, 3), ["HTTP/1.0"]);
    assert_eq!(
        notes(&outcome, 4),
        [
            "REQUEST_HEADERS:host a",
            "REQUEST_HEADERS:X-One 1",
            "REQUEST_HEADERS:ACCEPT */*",
            "REQUEST_HEADERS:x-one 2",
            "REQUEST_HEADERS:Content-Length 4",
            "REQUEST_HEADERS:X-Raw \u{fffd}",
        ]
    );
    assert_eq!(notes(&outcome, 5), ["body"]);
    // And so it is when the request is served.
    let (reply, outcome) = send(
        &world,
        b"GET /open/x?y HTTP/1.1\r\nB: 1\r\nHost: a\r\na: 2\r\nb: 3\r\nContent-Length: 2\r\n\r\nhi",
    );
    assert_eq!(reply.json()["body"], "hi");
    assert_eq!(
        notes(&outcome, 4),
        [
            "REQUEST_HEADERS:B 1",
            "REQUEST_HEADERS:Host a",
            "REQUEST_HEADERS:a 2",
            "REQUEST_HEADERS:b 3",
            "REQUEST_HEADERS:Content-Length 2",
        ]
    );
    assert_eq!(notes(&outcome, 5), ["hi"]);
}

#[test]
fn whatever_is_refused_has_an_id_a_reason_and_a_place_in_the_log() {
    use Malformation as M;

    let world = world(NOTES);
    for (line, fields, fault) in [
        ("GET /<a>?\"", "Host: a", M::Target),
        ("GET /?\u{7f}", "Host: a", M::Target),
        ("G@T /a", "Host: a", M::Method),
        ("GET / a", "Host: a", M::Version),
        ("GET /", "", M::HostMissing),
        ("GET /", "Host: a\r\nHost: b", M::HostRepeated),
        ("GET /", "Host: a\r\nX: \u{1}", M::FieldValue),
        ("GET /", "Host: a\r\nX y: z", M::FieldName),
        ("GET /", "Host: a\r\nX: y\r\n\tz", M::FieldFolded),
        ("POST /", "Host: a\r\nContent-Length: abc", M::Length),
        (
            "POST /",
            "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            M::AmbiguousLength,
        ),
    ] {
        let bytes = format!("{line} HTTP/1.1\r\nX-Mark: m\r\n{fields}\r\n\r\n");
        let (reply, outcome) = send(&world, bytes.replace("\r\n\r\n\r\n", "\r\n\r\n").as_bytes());
        assert_eq!(outcome.refusal, Some(Refusal::Malformed(fault)), "{line}");
        let problem = reply.json();
        assert_eq!(reply.status, 400);
        assert_eq!(
            problem["code"],
            outcome.refusal.as_ref().unwrap().row().name
        );
        assert_eq!(problem["request_id"], outcome.request.to_string());
        assert_eq!(reply.header("x-request-id"), outcome.request.to_string());
        let target = line.split_once(' ').unwrap().1;
        assert_eq!(notes(&outcome, 2), [target], "{line}");
        assert!(
            notes(&outcome, 4).contains(&"REQUEST_HEADERS:X-Mark m"),
            "{line}"
        );
        let path = target.split('?').next().unwrap();
        assert_eq!(&*outcome.path, path);
    }
    assert_eq!(world.origin.counts.requests(), 0);
}

#[test]
fn lines_of_other_versions_are_answered_too() {
    let world = world(NOTES);
    for (bytes, protocol) in [
        ("GET /open/x HTTP/3.0\r\nHost: a\r\n\r\n", &["HTTP/3.0"][..]),
        ("GET /open/x http/1.1\r\nHost: a\r\n\r\n", &["http/1.1"]),
        // HTTP/0.9 has no more than its line, so there is no end to wait for.
        ("GET /open/x\r\n", &[""]),
    ] {
        let (reply, outcome) = send(&world, bytes.as_bytes());
        assert_eq!(
            (reply.status.as_u16(), reply.header("connection")),
            (400, "close")
        );
        assert_eq!(
            outcome.refusal,
            Some(Refusal::Malformed(Malformation::Version)),
            "{bytes:?}"
        );
        assert_eq!(notes(&outcome, 3), protocol, "{bytes:?}");
        assert_eq!(notes(&outcome, 2), ["/open/x"], "{bytes:?}");
    }
}

#[test]
fn a_client_that_goes_in_the_middle_of_a_head_is_seen() {
    let world = world(NOTES);
    let mut raw = world.raw();
    raw.send(b"GET /open/x HTTP/1.1\r\nX-Half: 1\r\nHo")
        .half_close();
    assert_eq!(raw.reply().json()["code"], "head-incomplete");
    let outcome = world.seen.outcome(0);
    assert!(notes(&outcome, 4).contains(&"REQUEST_HEADERS:X-Half 1"));
    let mut silent = world.raw();
    silent.half_close();
    assert_eq!(silent.rest(), b"", "no request, no answer");
    assert_eq!(world.seen.outcomes().len(), 1);
}

#[test]
fn the_second_packet_of_a_hopeless_head_is_waited_for() {
    let world = world(NOTES);
    let mut raw = world.raw();
    raw.send(b"GET /<a HTTP/1.1\r\n");
    std::thread::park_timeout(std::time::Duration::from_millis(20));
    raw.send(b"X-Late: 1\r\n\r\n");
    assert_eq!(raw.reply().status, 400);
    assert_eq!(
        notes(&world.seen.outcome(0), 4),
        ["REQUEST_HEADERS:X-Late 1"]
    );
}

#[test]
fn a_rule_that_blocks_makes_noise_an_offence() {
    let world = world(BLOCKS);
    let (reply, outcome) = send(&world, b"GET /<script> HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (403, &"waf-blocked".into())
    );
    assert_eq!(outcome.rules[0].id, 10);
    let body = b"POST /a HTTP/1.1\r\nX: \x01\r\nContent-Length: 4\r\n\r\nevil";
    assert_eq!(send(&world, body).0.status, 403, "rules see the body too");
    let trace = b"TRACE /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nevil";
    assert_eq!(send(&world, trace).0.status, 403);
    let (reply, _) = send(&world, b"GET /<b> HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(reply.status, 400, "nothing found");
    let kinds: Vec<_> = world.seen.offences().iter().map(|o| o.kind).collect();
    assert_eq!(kinds, [OffenceKind::WafBlock; 3]);
    assert_eq!(world.origin.counts.requests(), 0);
}

#[test]
fn noise_behind_a_good_request_is_noise() {
    let world = world(NOTES);
    let mut raw = world.raw();
    raw.send(
        b"POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\
          GET /<b> HTTP/1.1\r\n\r\nGET /open/y HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!(raw.reply().json()["body"], "hi");
    assert_eq!(raw.reply().json()["code"], "target-malformed");
    assert_eq!(raw.rest(), b"", "nothing behind it is served");
    assert_eq!(world.origin.counts.requests(), 1);
}

#[test]
fn the_answer_to_head_has_no_body() {
    let world = world(NOTES);
    let mut raw = world.raw();
    raw.send(b"HEAD /<b> HTTP/1.1\r\nHost: a\r\n\r\n");
    let rest = String::from_utf8(raw.rest()).unwrap();
    assert!(
        rest.starts_with("HTTP/1.1 400 ") && rest.ends_with("\r\n\r\n"),
        "{rest}"
    );
}
