//! Requests under the contract of their route.

use std::sync::Arc;

use gateway_policy::access::{Requirement, RouteTable};
use gateway_policy::bans::{Mode, OffenceKind};
use serde_json::json;

use super::client::Reply;
use super::world::{World, route, times, upstream, waf};
use crate::http::{Destination, Refusal, Stage};
use crate::validation::{Contract, Described, Terms, Unknown};

const SCHEMA: &str = r#"{"type": "object", "required": ["qty"],
    "properties": {"qty": {"type": "integer", "maximum": 9}, "note": {"type": "string"}}}"#;

/// `/order` takes orders of [`SCHEMA`], `/open/**` everything.
fn world(mode: Mode, rules: Option<&'static str>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.json");
    std::fs::write(&file, SCHEMA).unwrap();
    let contract = Contract::load(&Terms {
        types: Vec::new(),
        described: Some(Described::Schema(file)),
        unknown_fields: Unknown::Refuse,
        unknown_parameters: Unknown::Allow,
        mode,
    })
    .unwrap();
    World::start(|setup| {
        let app = upstream("app", &[setup.origin()], times());
        let mut order = route("/order", Requirement::None, &app);
        order.target = Arc::new(Destination {
            contract: Some(Arc::new(contract)),
            ..Destination::to("/**", Arc::clone(&app))
        });
        let routes = vec![order, route("/open/**", Requirement::None, &app)];
        setup.settings.routes = RouteTable::new(routes, &setup.settings.roles).unwrap();
        setup.settings.waf = rules.map(waf).into();
    })
}

fn post(world: &World, media: &str, body: &'static str) -> Reply {
    let request = World::request("POST", "/order").header("content-type", media);
    world.ask(request, body)
}

const JSON: &str = "application/json";

#[test]
fn the_answer_names_the_place_and_the_rule_and_no_value() {
    let world = world(Mode::Enforce, None);
    let good = post(&world, JSON, r#"{"qty": 3, "note": "x"}"#);
    assert_eq!(
        good.json()["body"],
        r#"{"qty": 3, "note": "x"}"#,
        "as it was sent"
    );

    let reply = post(&world, JSON, r#"{"qty": 4711, "admin": "hunter2"}"#);
    assert_eq!(reply.status, 422);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let problem = reply.json();
    assert_eq!(problem["code"], "schema-violated");
    assert_eq!(problem["request_id"], reply.header("x-request-id"));
    assert_eq!(
        problem["errors"],
        json!([
            {"in": "body", "pointer": "#/qty", "detail": "must be at most 9"},
            {"in": "body", "pointer": "#/admin", "detail": "is a field that is not known"},
        ])
    );
    let text = String::from_utf8_lossy(&reply.body);
    assert!(
        !text.contains("hunter2") && !text.contains("4711"),
        "{text}"
    );
    assert!(matches!(
        world.seen.outcome(1).refusal,
        Some(Refusal::Invalid(_))
    ));
    assert_eq!(world.seen.offences()[0].kind, OffenceKind::InvalidRequest);

    for (media, body, status, code) in [
        (JSON, r#"{"qty": 1, "qty": 99}"#, 400, "json-refused"),
        (JSON, "{", 400, "json-refused"),
        (JSON, "", 400, "body-missing"),
        ("text/plain", r#"{"qty": 1}"#, 415, "type-refused"),
        (
            "application/json; charset=utf-16",
            r#"{"qty": 1}"#,
            415,
            "json-charset",
        ),
    ] {
        let reply = post(&world, media, body);
        assert_eq!(reply.status, status, "{media} {body}");
        assert_eq!(reply.json()["code"], code, "{media} {body}");
    }
    let refused = post(&world, "text/plain", "x");
    assert_eq!(
        refused.header("accept"),
        "application/json, application/*+json"
    );
    assert_eq!(world.origin.counts.requests(), 1);
    let stages = world.seen.outcome(1).timings;
    assert!(stages.iter().any(|(stage, _)| stage == Stage::Validate));
}

#[test]
fn shadow_mode_notes_and_sends() {
    let world = world(Mode::Shadow, None);
    let reply = post(&world, JSON, r#"{"qty": 99}"#);
    assert_eq!(reply.json()["body"], r#"{"qty": 99}"#);
    let outcome = world.seen.outcome(0);
    assert_eq!(outcome.refusal, None);
    assert_eq!(outcome.shadow.unwrap().row().name, "schema-violated");
    assert!(world.seen.offences().is_empty());
    // More than is looked at goes on whole.
    let large: &'static str = format!("{{\"qty\": {}}}", " ".repeat(200 << 10)).leak();
    assert_eq!(post(&world, JSON, large).json()["body"], large);
    assert_eq!(world.seen.outcome(1).shadow, Some(Refusal::BodyTooLarge));
    assert_eq!(world.gate.load().kept(), 0);
}

#[test]
fn a_body_beyond_the_limit_is_too_large() {
    let world = world(Mode::Enforce, None);
    let large: &'static str = format!("{{\"qty\": {}}}", " ".repeat(200 << 10)).leak();
    assert_eq!(post(&world, JSON, large).status, 413);
    assert_eq!(world.origin.counts.requests(), 0);
}

#[test]
fn compressed_bodies_are_judged_by_what_is_in_them() {
    let gzip = |text: &str| {
        let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut coder, text.as_bytes()).unwrap();
        coder.finish().unwrap()
    };
    for rules in [
        None,
        Some(
            "SecRuleEngine On\nSecRequestBodyAccess On\nSecRule ARGS \"@contains evil\" \"id:1,phase:2,deny\"\n",
        ),
    ] {
        let world = world(Mode::Enforce, rules);
        let send = |text: &str, coding: &str| {
            let body = gzip(text);
            let mut raw = world.raw();
            let head = format!(
                "POST /order HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                 Content-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            raw.send(&[head.as_bytes(), &body].concat());
            raw.reply().status.as_u16()
        };
        assert_eq!(send(r#"{"qty": 1}"#, "gzip"), 200);
        assert_eq!(send(r#"{"qty": 10}"#, "gzip"), 422);
        assert_eq!(send(r#"{"qty": 1}"#, "br"), 400);
        assert_eq!(send(r#"{"qty": 1}"#, "lzma"), 415);
    }
}

#[test]
fn an_attack_is_an_attack_also_in_a_field_that_is_not_known() {
    let rules = "SecRuleEngine On\nSecRequestBodyAccess On\n\
                 SecAction \"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n\
                 SecRule ARGS \"@contains evil\" \"id:1,phase:2,deny\"\n";
    let world = world(Mode::Enforce, Some(rules));
    let reply = post(&world, JSON, r#"{"admin": "evil"}"#);
    assert_eq!(reply.json()["code"], "waf-blocked");
    assert_eq!(world.seen.offences()[0].kind, OffenceKind::WafBlock);
    assert_eq!(post(&world, JSON, r#"{"admin": "good"}"#).status, 422);
}
