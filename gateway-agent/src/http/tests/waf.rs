//! Requests under the rules of the WAF.

use gateway_policy::bans::OffenceKind;

use super::world::{SHORT, World, waf};
use crate::http::{Beyond, Refusal};

const RULES: &str = r#"
SecRuleEngine On
SecRule ARGS "@contains union select" "id:100,phase:2,deny,status:403,log,msg:'SQL injection',t:lowercase"
SecRule REQUEST_HEADERS:User-Agent "@contains sqlmap" "id:101,phase:1,deny,log,msg:'Scanner'"
SecRule REQUEST_COOKIES "@contains evil" "id:102,phase:1,deny,log,msg:'Cookie'"
SecRule REQUEST_URI "@contains /open/elsewhere" "id:103,phase:1,redirect:https://a.example/x,status:302,log"
SecRule ARGS "@contains curious" "id:104,phase:2,pass,log,msg:'Noted'"
SecRule REQUEST_BODY "@contains dropme" "id:105,phase:2,drop,log"
"#;

fn world() -> World {
    World::start(|setup| setup.settings.waf = Some(waf(RULES)).into())
}

fn post(world: &World, kind: &str, body: &'static str) -> super::client::Reply {
    world.ask(
        World::request("POST", "/open/x").header("content-type", kind),
        body,
    )
}

#[test]
fn rules_see_query_headers_cookies_form_and_json() {
    let world = world();
    let form = "application/x-www-form-urlencoded";
    for (reply, rule) in [
        (world.get("/open/x?q=1%20UNION%20SELECT%202"), 100),
        (
            world.get_with("/open/x", &[("user-agent", "sqlmap/1")]),
            101,
        ),
        (world.get_with("/open/x", &[("cookie", "a=1; b=evil")]), 102),
        (post(&world, form, "a=1&b=union+select"), 100),
        (
            post(
                &world,
                "application/json",
                r#"{"a":{"b":["Union Select"]}}"#,
            ),
            100,
        ),
        (post(&world, "text/plain", "please dropme"), 105),
        (
            world.ask_h2("GET", "/open/x", &[("cookie", "a=1"), ("cookie", "b=evil")]),
            102,
        ),
    ] {
        assert_eq!(reply.status, 403, "{rule}");
        let body = reply.json();
        assert_eq!(body["code"], "waf-blocked");
        assert_eq!(body["request_id"], reply.header("x-request-id"));
        assert!(
            !String::from_utf8_lossy(&reply.body).contains(&rule.to_string()),
            "{body}"
        );
        let id = reply.header("x-request-id");
        let offences = world.seen.offences();
        let offence = offences
            .iter()
            .find(|o| o.evidence.request_id() == id)
            .unwrap();
        assert_eq!(offence.kind, OffenceKind::WafBlock);
        assert_eq!(offence.evidence.detail(), format!("rule {rule}"));
    }
    assert_eq!(world.origin.counts.requests(), 0);
    let outcome = world.seen.outcome(0);
    assert!(matches!(
        outcome.refusal,
        Some(Refusal::WafBlocked { rule: 100, .. })
    ));
    assert_eq!(outcome.rules[0].id, 100);
    assert_eq!(&*outcome.rules[0].message, "SQL injection");
    assert_eq!(&*outcome.rules[0].variable, "ARGS:q");
}

#[test]
fn what_passes_reaches_the_upstream_whole() {
    let world = world();
    let reply = post(&world, "application/json", r#"{"a": "curious"}"#);
    assert_eq!(reply.json()["body"], r#"{"a": "curious"}"#);
    assert_eq!(reply.upstream_header("content-length"), ["16"]);
    let outcome = world.seen.outcome(0);
    assert_eq!((outcome.rules[0].id, outcome.received), (104, 16));
    assert!(world.seen.offences().is_empty());
}

#[test]
fn a_redirect_of_a_rule_is_followed() {
    let reply = world().get("/open/elsewhere");
    assert_eq!(reply.status, 302);
    assert_eq!(reply.header("location"), "https://a.example/x");
}

#[test]
fn detection_lets_everything_through_and_notes_it() {
    let rules = RULES
        .replace("SecRuleEngine On", "SecRuleEngine DetectionOnly")
        .leak();
    let world = World::start(|setup| setup.settings.waf = Some(waf(rules)).into());
    let attack = r#"{"a": "union select"}"#;
    let reply = world.ask(
        World::request("POST", "/open/x?q=union%20select")
            .header("content-type", "application/json")
            .header("content-encoding", "gzip"),
        attack,
    );
    assert_eq!(reply.json()["body"], attack);
    assert_eq!(world.seen.outcome(0).rules[0].id, 100);
    assert!(world.seen.offences().is_empty());
}

#[test]
fn a_body_that_cannot_be_seen_whole_is_refused_or_seen_in_part() {
    let large = "x".repeat(100_000).leak();
    let world = world();
    let reply = world.ask(World::request("POST", "/open/x"), large);
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (413, &"body-too-large".into())
    );
    assert!(
        world.seen.offences().is_empty(),
        "a large body is no attack"
    );

    // What is refused or seen in part is also the rules' to say.
    let rules = format!("{RULES}\nSecRequestBodyLimitAction ProcessPartial\n").leak();
    for (beyond, status) in [(Beyond::Refuse, 413), (Beyond::InspectStart, 200)] {
        let world = World::start(|setup| {
            setup.settings.waf = Some(waf(rules)).into();
            setup.settings.bodies.beyond = beyond;
        });
        let reply = world.ask(World::request("POST", "/open/x"), large);
        assert_eq!(reply.status, status, "{beyond:?}");
        if status == 200 {
            assert_eq!(reply.json()["body"], *large);
            let attack = format!("dropme{large}").leak();
            assert_eq!(
                world.ask(World::request("POST", "/open/x"), attack).status,
                403
            );
        }
    }
}

#[test]
fn bodies_that_wait_for_inspection_share_a_bound() {
    let world = World::start(|setup| {
        setup.settings.waf = Some(waf(RULES)).into();
        setup.settings.bodies.memory = 1000;
    });
    let mut waiting = world.raw();
    waiting.send(b"POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n");
    waiting.send(&[b'x'; 899]);
    super::until("it is kept", || world.gate.load().kept() == 899);
    assert_eq!(post(&world, "text/plain", "small").status, 200);
    let large = "x".repeat(200).leak();
    let reply = post(&world, "text/plain", large);
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (503, "1")
    );
    assert_eq!(waiting.send(b"x").reply().status, 200);
    super::until("nothing is kept", || world.gate.load().kept() == 0);
    assert_eq!(post(&world, "text/plain", large).status, 200);
}

#[test]
fn a_slow_body_under_inspection_ends_in_time() {
    let world = World::start(|setup| {
        setup.settings.waf = Some(waf(RULES)).into();
        setup.settings.bodies.whole = SHORT;
    });
    let mut raw = world.raw();
    raw.send(b"POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    let stopped = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A byte now and then: each in time, the whole never.
        let mut feeder = raw.clone();
        let stopped = &stopped;
        scope.spawn(move || {
            while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
                feeder.send(b"x");
                std::thread::park_timeout(std::time::Duration::from_millis(20));
            }
        });
        assert_eq!(raw.reply().status, 408);
        stopped.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    assert_eq!(world.origin.counts.requests(), 0);
}
