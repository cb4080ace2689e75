//! Starts that must fail: one sentence, exit code 1, nothing half attached.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use aya::maps::{Array, Map, MapData};
use gateway_common::settings::Settings;
use gateway_lab::agent::Ended;
use gateway_lab::net::{LAN, WAN};
use gateway_lab::{Agent, Host, xdp};
use serde_json::json;

use super::world::{World, binary};

/// The last line of what an agent said that ended with code 1.
fn last_words(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.words.contains("panicked"), "{}", ended.words);
    let last = ended.words.lines().last().unwrap_or_default();
    let sentence = last.strip_prefix("gateway: ");
    let sentence = sentence.unwrap_or_else(|| panic!("no last words: {}", ended.words));
    let causes: Vec<&str> = sentence.split(": ").collect();
    let told_once = causes
        .iter()
        .enumerate()
        .all(|(i, one)| !causes[..i].contains(one));
    assert!(told_once, "a cause is told twice: {sentence}");
    sentence.to_owned()
}

fn nothing_is_left(world: &World) {
    for interface in [WAN, LAN] {
        assert_eq!(world.xdp(interface), None, "{interface} has an XDP program");
    }
    let interfaces = world.lab.pins().join("gateway/interfaces");
    let pinned = fs::read_dir(interfaces).map_or(0, Iterator::count);
    assert_eq!(pinned, 0, "an interface is still pinned");
}

#[test]
fn without_privilege_the_agent_says_what_it_needs() {
    let mut world = World::prepared("nopriv", &json!({}));
    // Where somebody who is nobody can read the configuration and write a store.
    let home = std::env::temp_dir().join(world.lab.id());
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
    let config = world.config(&json!({
        "listeners": [{"bind": "127.0.0.1:8080", "plaintext": true}],
        "log": {"access": "off"},
        "paths": {"store": home.join("db"), "socket": home.join("sock")},
    }));
    fs::write(home.join("gateway.yaml"), config.to_string()).unwrap();
    fs::copy(binary(), home.join("gateway")).unwrap();
    let mut command: Command = world.host(Host::Gateway).command("setpriv");
    command.args([
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        "--",
    ]);
    command
        .arg(home.join("gateway"))
        .args(["run", "-c"])
        .arg(home.join("gateway.yaml"));
    let ended = world.agent.run_in_vain(command);
    fs::remove_dir_all(&home).unwrap();
    let words = last_words(&ended.unwrap());
    assert!(words.contains("root"), "{words}");
    nothing_is_left(&world);
}

#[test]
fn somebody_elses_program_is_left_where_it_is() {
    let mut world = World::prepared("foreign", &json!({}));
    xdp::attach_constant(&world.lab, WAN, xdp::PASS).unwrap();
    let theirs = world.xdp(WAN).unwrap();
    let words = last_words(&world.agent.start_in_vain().unwrap());
    assert!(words.contains(WAN) && words.contains("xdp off"), "{words}");
    assert_eq!(world.xdp(WAN).unwrap(), theirs);
}

#[test]
fn another_gateway_with_other_pins_is_somebody_else() {
    let world = World::running("twopins", &json!({}));
    let ours = world.xdp(WAN).unwrap();
    let mut other = world.another(
        "other",
        &json!({
            "listeners": [{"bind": "127.0.0.1:8080", "plaintext": true}],
            "admin": {"bind": "127.0.0.1:9181"},
        }),
    );
    let words = last_words(&other.start_in_vain().unwrap());
    assert!(words.contains(WAN), "{words}");
    assert_eq!(world.xdp(WAN).unwrap(), ours);
    assert_eq!(world.client(&world.https("/")).status, 200);
}

