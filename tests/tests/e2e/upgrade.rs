//! Replacing the agent, and with it the program, under load: every packet is accounted for.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use gateway_lab::net::WAN;
use gateway_lab::{Flood, Host, Node, wait};
use serde_json::json;

use super::world::{SOON, World};

/// Packets a second of each sender: as many as the wire between the namespaces takes without
/// loss on a machine that does other things too.
const RATE: u64 = 20_000;

/// A port that nobody listens on, so that the kernel counts each datagram that arrives.
const PORT: u16 = 9;

/// Sends datagrams until it is told to stop; says how many.
fn stream(from: &Node, stop: &AtomicBool, sent: &AtomicU64) {
    let to = (Host::Gateway.ip4(), PORT).into();
    let some = Flood::udp(to, b"counted")
        .packets(RATE / 20)
        .per_second(RATE);
    while !stop.load(Ordering::Acquire) {
        let flooded = some.run(from).unwrap();
        sent.fetch_add(flooded.sent, Ordering::AcqRel);
    }
}

/// Datagrams that reached the gateway host's UDP, for whichever port.
fn arrived(gateway: &Node) -> u64 {
    let read = || fs::read_to_string("/proc/thread-self/net/snmp");
    let text = gateway.in_ns(read).unwrap().unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, counts) = (lines.next().unwrap(), lines.next().unwrap());
    names
        .split(' ')
        .zip(counts.split(' '))
        .filter(|(name, _)| ["InDatagrams", "NoPorts", "InErrors"].contains(name))
        .map(|(_, count)| count.parse::<u64>().unwrap())
        .sum()
}

#[test]
fn an_upgrade_under_load_loses_no_packet_and_lets_no_denied_one_through() {
    let over = json!({"packet_limits": {"untrusted": "unlimited"}});
    let mut world = World::running("upgrade", &over);
    let attacker = Host::Attacker.ip4().to_string();
    let deny = ["deny", "add", attacker.as_str()];
    world.agent.gateway(deny).unwrap().done().unwrap();
    // Neighbours are known, so that nothing waits for them.
    assert_eq!(world.client(&world.https("/")).status, 200);

    let gateway = world.host(Host::Gateway).clone();
    let wire = || gateway.counters(WAN).unwrap();
    let (before, wire_before) = (world.agent.stats().unwrap(), wire());
    let arrived_before = arrived(&gateway);
    let stop = AtomicBool::new(false);
    let (clean, denied) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut programs = vec![world.xdp(WAN).unwrap()["prog"]["id"].clone()];
    let nodes = [Host::Client, Host::Attacker].map(|host| world.host(host).clone());
    thread::scope(|scope| {
        for (node, sent) in nodes.iter().zip([&clean, &denied]) {
            let stop = &stop;
            scope.spawn(move || stream(node, stop, sent));
        }
        let flows = |so_far: u64| clean.load(Ordering::Acquire) > so_far + RATE / 5;
        // One program is replaced after an orderly end, one after a death.
        for kill in [false, true] {
            let so_far = clean.load(Ordering::Acquire);
            wait::until(SOON, "the stream", || flows(so_far).then_some(())).unwrap();
            match kill {
                true => world.agent.kill().unwrap(),
                false => world.agent.terminate().unwrap(),
            };
            let so_far = clean.load(Ordering::Acquire);
            wait::until(SOON, "the stream", || flows(so_far).then_some(())).unwrap();
            world.agent.start().unwrap();
            programs.push(world.xdp(WAN).unwrap()["prog"]["id"].clone());
        }
        let so_far = clean.load(Ordering::Acquire);
        wait::until(SOON, "the stream", || flows(so_far).then_some(())).unwrap();
        stop.store(true, Ordering::Release);
    });
    programs.sort_by_key(|id| id.as_u64());
    programs.dedup();
    assert_eq!(programs.len(), 3, "the program was not replaced");

    let (clean, denied) = (clean.into_inner(), denied.into_inner());
    let lost = wire().rx_dropped - wire_before.rx_dropped;
    let counted =
        |verdict: &str| world.agent.stats().unwrap().packets(verdict) - before.packets(verdict);
    let all = || (counted("denied-exact") + lost >= denied).then_some(());
    let _ = wait::until(SOON, "all denied packets to be counted", all);
    let (dropped, reached) = (counted("denied-exact"), arrived(&gateway) - arrived_before);
    eprintln!(
        "clean: {clean} sent, {reached} arrived; denied: {denied} sent, {dropped} dropped; the \
         wire lost {lost}; {} passed",
        counted("pass")
    );
    assert!(clean > RATE / 2 && denied > RATE / 2, "that was no stream");
    assert_eq!(lost, 0, "the wire lost packets: nothing is proven");
    assert_eq!(dropped, denied, "denied packets passed");
    assert_eq!(reached, clean, "clean packets were lost");
    assert!(
        counted("pass") >= clean,
        "packets passed that were not counted"
    );
}
