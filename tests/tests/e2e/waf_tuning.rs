//! Why the firewall did what it did, and changing its mind while it runs.

use std::fs;

use gateway_lab::wait;
use serde_json::{Value, json};

use super::world::{INJECTION, SOON, World};

/// The base configuration with a folder for patches and without bans.
fn patched(name: &str, waf: &Value) -> World {
    let mut world = World::made(name, |lab| {
        let folder = lab.state().join("patches");
        fs::create_dir(&folder).unwrap();
        let mut all = json!({"conf_d": folder});
        all.as_object_mut()
            .unwrap()
            .extend(waf.as_object().unwrap().clone());
        json!({"waf": all, "bans": {"waf_block": "off"}})
    });
    world.agent.start().unwrap();
    world
}

/// Puts a file into the folder as a careful operator does: written aside, then moved.
fn drop_in(world: &World, name: &str, text: &str) {
    let aside = world.lab.state().join("aside");
    fs::write(&aside, text).unwrap();
    fs::rename(&aside, world.lab.state().join("patches").join(name)).unwrap();
}

/// What `gateway status` says of the rules.
fn rules(world: &World) -> Value {
    world.agent.json(["status"]).unwrap()["agent"]["waf"].clone()
}

#[test]
fn a_refused_request_is_explained_with_and_without_an_agent() {
    let mut world = patched("wafwhy", &json!({}));
    let refused = world.attacker(&world.https(INJECTION).header("Cookie", "sid=topsecret77"));
    assert_eq!(refused.status, 403, "{}", refused.text());
    let id = refused.header("x-request-id").unwrap();
    // Whoever has the answer finds the record.
    let said = world.agent.gateway(["explain", id]).unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    for part in [
        "was blocked by rule 91000",
        "variable  ARGS:q",
        "matched   '",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let record = world.agent.json(["waf", "explain", id]).unwrap();
    assert_eq!(record["client"], "10.77.1.3", "{record}");
    assert_eq!(record["route"], "/**", "{record}");
    let kept = record.to_string();
    assert!(kept.contains("sid=***"), "{kept}");
    assert!(!kept.contains("topsecret77"), "{kept}");
    world.agent.kill().unwrap();
    assert_eq!(world.agent.json(["waf", "explain", id]).unwrap(), record);
    let unknown = world.agent.gateway(["waf", "explain", &"0".repeat(32)]);
    let unknown = unknown.unwrap();
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(
        unknown.err.contains("1 request is kept since"),
        "{unknown:?}"
    );
}

#[test]
fn a_patch_is_live_at_once_and_a_bad_one_changes_nothing() {
    let world = patched("wafpatch", &json!({}));
    let ask = world.https("/?probe=cve-2026-1");
    assert_eq!(world.client(&ask).status, 200);
    let rule = "SecRule ARGS:probe \"@streq cve-2026-1\" \"id:1001,phase:1,deny,status:418,log\"\n";
    drop_in(&world, "cve.conf", rule);
    let live = |status: u16| {
        let got = wait::until(SOON, "the patch", || {
            (world.client(&ask).status == status).then_some(())
        });
        got.unwrap_or_else(|error| panic!("{error}\n{}", world.agent.log_tail()));
    };
    live(418);
    drop_in(
        &world,
        "worse.conf",
        "SecRule ARGS \"@rxx a\" \"id:1002,phase:1,deny\"\n",
    );
    let stale = wait::until(SOON, "the fault", || {
        Some(rules(&world)).filter(|rules| rules["fault"].is_string())
    });
    let stale = stale.unwrap();
    let fault = stale["fault"].as_str().unwrap();
    assert!(fault.contains("worse.conf:1:"), "{fault}");
    assert_eq!(world.client(&ask).status, 418, "the rules in force stay");
    let checked = world.agent.gateway(["check"]).unwrap();
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(checked.out.contains("worse.conf:1:"), "{checked:?}");
    for name in ["worse.conf", "cve.conf"] {
        fs::remove_file(world.lab.state().join("patches").join(name)).unwrap();
    }
    live(200);
    assert!(rules(&world)["fault"].is_null());
}

#[test]
fn rules_and_routes_in_shadow_are_seen_and_do_not_block() {
    let mut world = World::prepared(
        "wafshadow",
        &json!({
            "waf": {"shadow": ["9100000-9109999"]},
            "bans": {"waf_block": "off"},
        }),
    );
    world.agent.start().unwrap();
    let passed = world.attacker(&world.https(INJECTION));
    assert_eq!(passed.status, 200, "{}", passed.text());
    let id = passed.header("x-request-id").unwrap();
    let record = world.agent.json(["waf", "explain", id]).unwrap();
    assert_eq!(record["action"], "passed", "{record}");
    assert_eq!(record["matches"][0]["shadow"], true, "{record}");
    assert_eq!(record["matches"][0]["effect"], "deny 403", "{record}");
    let config = world.config(&json!({
        "bans": {"waf_block": "off"},
        "routes": [
            {"match": {"path": "/legacy/**"}, "require": "none", "upstream": "app", "waf": "detect"},
            {"match": {"path": "/old/**"}, "require": "none", "upstream": "app",
             "waf": {"shadow": ["9100000-9109999"]}},
            {"require": "none", "upstream": "app"},
        ],
    }));
    world.agent.configure(&config).unwrap();
    world.agent.json(["reload"]).unwrap();
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    let legacy = world.https(&format!("/legacy{INJECTION}"));
    assert_eq!(world.attacker(&legacy).status, 200);
    let old = world.attacker(&world.https(&format!("/old{INJECTION}")));
    assert_eq!(old.status, 200, "{}", old.text());
    let id = old.header("x-request-id").unwrap();
    let said = world.agent.gateway(["waf", "explain", id]).unwrap();
    assert!(
        said.out.contains("in shadow on this route; else deny 403"),
        "{said:?}"
    );
    let status = rules(&world);
    assert_eq!(status["shadow"], 0, "{status}");
    assert!(
        status["shadow_routes"]["/old/**"].as_u64() > Some(9),
        "{status}"
    );
}

#[test]
fn what_was_kept_is_replayed_against_other_rules() {
    let world = patched("wafreplay", &json!({"keep": {"sample": 1}}));
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    assert_eq!(world.client(&world.https("/?q=fine")).status, 200);
    let other = world.lab.state().join("other.conf");
    fs::write(
        &other,
        "SecRule ARGS:q \"@streq fine\" \"id:1001,phase:1,deny,log\"\n",
    )
    .unwrap();
    // A sample's answer does not wait for the disk.
    let report = wait::until(SOON, "the sample", || {
        let path = other.to_str().unwrap();
        let ran = world
            .agent
            .gateway(["waf", "replay", "--json", "--add", path]);
        let ran = ran.unwrap();
        assert!(matches!(ran.code, 0 | 3), "{ran:?}");
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        (report["requests"] == 2).then_some(report)
    });
    let report = report.unwrap();
    assert_eq!(report["blocked"]["count"], 1, "{report}");
    assert_eq!(report["passed"]["count"], 0, "{report}");
    assert_eq!(report["rules"]["1001"]["newly"]["count"], 1, "{report}");
}
