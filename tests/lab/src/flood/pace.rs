//! Keeps a sender at a number of packets per second.

use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// How often a slow sender wakes: a burst is never longer than what this allows.
const TICK: Duration = Duration::from_millis(1);

/// Lets packets through no faster than asked.
pub(super) struct Pace {
    limit: Option<Limit>,
}

struct Limit {
    per_second: u64,
    started: Instant,
    passed: u64,
    allowed: u64,
    ticks: TimerFd,
}

impl Pace {
    /// Starts counting now; `None` lets everything through.
    pub(super) fn start(per_second: Option<u64>) -> Result<Self> {
        let Some(per_second) = per_second else {
            return Ok(Self { limit: None });
        };
        let ticks = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
        ticks.set(
            Expiration::Interval(TimeSpec::from_duration(TICK)),
            TimerSetTimeFlags::empty(),
        )?;
        let started = Instant::now();
        Ok(Self {
            limit: Some(Limit {
                per_second,
                started,
                passed: 0,
                allowed: 0,
                ticks,
            }),
        })
    }

    /// Returns when the next packet may go.
    pub(super) fn next(&mut self) -> Result<()> {
        let Some(limit) = &mut self.limit else {
            return Ok(());
        };
        while limit.passed >= limit.allowed {
            limit.ticks.wait()?;
            limit.allowed = allowance(limit.started.elapsed(), limit.per_second);
        }
        limit.passed += 1;
        Ok(())
    }
}

/// How many packets may have gone after `elapsed`.
fn allowance(elapsed: Duration, per_second: u64) -> u64 {
    let packets = elapsed.as_nanos() * u128::from(per_second) / 1_000_000_000;
    u64::try_from(packets).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_grows_with_time() {
        assert_eq!(allowance(Duration::from_micros(999), 1000), 0);
        assert_eq!(allowance(Duration::from_millis(1), 1000), 1);
        assert_eq!(allowance(Duration::from_secs(3), 70_000), 210_000);
    }

    #[test]
    fn a_paced_sender_takes_its_time() {
        let mut pace = Pace::start(Some(1000)).unwrap();
        let started = Instant::now();
        for _ in 0..20 {
            pace.next().unwrap();
        }
        assert!(started.elapsed() >= Duration::from_millis(20));
    }
}
