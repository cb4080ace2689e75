//! Interfaces that come, go, come back, and change their names.

use std::fs;

use gateway_lab::net::{LAN, WAN};
use gateway_lab::{Host, Lab, wait};
use serde_json::{Value, json};

use super::world::{SOON, World};

/// An interface that is not there at first; its other end is `late1`.
const LATE: &str = "late0";

/// Runs `ip` in the gateway host.
fn ip(lab: &Lab, args: &str) {
    let mut ip = lab.host(Host::Gateway).command("ip");
    let out = ip.args(args.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "ip {args}: {said}");
}

fn add(lab: &Lab) {
    ip(lab, "link add late0 type veth peer name late1");
}

impl World {
    /// What `gateway status` calls the mode of an interface.
    fn mode(&self, name: &str) -> Value {
        let status = self.agent.json(["status"]).unwrap();
        let interfaces = status["filter"]["interfaces"].as_array().unwrap();
        let mut named = interfaces.iter().filter(|one| one["name"] == name);
        let mode = named.next().map_or(Value::Null, |one| one["mode"].clone());
        assert_eq!(named.next(), None, "{status}");
        mode
    }

    fn until_mode(&self, name: &str, mode: &str) {
        let is_it = || (self.mode(name) == mode).then_some(());
        wait::until(SOON, mode, is_it).unwrap_or_else(|error| {
            panic!("{error}: {}\n{}", self.mode(name), self.agent.log_tail())
        });
    }

    /// The pinned folders of an interface.
    fn pinned(&self, name: &str) -> Vec<String> {
        let pins = self.lab.pins().join("gateway/interfaces");
        let folders = fs::read_dir(pins).unwrap().flatten();
        let names = folders.map(|folder| folder.file_name().to_string_lossy().into_owned());
        names
            .filter(|folder| folder.ends_with(&format!("-{name}")))
            .collect()
    }
}

#[test]
fn an_interface_is_filtered_when_it_appears_and_forgotten_when_it_goes() {
    let over = json!({"interfaces": [{"name": WAN}, {"name": LATE}]});
    let world = World::running("appear", &over);
    assert_eq!(world.mode(LATE), "absent");
    let words = [LATE, "there is no such interface"];
    world.agent.logged(SOON, &words).unwrap();

    add(&world.lab);
    world.until_mode(LATE, "native");
    assert!(world.xdp(LATE).is_some());
    let (_, metrics) = world.agent.admin("/metrics").unwrap();
    for line in [
        r#"gateway_interface_filtered{interface="late0",mode="native"} 1"#,
        r#"gateway_interface_filtered{interface="wan0",mode="native"} 1"#,
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    let first = world.pinned(LATE);

    ip(&world.lab, "link del late0");
    world.until_mode(LATE, "absent");
    let gone = || world.pinned(LATE).is_empty().then_some(());
    wait::until(SOON, "the pins to go", gone).unwrap();
    let (_, metrics) = world.agent.admin("/metrics").unwrap();
    let line = r#"gateway_interface_filtered{interface="late0",mode="absent"} 0"#;
    assert!(metrics.contains(line), "{metrics}");

    // The same name and another index.
    add(&world.lab);
    world.until_mode(LATE, "native");
    let second = world.pinned(LATE);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);

    for _ in 0..20 {
        ip(&world.lab, "link del late0");
        add(&world.lab);
    }
    let settled = || {
        let alone = world.pinned(LATE).len() == 1;
        (alone && world.mode(LATE) == "native" && world.xdp(LATE).is_some()).then_some(())
    };
    wait::until(SOON, "it to be filtered after all", settled)
        .unwrap_or_else(|error| panic!("{error}\n{}", world.agent.log_tail()));
    assert_eq!(world.client(&world.https("/")).status, 200);
}

