//! No input, rule text or request, makes the engine panic.

use std::sync::LazyLock;

use gateway_waf::{DEFAULT_RULES, Decoder, Embedded, RuleEngine, Waf};
use proptest::prelude::*;

use crate::common::{Files, Request};

/// Bytes that rule texts and attacks are made of, so that the odd paths are reached.
fn text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "SecRule",
        "SecAction",
        "ARGS",
        "REQUEST_HEADERS:",
        "@rx",
        "@pm",
        "!",
        "&",
        "|",
        "\"",
        "'",
        "\\",
        "\n",
        "\\\n",
        " ",
        ",",
        ":",
        "id:1",
        "chain",
        "t:",
        "%{",
        "}",
        "tx.a",
        "[",
        "]",
        "(",
        ")",
        "(?",
        "{1,2}",
        "*",
        "+",
        "?",
        "^",
        "$",
        "\\x",
        "\\x{",
        "\\1",
        "#",
        "é",
        "setvar:",
        "phase:",
        "Include",
        "/",
        ".",
        "-",
        "[:alpha:]",
        "0",
        "9",
    ]);
    prop::collection::vec(prop_oneof![words.prop_map(str::to_owned), ".{0,3}"], 0..24)
        .prop_map(|parts| parts.concat())
}

pub(crate) fn request_text() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "%",
        "%u",
        "%3c",
        "%%",
        "+",
        "&",
        "=",
        "&#x",
        "&#",
        "&lt",
        ";",
        "\\",
        "\\u",
        "\\x4",
        "/*",
        "*/",
        "--",
        "<!--",
        "-->",
        "#",
        "..",
        "/",
        "//",
        "\0",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "1e",
        "true",
        "\\ud800",
        "' or '1'='1",
        " union select ",
        "1;if(",
        "\"",
        "`",
        "$a$",
        "q'(",
        "::int",
        "{a ",
        "<script",
        "<a onload",
        " href=java",
        "<!--[if",
        "<![CDATA[",
        "\u{ff}",
        "\u{ff1c}",
        "é",
    ]);
    prop::collection::vec(
        prop_oneof![
            words.prop_map(|w| w.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4)
        ],
        0..24,
    )
    .prop_map(|parts| parts.concat())
}

