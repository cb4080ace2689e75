//! The deny list and the safelist, as operators change them.

use std::net::IpAddr;

use gateway_lab::Host;
use serde_json::json;

use super::world::{World, entry};

/// The same commands, through the agent and by the command line alone.
#[test]
fn lists_are_changed_and_shown_with_the_agent_and_without() {
    let mut world = World::running("lists", &json!({}));
    for agent_runs in [true, false] {
        if !agent_runs {
            world.agent.kill().unwrap();
        }
        let done = |args: &[&str]| world.agent.gateway(args).unwrap().done().unwrap();
        let verdict = |address: &str| world.explain(address)["verdict"].clone();
        done(&[
            "deny",
            "add",
            "198.19.7.0/24",
            "2001:2:0:7::/64",
            "--reason",
            "scans",
        ]);
        done(&["deny", "add", "198.18.0.1", "--ttl", "1h"]);
        done(&["deny", "add", "198.18.0.2", "--shadow"]);
        done(&["allow", "add", "198.19.7.7"]);
        for (address, expected) in [
            ("198.19.7.9", "denied-prefix"),
            ("198.19.7.7", "safelisted"),
            ("198.18.0.1", "denied-exact"),
            ("198.18.0.2", "would-deny"),
            ("2001:2:0:7::5", "denied-prefix"),
            ("198.18.0.3", "pass"),
        ] {
            assert_eq!(
                verdict(address),
                expected,
                "{address}, agent runs: {agent_runs}"
            );
        }
        for (source, expected) in [
            ("198.19.7.9", "denied-prefix"),
            ("2001:2:0:7::5", "denied-prefix"),
        ] {
            let source: IpAddr = source.parse().unwrap();
            assert_eq!(world.counted(source, 50, expected), 50);
        }
        let list = world.agent.json(["deny", "list"]).unwrap();
        assert_eq!(list["entries"].as_array().unwrap().len(), 4, "{list}");
        let scans = entry(&list, "198.19.7.0/24").unwrap();
        assert_eq!(
            (&scans["reason"], &scans["origin"]),
            (&json!("scans"), &json!("operator"))
        );
        assert_eq!(scans["expires_unix_ms"], json!(null));
        let safe = world.agent.json(["allow", "list"]).unwrap();
        assert_eq!(safe["entries"].as_array().unwrap().len(), 1, "{safe}");

        done(&["allow", "del", "198.19.7.7"]);
        assert_eq!(verdict("198.19.7.7"), "denied-prefix");
        done(&["deny", "del", "198.19.7.0/24", "2001:2:0:7::/64"]);
        done(&["deny", "del", "198.18.0.1", "198.18.0.2"]);
        assert_eq!(verdict("198.19.7.9"), "pass");
        let again = world.agent.gateway(["deny", "del", "198.18.0.1"]).unwrap();
        assert_eq!(again.code, 1, "{again:?}");
        assert!(again.err.contains("198.18.0.1"), "{again:?}");
    }
}

#[test]
fn lists_survive_the_agent_and_what_was_changed_without_it() {
    let mut world = World::running("listsrestart", &json!({}));
    let change = |world: &World, args: &[&str]| {
        world.agent.gateway(args).unwrap().done().unwrap();
    };
    change(&world, &["deny", "add", "198.18.0.1", "198.18.0.2"]);
    world.agent.kill().unwrap();
    change(&world, &["deny", "del", "198.18.0.1"]);
    change(&world, &["deny", "add", "198.18.0.3"]);
    world.agent.start().unwrap();
    for (address, verdict) in [
        ("198.18.0.1", "pass"),
        ("198.18.0.2", "denied-exact"),
        ("198.18.0.3", "denied-exact"),
    ] {
        assert_eq!(world.explain(address)["verdict"], verdict, "{address}");
    }
}

#[test]
fn what_would_lock_somebody_out_has_to_be_forced() {
    let world = World::running("lockout", &json!({"management": ["10.77.1.2"]}));
    for (prefix, named) in [
        ("0.0.0.0/0", "every address"),
        ("10.77.1.0/24", "management"),
    ] {
        let refused = world.agent.gateway(["deny", "add", prefix]).unwrap();
        assert_eq!(refused.code, 1, "{prefix}: {refused:?}");
        assert!(refused.err.contains(named), "{prefix}: {refused:?}");
    }
    let list = world.agent.json(["deny", "list"]).unwrap();
    assert_eq!(list["entries"], json!([]), "{list}");
    world
        .agent
        .gateway(["deny", "add", "10.77.1.0/24", "--force"])
        .unwrap()
        .done()
        .unwrap();
    assert_eq!(world.explain("10.77.1.3")["verdict"], "denied-prefix");
    // Management always passes the filter.
    assert_eq!(world.client(&world.https("/")).status, 200);
}

#[test]
fn nonsense_is_refused_as_wrong_usage() {
    let world = World::running("usage", &json!({}));
    for args in [
        &["deny", "add", "198.18.0.0/40"][..],
        &["deny", "add"],
        &["deny", "add", "198.18.0.1", "--ttl", "soon"],
        &["explain", "nobody"],
        &["frobnicate"],
    ] {
        let refused = world.agent.gateway(args).unwrap();
        assert_eq!(refused.code, 2, "{args:?}: {refused:?}");
        assert!(
            !refused.err.is_empty() && refused.out.is_empty(),
            "{args:?}: {refused:?}"
        );
    }
}

#[test]
fn the_stats_of_command_line_and_agent_are_the_kernels() {
    let mut world = World::running("stats", &json!({}));
    world
        .agent
        .gateway(["deny", "add", "198.18.0.1"])
        .unwrap()
        .done()
        .unwrap();
    assert_eq!(
        world.counted("198.18.0.1".parse().unwrap(), 123, "denied-exact"),
        123
    );
    let with = world.agent.stats().unwrap();
    world.agent.kill().unwrap();
    let without = world.agent.stats().unwrap();
    assert_eq!(with.packets("denied-exact"), 123);
    assert_eq!(without.packets("denied-exact"), 123);
    // A drop that was counted is a drop that happened: nothing came back.
    let received = world
        .host(Host::Gateway)
        .counters(gateway_lab::net::WAN)
        .unwrap()
        .rx_packets;
    let counted = without.total("passed_packets") + without.total("dropped_packets");
    assert!(
        counted <= received,
        "{counted} verdicts on {received} packets"
    );
    assert!(without.total("dropped_packets") >= 123);
}
