//! Entries and limits in shadow mode are counted each by itself.

use gateway_agent::datapath::DatapathError;
use gateway_common::{
    Outcome, Verdict,
    counter::Hits,
    lists::{Entry, MODE_ENFORCE, MODE_SHADOW},
    rule::{LimitKind, limit},
    settings::{CLASS_UNKNOWN, Further, Limit, PortLimit},
    syncookie::Endpoint,
    tables::List,
    time::Nanos,
};
use gateway_tests::{
    kernel::Kernel,
    oracle::Memory,
    packet::{Ipv4, Packet, Transport, flags, protocol},
    setup::{Setup, shadow, zone},
};

#[test]
fn what_a_rule_would_have_dropped_is_counted_by_its_number() -> Result<(), DatapathError> {
    let mut kernel = Kernel::empty()?;
    for (prefix, rule, mode) in [
        ("198.51.100.0/24", 7, MODE_SHADOW),
        ("198.51.100.9", 8, MODE_SHADOW),
        ("203.0.113.0/24", 9, 0),
    ] {
        let entry = Entry {
            rule,
            mode,
            ..Entry::default()
        };
        kernel
            .datapath
            .insert(List::Deny, prefix.parse().unwrap(), entry)?;
    }
    let frame =
        |source: [u8; 4]| Packet::from(Ipv4::new(source, [192, 0, 2, 1], Transport::syn())).bytes();
    let mut bytes = 0;
    for (source, packets, verdict) in [
        ([198, 51, 100, 1], 3, Verdict::WouldDeny),
        ([198, 51, 100, 2], 2, Verdict::WouldDeny),
        ([198, 51, 100, 9], 4, Verdict::WouldDeny),
        ([203, 0, 113, 1], 5, Verdict::DeniedPrefix),
        ([192, 0, 2, 7], 6, Verdict::Pass),
    ] {
        let frame = frame(source);
        bytes = frame.len() as u64;
        let (_, moved) = kernel.run(&frame, packets)?;
        assert_eq!(moved[0].verdict, verdict, "{source:?}");
        // A question is not a packet.
        kernel.probe(&frame)?;
    }
    let counted = |packets| {
        Some(Hits {
            packets,
            bytes: packets * bytes,
        })
    };
    let datapath = &mut kernel.datapath;
    assert_eq!(datapath.would_drop(7)?, counted(5));
    assert_eq!(datapath.would_drop(8)?, counted(4));
    assert_eq!(datapath.would_drop(9)?, None, "it drops");
    let mut rules = datapath.counted_rules()?;
    rules.sort_unstable();
    assert_eq!(rules, [7, 8]);
    datapath.forget_count(7)?;
    datapath.forget_count(7)?;
    assert_eq!(
        (datapath.would_drop(7)?, datapath.would_drop(8)?),
        (None, counted(4))
    );
    Ok(())
}

/// So many at once, and the next in an hour: no run lasts as long.
fn at_once(count: u64, mode: u8) -> Limit {
    let hour = Nanos::from_secs(3_600);
    Limit::new(1, hour, Nanos(hour.0 * (count - 1)), mode)
}

const HERE: [u8; 4] = [192, 0, 2, 1];

fn from(source: [u8; 4], transport: Transport) -> Vec<u8> {
    Packet::from(Ipv4::new(source, HERE, transport)).bytes()
}

/// Sends the frames one after the other, on the host and through the loaded program, which is
/// asked before; what each limit counted must be what the host named.
fn check(setup: &Setup, frames: &[(&[u8], Verdict, u32)]) -> Result<Kernel, DatapathError> {
    let memory = Memory::with(setup, 7);
    let kernel = Kernel::with(setup)?;
    let mut named = std::collections::BTreeMap::<u32, Hits>::new();
    for (nth, (frame, verdict, rule)) in frames.iter().enumerate() {
        let expected = Outcome {
            verdict: *verdict,
            rule: *rule,
        };
        assert_eq!(memory.decide(frame), expected, "frame {nth} on the host");
        assert_eq!(
            kernel.probe(frame)?,
            expected,
            "frame {nth} when asked about"
        );
        let (_, moved) = kernel.run(frame, 1)?;
        assert_eq!(
            (moved.len(), moved[0].verdict),
            (1, *verdict),
            "frame {nth}"
        );
        if *rule != 0 {
            let hits = named.entry(*rule).or_default();
            hits.packets += 1;
            hits.bytes += frame.len() as u64;
        }
    }
    for (rule, hits) in &named {
        assert_eq!(kernel.datapath.would_drop(*rule)?, Some(*hits), "{rule:x}");
    }
    let mut counted = kernel.datapath.counted_rules()?;
    counted.sort_unstable();
    assert_eq!(counted, named.into_keys().collect::<Vec<_>>());
    Ok(kernel)
}

