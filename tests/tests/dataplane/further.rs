//! The limits besides the packet rate, on the host and in the kernel alike.

use gateway_agent::datapath::DatapathError;
use gateway_common::{
    Verdict::{
        self, ByteLimited, ConnectionLimited, CountryLimited, DestinationLimited, Pass, PenaltyBox,
        PortLimited, RateLimited, SiteLimited, UnknownLimited, WouldLimit,
    },
    limiter::TICK_NANOS,
    lists::{MODE_ENFORCE, MODE_SHADOW},
    settings::{CLASS_KNOWN, CLASS_LIMITED, CLASS_UNKNOWN, Further, Limit, PortLimit},
    time::Nanos,
};
use gateway_tests::{
    kernel::Kernel,
    oracle::Memory,
    packet::{Ipv4, Ipv6, Packet, Transport, flags, protocol},
    setup::{FUTURE, Setup, zone},
};

/// So many at once, and the next in an hour: no run lasts as long.
fn at_once(count: u64) -> Limit {
    let hour = Nanos::from_secs(3_600);
    Limit::new(1, hour, Nanos(hour.0 * (count - 1)), MODE_ENFORCE)
}

fn watched(limit: Limit) -> Limit {
    Limit {
        mode: MODE_SHADOW.into(),
        ..limit
    }
}

fn v4(source: [u8; 4], to: [u8; 4], transport: Transport) -> Vec<u8> {
    Packet::from(Ipv4::new(source, to, transport)).bytes()
}

fn v6(source: [u16; 8]) -> Vec<u8> {
    Packet::from(Ipv6::new(source, [9; 8], Transport::udp(1, 2))).bytes()
}

const A: [u8; 4] = [198, 51, 100, 7];
const B: [u8; 4] = [198, 51, 100, 8];
const HERE: [u8; 4] = [192, 0, 2, 1];

/// Sends the frames one after the other, on the host and through the loaded program, which is
/// asked before each: asking charges nobody.
fn check(setup: &Setup, frames: &[(Vec<u8>, Verdict)]) -> Result<(), DatapathError> {
    let memory = Memory::with(setup, 7);
    let kernel = Kernel::with(setup)?;
    for (nth, (frame, expected)) in frames.iter().enumerate() {
        let host = memory.decide(frame).verdict;
        assert_eq!(host, *expected, "frame {nth} on the host");
        for _ in 0..2 {
            let asked = kernel.probe(frame)?.verdict;
            assert_eq!(asked, *expected, "frame {nth} when asked about");
        }
        let (_, moved) = kernel.run(frame, 1)?;
        let [moved] = &moved[..] else {
            panic!("frame {nth} moved {moved:?}");
        };
        assert_eq!(
            (moved.verdict, moved.packets),
            (*expected, 1),
            "frame {nth}"
        );
    }
    Ok(())
}

#[test]
fn bytes_are_charged_by_the_length_of_the_frame() -> Result<(), DatapathError> {
    let hour = Nanos::from_secs(3_600);
    let mut further = Further::default();
    // 4 KiB at once: four frames of a kilobyte run ahead by no more than that.
    further.bytes[0] = Limit::bytes(4_096, hour, hour, MODE_ENFORCE);
    let large = |source| {
        let udp = Ipv4::new(source, HERE, Transport::udp(1, 2));
        Packet::from(udp).padded(1_024).bytes()
    };
    let small = |source| v4(source, HERE, Transport::udp(1, 2));
    let mut frames = vec![(large(A), Pass); 5];
    frames.push((large(A), ByteLimited));
    frames.push((small(A), ByteLimited));
    frames.push((small(B), Pass));
    check(&Setup::default().further(further), &frames)
}

#[test]
fn connections_are_charged_by_what_opens_them() -> Result<(), DatapathError> {
    let mut further = Further::default();
    further.connections[0] = at_once(2);
    let tcp = |flags| v4(A, HERE, Transport::tcp(flags));
    check(
        &Setup::default().further(further),
        &[
            (tcp(flags::SYN), Pass),
            (tcp(flags::ACK), Pass),
            (tcp(flags::SYN | flags::ACK), Pass),
            (tcp(flags::SYN), Pass),
            (tcp(flags::SYN), ConnectionLimited),
            (tcp(flags::ACK), Pass),
            (v4(A, HERE, Transport::udp(1, 2)), Pass),
            (v4(B, HERE, Transport::syn()), Pass),
        ],
    )
}

