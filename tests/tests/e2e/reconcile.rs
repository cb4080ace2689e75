//! Maps that somebody else has written to are mended by the running agent, which says so.

use gateway_lab::{Host, wait};

use super::world::{SOON, World};

#[test]
fn what_was_deleted_behind_the_agents_back_is_in_force_again() {
    let world = World::running("reconcile", &serde_json::json!({}));
    // An entry that ends is looked up for each packet; others the index answers for.
    for deny in [
        vec!["deny", "add", "198.19.7.0/24"],
        vec!["deny", "add", "198.18.0.1", "--ttl", "1h"],
    ] {
        world.agent.gateway(deny).unwrap().done().unwrap();
    }
    let whole = || {
        let status = world.agent.json(["status"]).unwrap();
        let reconciled = status["reconciled"].clone();
        (reconciled["in_force"] == 2 && reconciled["wanted"] == 2).then_some(reconciled)
    };
    let first = wait::until(SOON, "a round", whole).unwrap();
    assert_eq!(first["repairs"]["missing"], 0, "{first}");

    // 198.18.0.1/32: the address, then the length in the host's order.
    let map = world.lab.pins().join("gateway/maps/DENY4");
    let mut bpftool = world.host(Host::Gateway).command("bpftool");
    bpftool.args(["map", "delete", "pinned"]).arg(map);
    bpftool.args("key 198 18 0 1 32 0 0 0".split(' '));
    let done = bpftool.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert_eq!(world.explain("198.18.0.1")["verdict"], "pass");

    world.until_verdict("198.18.0.1", "denied-exact");
    let words = ["were not as they should be", r#""missing":1"#];
    world.agent.logged(SOON, &words).unwrap();
    let status = world.agent.json(["status"]).unwrap();
    assert_eq!(status["reconciled"]["repairs"]["missing"], 1, "{status}");
    wait::until(SOON, "a round without a fault", whole).unwrap();
    let (_, metrics) = world.agent.admin("/metrics").unwrap();
    for line in [
        "gateway_reconcile_ratio 1.0",
        "gateway_reconcile_wanted 2.0",
        r#"gateway_reconcile_repairs_total{kind="missing"} 1"#,
        "gateway_reconcile_failures_total 0",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}
