//! What the agent bans, and what is lifted.

use super::*;

#[test]
fn a_ban_is_stored_logged_and_in_the_kernel() {
    let bench = bench();
    let BanOutcome::InForce(rule) = bench.service.ban(&order("192.0.2.7", 600)).unwrap() else {
        panic!("spared");
    };
    let entry = bench.lists.entry(List::Deny, "192.0.2.7").unwrap();
    assert_eq!(
        entry.expires,
        NOW.monotonic.saturating_add(Nanos::from_secs(600))
    );
    assert_eq!((entry.rule, entry.origin), (rule.get(), ORIGIN_BAN));
    let shown = bench.entries(ListName::Deny);
    assert_eq!(shown[0].ban, Some(order("192.0.2.7", 600).facts));
    assert_eq!(shown[0].reason, "bad signature");
    assert_eq!(
        bench.log(),
        ["agent ban 192.0.2.7 failed-auth x10, strike 1, request r-1"]
    );
    assert_eq!(
        bench.service.past_bans(Nanos::ZERO).unwrap(),
        [order("192.0.2.7", 600)]
    );
}

#[test]
fn a_refused_ban_leaves_the_last_one() {
    let bench = bench();
    bench.service.ban(&order("192.0.2.7", 600)).unwrap();
    bench.lists.state().refuses = vec![p("192.0.2.7")];
    let second = BanOrder {
        facts: BanFacts {
            strike: 2,
            ..order("192.0.2.7", 0).facts
        },
        ..order("192.0.2.7", 1_200)
    };
    bench.service.ban(&second).unwrap_err();
    assert_eq!(
        bench.service.past_bans(Nanos::ZERO).unwrap(),
        [order("192.0.2.7", 600)]
    );
    assert_eq!(bench.entries(ListName::Deny)[0].left_ms, Some(600_000));
}

#[test]
fn the_safelist_spares_from_bans_and_lifts_those_inside() {
    let bench = bench();
    bench.service.ban(&order("192.0.2.7", 600)).unwrap();
    bench.service.ban(&order("198.51.100.7", 600)).unwrap();
    let changed = bench.allow(&["192.0.2.0/24"]).unwrap();
    assert_eq!(prefixes(&changed.lifted), ["192.0.2.7"]);
    assert_eq!(bench.kernel(List::Deny), ["198.51.100.7"]);
    assert_eq!(bench.kernel(List::Allow), ["192.0.2.0/24"]);
    assert_eq!(*bench.hooks.lifted.lock().unwrap(), ["192.0.2.7"]);
    assert_eq!(*bench.hooks.safelist.lock().unwrap(), 1);
    assert_eq!(bench.service.safelist().unwrap(), [p("192.0.2.0/24")]);
    assert_eq!(
        bench.service.ban(&order("192.0.2.8", 600)).unwrap(),
        BanOutcome::Spared(p("192.0.2.0/24"))
    );
    let known: Vec<_> = bench.service.past_bans(Nanos::ZERO).unwrap();
    assert_eq!(known.len(), 1);
}

#[test]
fn a_ban_never_shortens_an_operators_entry() {
    let bench = bench();
    bench.deny(&["192.0.2.7"]).unwrap();
    bench.service.ban(&order("192.0.2.7", 600)).unwrap();
    let entry = bench.lists.entry(List::Deny, "192.0.2.7").unwrap();
    assert!(entry.is_permanent());
    assert_eq!(entry.origin, ORIGIN_OPERATOR);

    let changed = bench.remove(&["192.0.2.7"]).unwrap();
    assert_eq!(
        changed.notes,
        ["192.0.2.7 is still on the deny list as a ban of the agent (rule 2)"]
    );
    let entry = bench.lists.entry(List::Deny, "192.0.2.7").unwrap();
    assert_eq!(entry.origin, ORIGIN_BAN);

    let refused = bench.remove(&["192.0.2.7"]).unwrap_err();
    assert_eq!(refused.kind, FaultKind::NotYours);
    assert!(
        refused.detail.contains("gateway bans lift 192.0.2.7"),
        "{refused}"
    );
}

#[test]
fn lifting_takes_every_ban_that_shares_an_address() {
    let bench = bench();
    for client in ["192.0.2.7", "192.0.2.8", "192.0.3.7", "2001:db8:1:2::/64"] {
        bench.service.ban(&order(client, 600)).unwrap();
    }
    bench.deny(&["192.0.2.9"]).unwrap();
    let lifted = |prefix: &str| prefixes(&bench.session.lift(p(prefix)).unwrap().entries);
    assert_eq!(lifted("192.0.2.0/24"), ["192.0.2.7", "192.0.2.8"]);
    assert_eq!(lifted("2001:db8:1:2::99"), ["2001:db8:1:2::/64"]);
    let refused = bench.session.lift(p("192.0.2.0/24")).unwrap_err();
    assert_eq!(refused.kind, FaultKind::NotFound);
    assert_eq!(
        refused.to_string(),
        "nobody in 192.0.2.0/24 is banned; nothing was changed"
    );
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.9", "192.0.3.7"]);
    assert_eq!(
        bench.service.past_bans(Nanos::from_secs(9)).unwrap().len(),
        1
    );
    assert_eq!(
        *bench.hooks.lifted.lock().unwrap(),
        ["192.0.2.0/24", "2001:db8:1:2::99"]
    );
}

#[test]
fn the_ledger_may_take_a_ban_back() {
    let bench = bench();
    bench.service.ban(&order("192.0.2.7", 600)).unwrap();
    assert!(
        bench
            .service
            .unban(p("192.0.2.7"), "an upstream is there")
            .unwrap()
    );
    assert!(
        !bench
            .service
            .unban(p("192.0.2.7"), "an upstream is there")
            .unwrap()
    );
    assert_eq!(bench.kernel(List::Deny), [""; 0]);
    assert_eq!(bench.log()[1], "agent lift 192.0.2.7 an upstream is there");
}
