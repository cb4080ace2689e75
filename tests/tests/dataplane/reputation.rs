//! Attack mode, on the host and in the kernel alike.

use gateway_agent::datapath::DatapathError;
use gateway_common::{
    Verdict::{
        self, DestinationLimited, Pass, PortLimited, RateLimited, UnknownLimited, WouldLimit,
    },
    limiter::TICK_NANOS,
    lists::{MODE_ENFORCE, MODE_SHADOW},
    settings::{CLASS_KNOWN, CLASS_UNKNOWN, Further, LIMIT_CLASSES, Limit, PortLimit},
    time::Nanos,
};
use gateway_tests::{
    kernel::Kernel,
    oracle::Memory,
    packet::{Ipv4, Ipv6, Packet, Transport, flags},
    setup::{FUTURE, PAST, Setup, zone},
};

/// So many at once, and the next in an hour: no run lasts as long.
fn at_once(count: u64) -> Limit {
    let hour = Nanos::from_secs(3_600);
    Limit::new(1, hour, Nanos(hour.0 * (count - 1)), MODE_ENFORCE)
}

/// Four for those who are known and for everybody in peace, two for strangers, three in the zone.
fn limits() -> [Limit; LIMIT_CLASSES] {
    let mut limits = [Limit::default(); LIMIT_CLASSES];
    limits[0] = at_once(4);
    limits[1] = at_once(3);
    limits[CLASS_KNOWN] = at_once(4);
    limits[CLASS_UNKNOWN] = at_once(2);
    limits
}

fn v4(last: u8) -> Vec<u8> {
    let udp = Ipv4::new([198, 51, 100, last], [192, 0, 2, 1], Transport::udp(1, 53));
    Packet::from(udp).bytes()
}

fn v6(subnet: u16, host: u16) -> Vec<u8> {
    let source = [0x2001, 0xdb8, 1, subnet, 0, 0, 0, host];
    Packet::from(Ipv6::new(source, [9; 8], Transport::udp(1, 2))).bytes()
}

/// What it is about, a frame, how often it is sent, and how many of each verdict come of it.
type Row<'a> = (&'a str, Vec<u8>, u32, &'a [(Verdict, u64)]);

/// Sends each frame through both, and expects the same of them.
fn check(setup: &Setup, rows: &[Row<'_>]) -> Result<(), DatapathError> {
    let memory = Memory::with(setup, 7);
    let kernel = Kernel::with(setup)?;
    for (name, frame, times, expected) in rows {
        let mut host: Vec<(Verdict, u64)> = Vec::new();
        for _ in 0..*times {
            let verdict = memory.decide(frame).verdict;
            match host.iter_mut().find(|(met, _)| *met == verdict) {
                Some((_, count)) => *count += 1,
                None => host.push((verdict, 1)),
            }
        }
        host.sort();
        assert_eq!(host, *expected, "{name} on the host");
        let (_, moved) = kernel.run(frame, *times)?;
        let moved: Vec<_> = moved.iter().map(|m| (m.verdict, m.packets)).collect();
        assert_eq!(moved, *expected, "{name} in the kernel");
    }
    Ok(())
}

#[test]
fn strangers_get_less_and_the_known_keep_theirs() -> Result<(), DatapathError> {
    let setup = Setup::of([zone("198.51.100.64/26", 1)])
        .limits(&limits())
        .attack(&[
            ("198.51.100.1", FUTURE),
            ("198.51.100.2", PAST),
            ("2001:db8:1:1::77", FUTURE),
        ]);
    check(
        &setup,
        &[
            ("known", v4(1), 6, &[(Pass, 4), (RateLimited, 2)]),
            (
                "no longer known",
                v4(2),
                6,
                &[(Pass, 2), (UnknownLimited, 4)],
            ),
            ("never known", v4(3), 6, &[(Pass, 2), (UnknownLimited, 4)]),
            ("in a zone", v4(65), 6, &[(Pass, 3), (RateLimited, 3)]),
            (
                "known by its /64",
                v6(1, 5),
                6,
                &[(Pass, 4), (RateLimited, 2)],
            ),
            ("beside it", v6(2, 5), 6, &[(Pass, 2), (UnknownLimited, 4)]),
        ],
    )
}

#[test]
fn in_peace_nobody_need_be_known() -> Result<(), DatapathError> {
    let mut setup = Setup::default().limits(&limits()).attack(&[]);
    setup.attack = false;
    let expected = [(Pass, 4), (RateLimited, 2)];
    check(&setup, &[("anybody", v4(3), 6, &expected)])
}

#[test]
fn a_limit_for_strangers_can_only_watch() -> Result<(), DatapathError> {
    let mut limits = limits();
    limits[CLASS_UNKNOWN].mode = MODE_SHADOW.into();
    let setup = Setup::default().limits(&limits).attack(&[]);
    let expected = [(Pass, 2), (WouldLimit, 3)];
    check(&setup, &[("a stranger", v4(3), 5, &expected)])
}

#[test]
fn what_strangers_send_to_a_network_is_not_held_against_the_known() -> Result<(), DatapathError> {
    let mut further = Further {
        destinations: at_once(2),
        ..Further::default()
    };
    further.ports[0] = PortLimit {
        first: 53,
        last: 53,
        protocol: 17,
        limit: at_once(3),
    };
    let setup = Setup::default()
        .limits(&[])
        .further(further)
        .attack(&[("198.51.100.1", FUTURE)]);
    check(
        &setup,
        &[
            (
                "a stranger",
                v4(3),
                3,
                &[(Pass, 2), (DestinationLimited, 1)],
            ),
            (
                "known, to a port with a limit",
                v4(1),
                5,
                &[(Pass, 3), (PortLimited, 2)],
            ),
        ],
    )
}

#[test]
fn a_stranger_pays_its_penalty() -> Result<(), DatapathError> {
    let further = Further {
        penalty: 1_000_000_000 / TICK_NANOS,
        ..Further::default()
    };
    let setup = Setup::default()
        .limits(&limits())
        .further(further)
        .attack(&[]);
    let expected = [(Pass, 2), (Verdict::PenaltyBox, 3), (UnknownLimited, 1)];
    check(&setup, &[("a stranger", v4(3), 6, &expected)])
}

#[test]
fn openings_are_counted_whatever_becomes_of_them() -> Result<(), DatapathError> {
    let setup = Setup::default().limits(&limits()).attack(&[]);
    let memory = Memory::with(&setup, 7);
    let kernel = Kernel::with(&setup)?;
    let tcp = |flags| {
        let source = [198, 51, 100, 9];
        Packet::from(Ipv4::new(source, [192, 0, 2, 1], Transport::tcp(flags))).bytes()
    };
    for frame in [
        tcp(flags::SYN),
        tcp(flags::ACK),
        tcp(flags::SYN | flags::ACK),
    ] {
        for _ in 0..5 {
            assert_eq!(memory.decide(&frame).rule, 0);
        }
        kernel.run(&frame, 5)?;
        // A question opens nothing.
        kernel.probe(&frame)?;
    }
    assert_eq!(memory.openings(), 5);
    assert_eq!(kernel.datapath.openings_of(0)?, 5);
    Ok(())
}