/// Every transformation, on every argument.
fn transforming() -> Waf {
    let names = "base64Decode base64DecodeExt base64Encode cmdLine compressWhitespace cssDecode \
                 escapeSeqDecode hexDecode hexEncode htmlEntityDecode jsDecode length lowercase \
                 normalizePath normalizePathWin removeComments removeCommentsChar removeNulls \
                 removeWhitespace replaceComments replaceNulls trim trimLeft trimRight uppercase \
                 urlDecode urlDecodeUni urlEncode utf8toUnicode";
    let rules: Vec<String> = names
        .split_whitespace()
        .enumerate()
        .map(|(i, name)| {
            format!(
                "SecRule ARGS|ARGS_NAMES|REQUEST_BODY \"@rx .\" \"id:{},pass,t:{name}\"",
                i + 1
            )
        })
        .collect();
    crate::common::load(&rules.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn rule_texts_load_or_are_refused(text in text()) {
        let _ = Waf::load(&["t.conf"], &Files::of(&[("t.conf", &text)]));
    }

    #[test]
    fn patterns_compile_or_are_refused(pattern in text()) {
        let quoted = pattern.replace('\\', "\\\\").replace('"', "\\\"");
        let rule = format!("SecRule ARGS \"@rx {quoted}\" id:1");
        let _ = Waf::load(&["t.conf"], &Files::of(&[("t.conf", &rule)]));
    }

    #[test]
    fn requests_are_decided(
        uri in request_text(),
        cookie in request_text(),
        body in request_text(),
        kind in prop::sample::select(vec![
            "application/x-www-form-urlencoded", "application/json", "text/xml", "multipart/form-data; boundary=B", "text/plain", "",
        ]),
    ) {
        let names: Vec<&str> = DEFAULT_RULES.iter().map(|(name, _)| *name).collect();
        thread_local! {
            static WAFS: [Waf; 2] = [
                Waf::load(&DEFAULT_RULES.iter().map(|(n, _)| *n).collect::<Vec<_>>(), &Embedded)
                    .unwrap(),
                transforming(),
            ];
        }
        prop_assert!(!names.is_empty());
        let uri = String::from_utf8_lossy(&uri).into_owned();
        let cookie = String::from_utf8_lossy(&cookie).into_owned();
        let request = Request::post(&uri, kind, &body).header("Cookie", &cookie);
        WAFS.with(|wafs| {
            for waf in wafs {
                let (_, transaction) = request.run(waf);
                for found in transaction.matches() {
                    let line = found.to_string();
                    assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line}");
                }
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_prefilter_changes_nothing(
        uri in request_text(),
        cookie in request_text(),
        body in request_text(),
        kind in prop::sample::select(vec!["application/x-www-form-urlencoded", "text/plain"]),
    ) {
        let uri = format!("/?q={}", String::from_utf8_lossy(&uri));
        let cookie = String::from_utf8_lossy(&cookie).into_owned();
        let request = Request::post(&uri, kind, &body).header("Cookie", &cookie);
        for [on, off] in PAIRS.iter() {
            assert_eq!(request.ids(on), request.ids(off));
        }
    }
}

static PAIRS: LazyLock<Vec<[Waf; 2]>> = LazyLock::new(pairs);

/// Rule sets in detection mode, so that every rule has its say, with the prefilter on and off.
fn pairs() -> Vec<[Waf; 2]> {
    let default = || {
        let names: Vec<&str> = DEFAULT_RULES.iter().map(|(name, _)| *name).collect();
        Waf::load(&names, &Embedded).unwrap()
    };
    let detectors = || {
        crate::common::load(
            "SecRule ARGS|REQUEST_COOKIES|REQUEST_BODY \"@detectSQLi\" id:1,pass,capture\n\
             SecRule ARGS|REQUEST_COOKIES|REQUEST_BODY \"@detectXSS\" id:2,pass,capture\n\
             SecRule ARGS|REQUEST_COOKIES \"!@detectSQLi\" id:3,pass\n\
             SecRule ARGS|REQUEST_COOKIES \"!@detectXSS\" id:4,pass,t:htmlEntityDecode\n\
             SecRule ARGS \"@detectSQLi\" id:5,pass,multiMatch,t:urlDecode,t:lowercase",
        )
    };
    let deep = || {
        let mut waf = default();
        waf.set_decoders(Decoder::ALL.into_iter().collect());
        waf
    };
    let mut pairs = vec![
        [default(), default()],
        [deep(), deep()],
        [detectors(), detectors()],
    ];
    if let (Some(on), Some(off)) = (crate::crs::load(), crate::crs::load()) {
        pairs.push([on.unwrap(), off.unwrap()]);
    }
    for [on, off] in &mut pairs {
        on.set_engine(RuleEngine::DetectionOnly);
        off.set_engine(RuleEngine::DetectionOnly);
        off.set_prefilter(false);
    }
    pairs
}

#[test]
fn the_prefilter_changes_nothing_for_known_attacks() {
    for [on, off] in PAIRS.iter() {
        for text in crate::default_rules::ATTACKS
            .iter()
            .chain(crate::default_rules::ORDINARY)
        {
            let encoded: String = text.bytes().map(|b| format!("%{b:02x}")).collect();
            let uri = format!("/{encoded}?q={encoded}&q2=%25{encoded}");
            let body = format!("{{\"a\":[\"{encoded}\"]}}");
            for request in [
                Request::get(&uri)
                    .header("Referer", text)
                    .header("Cookie", text),
                Request::post("/", "application/json", body.as_bytes()),
                Request::post("/", "text/plain", text.as_bytes()),
            ] {
                assert_eq!(request.ids(on), request.ids(off), "{text}");
            }
        }
    }
}
