//! The lab as a network: who reaches whom, and what arrives of what was sent.
//!
//! Root is needed; without it these tests fail and say so.
#![cfg(test)]

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use gateway_lab::{Flood, Host, Lab, Sources, net, probe, wait};

const SOON: Duration = Duration::from_secs(10);

fn addresses(host: Host) -> [IpAddr; 2] {
    [host.ip4().into(), host.ip6().into()]
}

#[test]
fn hosts_reach_each_other_by_both_families() {
    let lab = Lab::up("reach").unwrap();
    let outside = [Host::Client, Host::Attacker, Host::Gateway];
    let pairs = outside.into_iter().flat_map(|a| outside.map(|b| (a, b)));
    for (from, to) in pairs.chain([(Host::Gateway, Host::Upstream)]) {
        for address in addresses(to) {
            let pings = probe::ping(lab.host(from), address, 3).unwrap();
            assert_eq!((pings.sent, pings.received), (3, 3), "{from} to {address}");
        }
    }
}

#[test]
fn nothing_passes_the_gateway_by_routing() {
    let lab = Lab::up("noroute").unwrap();
    for address in addresses(Host::Upstream) {
        let error = probe::ping(lab.host(Host::Client), address, 1).unwrap_err();
        assert!(format!("{error:#}").contains("unreachable"), "{error:#}");
    }
}

#[test]
fn the_machine_sees_no_interface_of_the_lab() {
    let _lab = Lab::up("hidden").unwrap();
    let seen = std::fs::read_to_string("/proc/net/dev").unwrap();
    for name in [net::WAN, net::LAN, "br0"] {
        assert!(!seen.contains(name), "{name} shows on the machine:\n{seen}");
    }
}

#[test]
fn datagrams_arrive_in_exactly_the_number_sent() {
    let lab = Lab::up("exact").unwrap();
    for address in addresses(Host::Gateway) {
        let before = lab
            .host(Host::Gateway)
            .counters(net::WAN)
            .unwrap()
            .rx_packets;
        let socket = lab
            .host(Host::Gateway)
            .in_ns(|| UdpSocket::bind((address, 0)))
            .unwrap();
        let socket = socket.unwrap();
        let to = socket.local_addr().unwrap();
        probe::udp(lab.host(Host::Client), to, 40, b"x").unwrap();
        assert_eq!(received(&socket, 40), vec![1; 40]);
        let after = lab
            .host(Host::Gateway)
            .counters(net::WAN)
            .unwrap()
            .rx_packets;
        assert!(after >= before + 40, "{before} {after}");
    }
}

#[test]
fn spoofed_datagrams_reach_a_socket_with_their_false_sources() {
    let lab = Lab::up("spoof").unwrap();
    for (address, sources) in addresses(Host::Gateway)
        .into_iter()
        .zip([Sources::spread4(64).unwrap(), Sources::spread6(64).unwrap()])
    {
        let socket = lab
            .host(Host::Gateway)
            .in_ns(|| UdpSocket::bind((address, 0)))
            .unwrap();
        let socket = socket.unwrap();
        let flooded = Flood::udp(socket.local_addr().unwrap(), b"spoofed")
            .from(sources.clone())
            .packets(64)
            .per_second(10_000)
            .run(lab.host(Host::Attacker))
            .unwrap();
        assert_eq!(flooded.sent, 64);
        assert!(
            flooded.took >= Duration::from_millis(6),
            "{:?}",
            flooded.took
        );
        socket.set_read_timeout(Some(SOON)).unwrap();
        for turn in 0..64 {
            let mut buffer = [0; 64];
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"spoofed");
            assert_eq!(from.ip(), sources.nth(turn));
        }
    }
}

#[test]
fn the_attacker_may_connect_from_any_spoofable_address() {
    let lab = Lab::up("anyip").unwrap();
    for (address, source) in addresses(Host::Gateway)
        .into_iter()
        .zip(["198.19.7.7", "2001:2:0:9::1"])
    {
        let listener = lab
            .host(Host::Gateway)
            .in_ns(|| TcpListener::bind((address, 0)));
        let listener = listener.unwrap().unwrap();
        let url = format!("telnet://{}", listener.local_addr().unwrap());
        let mut curl = lab
            .host(Host::Attacker)
            .command("curl")
            .args(["--silent", "--max-time", "10", "--interface", source, &url])
            .stdin(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let (_stream, peer) = listener.accept().unwrap();
        assert_eq!(peer.ip(), source.parse::<IpAddr>().unwrap());
        drop(_stream);
        curl.wait().unwrap();
    }
}

#[test]
fn a_fast_flood_is_taken_whole_by_the_interface() {
    let lab = Lab::up("flood").unwrap();
    let to = SocketAddr::from((Host::Gateway.ip4(), 9));
    let before = lab
        .host(Host::Attacker)
        .counters(net::ETH)
        .unwrap()
        .tx_packets;
    let flooded = Flood::syn(to)
        .from(Sources::spread4(65_536).unwrap())
        .packets(20_000)
        .run(lab.host(Host::Attacker))
        .unwrap();
    let after = lab
        .host(Host::Attacker)
        .counters(net::ETH)
        .unwrap()
        .tx_packets;
    println!("{:.0} frames per second", flooded.rate());
    assert!(after - before >= 20_000, "{before} {after}");
}

#[test]
fn an_origin_answers_the_gateway_by_both_families() {
    let lab = Lab::up("origin").unwrap();
    let origin = lab.origin(0).unwrap();
    for host in [
        Host::Upstream.ip4().to_string(),
        format!("[{}]", Host::Upstream.ip6()),
    ] {
        let url = format!("http://{host}:{}/hello", origin.port());
        let out = lab
            .host(Host::Gateway)
            .command("curl")
            .args(["--silent", "--max-time", "10", "-H", "X-Lab: yes", &url])
            .output()
            .unwrap();
        let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(said["target"], "/hello");
        assert_eq!(said["headers"]["x-lab"][0], "yes");
    }
    assert_eq!(origin.requests(), 2);
}

#[test]
fn sockets_stay_in_the_host_where_they_were_made() {
    let lab = Lab::up("sockets").unwrap();
    let listener = lab
        .host(Host::Gateway)
        .in_ns(|| TcpListener::bind(("::", 0)))
        .unwrap()
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = SocketAddr::from((Host::Gateway.ip6(), port));
    probe::tcp(lab.host(Host::Client), to, SOON).unwrap();
    assert!(TcpStream::connect_timeout(&to, Duration::from_millis(200)).is_err());
}

#[test]
fn the_environment_names_what_is_there() {
    let lab = Lab::up("env").unwrap();
    let environment: std::collections::HashMap<_, _> = lab.environment().into_iter().collect();
    assert_eq!(environment["LAB_GATEWAY4"], "10.77.1.1");
    assert_eq!(environment["LAB_UPSTREAM6"], "fd77:0:0:2::2");
    for path in ["LAB_NETNS_CLIENT", "LAB_PINS", "LAB_STATE"] {
        assert!(std::fs::exists(&environment[path]).unwrap(), "{path}");
    }
}

/// The lengths of the next datagrams; fails when they do not come.
fn received(socket: &UdpSocket, count: usize) -> Vec<usize> {
    socket.set_nonblocking(true).unwrap();
    let mut lengths = Vec::new();
    wait::until(SOON, &format!("{count} datagrams"), || {
        while let Ok(length) = socket.recv(&mut [0; 64]) {
            lengths.push(length);
        }
        (lengths.len() >= count).then_some(())
    })
    .unwrap();
    lengths
}
