//! One source with the table to itself, against an exact limit in real time.
//!
//! What differs is rounding: the interval is cut to whole ticks, and the clock to whole jiffies.

use gateway_common::{
    limiter::{Admission, TICK_NANOS, admit, identity4},
    lists::MODE_ENFORCE,
    settings::Limit,
    time::Nanos,
};

use super::{Bound, JIFFY, Measured};
use crate::{
    model::Bucket,
    oracle::{Memory, NOW},
    random::Mixer,
};

const SECOND: Nanos = Nanos::from_secs(1);
const SOURCE: [u8; 4] = [198, 51, 100, 7];

/// Packets a second, and the time for which a source may run ahead of that.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Packets a second.
    pub rate: u64,
    /// Its burst.
    pub burst: Nanos,
}

/// From the slowest to the fastest that a configuration may ask for, with the shortest burst that
/// it may have and longer ones.
pub const RATES: [Rate; 10] = [
    Rate::new(1, 2_000),
    Rate::new(10, 20),
    Rate::new(100, 20),
    Rate::new(100, 2_000),
    Rate::new(5_000, 20),
    Rate::new(5_000, 2_000),
    Rate::new(200_000, 20),
    Rate::new(200_000, 2_000),
    Rate::new(1_000_000, 20),
    Rate::new(1_000_000, 2_000),
];

impl Rate {
    const fn new(rate: u64, burst_millis: u64) -> Self {
        Self {
            rate,
            burst: Nanos::from_millis(burst_millis),
        }
    }

    /// Packets that it may send at once.
    #[must_use]
    pub const fn at_once(self) -> u64 {
        self.rate * self.burst.0 / SECOND.0
    }

    /// Packets within the limit that the clock's steps may cost it: those of one jiffy.
    #[must_use]
    pub const fn most_short(self) -> u64 {
        self.rate * JIFFY.0 / SECOND.0 + 1
    }

    fn limit(self) -> Limit {
        Limit::new(self.rate, SECOND, self.burst, MODE_ENFORCE)
    }

    /// The most that is admitted within `span`: one more jiffy and one more tick of a rate whose
    /// interval is in whole ticks, a burst, and the packet that is due anyhow.
    #[must_use]
    pub fn most(self, span: Nanos) -> u64 {
        let limit = self.limit();
        let ticks = (span.0 + JIFFY.0).div_ceil(TICK_NANOS) + 1;
        (ticks + limit.tolerance) / limit.interval + 1
    }
}

/// A source sends `packets` at random, at `percent` of its rate in the mean.
#[must_use]
pub fn measure(rate: Rate, percent: u64, packets: u64) -> Measured {
    let memory = Memory::new(7);
    let limit = rate.limit();
    let mut random = Mixer::new(rate.rate ^ percent);
    let mut exact = Bucket::default();
    // In units of which a second has `rate` billion, an interval is a billion and exact.
    let units = u128::from(rate.rate);
    let burst = u128::from(rate.burst.0) * units;
    // Pauses of up to twice the mean.
    let longest = 2 * SECOND.0 * 100 / (rate.rate * percent);
    let (mut now, mut allowed, mut admitted) = (NOW.0, 0, 0);
    for _ in 0..packets {
        now += random.draw() % (longest + 1);
        memory.set_now(Nanos(now / JIFFY.0 * JIFFY.0));
        let within = admit(&memory, identity4(SOURCE), &limit, 0) == Admission::Within;
        admitted += u64::from(within);
        allowed += u64::from(exact.admit(1_000_000_000, burst, u128::from(now) * units));
    }
    Measured {
        name: format!(
            "{}/s, burst {} ms, offered {percent} %",
            rate.rate,
            rate.burst.0 / 1_000_000
        ),
        sources: 1,
        offered: packets,
        allowed,
        admitted,
        short: allowed.saturating_sub(admitted),
        times: None,
        bound: Bound {
            admitted: Some(rate.most(Nanos(now - NOW.0))),
            ..Bound::default()
        },
    }
}
