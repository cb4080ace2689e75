//! What operators put on the lists and take off them.

use super::*;

#[test]
fn an_entry_is_stored_logged_and_in_the_kernel() {
    let bench = bench();
    let changed = bench
        .session
        .add(
            ListName::Deny,
            &AddRequest {
                ttl: Some(Period::from_secs(600)),
                reason: "scans".to_owned(),
                ..request(&["192.0.2.0/24", "192.0.2.0/24", "2001:db8::1"])
            },
        )
        .unwrap();
    assert_eq!(prefixes(&changed.entries), ["192.0.2.0/24", "2001:db8::1"]);
    assert_eq!(changed.notes, [""; 0]);
    let first = &changed.entries[0];
    assert_eq!(first.left_ms, Some(600_000));
    assert_eq!(first.created_by.as_deref(), Some("cli uid 0"));
    assert_eq!(bench.entries(ListName::Deny), changed.entries);
    assert_eq!(
        bench.lists.entry(List::Deny, "192.0.2.0/24"),
        Some(Entry {
            expires: NOW.monotonic.saturating_add(Nanos::from_secs(600)),
            rule: first.rule.get(),
            mode: MODE_ENFORCE,
            origin: ORIGIN_OPERATOR,
            ..Entry::default()
        })
    );
    assert_eq!(
        bench.log(),
        [
            "cli uid 0 add 192.0.2.0/24 scans",
            "cli uid 0 add 2001:db8::1 scans"
        ]
    );
}

#[test]
fn removal_undoes_it_all() {
    let bench = bench();
    bench.deny(&["192.0.2.0/24", "192.0.3.0/24"]).unwrap();
    let changed = bench.remove(&["192.0.2.0/24"]).unwrap();
    assert_eq!(prefixes(&changed.entries), ["192.0.2.0/24"]);
    assert_eq!(prefixes(&bench.entries(ListName::Deny)), ["192.0.3.0/24"]);
    assert_eq!(bench.kernel(List::Deny), ["192.0.3.0/24"]);
    assert_eq!(bench.log().last().unwrap(), "cli uid 0 remove 192.0.2.0/24");
}

#[test]
fn a_removal_is_all_or_nothing() {
    let bench = bench();
    bench.deny(&["192.0.2.0/24"]).unwrap();
    let refused = bench.remove(&["192.0.2.0/24", "192.0.9.0/24"]).unwrap_err();
    assert_eq!(refused.kind, FaultKind::NotFound);
    assert_eq!(
        refused.to_string(),
        "192.0.9.0/24 is not on the deny list; nothing was changed"
    );
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.0/24"]);
    assert_eq!(prefixes(&bench.entries(ListName::Deny)), ["192.0.2.0/24"]);
}

#[test]
fn a_full_map_takes_the_whole_change_back() {
    let bench = bench();
    bench.deny(&["192.0.2.1"]).unwrap();
    bench
        .session
        .add(
            ListName::Deny,
            &AddRequest {
                shadow: true,
                ..request(&["192.0.2.2"])
            },
        )
        .unwrap();
    bench.lists.state().capacity = 3;
    let before = bench.entries(ListName::Deny);
    let refused = bench
        .deny(&["192.0.2.2", "192.0.2.3", "192.0.2.4"])
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::Full);
    assert_eq!(
        refused.to_string(),
        "the kernel's map for IPv4 deny entries is full (3 entries); 192.0.2.4 was not added"
    );
    assert_eq!(bench.entries(ListName::Deny), before);
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1", "192.0.2.2"]);
    let second = bench.lists.entry(List::Deny, "192.0.2.2").unwrap();
    assert_eq!(second.mode, MODE_SHADOW);
    assert!(
        bench
            .log()
            .last()
            .unwrap()
            .starts_with("cli uid 0 undo the kernel's map")
    );
}

#[test]
fn a_refused_removal_leaves_the_entry() {
    let bench = bench();
    bench.deny(&["192.0.2.1", "192.0.2.2"]).unwrap();
    let before = bench.entries(ListName::Deny);
    bench.lists.state().refuses = vec![p("192.0.2.2")];
    let refused = bench.remove(&["192.0.2.1", "192.0.2.2"]).unwrap_err();
    assert_eq!(refused.kind, FaultKind::Kernel);
    assert!(
        refused
            .detail
            .contains("not all of the change could be taken back"),
        "{refused}"
    );
    assert_eq!(bench.entries(ListName::Deny), before);
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1", "192.0.2.2"]);
}

