//! The limiter in the kernel, on its clock.

use std::{sync::Barrier, thread, time::Duration};

use gateway_agent::datapath::{Datapath, DatapathError};
use gateway_common::{
    Verdict, lists::MODE_ENFORCE, lists::MODE_SHADOW, settings::Limit, time::Nanos,
};
use gateway_lab::wait;
use gateway_tests::{
    bench::limiter::loaded,
    kernel::{Kernel, Moved},
    packet::{Ipv4, Ipv6, Packet, Transport},
    setup::{Setup, zone},
};

/// Long enough for the slowest of machines.
const PATIENCE: Duration = Duration::from_secs(30);

fn from(source: [u8; 4]) -> Vec<u8> {
    Packet::from(Ipv4::new(source, [192, 0, 2, 1], Transport::syn())).bytes()
}

fn from_v6(source: [u16; 8]) -> Vec<u8> {
    Packet::from(Ipv6::new(source, [9; 8], Transport::syn())).bytes()
}

fn packets(moved: &[Moved], verdict: Verdict) -> u64 {
    let of_it = moved.iter().find(|moved| moved.verdict == verdict);
    of_it.map_or(0, |moved| moved.packets)
}

#[test]
fn a_source_gets_its_burst_and_then_its_rate() -> Result<(), DatapathError> {
    // One packet in five seconds: the run is over before the next is due.
    let rate = Limit::new(
        100,
        Nanos::from_secs(500),
        Nanos::from_secs(500),
        MODE_ENFORCE,
    );
    let kernel = Kernel::with(&Setup::default().limits(&[rate]))?;
    let frame = from([198, 51, 100, 7]);
    let (_, moved) = kernel.run(&frame, 150)?;
    assert_eq!(packets(&moved, Verdict::Pass), 101, "{moved:?}");
    assert_eq!(packets(&moved, Verdict::RateLimited), 49, "{moved:?}");
    let bytes: u64 = moved.iter().map(|moved| moved.bytes).sum();
    assert_eq!(bytes, 150 * frame.len() as u64);
    // Asking neither counts nor charges, and it tells of the limit.
    assert_eq!(kernel.probe(&frame)?.verdict, Verdict::RateLimited);
    // Another source has all of its own, another of the same /64 has nothing left.
    let (_, moved) = kernel.run(&from([198, 51, 100, 8]), 101)?;
    assert_eq!(packets(&moved, Verdict::Pass), 101, "{moved:?}");
    let (_, moved) = kernel.run(&from_v6([0x2001, 0xdb8, 0, 1, 0, 0, 0, 1]), 101)?;
    assert_eq!(packets(&moved, Verdict::Pass), 101, "{moved:?}");
    let (_, moved) = kernel.run(&from_v6([0x2001, 0xdb8, 0, 1, 0, 0, 0, 2]), 1)?;
    assert_eq!(packets(&moved, Verdict::RateLimited), 1, "{moved:?}");
    Ok(())
}

#[test]
fn an_exhausted_source_passes_again_when_its_next_packet_is_due() -> Result<(), DatapathError> {
    let rate = Limit::new(10, Nanos::from_secs(1), Nanos::ZERO, MODE_ENFORCE);
    let kernel = Kernel::with(&Setup::default().limits(&[rate]))?;
    let frame = from([198, 51, 100, 7]);
    let (_, first) = kernel.run(&frame, 1)?;
    assert_eq!(packets(&first, Verdict::Pass), 1);
    wait::until(PATIENCE, "the next packet to be due", || {
        let (_, moved) = kernel.run(&frame, 1).expect("a run");
        (packets(&moved, Verdict::Pass) == 1).then_some(())
    })
    .unwrap();
    Ok(())
}

