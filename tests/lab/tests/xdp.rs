//! TCP through a native XDP program on the gateway's outside interface.
//!
//! Root is needed; without it these tests fail and say so.
#![cfg(test)]

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use gateway_lab::{Host, Lab, net, probe, xdp};

/// Bytes go both ways in pieces larger than any packet, so that segmentation and checksum offload
/// of the sender meet the receiver's XDP.
#[test]
fn bulk_tcp_passes_native_xdp_whole() {
    let lab = Lab::up("xdp").unwrap();
    xdp::attach_constant(&lab, net::WAN, xdp::PASS).unwrap();
    let sent: Vec<u8> = (0..4_000_000_u32).map(|n| (n % 251) as u8).collect();
    for address in [
        IpAddr::V4(Host::Gateway.ip4()),
        IpAddr::V6(Host::Gateway.ip6()),
    ] {
        let gateway = lab.host(Host::Gateway);
        let listener = gateway
            .in_ns(|| TcpListener::bind((address, 0)))
            .unwrap()
            .unwrap();
        let to = listener.local_addr().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut heard = Vec::new();
                stream.read_to_end(&mut heard).unwrap();
                stream.write_all(&heard).unwrap();
            });
            let connect = || TcpStream::connect_timeout(&to, Duration::from_secs(5));
            let mut stream = lab.host(Host::Client).in_ns(connect).unwrap().unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            stream.write_all(&sent).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut back = Vec::new();
            stream.read_to_end(&mut back).unwrap();
            assert!(
                back == sent,
                "{} of {} bytes came back whole",
                back.len(),
                sent.len()
            );
        });
    }
}

#[test]
fn a_native_drop_stops_what_would_have_arrived() {
    let lab = Lab::up("xdpdrop").unwrap();
    let gateway = lab.host(Host::Gateway);
    let listener = gateway
        .in_ns(|| TcpListener::bind(("::", 0)))
        .unwrap()
        .unwrap();
    let to = SocketAddr::from((Host::Gateway.ip4(), listener.local_addr().unwrap().port()));
    probe::tcp(lab.host(Host::Client), to, Duration::from_secs(5)).unwrap();

    xdp::attach_constant(&lab, net::WAN, xdp::DROP).unwrap();
    let before = gateway.counters(net::WAN).unwrap().rx_packets;
    let silence = probe::tcp(lab.host(Host::Client), to, Duration::from_millis(200));
    assert!(
        silence.is_err(),
        "a connection through a program that drops everything"
    );
    let after = gateway.counters(net::WAN).unwrap().rx_packets;
    assert!(
        after > before,
        "the interface should have seen the packets that XDP dropped"
    );
}