#[test]
fn limits_hold_for_the_class_they_are_given() -> Result<(), DatapathError> {
    let mut further = Further {
        destinations: at_once(1),
        ..Further::default()
    };
    further.connections[1] = at_once(1);
    let setup = Setup::of([zone("198.51.100.7", 1)]).further(further);
    let syn = |source| v4(source, HERE, Transport::syn());
    check(
        &setup,
        &[
            (syn(A), Pass),
            (syn(A), ConnectionLimited),
            (syn(B), Pass),
            // What a zone sends is not counted against the destination.
            (syn(B), DestinationLimited),
        ],
    )
}

#[test]
fn sites_hold_the_subnets_of_ipv6() -> Result<(), DatapathError> {
    let further = Further {
        sites: [at_once(2), at_once(4)],
        ..Further::default()
    };
    let subnet = |site: u16, subnet: u16| v6([0x2001, 0xdb8, site, subnet, 0, 0, 0, 1]);
    check(
        &Setup::default().further(further),
        &[
            (subnet(1, 0x0001), Pass),
            (subnet(1, 0x0002), Pass),
            (subnet(1, 0x0003), SiteLimited),
            (subnet(1, 0x0101), Pass),
            // The /48 has had four: the one that its /56 refused did not reach it.
            (subnet(1, 0x0201), Pass),
            (subnet(1, 0x0301), SiteLimited),
            (subnet(2, 0x0001), Pass),
            (v6([0xfe80, 0, 0, 0, 0, 0, 0, 1]), Pass),
            (v6([0xfe80, 0, 0, 0, 0, 0, 0, 2]), Pass),
            (v6([0xfe80, 0, 0, 0, 0, 0, 0, 3]), Pass),
        ],
    )
}

#[test]
fn ports_have_accounts_of_their_own() -> Result<(), DatapathError> {
    let mut further = Further::default();
    let group = |first, last, protocol: u8, count| PortLimit {
        first,
        last,
        protocol: protocol.into(),
        limit: at_once(count),
    };
    further.ports[0] = group(53, 53, protocol::UDP, 1);
    further.ports[7] = group(8_000, 8_999, protocol::UDP, 2);
    let udp = |port| v4(A, HERE, Transport::udp(1, port));
    check(
        &Setup::default().further(further),
        &[
            (udp(53), Pass),
            (udp(53), PortLimited),
            (v4(A, HERE, Transport::tcp(flags::ACK)), Pass),
            (udp(7_999), Pass),
            (udp(8_000), Pass),
            (udp(8_999), Pass),
            (udp(8_500), PortLimited),
            (udp(9_000), Pass),
            (v4(B, HERE, Transport::udp(1, 53)), Pass),
        ],
    )
}

#[test]
fn destinations_are_guarded_by_the_network() -> Result<(), DatapathError> {
    let further = Further {
        destinations: at_once(3),
        ..Further::default()
    };
    let to = |source, to| v4(source, to, Transport::udp(1, 2));
    check(
        &Setup::default().further(further),
        &[
            (to(A, [192, 0, 2, 1]), Pass),
            (to(B, [192, 0, 2, 2]), Pass),
            (to([8, 8, 8, 8], [192, 0, 2, 3]), Pass),
            (to([9, 9, 9, 9], [192, 0, 2, 4]), DestinationLimited),
            (to([9, 9, 9, 9], [192, 0, 3, 4]), Pass),
        ],
    )
}

#[test]
fn a_watched_limit_lets_pass_and_one_in_force_still_drops() -> Result<(), DatapathError> {
    let mut further = Further {
        destinations: watched(at_once(1)),
        ..Further::default()
    };
    further.connections[0] = at_once(2);
    let syn = || v4(A, HERE, Transport::syn());
    check(
        &Setup::default().further(further),
        &[
            (syn(), Pass),
            (syn(), WouldLimit),
            (syn(), ConnectionLimited),
        ],
    )
}

