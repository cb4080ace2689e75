//! The kernel and the store, brought in step.

use super::*;

#[test]
fn after_a_reboot_the_kernel_gets_everything_back() {
    let bench = bench();
    bench.deny(&["192.0.2.0/24", "2001:db8::/32"]).unwrap();
    bench.allow(&["198.51.100.0/24"]).unwrap();
    bench.service.ban(&order("192.0.2.7", 600)).unwrap();
    bench.service.ban(&order("203.0.113.7", 7_200)).unwrap();
    let before = bench.lists.state().entries.clone();
    bench.lists.state().entries.clear();
    let done = bench.service.reconcile().unwrap();
    assert_eq!((done.written, done.kept, done.removed), (5, 0, 0));
    assert_eq!(bench.lists.state().entries, before);
    assert_eq!(bench.service.reconcile().unwrap().kept, 5);

    let bench = bench.at(later);
    bench.lists.state().entries.clear();
    let done = bench.service.reconcile().unwrap();
    assert_eq!(done.written, 4);
    assert_eq!(bench.lists.entry(List::Deny, "192.0.2.7"), None);
    let left = bench.lists.entry(List::Deny, "203.0.113.7").unwrap();
    assert_eq!(
        left.expires.since(later().monotonic),
        Nanos::from_secs(3_600)
    );
}

#[test]
fn the_kernel_follows_the_store_after_a_crash() {
    let bench = bench();
    bench
        .deny(&["192.0.2.1", "192.0.2.2", "192.0.2.3"])
        .unwrap();
    let stray = Entry {
        rule: 9_999,
        ..Entry::default()
    };
    bench.lists.remove(List::Deny, p("192.0.2.2")).unwrap();
    bench
        .lists
        .insert(List::Deny, p("192.0.2.3"), stray)
        .unwrap();
    bench
        .lists
        .insert(List::Deny, p("192.0.2.4"), stray)
        .unwrap();
    bench.lists.state().calls.clear();
    let done = bench.service.reconcile().unwrap();
    assert_eq!((done.kept, done.written, done.removed), (1, 2, 1));
    assert_eq!(
        bench.lists.state().calls,
        [
            "remove Deny 192.0.2.4",
            "insert Deny 192.0.2.2",
            "insert Deny 192.0.2.3"
        ]
    );
}

#[test]
fn a_store_too_large_for_the_map_is_counted_and_said() {
    let bench = bench();
    bench
        .deny(&["192.0.2.1", "192.0.2.2", "192.0.2.3"])
        .unwrap();
    bench.lists.state().entries.clear();
    bench.lists.state().capacity = 1;
    let done = bench.service.reconcile().unwrap();
    assert_eq!((done.written, done.refused), (1, 2));
    assert!(done.refusal.unwrap().contains("is full (1 entries)"));
}

#[test]
fn a_lost_store_takes_over_what_the_kernel_has() {
    let bench = bench();
    let entry = |expires| Entry {
        expires,
        rule: 77,
        origin: ORIGIN_BAN,
        ..Entry::default()
    };
    let soon = NOW.monotonic.saturating_add(Nanos::from_secs(60));
    for (list, prefix, expires) in [
        (List::Deny, "192.0.2.1", soon),
        (List::Deny, "192.0.2.2", Nanos(1)),
        (List::Allow, "192.0.2.3", Nanos::ZERO),
    ] {
        bench.lists.insert(list, p(prefix), entry(expires)).unwrap();
    }
    bench.service.adopt_if_lost().unwrap();
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1"]);
    let shown = bench.entries(ListName::Deny);
    assert_eq!(shown[0].origin, Origin::Ban);
    assert_eq!(shown[0].left_ms, Some(60_000));
    let kernel = bench.lists.entry(List::Deny, "192.0.2.1").unwrap();
    assert_eq!(kernel.rule, shown[0].rule.get());
    assert_eq!(bench.log(), ["agent adopt 2 entries of the kernel's lists"]);

    // A store that has been in use is believed.
    bench
        .lists
        .insert(List::Deny, p("192.0.2.9"), entry(soon))
        .unwrap();
    bench.service.adopt_if_lost().unwrap();
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1", "192.0.2.9"]);
    bench.service.reconcile().unwrap();
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1"]);
}

#[test]
fn sweeping_takes_out_the_expired_and_brings_back_the_shadowed() {
    let bench = bench();
    let shadow = AddRequest {
        shadow: true,
        ..request(&["192.0.2.7"])
    };
    bench.session.add(ListName::Deny, &shadow).unwrap();
    for client in ["192.0.2.7", "192.0.2.8"] {
        bench.service.ban(&order(client, 600)).unwrap();
    }
    let short = AddRequest {
        ttl: Some(Period::from_secs(60)),
        ..request(&["198.51.100.0/24"])
    };
    bench.session.add(ListName::Allow, &short).unwrap();
    assert_eq!(bench.service.sweep(Nanos::ZERO).unwrap(), 0);

    let bench = bench.at(later);
    assert_eq!(bench.service.sweep(Nanos::from_secs(86_400)).unwrap(), 3);
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.7"]);
    assert_eq!(bench.kernel(List::Allow), [""; 0]);
    let entry = bench.lists.entry(List::Deny, "192.0.2.7").unwrap();
    assert_eq!((entry.mode, entry.origin), (MODE_SHADOW, ORIGIN_OPERATOR));
    assert_eq!(*bench.hooks.safelist.lock().unwrap(), 1);
    let day = Nanos::from_secs(86_400);
    assert_eq!(bench.service.past_bans(day).unwrap().len(), 2);
    assert_eq!(bench.service.past_bans(Nanos::ZERO).unwrap(), []);
    bench.service.sweep(Nanos::from_secs(60)).unwrap();
    assert_eq!(bench.service.past_bans(day).unwrap(), []);
}
