//! Bans of an earlier run, one by one.

use super::*;

fn ban(prefix: &str, mode: Mode, from: u64, until: u64, strike: u32) -> Ban {
    Ban {
        prefix: prefix.parse().unwrap(),
        mode,
        from: Nanos::from_secs(from),
        until: Nanos::from_secs(until),
        strike,
        offence: OffenceKind::FailedAuth,
        evidence: Evidence::new("old", "detail"),
    }
}

#[test]
fn running_bans_run_on_and_ended_ones_count() {
    let mut ledger = ledger();
    let running = ban("192.0.2.1", Mode::Enforce, 0, 1000, 3);
    let ended = ban("192.0.2.2", Mode::Enforce, 0, 500, 2);
    let forgotten = ban("192.0.2.3", Mode::Enforce, 0, 0, 2);
    let restored = ledger.restore([running.clone(), ended, forgotten], Nanos::from_secs(3600));
    assert_eq!(restored, Restored::default(), "an hour later none runs");
    assert_eq!(ledger.counters().records, 2);

    let mut ledger = super::ledger();
    let ended = ban("192.0.2.2", Mode::Enforce, 0, 500, 2);
    let restored = ledger.restore([running.clone(), ended], Nanos::from_secs(600));
    assert_eq!(restored.commands, [Command::Ban(running.clone())]);
    let until = running.until;
    assert_eq!(
        ledger.record(failed("192.0.2.1", 600)),
        Ruling::AlreadyBanned { until }
    );
    assert_eq!(ban_at(&mut ledger, "192.0.2.2", 600).strike, 3);
    assert_eq!(ban_at(&mut ledger, "192.0.2.1", 1000).strike, 4);
}

#[test]
fn of_several_bans_the_last_took_the_place_of_the_others() {
    let shadow = ban("192.0.2.1", Mode::Shadow, 0, 2000, 1);
    let real = ban("192.0.2.1", Mode::Enforce, 10, 700, 1);
    let restored = ledger().restore([shadow.clone(), real.clone()], Nanos::from_secs(600));
    assert_eq!(restored.commands, [Command::Ban(real.clone())]);
    let restored = ledger().restore([shadow, real], Nanos::from_secs(800));
    assert_eq!(restored.commands, []);
}

#[test]
fn what_may_not_be_banned_is_lifted_and_told() {
    let mut ledger = ledger();
    let bans = [
        ban("127.0.0.1", Mode::Enforce, 0, 1000, 1),
        ban("127.0.0.2", Mode::Enforce, 0, 100, 1),
        ban("192.0.2.0/24", Mode::Enforce, 0, 1000, 1),
        ban("2001:db8::1", Mode::Enforce, 0, 1000, 1),
    ];
    let restored = ledger.restore(bans, Nanos::from_secs(600));
    let cause = LiftCause::Immune(ImmuneReason::Loopback);
    let prefix = "127.0.0.1".parse().unwrap();
    assert_eq!(restored.commands, [Command::Lift { prefix, cause }]);
    let mut faults: Vec<(String, &str)> = restored
        .refused
        .iter()
        .map(|(b, f)| (b.prefix.to_string(), f.name()))
        .collect();
    faults.sort();
    let expected = [
        ("127.0.0.1", "immune"),
        ("127.0.0.2", "immune"),
        ("192.0.2.0/24", "not-a-client"),
        ("2001:db8::1", "not-a-client"),
    ];
    assert_eq!(faults, expected.map(|(p, f)| (p.to_owned(), f)));
}

#[test]
fn more_than_fit_are_told() {
    let mut ledger = Ledger::new(
        policy(),
        Immune::default(),
        Capacity {
            clients: 16,
            bans: 2,
        },
    );
    let bans = [1, 2, 3].map(|n| ban(&format!("192.0.2.{n}"), Mode::Enforce, 0, 1000 + n, 1));
    let restored = ledger.restore(bans, Nanos::from_secs(600));
    assert_eq!(restored.commands.len(), 2);
    assert_eq!(restored.refused[0].1, RestoreFault::NoRoom(2));
    assert_eq!(restored.refused.len(), 1);
}

#[test]
fn bans_that_were_never_at_once_need_no_room_at_once() {
    let mut ledger = Ledger::new(
        policy(),
        Immune::default(),
        Capacity {
            clients: 16,
            bans: 1,
        },
    );
    let one_by_one = [1, 2, 3].map(|n| {
        ban(
            &format!("192.0.2.{n}"),
            Mode::Enforce,
            1000 * n,
            1000 * n + 600,
            1,
        )
    });
    let last = one_by_one[2].clone();
    let restored = ledger.restore(one_by_one, Nanos::from_secs(3100));
    assert_eq!(
        restored,
        Restored {
            commands: vec![Command::Ban(last)],
            refused: vec![]
        }
    );
}
