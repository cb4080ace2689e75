//! Rules in shadow mode are counted each by itself.

use gateway_agent::datapath::DatapathError;
use gateway_common::{
    Verdict,
    counter::Hits,
    lists::{Entry, MODE_SHADOW},
    tables::List,
};
use gateway_tests::{
    kernel::Kernel,
    packet::{Ipv4, Packet, Transport},
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
