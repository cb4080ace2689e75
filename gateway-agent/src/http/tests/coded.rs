//! Request bodies in which rules would see nothing as they come.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::client::Reply;
use super::world::{World, waf};
use crate::http::{Malformation, Refusal};

const RULES: &str = r#"
SecRuleEngine On
SecRule ARGS "@contains union select" "id:100,phase:2,deny,log"
SecRule REQBODY_ERROR "!@eq 0" "id:101,phase:2,pass,log"
"#;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn world(rules: &'static str) -> World {
    World::start(|setup| setup.settings.waf = Some(waf(rules)).into())
}

fn post(world: &World, fields: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!(
        "POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         {fields}Content-Length: {length}\r\n\r\n"
    );
    let mut raw = world.raw();
    raw.send(head.as_bytes()).send(body).reply()
}

#[test]
fn rules_see_what_is_in_a_compressed_body_and_the_upstream_gets_it_compressed() {
    let world = world(RULES);
    let coded = "Content-Encoding: gzip\r\n";
    let reply = post(&world, coded, &gzip(b"a=1&b=union select"));
    assert_eq!(reply.json()["code"], "waf-blocked");
    let honest = gzip(b"a=1&b=union of students");
    let reply = post(&world, coded, &honest);
    assert_eq!(reply.status, 200);
    let got = reply.json()["body"].as_str().unwrap().to_owned();
    assert_eq!(got, String::from_utf8_lossy(&honest), "as it was sent");
    assert_eq!(reply.upstream_header("content-encoding"), ["gzip"]);
    let length = honest.len().to_string();
    assert_eq!(reply.upstream_header("content-length"), [length]);
    assert!(
        world.seen.outcome(1).rules.is_empty(),
        "no fault in the body"
    );
    let twice = gzip(&gzip(b"b=union select"));
    let reply = post(&world, "Content-Encoding: gzip, gzip\r\n", &twice);
    assert_eq!(reply.json()["code"], "waf-blocked");
    assert_eq!(world.gate.load().kept(), 0);
}

#[test]
fn what_cannot_be_seen_is_refused() {
    let world = world(RULES);
    for (coding, body, status, code) in [
        ("compress", &b"x"[..], 415, "body-encoded"),
        ("gzip", b"a=no gzip", 400, "body-undecodable"),
        ("br, identity", b"a=no brotli", 400, "body-undecodable"),
        ("gzip", &gzip(&[b'x'; 100_000]), 413, "body-too-large"),
        ("identity", b"a=1", 200, ""),
    ] {
        let reply = post(&world, &format!("Content-Encoding: {coding}\r\n"), body);
        assert_eq!(reply.status, status, "{coding}");
        if status == 415 {
            assert_eq!(reply.header("accept-encoding"), "gzip, deflate, br, zstd");
        }
        if status != 200 {
            assert_eq!(reply.json()["code"], code, "{coding}");
        }
    }
    assert_eq!(world.origin.counts.requests(), 1);
    assert!(world.seen.offences().is_empty());
}

#[test]
fn who_detects_only_lets_through_what_cannot_be_seen() {
    let rules = RULES.replace("SecRuleEngine On", "SecRuleEngine DetectionOnly");
    let world = world(rules.leak());
    let coded = "Content-Encoding: gzip\r\n";
    let reply = post(&world, coded, &gzip(b"b=union select"));
    assert_eq!(reply.status, 200);
    assert_eq!(world.seen.outcome(0).rules[0].id, 100);
    assert_eq!(post(&world, coded, b"no gzip").status, 200);
    assert_eq!(
        world.seen.outcome(1).rules[0].id,
        101,
        "a fault for the rules"
    );
}

#[test]
fn the_content_type_is_one_and_of_a_readable_charset() {
    let world = world(RULES);
    let reply = post(&world, "Content-Type: text/plain\r\n", b"a=1");
    assert_eq!(reply.json()["code"], "content-type-repeated");
    assert_eq!(
        world.seen.outcome(0).refusal,
        Some(Refusal::Malformed(Malformation::TypeRepeated))
    );
    let mut raw = world.raw();
    let head = "POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\
                Content-Type: application/json; charset=utf-16le\r\n\r\na=1";
    let reply = raw.send(head.as_bytes()).reply();
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (415, &"charset-unsupported".into())
    );
}
