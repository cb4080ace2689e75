//! A flood with forged sources meets the packet limit; the client does not notice.

use std::time::Duration;

use anyhow::{Result, ensure};
use gateway_lab::agent::Stats;
use gateway_lab::{Flood, Host, Sources};

use crate::demo::figures::{Told, count, ms};
use crate::demo::stage::{Stage, all_well};

/// Sources that send one packet each: they would evict others from a table that can be filled.
const MANY: u32 = 65_536;
const MANY_PER_SECOND: u64 = 60_000;
/// Sources that send far more than their limit.
const FEW: u32 = 16;
const FEW_PACKETS: u64 = 131_072;
const FEW_PER_SECOND: u64 = 80_000;
/// Of those, what must be dropped at least: the limit lets each source send 500 packets at once
/// and 1000 a second.
const LEAST_DROPPED: u64 = FEW_PACKETS / 2;
/// What the client's p99 may be at most.
const BOUND: Duration = Duration::from_millis(500);

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let attacker = stage.host(Host::Attacker);
    let to = (Host::Gateway.ip4(), 443).into();
    let before = Counted::of(&stage.stats()?);
    let visits = stage.visitor()?.visits();

    let many = Flood::syn(to)
        .from(Sources::spread4(MANY)?)
        .packets(MANY.into())
        .per_second(MANY_PER_SECOND)
        .run(attacker)?;
    let few = Flood::syn(to)
        .from(Sources::spread4(FEW)?)
        .packets(FEW_PACKETS)
        .per_second(FEW_PER_SECOND)
        .run(attacker)?;

    let visits = stage.visitor()?.visits().since(&visits);
    let after = Counted::of(&stage.stats()?);
    let limited = after.limited - before.limited;
    let answered = after.answered - before.answered;
    ensure!(
        limited >= LEAST_DROPPED,
        "{limited} packets were dropped over the limit, at least {LEAST_DROPPED} should be"
    );
    all_well(&visits, "during the flood")?;
    ensure!(
        visits.count() >= 10,
        "the client got only {} requests in",
        visits.count()
    );
    let (p50, p99) = (visits.percentile(50), visits.percentile(99));
    ensure!(p99 <= BOUND, "the client's p99 is {p99:?}, above {BOUND:?}");

    let sent = many.sent + few.sent;
    let took = many.took + few.took;
    let before = &stage.before;
    let line = format!(
        "{} packets from {} forged sources in {:.1} s: {} dropped over the limit, {} answered with \
         SYN cookies; the client's {} requests all get 200, p50 {} ms (before {}), p99 {} ms (before {}, bound {})",
        count(sent),
        count(MANY.into()),
        took.as_secs_f64(),
        count(limited),
        count(answered),
        visits.count(),
        ms(p50),
        ms(before.percentile(50)),
        ms(p99),
        ms(before.percentile(99)),
        ms(BOUND),
    );
    Ok(Told::new(line)
        .with("packets_sent", sent)
        .with("sources", MANY)
        .with("packets_rate_limited", limited)
        .with("packets_answered", answered)
        .with("took_ms", ms(took))
        .with("requests", visits.count())
        .with("p50_ms", ms(p50))
        .with("p99_ms", ms(p99))
        .with("p50_before_ms", ms(before.percentile(50)))
        .with("p99_before_ms", ms(before.percentile(99)))
        .with("p99_bound_ms", ms(BOUND)))
}

/// What the filter has made of the flood so far.
struct Counted {
    /// Dropped over the limit of their source. The flood begins attack mode, in which sources that
    /// are not known have a limit of their own.
    limited: u64,
    /// Answered with SYN cookies.
    answered: u64,
}

impl Counted {
    fn of(stats: &Stats) -> Self {
        Self {
            limited: stats.packets("rate-limited") + stats.packets("unknown-limited"),
            answered: stats.packets("syn-cookie"),
        }
    }
}
