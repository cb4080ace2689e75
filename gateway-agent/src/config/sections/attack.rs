//! When sources must have proven themselves.

use gateway_common::time::Nanos;
use gateway_policy::grammar::{Period, Rate};

use super::{Context, PacketLimits, Watched, setting};
use crate::config::raw;
use crate::config::tree::At;
use crate::config::values::{AttackTrigger, Limit};

/// Attack mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttackMode {
    /// When it is on.
    pub trigger: AttackTrigger,
    /// Packets dropped for a limit or a defect that begin it.
    pub dropped: Limit,
    /// TCP connections opened that begin it.
    pub connections: Limit,
    /// How long both must be below half of that; 1 s to 1 h.
    pub hold: Period,
    /// Packets of a source that is not known.
    pub unknown: Watched,
    /// How long a source is known; 1 min to 90 d.
    pub known_for: Period,
}

const HOLD: (Period, Period) = (Period::from_secs(1), Period::from_secs(3_600));
const KNOWN: (Period, Period) = (Period::from_secs(60), Period::from_secs(90 * 86_400));

impl AttackMode {
    pub(super) fn check(raw: raw::AttackMode, packets: &PacketLimits, cx: &Context<'_>) -> Self {
        let others = packets.packets.untrusted;
        let place = raw.unknown.as_ref().map(At::place);
        let unknown = setting(raw.unknown, a_tenth_of(others));
        if let Some(place) = place
            && others.is_below(unknown)
        {
            let message = format!(
                "found {unknown}, expected no more than packet_limits.untrusted, {others}: under \
                 attack nobody gets more"
            );
            cx.report.fault(place, message);
        }
        Self {
            trigger: setting(raw.trigger, AttackTrigger::Auto),
            dropped: setting(raw.dropped, Limit::Rate(Rate::per_second::<50_000>())),
            connections: setting(raw.connections, Limit::Rate(Rate::per_second::<20_000>())),
            hold: cx.period(raw.hold, Period::from_secs(60), HOLD),
            unknown: Watched {
                limit: unknown,
                mode: setting(raw.mode, packets.packets.mode),
            },
            known_for: cx.period(raw.known_for, Period::from_secs(86_400), KNOWN),
        }
    }
}

/// A tenth of a limit, or 500 packets a second of none.
fn a_tenth_of(limit: Limit) -> Limit {
    let tenth = |rate: Rate| {
        let slower = Period::from_nanos(Nanos(rate.per().as_nanos().0.saturating_mul(10)));
        let count = rate.count();
        match count.get() % 10 {
            0 => Rate::new(count.get().div_ceil(10).try_into().ok()?, rate.per()),
            _ => Rate::new(count, slower),
        }
        .ok()
    };
    let rate = limit.rate().and_then(tenth);
    Limit::Rate(rate.unwrap_or(Rate::per_second::<500>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_told_in_the_same_words_where_it_can_be() {
        let tenth = |text: &str| a_tenth_of(text.parse().unwrap()).to_string();
        assert_eq!(tenth("5000/s"), "500/s");
        assert_eq!(tenth("unlimited"), "500/s");
        let odd = a_tenth_of("25/s".parse().unwrap());
        assert_eq!(odd, "25/10s".parse().unwrap());
    }
}
