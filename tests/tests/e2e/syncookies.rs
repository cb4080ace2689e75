//! Floods of connection attempts from forged sources, and the clients that get through.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use gateway_lab::net::WAN;
use gateway_lab::{Flood, Host, Sources, Visitor, wait};
use serde_json::{Value, json};

use super::world::{SOON, World};

const SETTING: &str = "/proc/sys/net/ipv4/tcp_syncookies";

/// `net.ipv4.tcp_syncookies` of the gateway host.
fn setting(world: &World) -> u8 {
    let read = || fs::read_to_string(SETTING).unwrap();
    let text = world.host(Host::Gateway).in_ns(read).unwrap();
    text.trim().parse().unwrap()
}

fn set(world: &World, value: &str) {
    let gateway = world.host(Host::Gateway);
    gateway.sysctl("net/ipv4/tcp_syncookies", value).unwrap();
}

/// A counter of the gateway's TCP (`TcpExt` in proc_net(5)).
fn tcp_ext(world: &World, name: &str) -> u64 {
    let read = || fs::read_to_string("/proc/thread-self/net/netstat").unwrap();
    let text = world.host(Host::Gateway).in_ns(read).unwrap();
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let mut pairs = names.split(' ').zip(values.split(' '));
    let (_, value) = pairs.find(|(one, _)| *one == name).unwrap();
    value.parse().unwrap()
}

/// Connections of the gateway that wait for an ACK, each with memory of its own.
fn half_open(world: &World) -> usize {
    let mut ss = world.host(Host::Gateway).command("ss");
    let out = ss.args(["-Htn", "state", "syn-recv"]).output().unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stdout).unwrap().lines().count()
}

fn cookies(world: &World) -> Value {
    let status = world.agent.json(["status"]).unwrap();
    status["agent"]["syn_cookies"].clone()
}