#[test]
fn without_a_filter_nothing_changes() {
    let why = ListsError::Absent("nothing is pinned under /x".to_owned());
    let service = Arc::new(Service::with_clock(
        Arc::new(Absent(why)),
        Store::in_memory().unwrap(),
        Arc::new(crate::control::NoAgent),
        clock,
    ));
    let session = service.session(Actor::agent());
    let refused = session
        .add(ListName::Deny, &request(&["192.0.2.1"]))
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::NoFilter);
    assert_eq!(
        refused.to_string(),
        "no filter is loaded: nothing is pinned under /x"
    );
    assert!(service.store().read().is_untouched().unwrap());
    let status = session.status().unwrap();
    assert!(!status.filter.loaded);
    assert_eq!(
        session.reload(&ReloadRequest::default()).unwrap_err().kind,
        FaultKind::NoAgent
    );
    assert_eq!(session.stats().unwrap_err().kind, FaultKind::NoFilter);
}

#[test]
fn what_locks_somebody_out_must_be_forced() {
    let bench = bench_with(
        Heard {
            protected: vec![(p("198.51.100.0/24"), "the management network".to_owned())],
            ..Heard::default()
        },
        Arc::default(),
        Store::in_memory().unwrap(),
        clock,
    );
    let zone = Entry {
        class: 1,
        ..Entry::default()
    };
    bench
        .lists
        .insert(List::Zone, p("10.0.0.0/8"), zone)
        .unwrap();
    let session = Some("203.0.113.9".parse().unwrap());
    let table = [
        (
            ListName::Deny,
            "0.0.0.0/0",
            Some("0.0.0.0/0 is every address there is"),
        ),
        (
            ListName::Deny,
            "::/0",
            Some("::/0 is every address there is"),
        ),
        (
            ListName::Allow,
            "0.0.0.0/0",
            Some("0.0.0.0/0 on the safelist turns the filter off"),
        ),
        (
            ListName::Deny,
            "10.0.0.0/7",
            Some("10.0.0.0/7 holds 10.0.0.0/8, a trusted network"),
        ),
        (
            ListName::Deny,
            "10.0.0.0/8",
            Some("10.0.0.0/8 holds 10.0.0.0/8, a trusted network"),
        ),
        (ListName::Deny, "10.1.2.3", None),
        (
            ListName::Deny,
            "198.51.0.0/16",
            Some("198.51.0.0/16 holds 198.51.100.0/24, the management network"),
        ),
        (
            ListName::Deny,
            "203.0.113.0/24",
            Some("203.0.113.0/24 holds 203.0.113.9, from where you are logged in"),
        ),
        (ListName::Deny, "203.0.113.8", None),
        (ListName::Allow, "203.0.113.0/24", None),
    ];
    for (list, prefix, words) in table {
        let request = AddRequest {
            session,
            ..request(&["192.0.2.1", prefix])
        };
        let refused = bench.session.add(list, &request);
        let Some(words) = words else {
            refused.unwrap();
            continue;
        };
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind, FaultKind::NeedsForce);
        assert_eq!(
            refused.to_string(),
            format!("{words}; nothing was changed: repeat it with --force if you mean it")
        );
        let forced = AddRequest {
            force: true,
            ..request.clone()
        };
        bench.session.add(list, &forced).unwrap();
        if list == ListName::Deny {
            let shadow = AddRequest {
                shadow: true,
                ..request
            };
            bench.session.add(list, &shadow).unwrap();
        }
    }
}

