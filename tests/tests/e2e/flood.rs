//! Packets in numbers.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_lab::net::WAN;
use gateway_lab::{Drawn, Flood, Host, Sources, Trafgen, Visitor, wait};
use serde_json::json;

use super::world::{SOON, World};

#[test]
fn a_flood_is_held_to_the_packet_limit_and_a_client_does_not_notice() {
    let world = World::running(
        "flood",
        &json!({
            "packet_limits": {"untrusted": "1000/s", "burst": "500ms"},
            "rate_limits": {"untrusted": "unlimited"},
            // What they do in a flood has tests of its own.
            "attack_mode": {"trigger": "off"},
            "syn_cookies": {"mode": "off"},
        }),
    );
    let requests = vec![
        world.https("/"),
        world.https_at(Host::Gateway.ip6().into(), "/"),
    ];
    let every = Duration::from_millis(40);
    let visitor = Visitor::start(world.host(Host::Client), requests, every).unwrap();
    wait::until(SOON, "a visit", || (visitor.count() > 0).then_some(())).unwrap();
    let attacker = world.host(Host::Attacker);
    for (to, sources, spread) in [
        (
            Host::Gateway.ip4().into(),
            Sources::spread4(4),
            Sources::spread4(16_384),
        ),
        (
            Host::Gateway.ip6().into(),
            Sources::spread6(4),
            Sources::spread6(16_384),
        ),
    ] {
        let to: std::net::IpAddr = to;
        let flood = Flood::syn((to, 443).into());
        let before = world.agent.stats().unwrap().packets("rate-limited");
        flood
            .clone()
            .from(spread.unwrap())
            .packets(16_384)
            .per_second(40_000)
            .run(attacker)
            .unwrap();
        let innocent = world.agent.stats().unwrap().packets("rate-limited") - before;
        assert_eq!(
            innocent, 0,
            "a source with one packet is not over any limit"
        );
        flood
            .from(sources.unwrap())
            .packets(40_000)
            .per_second(40_000)
            .run(attacker)
            .unwrap();
        let dropped = world.agent.stats().unwrap().packets("rate-limited") - before;
        // Four sources of 10,000 packets each in a second, of which 1,500 may pass.
        assert!(
            (30_000..=38_000).contains(&dropped),
            "{dropped} of 40000 were dropped"
        );
    }
    visitor.pause();
    let visits = visitor.visits();
    assert!(visits.failures.is_empty(), "{:?}", visits.failures);
    let slowest = visits.percentile(100);
    assert!(
        slowest < Duration::from_secs(2),
        "a request took {slowest:?}"
    );
}