#[test]
fn a_second_agent_on_the_same_paths_is_refused() {
    let world = World::running("second", &json!({}));
    let pid = world.agent.pid().unwrap();
    let config = world.config(&json!({
        "listeners": [{"bind": "127.0.0.1:8080", "plaintext": true}],
        "admin": {"bind": "127.0.0.1:9181"},
    }));
    let mut second = Agent::prepare(&world.lab, "second", &binary(), &config).unwrap();
    let words = last_words(&second.start_in_vain().unwrap());
    assert!(
        words.contains(&pid.to_string()),
        "it does not say who is there: {words}"
    );
    assert_eq!(world.client(&world.https("/")).status, 200);
    let status = world.agent.json(["status"]).unwrap();
    assert_eq!(status["agent"]["pid"], pid.as_raw());
}

/// A map of a gateway that ran, for what somebody else may make of it.
fn take_map(world: &mut World, name: &str) -> MapData {
    world.agent.start().unwrap();
    world.agent.terminate().unwrap();
    MapData::from_pin(world.lab.pins().join("gateway/maps").join(name)).unwrap()
}

#[test]
fn foreign_pins_are_refused_and_kept() {
    let mut world = World::prepared("foreignpins", &json!({}));
    let map = take_map(&mut world, "LIMITER");
    world
        .agent
        .gateway(["detach", "--yes"])
        .unwrap()
        .done()
        .unwrap();
    // A map of another shape under the name of ours, as another tool may leave one.
    let maps = world.lab.pins().join("gateway/maps");
    fs::create_dir_all(&maps).unwrap();
    map.pin(maps.join("SETTINGS")).unwrap();
    let words = last_words(&world.agent.start_in_vain().unwrap());
    assert!(words.contains("SETTINGS"), "{words}");
    assert!(
        maps.join("SETTINGS").exists(),
        "somebody else's map is gone"
    );
    nothing_is_left(&world);
}

#[test]
fn pins_of_another_version_are_refused_and_kept() {
    let mut world = World::prepared("otherabi", &json!({}));
    let settings = take_map(&mut world, "SETTINGS");
    let mut settings: Array<_, [u8; size_of::<Settings>()]> =
        Array::try_from(Map::Array(settings)).unwrap();
    let mut bytes = settings.get(&0, 0).unwrap();
    // The version comes first.
    bytes[..4].copy_from_slice(&200_u32.to_ne_bytes());
    settings.set(0, bytes, 0).unwrap();
    let program = world.xdp(WAN);
    let words = last_words(&world.agent.start_in_vain().unwrap());
    assert!(
        words.contains("version 200") && words.contains("detach"),
        "{words}"
    );
    assert_eq!(world.xdp(WAN), program, "what filters goes on filtering");
}

#[test]
fn a_port_that_is_taken_leaves_nothing_attached() {
    let mut world = World::prepared("porttaken", &json!({}));
    let gateway = world.host(Host::Gateway);
    let _taken = gateway
        .in_ns(|| std::net::TcpListener::bind(("::", 443)))
        .unwrap()
        .unwrap();
    let words = last_words(&world.agent.start_in_vain().unwrap());
    assert!(words.contains("443"), "{words}");
    nothing_is_left(&world);
}

#[test]
fn key_files_that_are_missing_are_named_before_anything_is_attached() {
    let over = json!({"identity": {"jwt": [{
        "issuer": "i", "audience": "a", "algorithms": ["ES256"], "jwks": "not-there.json",
    }]}});
    let mut world = World::prepared("nokeys", &over);
    let words = last_words(&world.agent.start_in_vain().unwrap());
    assert!(words.contains("not-there.json"), "{words}");
    nothing_is_left(&world);
}

#[test]
fn pins_need_a_bpf_file_system_and_the_agent_says_so() {
    let mut world = World::made(
        "nobpffs",
        |lab| json!({"paths": {"pins": lab.state().join("elsewhere")}}),
    );
    let words = last_words(&world.agent.start_in_vain().unwrap());
    assert!(words.contains("bpf file system"), "{words}");
    nothing_is_left(&world);
}