#[test]
fn a_program_that_somebody_detached_comes_back() {
    let world = World::running("detached", &json!({}));
    let pins = world.lab.pins().join("gateway/interfaces");
    let link = pins.join(&world.pinned(WAN)[0]).join("link");
    let mut bpftool = world.host(Host::Gateway).command("bpftool");
    bpftool.args(["link", "detach", "pinned"]).arg(link);
    let done = bpftool.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    // Any message of the kernel makes the agent look.
    add(&world.lab);
    let back = || world.xdp(WAN).map(drop);
    wait::until(SOON, "the program to be back", back).unwrap();
    world
        .agent
        .logged(SOON, &[WAN, "no longer filtered"])
        .unwrap();
    world.until_mode(WAN, "native");
}

#[test]
fn an_interface_that_is_renamed_goes_on_being_filtered() {
    let over = json!({"interfaces": [{"name": WAN}, {"name": LATE}]});
    let mut world = World::made("rename", |lab| {
        add(lab);
        over
    });
    world.agent.start().unwrap();
    let program = world.xdp(LATE).unwrap();
    ip(&world.lab, "link set late0 down");
    ip(&world.lab, "link set late0 name early0");
    let words = [LATE, "goes by another name"];
    world.agent.logged(SOON, &words).unwrap();
    assert_eq!(world.xdp("early0"), Some(program), "the program went");

    // Named so in the configuration, it is taken over where it is.
    let over = json!({"interfaces": [{"name": WAN}, {"name": "early0"}]});
    world.agent.configure(&world.config(&over)).unwrap();
    world.agent.json(["reload"]).unwrap();
    assert_eq!(world.mode("early0"), "native");
    assert_eq!(world.mode(LATE), Value::Null);
    assert!(world.pinned(LATE).is_empty());
    let log = world.agent.log();
    let gap = log
        .iter()
        .find(|line| line.text().contains("no longer filtered"));
    assert_eq!(gap, None, "there was a gap");
}

#[test]
fn a_block_of_counters_is_not_handed_on_with_what_it_counted() {
    let over = json!({"interfaces": [{"name": WAN}, {"name": LAN}]});
    let world = World::running("slots", &over);
    assert_eq!(world.client(&world.https("/")).status, 200);
    let counted = |name: &str| -> u64 {
        let stats = world.agent.stats().unwrap().into_value();
        let interfaces = stats["interfaces"].as_array().unwrap();
        let one = interfaces.iter().find(|one| one["name"] == name).unwrap();
        one["total"]["passed_packets"].as_u64().unwrap()
    };
    assert!(counted(LAN) > 0);
    add(&world.lab);
    for name in [LATE, LAN] {
        let over = json!({"interfaces": [{"name": WAN}, {"name": name}]});
        world.agent.configure(&world.config(&over)).unwrap();
        world.agent.json(["reload"]).unwrap();
        assert_eq!(counted(name), 0, "{name}");
    }
    assert!(counted(WAN) > 0, "those of the other one were kept");
}

/// An interface that cannot have the new mode keeps the old one.
#[test]
fn a_mode_that_is_refused_leaves_the_interface_filtered() {
    let over = json!({"interfaces": [{"name": WAN}, {"name": "plain0"}]});
    let mut world = World::made("moderefused", |lab| {
        ip(lab, "link add plain0 type bridge");
        over
    });
    world.agent.start().unwrap();
    assert_eq!(world.mode("plain0"), "generic");
    let over = json!({"interfaces": [
        {"name": WAN, "mode": "generic"},
        {"name": "plain0", "mode": "native"},
    ]});
    world.agent.configure(&world.config(&over)).unwrap();
    let refused = world.agent.gateway(["reload"]).unwrap();
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("plain0"), "{refused:?}");
    for name in ["plain0", WAN] {
        let log = world.agent.log_tail();
        assert!(world.xdp(name).is_some(), "{name} is bare: {log}");
    }
    assert_eq!(world.mode("plain0"), "generic");
}