#[test]
fn senseless_requests_are_refused() {
    let bench = bench();
    let refused = |list, request: AddRequest| {
        let fault = bench.session.add(list, &request).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Invalid);
        fault.detail
    };
    let one = || request(&["192.0.2.1"]);
    assert_eq!(refused(ListName::Deny, request(&[])), "no prefix was named");
    let many = AddRequest {
        prefixes: vec![p("192.0.2.1"); MAX_PREFIXES + 1],
        ..one()
    };
    assert!(refused(ListName::Deny, many).starts_with("10001 prefixes"));
    let zero = AddRequest {
        ttl: Some(Period::ZERO),
        ..one()
    };
    assert!(refused(ListName::Deny, zero).contains("cannot last 0s"));
    let long = AddRequest {
        reason: "x".repeat(501),
        ..one()
    };
    assert!(refused(ListName::Deny, long).contains("501 bytes"));
    let lines = AddRequest {
        reason: "a\nb".to_owned(),
        ..one()
    };
    assert!(refused(ListName::Deny, lines).contains("control characters"));
    let shadow = AddRequest {
        shadow: true,
        ..one()
    };
    assert!(refused(ListName::Allow, shadow).contains("no shadow mode"));
    for limit in [0, 10_001] {
        let query = PageQuery {
            limit: Some(limit),
            ..PageQuery::default()
        };
        let fault = bench.session.page(ListName::Deny, &query).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Invalid);
    }
}

#[test]
fn notes_say_what_an_entry_does_not_do() {
    let bench = bench();
    bench.allow(&["10.1.0.0/16", "10.2.3.4"]).unwrap();
    let notes = |prefix: &str| bench.deny(&[prefix]).unwrap().notes;
    assert_eq!(
        notes("10.1.0.0/16"),
        [
            "10.1.0.0/16 is on the safelist too, and there the safelist wins: it stays without \
          effect"
        ]
    );
    assert_eq!(
        notes("10.2.0.0/16"),
        ["1 more specific entry inside 10.2.0.0/16 on the safelist still decides"]
    );
    assert_eq!(
        notes("10.0.0.0/8"),
        ["2 more specific entries inside 10.0.0.0/8 on the safelist still decide"]
    );
    let shadow = AddRequest {
        shadow: true,
        ..request(&["192.0.2.7"])
    };
    bench.service.ban(&order("192.0.2.7", 600)).unwrap();
    let changed = bench.session.add(ListName::Deny, &shadow).unwrap();
    assert_eq!(changed.notes.len(), 1);
    assert!(
        changed.notes[0].contains("not in shadow mode"),
        "{:?}",
        changed.notes
    );
}

#[test]
fn entries_of_others_are_not_an_operators_to_take() {
    let bench = bench();
    for (origin, words) in [
        (Origin::Feed, "gateway allow add 192.0.2.7"),
        (Origin::Config, "gateway reload"),
    ] {
        let new = NewRecord {
            list: ListName::Deny,
            prefix: p("192.0.2.7"),
            origin,
            mode: Mode::Enforce,
            expires: None,
            reason: String::new(),
            created: UnixMillis(1),
            created_by: "agent".to_owned(),
        };
        let put = |w: &crate::store::Writer<'_>| w.put(&new);
        let _: RuleId = bench
            .service
            .store()
            .write::<_, StoreError>(Durability::Lazy, put)
            .unwrap();
        let refused = bench.remove(&["192.0.2.7"]).unwrap_err();
        assert_eq!(refused.kind, FaultKind::NotYours);
        assert!(refused.detail.contains(words), "{refused}");
        bench
            .service
            .store()
            .write::<_, StoreError>(Durability::Lazy, |w| {
                w.remove(ListName::Deny, p("192.0.2.7"), origin)
            })
            .unwrap();
    }
}

#[test]
fn management_addresses_come_and_go_with_the_configuration() {
    let bench = bench();
    bench.allow(&["192.0.2.7"]).unwrap();
    let set = |prefixes: &[&str]| {
        let wanted = request(prefixes).prefixes;
        bench.service.set_management(&wanted).unwrap();
        bench.kernel(List::Allow)
    };
    assert_eq!(
        set(&["192.0.2.7", "198.51.100.0/24"]),
        ["192.0.2.7", "198.51.100.0/24"]
    );
    let shown = bench.entries(ListName::Allow);
    let origins: Vec<Origin> = shown.iter().map(|e| e.origin).collect();
    assert_eq!(origins, [Origin::Operator, Origin::Config, Origin::Config]);
    bench.lists.state().calls.clear();
    set(&["192.0.2.7", "198.51.100.0/24"]);
    assert_eq!(bench.lists.state().calls, [""; 0]);
    // The operator's own entry stays.
    assert_eq!(set(&["203.0.113.1"]), ["192.0.2.7", "203.0.113.1"]);
}
