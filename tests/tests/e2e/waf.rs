//! What the web application firewall finds, wherever it hides.

use std::fs;

use gateway_lab::curl::Response;
use serde_json::{Value, json};

use super::world::{INJECTION, World};

/// Bans would end the test with the first block.
fn no_bans() -> Value {
    json!({"bans": {"waf_block": "off"}})
}

/// The ids of the rules that the access log names for an answer.
fn rules(world: &World, response: &Response) -> Vec<u64> {
    let id = response.header("x-request-id").unwrap();
    let line = world.agent.access_log_of(id).unwrap();
    line["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_u64().unwrap())
        .collect()
}

#[test]
fn attacks_are_refused_in_url_header_form_and_json() {
    let world = World::running("waf", &no_bans());
    let form = "application/x-www-form-urlencoded";
    let attacks = [
        ("url", world.https(INJECTION)),
        (
            "header",
            world.https("/").header("User-Agent", "sqlmap/1.7"),
        ),
        (
            "form",
            world
                .https("/")
                .body(form, "a=1&q=1%27+UNION+SELECT+password+FROM+users--+"),
        ),
        (
            "json",
            world.https("/").body(
                "application/json",
                r#"{"a": {"b": ["1' UNION SELECT password FROM users-- "]}}"#,
            ),
        ),
    ];
    for (what, attack) in &attacks {
        for attack in [attack.clone(), attack.clone().http1()] {
            let response = world.attacker(&attack);
            assert_eq!(response.status, 403, "{what}: {}", response.text());
            let body = response.json().unwrap();
            assert_eq!(body["code"], "waf-blocked", "{what}: {body}");
            assert_eq!(
                response.header("content-type"),
                Some("application/problem+json")
            );
            assert!(
                !rules(&world, &response).is_empty(),
                "{what}: no rule is named"
            );
        }
    }
    assert_eq!(world.origin.requests(), 0, "a refused request went on");

    let innocent = [
        world.https("/search?q=union+of+students+select+committee"),
        world.https("/").body(form, "comment=It%27s+fine+or+not"),
        world.https("/").body(
            "application/json",
            r#"{"text": "select a table from the list"}"#,
        ),
    ];
    for request in &innocent {
        let response = world.client(request);
        assert_eq!(response.status, 200, "{}", response.text());
    }
    let seen = world.origin.seen();
    assert_eq!(seen.len(), innocent.len());
    assert_eq!(
        seen[1].body, b"comment=It%27s+fine+or+not",
        "the body went on whole"
    );
}

#[test]
fn rules_of_the_operator_decide_too() {
    let mut world = World::made("wafrules", |lab| {
        let file = lab.state().join("own.conf");
        let rules = "SecRule REQUEST_HEADERS:X-Probe \"@contains forbidden\" \
                     \"id:1001,phase:1,deny,status:418,log,msg:'own rule',t:lowercase\"\n\
                     SecRule ARGS:name \"@pm mallory trudy\" \"id:1002,phase:2,deny,log\"\n\
                     SecRule REMOTE_ADDR \"@ipMatch 10.77.1.3\" \
                     \"id:1003,phase:1,deny,log,chain\"\n    SecRule REQUEST_URI \"@rx ^/inner\"\n";
        fs::write(&file, rules).unwrap();
        json!({"waf": {"rules": [file]}, "bans": {"waf_block": "off"}})
    });
    world.agent.start().unwrap();
    let own = world.client(&world.https("/").header("X-Probe", "FORBIDDEN fruit"));
    assert_eq!(own.status, 418, "{}", own.text());
    assert_eq!(rules(&world, &own), [1001]);
    let named = world.client(&world.https("/?name=Mallory"));
    assert_eq!((named.status, rules(&world, &named)), (403, vec![1002]));
    let inner = world.attacker(&world.https("/inner/page"));
    assert_eq!((inner.status, rules(&world, &inner)), (403, vec![1003]));
    for open in [world.https("/?name=alice"), world.https("/inner/page")] {
        assert_eq!(world.client(&open).status, 200);
    }
}

#[test]
fn in_detect_mode_what_would_be_blocked_is_logged_and_passes() {
    let world = World::running("wafdetect", &json!({"waf": {"mode": "detect"}}));
    let response = world.attacker(&world.https(INJECTION));
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(!rules(&world, &response).is_empty());
}

#[test]
fn what_the_rules_cannot_see_is_refused() {
    let world = World::running("wafunseen", &json!({"waf": {"body_limit": "4KiB"}}));
    let form = "application/x-www-form-urlencoded";
    let ask = |length: usize| {
        world
            .https("/")
            .body(form, &format!("a={}", "x".repeat(length)))
    };
    assert_eq!(world.client(&ask(4000)).status, 200);
    // Refused before the body is read; curl shows the answer all the same.
    for ask in [ask(10_000), ask(10_000).http1()] {
        for _ in 0..10 {
            assert_eq!(world.client(&ask).status, 413);
        }
    }
    for (coding, status) in [("compress", 415), ("gzip", 400)] {
        let coded = ask(10).header("Content-Encoding", coding);
        for ask in [coded.clone(), coded.http1()] {
            let coded = world.client(&ask);
            assert_eq!(coded.status, status, "{}", coded.text());
        }
    }
    assert_eq!(world.origin.requests(), 1, "a refused request went on");
}

#[test]
fn what_is_inside_values_is_seen_when_decoders_are_on() {
    // `1' UNION SELECT password FROM users-- ` in Base64, and in JSON in Base64.
    let base64 = "/?q=MScgVU5JT04gU0VMRUNUIHBhc3N3b3JkIEZST00gdXNlcnMtLSA=";
    let json = "/?q=eyJhIjoiMScgVU5JT04gU0VMRUNUIHBhc3N3b3JkIEZST00gdXNlcnMtLSAifQ==";
    let plain = World::running("wafplain", &no_bans());
    for hidden in [base64, json] {
        assert_eq!(plain.client(&plain.https(hidden)).status, 200, "{hidden}");
    }
    // A lab at a time.
    drop(plain);
    let config = json!({"waf": {"decode": ["base64", "json"]}, "bans": {"waf_block": "off"}});
    let world = World::running("wafdecode", &config);
    for hidden in [base64, json] {
        let response = world.client(&world.https(hidden));
        assert_eq!(response.status, 403, "{hidden}: {}", response.text());
        assert!(!rules(&world, &response).is_empty());
    }
    let greeting = world.https("/?q=SGVsbG8sIGhvdyBhcmUgeW91PyAgIA==");
    assert_eq!(world.client(&greeting).status, 200);
}