#[test]
fn each_limit_in_shadow_mode_is_counted_by_itself() -> Result<(), DatapathError> {
    let a = [198, 51, 100, 7];
    let b = [198, 51, 100, 8];
    let in_zone = [10, 0, 0, 1];
    let mut further = Further {
        destinations: at_once(2, MODE_SHADOW),
        ..Further::default()
    };
    further.bytes[3] = Limit::bytes(1, Nanos::from_secs(3_600), Nanos::ZERO, MODE_SHADOW);
    further.connections[0] = at_once(1, MODE_SHADOW);
    further.ports[5] = PortLimit {
        first: 53,
        last: 53,
        protocol: u32::from(protocol::UDP),
        limit: at_once(1, MODE_SHADOW),
    };
    further.ports[6] = PortLimit {
        first: 99,
        last: 99,
        protocol: u32::from(protocol::UDP),
        limit: at_once(1, MODE_ENFORCE),
    };
    let setup = Setup::of([zone("10.0.0.0/8", 3), shadow("203.0.113.0/24", 9)])
        .limits(&[at_once(5, MODE_SHADOW)])
        .further(further);
    let udp = |source, port| from(source, Transport::udp(1, port));
    let syn = from(a, Transport::syn());
    let ack = from(a, Transport::tcp(flags::ACK));
    let [rate, opens, ports, whole, bytes] = [
        limit(LimitKind::Packets, 0),
        limit(LimitKind::Connections, 0),
        limit(LimitKind::Ports, 5),
        limit(LimitKind::Destinations, 0),
        limit(LimitKind::Bytes, 3),
    ];
    let mut kernel = check(
        &setup,
        &[
            (&syn, Verdict::Pass, 0),
            (&syn, Verdict::WouldLimit, opens),
            // This one is over the limit of the destination, the next one of its ports before.
            (&udp(a, 53), Verdict::WouldLimit, whole),
            (&udp(a, 53), Verdict::WouldLimit, ports),
            (&udp(b, 99), Verdict::WouldLimit, whole),
            // One that is enforced drops, whatever is exceeded besides.
            (&udp(b, 99), Verdict::PortLimited, 0),
            (&ack, Verdict::WouldLimit, whole),
            // From the sixth packet on this source is over its packet rate, which comes first.
            (&ack, Verdict::WouldLimit, rate),
            (&syn, Verdict::WouldLimit, rate),
            (&udp(in_zone, 1), Verdict::Pass, 0),
            (&udp(in_zone, 1), Verdict::WouldLimit, bytes),
        ],
    )?;
    // Whom an entry would have dropped never came to the limits.
    let listed = udp([203, 0, 113, 1], 53);
    let (_, moved) = kernel.run(&listed, 9)?;
    assert_eq!((moved.len(), moved[0].verdict), (1, Verdict::WouldDeny));
    let packets = |kernel: &Kernel, rule| {
        let counted = kernel.datapath.would_drop(rule).unwrap();
        counted.map(|hits| hits.packets)
    };
    assert_eq!(packets(&kernel, 9), Some(9));
    kernel.datapath.forget_limits()?;
    assert_eq!(kernel.datapath.counted_rules()?, [9]);
    Ok(())
}

#[test]
fn strangers_in_attack_mode_and_cookies_have_counts_of_their_own() -> Result<(), DatapathError> {
    let mut limits = [Limit::default(); CLASS_UNKNOWN + 1];
    limits[CLASS_UNKNOWN] = at_once(2, MODE_SHADOW);
    let here = Endpoint::v4(HERE, 80);
    let setup = Setup::default()
        .limits(&limits)
        .attack(&[])
        .cookies(at_once(1, MODE_SHADOW), &[(here, 1_460)]);
    let segment = Transport::Tcp {
        source: 1_024,
        destination: 80,
        header_words: 5,
        flags: flags::SYN,
    };
    let syn = from([198, 51, 100, 7], segment);
    check(
        &setup,
        &[
            (&syn, Verdict::Pass, 0),
            (&syn, Verdict::WouldLimit, limit(LimitKind::Cookies, 0)),
            (
                &syn,
                Verdict::WouldLimit,
                limit(LimitKind::Packets, CLASS_UNKNOWN),
            ),
        ],
    )?;
    Ok(())
}
