//! The kernel itself stops honouring what has expired, with nobody there to remove it.

use std::time::Duration;

use gateway_agent::{clock, datapath::DatapathError};
use gateway_common::{Verdict, time::Nanos};
use gateway_lab::wait;
use gateway_tests::{
    kernel::Kernel,
    packet::{Ipv4, Ipv6, Packet, Transport},
    setup::{Setup, allow, ban, deny},
};

/// Long enough for the slowest of machines.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn entries_expire_by_themselves() -> Result<(), DatapathError> {
    let mut kernel = Kernel::with(&Setup::of([deny("203.0.113.0/24", 1)]))?;
    let until = clock::monotonic().saturating_add(Nanos::from_secs(2));
    kernel.apply(&Setup::of([
        ban("198.51.100.7", 2).until(until),
        ban("2001:db8:1::/64", 3).until(until),
        allow("203.0.113.9", 4).until(until),
    ]))?;
    let v4 =
        |source: [u8; 4]| Packet::from(Ipv4::new(source, [192, 0, 2, 1], Transport::syn())).bytes();
    let banned = v4([198, 51, 100, 7]);
    let net = Ipv6::new([0x2001, 0xdb8, 1, 0, 0, 0, 0, 1], [9; 8], Transport::syn());
    let net = Packet::from(net).bytes();
    let safe = v4([203, 0, 113, 9]);
    let frames = [&banned, &net, &safe];
    let verdicts = || -> Result<Vec<Verdict>, DatapathError> {
        frames
            .iter()
            .map(|frame| Ok(kernel.probe(frame)?.verdict))
            .collect()
    };
    let before = verdicts()?;
    // On a machine that took so long, nothing is known of what was before.
    if clock::monotonic() < until {
        assert_eq!(
            before,
            [Verdict::Banned, Verdict::Banned, Verdict::Safelisted]
        );
    }
    let expired = [Verdict::Pass, Verdict::Pass, Verdict::DeniedPrefix];
    wait::until(PATIENCE, "the entries to expire", || {
        (verdicts().expect("probes") == expired).then_some(())
    })
    .unwrap();
    assert!(clock::monotonic() >= until, "they expired too early");
    let (_, moved) = kernel.run(&banned, 1)?;
    assert_eq!(moved[0].verdict, Verdict::Pass);
    Ok(())
}
