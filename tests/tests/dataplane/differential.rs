//! The same frames through the host's pipeline and the loaded program.

use gateway_agent::datapath::{DatapathError, LONGEST_FRAME};
use gateway_policy::grammar::Prefix;
use gateway_tests::{
    kernel::{Kernel, SHORTEST},
    oracle::Memory,
    random::Frames,
    setup::{FUTURE, PAST, Setup, allow, ban, deny, shadow, zone},
};

/// How many frames, and the seed they are drawn with.
const FRAMES: &str = "GATEWAY_DIFF_FRAMES";
const SEED: &str = "GATEWAY_DIFF_SEED";

fn asked(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect(variable))
}

/// Lists that overlap in every way, with nothing in them that changes while the test runs.
fn lists() -> Setup {
    Setup::of([
        deny("10.0.0.0/8", 1),
        allow("10.1.0.0/16", 2),
        deny("10.1.2.0/24", 3).until(FUTURE),
        shadow("10.1.2.128/25", 4),
        allow("10.1.2.3", 5),
        deny("10.1.3.0/24", 6).until(PAST),
        ban("10.2.0.0/16", 7),
        deny("198.51.100.7", 8),
        shadow("198.51.100.0/24", 9),
        ban("198.51.100.9", 10),
        zone("203.0.113.0/24", 1),
        deny("203.0.113.128/25", 11),
        allow("0.0.0.0", 12),
        deny("255.255.255.254/31", 13),
        deny("2001:db8::/29", 14),
        allow("2001:db8:1::/48", 15),
        deny("2001:db8:1:2::/64", 16),
        shadow("2001:db8:1:2:3::/80", 17),
        ban("2001:db8:1:2:3:4:5:6", 18),
        zone("2001:db9::/32", 1),
        deny("2001:db9:0:2::/63", 19).until(PAST),
        shadow("fe80::/10", 20),
        deny("fe80::211:22ff:fe33:4455", 21),
        deny("::/96", 22),
        allow("::1", 23),
        deny("ff02::/16", 24),
    ])
}

#[test]
fn host_and_kernel_agree_on_random_frames() -> Result<(), DatapathError> {
    let (frames, seed) = (asked(FRAMES, 20_000), asked(SEED, 1));
    let setup = lists();
    let kernel = Kernel::with(&setup)?;
    let memory = Memory::with(&setup, kernel.datapath.settings().seed);
    let listed: Vec<Prefix> = setup.items.iter().map(|item| item.prefix).collect();
    let run = Frames::new(&listed, seed)
        .filter(|frame| (SHORTEST..=LONGEST_FRAME).contains(&frame.len()))
        .take(usize::try_from(frames).unwrap());
    let mut compared = 0;
    for (n, frame) in run.enumerate() {
        let host = memory.decide(&frame);
        let program = kernel.probe(&frame)?;
        assert_eq!(
            host, program,
            "host and program differ on frame {n} of {SEED}={seed}: {frame:02x?}"
        );
        compared += 1;
    }
    println!("{compared} frames");
    assert_eq!(compared, frames);
    Ok(())
}
