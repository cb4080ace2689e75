//! Drift between the store and the kernel, and what is none.

use super::*;
use crate::control::api::Repairs;
use crate::datapath::SummaryWalk;

fn audit(bench: &Bench) -> Round {
    let mut walk = SummaryWalk::default();
    let round = bench.service.audit(&mut walk, &mut |_, _| true).unwrap();
    assert!(round.whole);
    round
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    let bench = bench();
    bench.deny(&["192.0.2.7", "198.51.100.0/24"]).unwrap();
    bench.allow(&["203.0.113.9", "2001:db8::/32"]).unwrap();
    bench.service.ban(&order("192.0.2.9", 60)).unwrap();
    let calls = bench.lists.state().calls.len();
    let round = audit(&bench);
    assert_eq!((round.wanted, round.in_force), (5, 5));
    assert_eq!(round.repairs, Repairs::default());
    assert_eq!(
        bench.lists.state().calls.len(),
        calls,
        "something was written"
    );
    let status = bench.session.status().unwrap().reconciled.unwrap();
    assert_eq!((status.wanted, status.in_force), (5, 5));
}

#[test]
fn drift_is_found_mended_and_counted_by_kind() {
    let bench = bench();
    bench
        .deny(&["192.0.2.7", "192.0.2.8", "198.51.100.0/24"])
        .unwrap();
    bench.service.ban(&order("192.0.2.9", 60)).unwrap();
    let before = bench.lists.state().entries.clone();
    {
        let mut state = bench.lists.state();
        let entries = &mut state.entries;
        entries.remove(&(List::Deny, p("192.0.2.7")));
        entries.get_mut(&(List::Deny, p("192.0.2.8"))).unwrap().mode = MODE_SHADOW;
        let ban = entries.get_mut(&(List::Deny, p("192.0.2.9"))).unwrap();
        ban.expires = ban.expires.saturating_add(Nanos::from_secs(3_600));
        entries.insert((List::Allow, p("203.0.113.0/24")), Entry::default());
    }
    let round = audit(&bench);
    assert_eq!((round.wanted, round.in_force), (4, 1));
    assert_eq!(
        round.repairs,
        Repairs {
            missing: 1,
            extra: 1,
            different: 1,
            expiry: 1,
            ..Repairs::default()
        }
    );
    assert_eq!(bench.lists.state().entries, before);
    assert_eq!(audit(&bench).repairs, Repairs::default());
    let status = bench.session.status().unwrap().reconciled.unwrap();
    assert_eq!(status.repairs, round.repairs, "counted since the start");
    assert!((status.ratio() - 1.0).abs() < f64::EPSILON);
}

/// The step behind the first ends in the middle of the list.
#[test]
fn long_lists_are_compared_to_their_end() {
    let bench = bench();
    let prefixes: Vec<String> = (0..1_300)
        .map(|n| format!("10.0.{}.{}", n >> 8, n & 255))
        .collect();
    let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    bench.deny(&prefixes).unwrap();
    for prefix in ["10.0.0.0", "10.0.1.255", "10.0.5.19"] {
        let mut state = bench.lists.state();
        state.entries.remove(&(List::Deny, p(prefix))).unwrap();
    }
    let round = audit(&bench);
    assert_eq!((round.wanted, round.in_force), (1_300, 1_297));
    assert_eq!(round.repairs.missing, 3);
}

#[test]
fn what_has_ended_and_waits_for_the_sweep_is_no_drift() {
    let bench = bench();
    let shadow = AddRequest {
        shadow: true,
        ..request(&["192.0.2.9"])
    };
    bench.session.add(ListName::Deny, &shadow).unwrap();
    bench.service.ban(&order("192.0.2.9", 3_599)).unwrap();
    let bench = bench.at(later);
    let round = audit(&bench);
    assert_eq!((round.wanted, round.in_force), (1, 1));
    assert_eq!(round.repairs, Repairs::default());
    let held = bench.lists.entry(List::Deny, "192.0.2.9").unwrap();
    assert_eq!(held.origin, ORIGIN_BAN);
}

#[test]
fn what_finds_no_room_is_no_repair() {
    let bench = bench();
    bench
        .deny(&["192.0.2.1", "192.0.2.2", "192.0.2.3"])
        .unwrap();
    {
        let mut state = bench.lists.state();
        state.entries.remove(&(List::Deny, p("192.0.2.1")));
        state.entries.remove(&(List::Deny, p("192.0.2.2")));
        state.capacity = 2;
    }
    let round = audit(&bench);
    assert_eq!(
        (round.in_force, round.refused, round.repairs.missing),
        (1, 1, 1)
    );
}

#[test]
fn nothing_is_looked_at_while_an_import_is_under_way() {
    let bench = bench();
    bench.deny(&["192.0.2.1"]).unwrap();
    bench.lists.state().entries.clear();
    let importing = bench.service.bulk.lock().unwrap();
    let mut walk = SummaryWalk::default();
    let round = bench.service.audit(&mut walk, &mut |_, _| true).unwrap();
    assert!(!round.whole);
    assert!(bench.lists.state().entries.is_empty());
    drop(importing);
    assert_eq!(audit(&bench).repairs.missing, 1);
}

#[test]
fn it_stops_when_it_is_told_to() {
    let bench = bench();
    bench.deny(&["192.0.2.1"]).unwrap();
    let mut steps = 0;
    let mut walk = SummaryWalk::default();
    let round = bench.service.audit(&mut walk, &mut |_, _| {
        steps += 1;
        false
    });
    assert_eq!((round.unwrap().whole, steps), (false, 1));
    assert_eq!(bench.service.reconciled(), None);
}
