//! The runner itself: how payloads are written, where they stand, and what counts as right.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use serde_json::{Value, json};

use crate::{ask, encode, load, place, suite::Case, tally::Tally};

#[test]
fn payloads_are_written_in_each_way() {
    for (encoder, expected) in [
        ("Plain", "<a> b&"),
        ("URL", "%3Ca%3E+b%26"),
        ("Base64", "PGE+IGIm"),
        ("JSUnicode", "\\u003c\\u0061\\u003e\\u0020\\u0062\\u0026"),
        ("XMLEntity", "&lt;a&gt; b&amp;"),
    ] {
        assert_eq!(encode::apply(encoder, "<a> b&").unwrap(), expected);
    }
    assert_eq!(encode::apply("base64flat", "a").unwrap(), "YQ");
    assert!(encode::apply("rot13", "a").is_err());
}

#[test]
fn payloads_stand_where_they_should() {
    let put = |at: Value, payload: &str| place::put(&at, payload).unwrap();
    assert_eq!(put(json!("URLPath"), "x").unwrap().target, b"/x");
    assert!(
        put(json!("URLPath"), "a b").is_none(),
        "no client sends this"
    );
    assert!(put(json!("Header"), "a\nb").is_none());
    let json = put(json!("JSONRequest"), "x").unwrap();
    assert!(serde_json::from_slice::<Value>(&json.body).is_ok());
    let raw =
        json!({"RawRequest": {"method": "PUT", "path": "/{{payload}}", "body": "b={{payload}}"}});
    let raw = put(raw, "x").unwrap();
    assert_eq!(
        (raw.method.as_str(), raw.target, raw.body),
        ("PUT", b"/x".to_vec(), b"b=x".to_vec())
    );
    assert!(place::put(&json!("Nowhere"), "x").is_err());
}

#[test]
fn what_is_blocked_is_counted() {
    let waf = load(None).unwrap();
    let case = Case::of_texts(["it's fine", "1' or '1'='1"].into_iter());
    let mut tally = Tally::default();
    for (what, request) in case.requests() {
        tally.count(&case, &what, ask(&waf, &request).as_deref(), false);
    }
    assert!(
        tally.to_string().contains("2 of 4       50.00 %"),
        "{tally}"
    );
}
