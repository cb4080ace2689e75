//! What routes ask of requests, and what answers get and lose.

use gateway_policy::bans::Mode;

use super::*;
use crate::config::{FailMode, LeakAction, WafMode, check};
use crate::validation::{Described, Unknown};

/// A configuration whose one route has more keys.
fn with(keys: &str) -> String {
    format!(
        "listeners: [{{ bind: ':80', plaintext: true }}]\ninterfaces: [{{ name: eth0 }}]\n\
         upstreams: {{ app: {{ targets: http://127.0.0.1:1 }} }}\n\
         routes:\n  - require: none\n    upstream: app\n    {keys}\n"
    )
}

#[test]
fn validation_has_defaults_that_keep_to_the_description() {
    let (config, warnings) = good(&with("validate: { openapi: { file: api.yaml } }"));
    assert_eq!(warnings, [""; 0]);
    let validation = config.access.routes()[0]
        .target
        .validation
        .as_ref()
        .unwrap();
    let terms = &validation.terms;
    assert_eq!(terms.mode, Mode::Enforce);
    assert_eq!(terms.unknown_fields, Unknown::Allow);
    assert_eq!(terms.unknown_parameters, Unknown::Allow);
    let Some(Described::OpenApi {
        file,
        base,
        undocumented,
    }) = &terms.described
    else {
        panic!()
    };
    assert!(
        file.is_absolute() && file.ends_with("api.yaml"),
        "from the folder of the main file"
    );
    assert_eq!((base, undocumented), (&None, &Unknown::Refuse));

    let (config, _) = good(&with(
        "validate: { schema: s.json, content_type: application/json, unknown_fields: refuse, mode: shadow }",
    ));
    let validation = config.access.routes()[0]
        .target
        .validation
        .as_ref()
        .unwrap();
    assert_eq!(validation.terms.mode, Mode::Shadow);
    assert_eq!(validation.terms.unknown_fields, Unknown::Refuse);
    assert_eq!(validation.terms.types[0].to_string(), "application/json");
    assert_eq!(
        config.bans.invalid_request, None,
        "off unless it is written"
    );
    let (config, _) = good(&format!("{}bans: {{ invalid_request: {{}} }}\n", with("")));
    assert_eq!(
        config.bans.invalid_request.unwrap().duration(1).to_string(),
        "10m"
    );
}

#[test]
fn validation_that_means_nothing_is_a_fault() {
    for (keys, words) in [
        (
            "validate: {}",
            "7:15: found nothing to validate, expected `content_type`, `schema` or `openapi`",
        ),
        (
            "validate: { schema: a, openapi: { file: b } }",
            "7:37: found `openapi` beside `schema`, expected one of them",
        ),
        (
            "validate: { content_type: a/b, unknown_fields: refuse }",
            "7:52: this needs `schema` or `openapi`, which say what fields there are",
        ),
        (
            "validate: { content_type: json }",
            "7:31: `json` is no media type such as application/json, image/* or application/*+json",
        ),
        (
            "validate: { openapi: { file: a, base_path: api } }",
            "7:48: expected a path such as /api/v1, not encoded",
        ),
        (
            "validate: { openapi: {} }",
            "7:26: found no `file`, expected it in open api",
        ),
    ] {
        assert_eq!(faults(&with(keys)), [format!("g.yaml:{words}")], "{keys}");
    }
}

#[test]
fn answers_have_their_fields_and_a_route_its_own() {
    let lines = |headers: &crate::config::ResponseHeaders| -> Vec<String> {
        let fields = headers.fields();
        fields
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect()
    };
    let (config, _) = good(&with(
        "response_headers: { frame_options: off, content_security_policy: \"default-src 'self'\", remove: [Via] }",
    ));
    assert_eq!(
        lines(&config.response_headers),
        [
            "x-content-type-options: nosniff",
            "x-frame-options: SAMEORIGIN",
            "referrer-policy: strict-origin-when-cross-origin",
        ]
    );
    let own = config.access.routes()[0].target.headers.as_ref().unwrap();
    assert_eq!(
        lines(own),
        [
            "x-content-type-options: nosniff",
            "referrer-policy: strict-origin-when-cross-origin",
            "content-security-policy: default-src 'self'",
        ]
    );
    assert_eq!(own.remove, ["via"]);
    assert!(
        config
            .response_headers
            .remove
            .iter()
            .any(|name| name == "server")
    );
    for (keys, words) in [
        (
            "frame_options: allowall",
            "expected deny, sameorigin or off",
        ),
        ("content_type_options: sniff", "expected nosniff or off"),
        (
            "referrer_policy: nobody",
            "expected a referrer policy such as same-origin, or off",
        ),
        (
            "remove: [Set-Cookie]",
            "set-cookie is part of what a response means",
        ),
        ("remove: ['a b']", "expected the name of a header field"),
        (
            "permissions_policy: \"a\\nb\"",
            "expected the value of a header field",
        ),
    ] {
        let found = faults(&format!("{LEAST}response_headers: {{ {keys} }}\n"));
        assert!(
            found.len() == 1 && found[0].contains(words),
            "{keys}: {found:?}"
        );
    }
}

