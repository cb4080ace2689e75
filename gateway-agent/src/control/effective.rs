//! Which of the entries on one prefix the kernel gets: its maps hold one per prefix, the store
//! one per origin.

use std::cmp::Reverse;

use gateway_common::lists::Entry;

use super::now::Now;
use crate::store::{Live, Mode};

/// The entry that decides among those on one prefix of one list; `None` when none is live.
///
/// One that acts comes before one in shadow mode; among equals the one that lasts longest, so
/// that none of the others is missed when it ends; then the operator's before the others'.
/// Where a ban stands over a permanent entry in shadow mode, that one comes back when the agent
/// next sweeps.
pub(super) fn effective<'a>(on: impl IntoIterator<Item = &'a Live>, now: Now) -> Option<&'a Live> {
    on.into_iter()
        .filter(|live| live.expires.is_none_or(|at| now.wall < at))
        .max_by_key(|live| {
            (
                live.mode == Mode::Enforce,
                live.expires.is_none(),
                live.expires,
                Reverse(live.origin),
            )
        })
}

/// The kernel's form of an entry.
pub(super) fn in_kernel(live: &Live, now: Now) -> Entry {
    Entry {
        expires: now.to_kernel(live.expires),
        rule: live.rule.get(),
        mode: live.mode.code(),
        origin: live.origin.code(),
        ..Entry::default()
    }
}

#[cfg(test)]
mod tests {
    use gateway_common::time::Nanos;

    use super::*;
    use crate::store::{Origin, RuleId, UnixMillis};

    const NOW: Now = Now {
        wall: UnixMillis(1_000),
        monotonic: Nanos::from_secs(1),
    };

    fn live(rule: u32, origin: Origin, mode: Mode, expires: Option<u64>) -> Live {
        Live {
            rule: RuleId::new(rule).unwrap(),
            prefix: "192.0.2.7".parse().unwrap(),
            origin,
            mode,
            expires: expires.map(UnixMillis),
        }
    }

    #[test]
    fn the_strongest_decides() {
        use Mode::{Enforce, Shadow};
        use Origin::{Ban, Config, Feed, Operator};
        let decides = |entries: &[Live]| effective(entries, NOW).map(|l| l.rule.get());
        let table: &[(&str, &[Live], Option<u32>)] = &[
            ("nothing", &[], None),
            ("expired", &[live(1, Ban, Enforce, Some(1_000))], None),
            (
                "permanent before a ban",
                &[
                    live(1, Ban, Enforce, Some(9_000)),
                    live(2, Operator, Enforce, None),
                ],
                Some(2),
            ),
            (
                "a ban before a shadow entry",
                &[
                    live(1, Operator, Shadow, None),
                    live(2, Ban, Enforce, Some(2_000)),
                ],
                Some(2),
            ),
            (
                "the longer one",
                &[
                    live(1, Operator, Enforce, Some(2_000)),
                    live(2, Ban, Enforce, Some(3_000)),
                ],
                Some(2),
            ),
            (
                "the operator among equals",
                &[
                    live(1, Config, Enforce, None),
                    live(2, Operator, Enforce, None),
                    live(3, Feed, Enforce, None),
                ],
                Some(2),
            ),
        ];
        for (what, entries, expected) in table {
            assert_eq!(decides(entries), *expected, "{what}");
        }
    }
}
