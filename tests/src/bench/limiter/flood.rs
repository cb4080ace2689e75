//! A flood of forged sources, none of which is seen twice, and honest clients beside it.

use std::net::Ipv4Addr;

use gateway_common::{
    limiter::{Admission, TICK_NANOS, admit, identity4},
    lists::MODE_ENFORCE,
    settings::Limit,
    time::Nanos,
};

use super::{ACCOUNTS, Bound, JIFFY, Measured, Tally};
use crate::{
    oracle::{Memory, NOW},
    random::Mixer,
};

/// A flood beside clients that keep to their limit.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    /// Packets a second that a source is allowed.
    pub rate: u64,
    /// Forged packets a second, each from another source.
    pub forged: u64,
    /// Honest clients.
    pub clients: u32,
    /// What they send, in percent of their limit.
    pub percent: u64,
    /// The share of the clients' packets that may be refused; none where nothing is promised.
    pub short: Option<f64>,
}

impl Flood {
    /// The default limit; then limits that keep a forged source's cell busy for 10 ms, 100 ms and
    /// 1 s, which is a tenth of the table, nine tenths, and nine times as much as there is.
    pub const ALL: [Self; 5] = [
        Self::beside(5_000, 95, Some(0.0)),
        Self::beside(5_000, 50, Some(0.0)),
        Self::beside(100, 95, Some(0.001)),
        Self::beside(10, 95, None),
        Self::beside(1, 95, None),
    ];

    const fn beside(rate: u64, percent: u64, short: Option<f64>) -> Self {
        Self {
            rate,
            forged: 10_000_000,
            clients: 1_000,
            percent,
            short,
        }
    }

    /// Runs it until so many forged packets are sent.
    #[must_use]
    pub fn measure(self, forged: u64) -> Measured {
        let second = Nanos::from_secs(1);
        let limit = Limit::new(self.rate, second, Nanos::from_secs(2), MODE_ENFORCE);
        let memory = Memory::new(7);
        let mut random = Mixer::new(5);
        let mut tally = Tally::of(self.clients);
        // Nanoseconds from one honest packet to the next, whoever sends it.
        let pause = second.0 * 100 / (self.rate * self.percent * u64::from(self.clients));
        let mut honest = 0;
        for n in 0..forged {
            let now = n * second.0 / self.forged;
            let clock = Nanos((NOW.0 + now) / JIFFY.0 * JIFFY.0);
            memory.set_now(clock);
            while honest * pause <= now {
                let client = (honest % u64::from(self.clients)) as u32;
                let source = Ipv4Addr::from(0xc633_0000 + client).octets();
                let within = admit(&memory, identity4(source), &limit, 0) == Admission::Within;
                tally.note(client, &limit, clock.0 / TICK_NANOS, within);
                honest += 1;
            }
            let source = Ipv4Addr::from(random.draw() as u32).octets();
            admit(&memory, identity4(source), &limit, 0);
        }
        tally.measured(
            format!(
                "{} clients at {} % of {}/s, {forged} forged sources",
                self.clients, self.percent, self.rate
            ),
            Bound {
                times: Some(ACCOUNTS),
                short: self.short,
                ..Bound::default()
            },
        )
    }
}