/// Floods both families of a gateway whose filter runs in `mode`, while a client opens one
/// connection after the other.
fn flood(name: &str, mode: &str) {
    const THRESHOLD: u64 = 50;
    const PACKETS: u64 = 20_000;
    let world = World::running(
        name,
        &json!({
            "interfaces": [{"name": WAN, "mode": mode}],
            "syn_cookies": {"threshold": format!("{THRESHOLD}/s"), "when": "always"},
            "rate_limits": {"untrusted": "unlimited"},
        }),
    );
    let attacker = world.host(Host::Attacker);
    for (to, sources) in [
        (IpAddr::from(Host::Gateway.ip4()), Sources::spread4(65_536)),
        (IpAddr::from(Host::Gateway.ip6()), Sources::spread6(65_536)),
    ] {
        // What the flood is aimed at takes what is above the threshold from its first moment on.
        let before = world.agent.stats().unwrap();
        let received = tcp_ext(&world, "SyncookiesRecv");
        let sent = tcp_ext(&world, "SyncookiesSent");
        let flood = Flood::syn((to, 443).into())
            .from(sources.unwrap())
            .packets(PACKETS)
            .per_second(10_000);
        let every = Duration::from_millis(20);
        let client = world.host(Host::Client);
        let visits = std::thread::scope(|scope| {
            let flooding = scope.spawn(move || flood.run(attacker).unwrap());
            let answered = || world.agent.stats().unwrap().packets("syn-cookie");
            let already = before.packets("syn-cookie");
            wait::until(SOON, "the first answer", || {
                (answered() > already).then_some(())
            })
            .unwrap();
            let request = world.https_at(to, "/");
            let visitor = Visitor::start(client, vec![request], every).unwrap();
            wait::until(SOON, "visits under the flood", || {
                (visitor.count() >= 20).then_some(())
            })
            .unwrap();
            assert_eq!(half_open(&world), 0, "the flood's SYNs are remembered");
            visitor.pause();
            let flooded = flooding.join().unwrap();
            assert_eq!(flooded.sent, PACKETS);
            visitor.visits()
        });
        let slowest = visits.percentile(100);
        println!("{to} ({mode}): {} visits, {slowest:?}", visits.count());
        assert!(visits.failures.is_empty(), "{:?}", visits.failures);
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
        let answered =
            world.agent.stats().unwrap().packets("syn-cookie") - before.packets("syn-cookie");
        // All but a second's worth at once and what the threshold gives in the time it took.
        assert!(answered > PACKETS * 9 / 10, "{answered} of {PACKETS}");
        let received = tcp_ext(&world, "SyncookiesRecv") - received;
        assert!(received >= 20, "{received} connections by a cookie");
        // Those that the stack has made itself are few: the clients had them of the filter.
        let sent = tcp_ext(&world, "SyncookiesSent") - sent;
        assert!(sent < PACKETS / 10, "{sent} cookies of the stack's own");
    }
    let stats = world.agent.stats().unwrap();
    assert_eq!(stats.total("answered_packets"), stats.packets("syn-cookie"));
    assert_eq!(stats.packets("rate-limited"), 0);
    let (_, metrics) = world.agent.admin("/metrics").unwrap();
    let counted = |line: &str| line.contains(r#"verdict="syn-cookie",action="answer""#);
    assert!(metrics.lines().any(counted), "{metrics}");
}

/// The stack throws SYNs with a wrong checksum away, so those that are below the threshold remind
/// no socket of a flood; it takes up who was answered by the filter all the same.
#[test]
fn syns_that_the_stack_throws_away_refuse_no_client() {
    let world = World::running(
        "synspoilt",
        &json!({
            "interfaces": [{"name": WAN, "mode": "native"}],
            "syn_cookies": {"threshold": "50/s", "when": "always"},
            "rate_limits": {"untrusted": "unlimited"},
        }),
    );
    let attacker = world.host(Host::Attacker);
    let to = IpAddr::from(Host::Gateway.ip4());
    let flood = Flood::syn((to, 443).into())
        .from(Sources::spread4(65_536).unwrap())
        .packets(30_000)
        .per_second(10_000)
        .spoilt();
    let received = tcp_ext(&world, "SyncookiesRecv");
    let visits = std::thread::scope(|scope| {
        let flooding = scope.spawn(move || flood.run(attacker).unwrap());
        wait::until(SOON, "an account that is used up", || {
            (world.agent.stats().unwrap().packets("syn-cookie") > 1_000).then_some(())
        })
        .unwrap();
        let request = world.https_at(to, "/");
        let every = Duration::from_millis(20);
        let visitor = Visitor::start(world.host(Host::Client), vec![request], every).unwrap();
        wait::until(SOON, "visits under the flood", || {
            (visitor.count() >= 20).then_some(())
        })
        .unwrap();
        visitor.pause();
        flooding.join().unwrap();
        visitor.visits()
    });
    assert!(visits.failures.is_empty(), "{:?}", visits.failures);
    assert!(tcp_ext(&world, "SyncookiesRecv") - received >= 20);
}

#[test]
fn clients_get_through_a_flood_of_syns_in_native_mode() {
    flood("syn", "native");
}

#[test]
fn clients_get_through_a_flood_of_syns_in_generic_mode() {
    flood("syngeneric", "generic");
}

#[test]
fn the_stacks_setting_is_set_and_set_back() {
    let always = json!({"syn_cookies": {"when": "always"}});
    let mut world = World::prepared("synset", &always);
    set(&world, "1");
    world.agent.start().unwrap();
    let log = &["tcp_syncookies set to 2", r#""before":1"#];
    world.agent.logged(SOON, log).unwrap();
    assert_eq!(setting(&world), 2);
    let status = cookies(&world);
    assert_eq!(status["mode"], "enforce", "{status}");
    assert_eq!(status["threshold"], "1000/s", "{status}");
    assert_eq!(status["why"], Value::Null, "{status}");
    let endpoints = status["endpoints"].as_u64().unwrap();

    // Killed: the filter goes on, so the setting stays, and the next one knows what it was.
    world.agent.kill().unwrap();
    assert_eq!(setting(&world), 2);
    world.agent.start().unwrap();
    world.agent.terminate().unwrap();
    assert_eq!(setting(&world), 1);

    // Killed and never started again.
    world.agent.start().unwrap();
    world.agent.kill().unwrap();
    assert_eq!(setting(&world), 2);
    let said = world.agent.gateway(["detach", "--yes"]).unwrap();
    let said = said.done().unwrap().out;
    assert!(said.contains("tcp_syncookies is 1 again"), "{said}");
    assert_eq!(setting(&world), 1);

    // A reload may want none.
    world.agent.start().unwrap();
    let off = world.config(&json!({"syn_cookies": {"mode": "off"}}));
    world.agent.configure(&off).unwrap();
    world.agent.gateway(["reload"]).unwrap().done().unwrap();
    assert_eq!(setting(&world), 1);
    assert_eq!(cookies(&world)["mode"], "off");
    world.agent.configure(&world.config(&always)).unwrap();
    world.agent.gateway(["reload"]).unwrap().done().unwrap();
    assert_eq!(setting(&world), 2);

    // An address comes; two listeners make two endpoints of it.
    let mut ip = world.host(Host::Gateway).command("ip");
    let add = ["address", "add", "10.77.1.200/24", "dev", WAN];
    assert!(ip.args(add).status().unwrap().success());
    wait::until(SOON, "the new address", || {
        let now = cookies(&world)["endpoints"].as_u64().unwrap();
        (now == endpoints + 2).then_some(())
    })
    .unwrap();

    // Somebody else sets it: the filter rests, and leaves it so.
    set(&world, "1");
    wait::until(SOON, "rest", || {
        let status = cookies(&world);
        let why = status["why"].as_str().unwrap_or_default();
        (status["mode"] == "off" && why.contains("is not 2 any more")).then_some(())
    })
    .unwrap();
    assert_eq!(setting(&world), 1);
    set(&world, "2");
    wait::until(SOON, "work", || {
        (cookies(&world)["mode"] == "enforce").then_some(())
    })
    .unwrap();
}

#[test]
fn in_peace_the_stack_is_left_alone_and_a_flood_makes_the_filter_ready() {
    let over = json!({"syn_cookies": {"threshold": "100/s"}});
    let mut world = World::prepared("synpeace", &over);
    set(&world, "1");
    world.agent.start().unwrap();
    assert_eq!(world.client(&world.https("/")).status, 200);
    let status = cookies(&world);
    assert_eq!(
        (&status["mode"], &status["ready"]),
        (&json!("enforce"), &json!(false))
    );
    assert_eq!(setting(&world), 1);
    let attacker = world.host(Host::Attacker);
    let flood = Flood::syn((Host::Gateway.ip4(), 443).into())
        .from(Sources::spread4(65_536).unwrap())
        .packets(30_000)
        .per_second(10_000);
    std::thread::scope(|scope| {
        scope.spawn(move || flood.run(attacker).unwrap());
        wait::until(SOON, "the first answer", || {
            (world.agent.stats().unwrap().packets("syn-cookie") > 0).then_some(())
        })
        .unwrap();
        assert_eq!(setting(&world), 2);
        assert_eq!(cookies(&world)["ready"], true);
        for _ in 0..5 {
            assert_eq!(world.client(&world.https("/")).status, 200);
        }
    });
    world.agent.logged(SOON, &["a flood of SYNs"]).unwrap();
    // A reload during the flood changes nothing of it, and the end of the agent sets it back.
    world.agent.gateway(["reload"]).unwrap().done().unwrap();
    assert_eq!(setting(&world), 2);
    world.agent.terminate().unwrap();
    assert_eq!(setting(&world), 1);
}
