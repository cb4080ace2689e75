//! A flood of forged sources, and an honest client in the midst of it.

use std::net::Ipv4Addr;

use gateway_common::{
    limiter::{Admission, CELLS, TICK_NANOS, admit, identity4},
    lists::MODE_ENFORCE,
    settings::Limit,
    time::Nanos,
};
use gateway_tests::{
    oracle::{Memory, NOW},
    random::Mixer,
};

const CLIENT: [u8; 4] = [198, 51, 100, 7];

/// Packets of the client that were refused, with `flood` forged ones between two of its own, each
/// from another source, and the client at `percent` of its limit.
fn refused(limit: &Limit, flood: u64, percent: u64, own: u64) -> u64 {
    let memory = Memory::new(7);
    let mut random = Mixer::new(5);
    let step = limit.interval * TICK_NANOS * 100 / percent;
    let mut refused = 0;
    for n in 0..own {
        memory.set_now(Nanos(NOW.0 + n * step));
        if admit(&memory, identity4(CLIENT), limit) == Admission::Over {
            refused += 1;
        }
        for forged in 1..=flood {
            memory.set_now(Nanos(NOW.0 + n * step + step * forged / (flood + 1)));
            let source = Ipv4Addr::from(random.draw() as u32).octets();
            // Each of them is new, and well within its own limit.
            admit(&memory, identity4(source), limit);
        }
    }
    refused
}

#[test]
fn a_flood_leaves_a_client_what_it_is_allowed() {
    // Ten million packets a second from as many sources; the client sends at all but its limit.
    let limit = Limit::new(
        5000,
        Nanos::from_secs(1),
        Nanos::from_millis(10),
        MODE_ENFORCE,
    );
    assert_eq!(refused(&limit, 2000, 99, 400), 0);
}

/// A flood that keeps a share `r` of the cells busy charges a client at `r²` of its rate: it
/// comes upon the client's cell when both of a forged source's are taken and the first is that
/// one.
#[test]
fn a_flood_that_keeps_a_tenth_of_the_table_busy_takes_a_hundredth() {
    let limit = Limit::new(
        100,
        Nanos::from_secs(1),
        Nanos::from_millis(20),
        MODE_ENFORCE,
    );
    let flood = u64::from(CELLS) / 10;
    assert_eq!(refused(&limit, flood, 98, 20), 0);
}