/// Processors that charge one source at the same time take turns; one that loses its turn five
/// times lets the packet go free. This is all that they admit too much between them.
#[test]
fn processors_share_a_limit() -> Result<(), DatapathError> {
    const BURST: u64 = 300_000;
    const EACH: u32 = 200_000;
    const PROCESSORS: u64 = 2;
    let rate = Limit::new(
        1,
        Nanos::from_secs(100),
        Nanos::from_secs(100 * BURST),
        MODE_ENFORCE,
    );
    let kernel = Kernel::with(&Setup::default().limits(&[rate]))?;
    let frame = from([198, 51, 100, 7]);
    let pins = kernel.pins().path();
    let start = Barrier::new(PROCESSORS as usize);
    thread::scope(|scope| {
        for _ in 0..PROCESSORS {
            scope.spawn(|| {
                let datapath = Datapath::open(pins).expect("the pins");
                let program = datapath.program().expect("the program");
                start.wait();
                program.run(&frame, EACH).expect("a run");
            });
        }
    });
    let (_, moved) = kernel.run(&frame, 1)?;
    let (within, over) = (
        packets(&moved, Verdict::Pass),
        packets(&moved, Verdict::RateLimited),
    );
    assert_eq!(within + over, PROCESSORS * u64::from(EACH) + 1);
    let free = within - (BURST + 1);
    println!("{free} of {within} packets went free");
    assert!(free <= within / 100, "{free} of {within} packets went free");
    Ok(())
}

#[test]
fn a_watched_limit_counts_and_drops_nothing() -> Result<(), DatapathError> {
    let limit = |mode| Limit::new(1, Nanos::from_secs(500), Nanos::ZERO, mode);
    let setup = Setup::of([zone("10.0.0.0/8", 1), zone("10.1.0.0/16", 2)]);
    let limits = [Limit::default(), limit(MODE_SHADOW), limit(MODE_ENFORCE)];
    let mut kernel = Kernel::with(&setup.clone().limits(&limits))?;
    for (source, over) in [
        ([198, 51, 100, 7], Verdict::Pass),
        ([10, 0, 0, 1], Verdict::WouldLimit),
        ([10, 1, 0, 1], Verdict::RateLimited),
    ] {
        let frame = from(source);
        kernel.run(&frame, 1)?;
        let (_, moved) = kernel.run(&frame, 10)?;
        assert_eq!(packets(&moved, over), 10, "{source:?}: {moved:?}");
    }
    // Limits that are lifted are lifted at once.
    kernel.datapath.set_limits(&[])?;
    let (_, moved) = kernel.run(&from([10, 1, 0, 1]), 10)?;
    assert_eq!(packets(&moved, Verdict::Pass), 10, "{moved:?}");
    Ok(())
}

/// At rates that are configured, in real time: what two processors admit between them stays
/// within what the limiter promises for two, and one alone admits not a packet more than it may.
#[test]
fn processors_keep_to_the_bound_that_is_stated() {
    for (count, packets) in [(1, 200_000), (2, 200_000)] {
        for (rate, burst) in [(5_000, 2_000), (1_000_000, 20)] {
            let burst = Nanos::from_millis(burst);
            let limit = Limit::new(rate, Nanos::from_secs(1), burst, MODE_ENFORCE);
            let measured = loaded::processors(count, &limit, packets).unwrap();
            println!("{measured:?}");
            assert!(measured.holds(), "{measured:?}");
            assert!(measured.admitted >= 5_000, "{measured:?}");
        }
    }
}

/// A tenth of what `cargo xtask bench limiter` sends: this runs on emulated processors too.
#[test]
fn a_million_forged_sources_evict_nothing() {
    let spoofed = loaded::spoofed(1_000_000).unwrap();
    println!("{spoofed:?}");
    assert_eq!(spoofed.lost, 0, "bans and safelist entries");
    assert!(spoofed.clients.holds(), "{spoofed:?}");
    // Forged sources that happen to share an account with a client, or with each other.
    assert!(spoofed.refused < 10_000, "{spoofed:?}");
}