/// Frames that come the ordinary way, as fast as another program makes them, against a stock
/// configuration.
#[test]
fn a_client_is_served_while_trafgen_floods_from_denied_and_from_random_sources() {
    const PACKETS: u64 = 200_000;
    let world = World::running(
        "trafgen",
        &json!({"rate_limits": {"untrusted": "unlimited"}}),
    );
    let deny = world.agent.gateway(["deny", "add", "198.18.0.0/16"]);
    deny.unwrap().done().unwrap();
    // As a host on the Internet has one: the stack answers no source that it has no route to.
    let via = Host::Attacker.ip4().to_string();
    let mut route = world.host(Host::Gateway).command("ip");
    route.args(["route", "add", "default", "via", &via, "dev", WAN]);
    assert!(route.status().unwrap().success());
    let every = Duration::from_millis(20);
    let visitor = Visitor::start(world.host(Host::Client), vec![world.https("/")], every).unwrap();
    wait::until(SOON, "a visit", || (visitor.count() > 0).then_some(())).unwrap();
    let to = SocketAddrV4::new(Host::Gateway.ip4(), 443);
    let arrived = || {
        let counters = world.host(Host::Gateway).counters(WAN);
        counters.unwrap().rx_packets
    };
    for sources in [Drawn::Within([198, 18]), Drawn::Anywhere] {
        let visits = visitor.count();
        let (before, denied) = (
            arrived(),
            world.agent.stats().unwrap().packets("denied-prefix"),
        );
        let flood = Trafgen::syn(to, sources, PACKETS);
        let flooded = flood
            .start(world.host(Host::Attacker))
            .unwrap()
            .wait(SOON)
            .unwrap();
        assert_eq!(flooded.sent, PACKETS);
        wait::until(SOON, "visits", || {
            (visitor.count() >= visits + 5).then_some(())
        })
        .unwrap();
        let arrived = arrived() - before;
        let denied = world.agent.stats().unwrap().packets("denied-prefix") - denied;
        assert!(arrived >= PACKETS / 2, "{arrived} of {PACKETS} arrived");
        match sources {
            // The client's own packets arrive too, and are few.
            Drawn::Within(_) => assert!(
                denied <= PACKETS && arrived - denied < PACKETS / 20,
                "{denied} of {arrived} were dropped"
            ),
            // One address in 65,536 is denied.
            Drawn::Anywhere => assert!(denied < PACKETS / 1000, "{denied} were denied"),
        }
    }
    visitor.pause();
    let visits = visitor.visits();
    assert!(visits.failures.is_empty(), "{:?}", visits.failures);
    let slowest = visits.percentile(100);
    assert!(slowest < SOON / 2, "a request took {slowest:?}");
}

#[test]
fn in_shadow_mode_the_limit_only_counts() {
    let world = World::running(
        "floodshadow",
        &json!({
            "packet_limits": {"untrusted": "100/s", "burst": "100ms", "mode": "shadow"},
        }),
    );
    world.send("198.18.0.1".parse().unwrap(), 2_000);
    let stats = world.agent.stats().unwrap();
    assert!(
        stats.packets("would-limit") >= 1_500,
        "{}",
        stats.packets("would-limit")
    );
    assert_eq!(stats.packets("rate-limited"), 0);
}

/// An Ethernet frame from the attacker with an IPv4 packet of this length, source and payload,
/// whose protocol is TCP.
fn frame(length: u8, source: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let mut frame = [Host::Gateway.mac(), Host::Attacker.mac()].concat();
    frame.extend([0x08, 0x00, 0x45, 0, 0, length, 0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(source.octets());
    frame.extend(Host::Gateway.ip4().octets());
    frame.extend(payload);
    frame
}

#[test]
fn broken_packets_are_dropped_and_counted_by_their_defect() {
    let world = World::running("broken", &json!({}));
    let (attacker, gateway) = (Host::Attacker.ip4(), Host::Gateway.ip4());
    // Ports and numbers of a TCP header, whose 14th byte has the flags.
    let tcp = |flags| {
        [
            &[0xc0, 0, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50][..],
            &[flags; 7],
        ]
        .concat()
    };
    let (syn, syn_fin) = (0x02, 0x03);
    for (verdict, frame) in [
        ("truncated", frame(28, attacker, &tcp(syn)[..8])),
        ("bad-length", frame(200, attacker, &tcp(syn))),
        ("bad-tcp-flags", frame(40, attacker, &tcp(syn_fin))),
        ("land", frame(40, gateway, &tcp(syn))),
        ("bad-source", frame(40, Ipv4Addr::LOCALHOST, &tcp(syn))),
    ] {
        let before = world.agent.stats().unwrap().packets(verdict);
        let sent = world
            .host(Host::Attacker)
            .inject([frame.as_slice(); 10])
            .unwrap();
        let counted = wait::until(SOON, verdict, || {
            let now = world.agent.stats().unwrap().packets(verdict) - before;
            (now >= sent).then_some(now)
        });
        let seen = world.agent.stats().unwrap().into_value();
        assert_eq!(counted.ok(), Some(10), "{verdict}: {seen}");
    }
    assert_eq!(world.client(&world.https("/")).status, 200);
}
