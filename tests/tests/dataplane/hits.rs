//! What rules in force drop is counted by rule, as far as that costs a flood next to nothing.

use gateway_agent::datapath::{DatapathError, RuleHits};
use gateway_common::{
    Verdict,
    rule::{Rule, block},
};
use gateway_tests::{
    kernel::Kernel,
    packet::{Ipv4, Ipv6, Packet, Transport},
    setup::{Setup, ban, deny, shadow},
};

fn from(source: [u8; 4]) -> Vec<u8> {
    Packet::from(Ipv4::new(source, [192, 0, 2, 1], Transport::syn())).bytes()
}

fn packets(kernel: &Kernel, rule: u32) -> Option<u64> {
    let hits = kernel.datapath.hits(rule).expect("the hits");
    hits.map(|hits| hits.packets)
}

#[test]
fn drops_are_counted_by_entry_and_by_block() -> Result<(), DatapathError> {
    let kernel = Kernel::with(&Setup::of([
        deny("198.51.100.7", 1),
        ban("198.51.100.8", 2),
        deny("203.0.113.0/24", 3),
        deny("2001:db8::/32", 4),
        shadow("198.51.101.0/24", 5),
    ]))?;
    let v6 = Ipv6::new([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], [9; 8], Transport::syn());
    for (frame, count, verdict) in [
        (from([198, 51, 100, 7]), 3, Verdict::DeniedExact),
        (from([198, 51, 100, 8]), 4, Verdict::Banned),
        (from([203, 0, 113, 1]), 5, Verdict::DeniedPrefix),
        (from([203, 0, 113, 2]), 6, Verdict::DeniedPrefix),
        (Packet::from(v6).bytes(), 7, Verdict::DeniedPrefix),
        (from([198, 51, 101, 7]), 8, Verdict::WouldDeny),
        (from([192, 0, 2, 9]), 9, Verdict::Pass),
    ] {
        // A question is not a packet.
        kernel.probe(&frame)?;
        let (_, moved) = kernel.run(&frame, count)?;
        assert_eq!(moved[0].verdict, verdict);
    }
    let of_block = block([203, 0, 113, 0]);
    assert_eq!(packets(&kernel, 1), None, "the index denies it");
    assert_eq!(packets(&kernel, block([198, 51, 100, 0])), Some(3));
    assert_eq!(packets(&kernel, 2), Some(4));
    assert_eq!(packets(&kernel, 3), None, "its block is not looked up");
    assert_eq!(packets(&kernel, of_block), Some(11));
    assert_eq!(packets(&kernel, 4), Some(7));
    assert_eq!(packets(&kernel, 5), None, "it drops nothing");

    let mut all = kernel.datapath.all_hits()?;
    all.sort_by_key(|hits| hits.packets);
    let counted: Vec<(Rule, u64)> = all.iter().map(|hits| (hits.rule, hits.packets)).collect();
    assert_eq!(
        counted,
        [
            (Rule::Block([198, 51, 100]), 3),
            (Rule::Entry(2), 4),
            (Rule::Entry(4), 7),
            (Rule::Block([203, 0, 113]), 11)
        ]
    );
    let RuleHits { since, .. } = all[0];
    assert!(since.0 > 0, "since the machine came up");
    assert!(
        all.iter()
            .all(|hits| hits.since.since(since).0 < 60_000_000_000)
    );
    Ok(())
}

/// As many sources as there are counts twice over, of which one sends as much as all others.
#[test]
fn a_flood_from_everywhere_hides_no_busy_source() -> Result<(), DatapathError> {
    let kernel = Kernel::with(&Setup::of([deny("11.0.0.0/8", 1), deny("198.51.100.7", 2)]))?;
    let busy = from([198, 51, 100, 7]);
    let mut sent = 0;
    for n in 0..16_384_u32 {
        let [_, _, high, low] = n.to_be_bytes();
        kernel.program.run(&from([11, high, low, 1]), 1)?;
        if n % 64 == 0 {
            kernel.program.run(&busy, 64)?;
            sent += 64;
        }
    }
    let counted = packets(&kernel, block([198, 51, 100, 0])).expect("the busy source is lost");
    assert!(counted <= sent, "{counted} of {sent}");
    assert!(counted >= sent - 64, "{counted} of {sent}");
    let told: u64 = kernel
        .datapath
        .all_hits()?
        .iter()
        .map(|hits| hits.packets)
        .sum();
    assert!(told <= 16_384 + sent, "{told}");
    Ok(())
}
