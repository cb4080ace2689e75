use ::base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;

use super::*;

const ALL: [Decoder; 4] = Decoder::ALL;

fn inside_with(value: &[u8], decoders: &[Decoder]) -> Vec<String> {
    let mut out = Vec::new();
    let decoders = decoders.iter().copied().collect();
    look_inside(value, decoders, 100, &mut out).unwrap();
    let tell = |inner: Inner| {
        let value = String::from_utf8_lossy(&inner.value).into_owned();
        let secret = if inner.secret { " (secret)" } else { "" };
        format!("{}={value}{secret}", inner.steps)
    };
    out.into_iter().map(tell).collect()
}

fn inside(value: &str) -> Vec<String> {
    inside_with(value.as_bytes(), &ALL)
}

const NOTHING: [&str; 0] = [];

#[test]
fn base64_is_text_from_end_to_end() {
    for value in [
        "PHNjcmlwdD5hPC9zY3JpcHQ+",
        "PHNjcmlwdD5hPC9zY3JpcHQ ",
        " PHNjcmlwdD5h PC9zY3JpcHQ+ ",
        "PHNjcmlwdD5h\r\nPC9zY3JpcHQ-",
        "data:text/html;base64,PHNjcmlwdD5hPC9zY3JpcHQ+",
    ] {
        assert_eq!(inside(value), ["base64=<script>a</script>"], "{value}");
    }
    assert_eq!(inside("JyBvciAxPTEgLS0="), ["base64=' or 1=1 --"]);
    assert_eq!(inside("JyBvciAxPTEgLS0"), ["base64=' or 1=1 --"]);
    let umlauts = STANDARD.encode("Grüße aus Köln <b>");
    assert_eq!(inside(&umlauts), ["base64=Grüße aus Köln <b>"]);
    for value in [
        "",
        "abcd",
        "international",
        "the quick brown fox jumps over the lazy dog",
        "PHNjcmlwdD5h!PC9zY3JpcHQ+",
        "550e8400-e29b-41d4-a716-446655440000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "1234567890123456",
        "data:text/html,PHNjcmlwdD5h",
    ] {
        assert_eq!(inside(value), NOTHING, "{value}");
    }
}

#[test]
fn escapes_that_are_left_are_resolved() {
    assert_eq!(inside("%27+or+1"), ["url=' or 1"]);
    assert_eq!(inside("%2527"), ["url=%27", "url,url='"]);
    assert_eq!(inside("50% off, 100 %zz"), NOTHING);
}

#[test]
fn documents_come_apart() {
    assert_eq!(
        inside(r#" {"a":{"b":[1,"\u003cx\u003e",""]}, "password": "x"} "#),
        ["json=1", "json=<x>", "json=x (secret)"]
    );
    for value in [
        r#"{"a":1"#,
        r#"{"a":1}x"#,
        "{{7*7}}",
        "[x]",
        "\"text\"",
        "{}",
        "12",
    ] {
        assert_eq!(inside(value), NOTHING, "{value}");
    }
}

#[test]
fn tokens_show_header_and_claims() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = part(r#"{"alg":"HS256","kid":"../../etc/passwd"}"#);
    let claims = part(r#"{"sub":"' or 1=1"}"#);
    let expected = ["jwt=HS256", "jwt=../../etc/passwd", "jwt=' or 1=1"];
    assert_eq!(inside(&format!("{header}.{claims}.c2ln")), expected);
    assert_eq!(inside(&format!("Bearer {header}.{claims}.")), expected);
    let unnamed = part(r#"{"typ":"JWT"}"#);
    for value in [
        format!("{header}.{claims}"),
        format!("{header}.{claims}.c2ln.c2ln"),
        format!("{unnamed}.{claims}.c2ln"),
        format!("{header}.{header}x.c2ln"),
        "www.shop.example".to_owned(),
    ] {
        assert_eq!(inside(&value), NOTHING, "{value}");
    }
}

#[test]
fn of_a_document_inside_an_encoding_only_its_values_are_seen() {
    let document = STANDARD.encode(r#"{"q":"%3Cx%3E"}"#);
    assert_eq!(
        inside(&document),
        ["base64,json=%3Cx%3E", "base64,json,url=<x>"]
    );
    assert_eq!(
        inside_with(document.as_bytes(), &[Decoder::Base64]),
        [r#"base64={"q":"%3Cx%3E"}"#]
    );
}

#[test]
fn a_value_is_looked_into_three_deep() {
    let mut value = "select name from users".to_owned();
    for _ in 0..4 {
        value = STANDARD.encode(value);
    }
    let found = inside(&value);
    assert_eq!(found.len(), 3);
    assert!(found[2].starts_with("base64,base64,base64="), "{found:?}");
    assert!(!found[2].contains("select"));
}

#[test]
fn a_decoder_that_is_off_finds_nothing() {
    assert_eq!(
        inside_with(b"%27", &[Decoder::Base64, Decoder::Json]),
        NOTHING
    );
    assert_eq!(inside_with(b"JyBvciAxPTEgLS0=", &[Decoder::Url]), NOTHING);
    assert_eq!(inside_with(br#"{"a":"b"}"#, &[Decoder::Jwt]), NOTHING);
    assert!(Decoders::default().is_empty());
}

#[test]
fn there_are_no_more_than_the_limit() {
    let all: Decoders = ALL.into_iter().collect();
    let mut out = Vec::new();
    let mut look = |value: &[u8]| look_inside(value, all, 2, &mut out);
    assert_eq!(look(b"%27"), Ok(()));
    assert_eq!(look(br#"["a","b"]"#), Err(TooMany));
    assert_eq!(look(br#"["a","b","c"]"#), Err(TooMany));
    assert_eq!(out.len(), 2);
}

proptest! {
    #[test]
    fn nothing_grows(value in prop::collection::vec(any::<u8>(), 0..200), wrap in 0..4_usize) {
        let value = (0..wrap).fold(value, |value, _| STANDARD.encode(value).into_bytes());
        let mut out = Vec::new();
        let _ = look_inside(&value, ALL.into_iter().collect(), 1000, &mut out);
        let bytes: usize = out.iter().map(|inner| inner.value.len()).sum();
        prop_assert!(bytes <= value.len() * Steps::MOST);
    }

    #[test]
    fn text_in_base64_is_found(text in "[ -~]{6,200}") {
        let found = inside_with(STANDARD.encode(&text).as_bytes(), &[Decoder::Base64]);
        prop_assert_eq!(found.first(), Some(&format!("base64={text}")));
    }
}