#[test]
fn a_source_over_its_rate_sits_out_its_penalty() -> Result<(), DatapathError> {
    let second = 1_000_000_000;
    // Ten a second, three at once, then ten seconds out.
    let rate = Limit::new(10, Nanos(second), Nanos(second / 5), MODE_ENFORCE);
    let further = Further {
        penalty: 10 * second / TICK_NANOS,
        ..Further::default()
    };
    let setup = Setup::default().limits(&[rate]).further(further);
    let memory = Memory::with(&setup, 7);
    let udp = |source| v4(source, HERE, Transport::udp(1, 2));
    let start = 100 * second;
    let at = |millis: u64, source| {
        memory.set_now(Nanos(start + millis * 1_000_000));
        memory.decide(&udp(source)).verdict
    };
    for _ in 0..3 {
        assert_eq!(at(0, A), Pass);
    }
    assert_eq!(at(0, A), RateLimited);
    for later in [0, 1_000, 9_900] {
        assert_eq!(at(later, A), PenaltyBox, "after {later} ms");
    }
    assert_eq!(at(9_900, B), Pass);
    // It comes out with what its rate gives it, and no burst.
    assert_eq!(at(10_110, A), Pass);
    assert_eq!(at(10_110, A), RateLimited);
    assert_eq!(at(20_100, A), PenaltyBox);

    let kernel = Kernel::with(&setup)?;
    let (_, moved) = kernel.run(&udp(A), 10)?;
    let moved: Vec<_> = moved.iter().map(|m| (m.verdict, m.packets)).collect();
    assert_eq!(moved, [(Pass, 3), (RateLimited, 1), (PenaltyBox, 6)]);
    assert_eq!(kernel.probe(&udp(A))?.verdict, PenaltyBox);
    assert_eq!(kernel.probe(&udp(B))?.verdict, Pass);
    Ok(())
}

/// A country, and a trusted network inside it.
fn country() -> Setup {
    let class = CLASS_LIMITED as u8;
    Setup::of([
        zone("198.51.0.0/16", class),
        zone("198.51.100.8", 1),
        zone("2001:db8::/32", class),
    ])
}

#[test]
fn sources_of_a_country_are_held_to_its_limit_and_to_all_others() -> Result<(), DatapathError> {
    let further = Further {
        countries: at_once(2),
        destinations: at_once(5),
        ..Further::default()
    };
    let udp = |source| v4(source, HERE, Transport::udp(1, 2));
    let other = [198, 51, 7, 7];
    check(
        &country().further(further),
        &[
            (udp(A), Pass),
            (udp(A), Pass),
            (udp(A), CountryLimited),
            // Each source by itself; a trusted network inside the country is none of it.
            (udp(other), Pass),
            (udp(B), Pass),
            (udp(B), Pass),
            (udp(B), Pass),
            (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]), Pass),
            (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2]), Pass),
            (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 3]), CountryLimited),
            // Three of the country have come to this network: what holds for strangers holds here.
            (udp([8, 8, 8, 8]), Pass),
            (udp([8, 8, 8, 8]), Pass),
            (udp(other), DestinationLimited),
        ],
    )
}

#[test]
fn a_countrys_limit_in_shadow_mode_leaves_the_others_in_force() -> Result<(), DatapathError> {
    let further = Further {
        countries: watched(at_once(1)),
        penalty: 1 << 30,
        ..Further::default()
    };
    let udp = || v4(A, HERE, Transport::udp(1, 2));
    let mut limits = vec![Limit::default(); CLASS_LIMITED];
    limits.push(at_once(3));
    check(
        &country().limits(&limits).further(further),
        &[
            (udp(), Pass),
            (udp(), WouldLimit),
            (udp(), WouldLimit),
            (udp(), RateLimited),
            (udp(), PenaltyBox),
        ],
    )
}

#[test]
fn attack_mode_holds_strangers_of_a_country_to_both() -> Result<(), DatapathError> {
    let further = Further {
        countries: at_once(2),
        ..Further::default()
    };
    let mut limits = vec![Limit::default(); CLASS_KNOWN + 1];
    limits[CLASS_UNKNOWN] = at_once(1);
    let known = [198, 51, 7, 7];
    let setup = country().limits(&limits).further(further);
    let udp = |source| v4(source, HERE, Transport::udp(1, 2));
    check(
        &setup.attack(&[("198.51.7.7", FUTURE)]),
        &[
            (udp(A), Pass),
            (udp(A), UnknownLimited),
            (udp(known), Pass),
            (udp(known), Pass),
            (udp(known), CountryLimited),
        ],
    )
}
