//! More and more sources at once, until there are two for every cell.

use std::net::Ipv4Addr;

use gateway_common::{
    limiter::{Admission, CELLS, TICK_NANOS, admit, identity4},
    lists::MODE_ENFORCE,
    settings::Limit,
    time::Nanos,
};

use super::{ACCOUNTS, Bound, Measured, Tally};
use crate::{
    oracle::{Memory, NOW},
    random::Mixer,
};

/// Sources for each hundred cells of the table.
pub const LOADS: [u32; 4] = [10, 50, 100, 200];

/// What the sources ask for, in percent of their limit: half of it, so that they come and go and
/// change their places, and twice as much, so that they never go.
pub const DEMANDS: [u32; 2] = [50, 200];

/// The share of what is allowed that sharing costs where a tenth of the cells is busy.
const SHORT_AT_A_TENTH: f64 = 0.001;

/// So many sources for each hundred cells send at random, at `demand` percent of their limit, for
/// as long as `intervals` packets within it take.
#[must_use]
pub fn measure(load: u32, demand: u32, intervals: u32) -> Measured {
    // A burst of four packets.
    let second = Nanos::from_secs(1);
    let limit = Limit::new(10, second, Nanos::from_millis(300), MODE_ENFORCE);
    let sources = CELLS / 100 * load;
    let packets = u64::from(sources) * u64::from(intervals * demand) / 100;
    let span = limit.interval * u64::from(intervals);
    let memory = Memory::new(7);
    let mut random = Mixer::new(3);
    let mut tally = Tally::of(sources);
    for n in 0..packets {
        let now =
            NOW.0 / TICK_NANOS + (u128::from(n) * u128::from(span) / u128::from(packets)) as u64;
        memory.set_now(Nanos(now * TICK_NANOS));
        let source = random.below(sources);
        let address = Ipv4Addr::from(0x0b00_0000 + source).octets();
        let admitted = admit(&memory, identity4(address), &limit, 0) == Admission::Within;
        tally.note(source, &limit, now, admitted);
    }
    tally.measured(
        format!(
            "{}.{:02} sources a cell, offered {demand} %",
            load / 100,
            load % 100
        ),
        Bound {
            times: Some(ACCOUNTS),
            short: (load <= 10).then_some(SHORT_AT_A_TENTH),
            ..Bound::default()
        },
    )
}