#[test]
fn nothing_is_looked_for_in_responses_unless_it_is_written() {
    let leaks = |text: &str| good(text).0.access.routes()[0].target.leaks.clone();
    assert_eq!(leaks(&with("")), crate::config::Leaks::default());
    assert_eq!(leaks(&with("")).cards, LeakAction::Off);
    let text = format!(
        "{}leaks: {{ cards: mask, keys: log, fail: open }}\n",
        with("leaks: { keys: block, content_type: text/plain }")
    );
    let own = leaks(&text);
    assert_eq!((own.cards, own.keys), (LeakAction::Mask, LeakAction::Block));
    assert_eq!(own.types[0].to_string(), "text/plain");
    assert_eq!((own.types.len(), own.fail), (1, FailMode::Open));
    assert_eq!(
        faults(&format!("{LEAST}leaks: {{ cards: hide }}\n")),
        ["g.yaml:2:17: found `hide`, which is not known here; known: block, log, mask, off"]
    );
}

#[test]
fn check_reads_what_routes_are_held_against() {
    let said = |schema: &str| -> Vec<String> {
        let text = with("validate: { schema: s.json }");
        let folder = folder(&[("g.yaml", &text), ("s.json", schema)]);
        let file = folder.path().join("g.yaml");
        let rules = |_: &crate::config::Config| Ok(crate::config::RuleFiles::default());
        match check(&file, std::time::SystemTime::now(), &rules) {
            Ok(_) => Vec::new(),
            Err(faults) => faults
                .findings()
                .iter()
                .map(|finding| strip(folder.path(), &finding.to_string()))
                .collect(),
        }
    };
    assert_eq!(said("{}"), [""; 0]);
    let found = said(r#"{"properties": {"a": {"type": "strin"}}}"#);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("g.yaml:7:25: s.json#/properties/a/type: "),
        "{found:?}"
    );
    assert_eq!(
        said("{,}"),
        ["g.yaml:7:25: s.json: it is no JSON at line 1, column 2"]
    );
}

#[test]
fn rules_may_be_in_shadow_on_one_route() {
    let target = |keys: &str| {
        let (config, warnings) = good(&with(keys));
        let target = config.access.routes()[0].target.clone();
        let shadow: Vec<String> = target.shadow.iter().map(|s| s.choice.to_string()).collect();
        (target.waf, shadow, warnings)
    };
    let none: Vec<String> = Vec::new();
    let detect = Some(WafMode::Detect);
    assert_eq!(target("waf: detect"), (detect, none.clone(), none.clone()));
    assert_eq!(target("waf: {}"), (None, none.clone(), none.clone()));
    let written = "waf: { mode: detect, shadow: [942100, 'tag:attack-sqli'] }";
    let shadow = vec!["942100".to_owned(), "tag:attack-sqli".to_owned()];
    assert_eq!(target(written), (detect, shadow.clone(), none.clone()));
    let (mode, one, _) = target("waf: { shadow: 942100 }");
    assert_eq!((mode, one.as_slice()), (None, &shadow[..1]));
    let (_, _, warnings) = target("waf: { mode: off, shadow: 1 }");
    assert!(
        warnings[0].ends_with("no rule runs here, so none can be in shadow"),
        "{warnings:?}"
    );
    for (keys, fault) in [
        ("waf: [block]", "found a list, expected a word or a map"),
        ("waf: true", "found `true`, expected a word or a map"),
        ("waf: blok", "`blok`"),
        ("waf: { shadows: 1 }", "unknown key `shadows` in route waf"),
        ("waf: { shadow: 'tag:(' }", "a group that is never closed"),
    ] {
        let said = faults(&with(keys));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(fault), "{said:?}");
    }
}
