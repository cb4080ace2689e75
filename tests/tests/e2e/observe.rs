//! What operators see: the access log, metrics, health.

use std::fs;

use gateway_lab::token::{self, Algorithm, Key};
use serde_json::json;

use super::world::{INJECTION, World};

#[test]
fn the_access_log_is_json_and_keeps_secrets_to_itself() {
    let mut token = String::new();
    let mut world = World::made("accesslog", |lab| {
        let key = Key::make(lab.state(), Algorithm::Es256, "k").unwrap();
        let jwks = lab.state().join("jwks.json");
        fs::write(&jwks, token::jwks(&[&key]).unwrap().to_string()).unwrap();
        token = key
            .sign(&token::claims("https://id.lab", "api", "alice", 60))
            .unwrap();
        json!({"identity": {"jwt": [{
            "issuer": "https://id.lab", "audience": "api", "algorithms": ["ES256"], "jwks": jwks,
        }]}})
    });
    world.agent.start().unwrap();
    let request = world
        .https(&format!("/a?access_token={token}&password=hunter2&page=7"))
        .bearer(&token)
        .header("Cookie", "session=topsecret")
        .header("X-Api-Key", "topsecret")
        .header("Referer", "https://a.example/?token=topsecret");
    let response = world.client(&request);
    assert_eq!(response.status, 200, "{}", response.text());
    let line = world
        .agent
        .access_log_of(response.header("x-request-id").unwrap())
        .unwrap();
    assert_eq!(line["status"], 200, "{line}");
    assert_eq!(line["method"], "GET", "{line}");
    assert_eq!(line["path"], "/a", "{line}");
    assert_eq!(line["client"], "10.77.1.2", "{line}");
    assert_eq!(line["subject"], "alice", "{line}");
    let text = fs::read_to_string(world.agent.access_log_file()).unwrap();
    assert!(text.contains("page=7"), "{text}");
    for secret in [token.as_str(), "hunter2", "topsecret"] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
    // What the upstream needs it still gets.
    let seen = world.origin.seen();
    assert_eq!(seen[0].header("cookie"), Some("session=topsecret"));
    assert!(seen[0].target.contains("hunter2"));

    let refused = world.client(&world.https(INJECTION));
    let line = world
        .agent
        .access_log_of(refused.header("x-request-id").unwrap())
        .unwrap();
    assert_eq!(
        (&line["status"], &line["refusal"]),
        (&json!(403), &json!("waf-blocked")),
        "{line}"
    );
}

#[test]
fn metrics_and_health_have_a_listener_of_their_own() {
    let world = World::running("metrics", &json!({"bans": {"waf_block": "off"}}));
    assert_eq!(world.agent.admin("/healthz").unwrap().0, 200);
    for _ in 0..3 {
        assert_eq!(world.client(&world.https("/")).status, 200);
    }
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    let (status, metrics) = world.agent.admin("/metrics").unwrap();
    assert_eq!(status, 200);
    // The OpenMetrics text format ends so.
    assert!(metrics.trim_end().ends_with("# EOF"), "{metrics}");
    let value = |name: &str, label: &str| -> f64 {
        let line = metrics
            .lines()
            .find(|line| line.starts_with(name) && line.contains(label));
        let line = line.unwrap_or_else(|| panic!("no {name} with {label} in\n{metrics}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("gateway_packets_total{", "verdict=\"pass\"") > 0.0);
    assert_eq!(value("gateway_packets_total{", "verdict=\"banned\""), 0.0);
    assert_eq!(value("gateway_offences_total{", "waf-block"), 1.0);
    assert_eq!(world.agent.admin("/nothing-here").unwrap().0, 404);
    // Operators' pages are not on the listeners of everybody.
    let outside = world.client(&world.https("/metrics"));
    assert_eq!(
        outside.json().unwrap()["target"],
        "/metrics",
        "answered by the upstream"
    );
}
