//! List entries: put, replaced, removed, found.

use gateway_common::rule::LAST_ENTRY;

use super::*;

#[test]
fn replacing_keeps_the_number_and_removing_retires_it() {
    let file = File::new();
    let mut store = file.open().unwrap();
    let first = put(&mut store, &deny("10.0.0.0/8"));
    let shadow = NewRecord {
        mode: Mode::Shadow,
        reason: "trying out".to_owned(),
        ..deny("10.0.0.0/8")
    };
    assert_eq!(put(&mut store, &shadow), first);
    assert_eq!(store.read().by_rule(first).unwrap().unwrap().entry, shadow);

    let removed = store
        .write(Durability::Lazy, |w| {
            w.remove(ListName::Deny, p("10.0.0.0/8"), Origin::Operator)
        })
        .unwrap();
    assert!(removed);
    assert_eq!(store.read().by_rule(first).unwrap(), None);
    assert!(put(&mut store, &deny("10.0.0.0/8")) > first);
}

#[test]
fn origins_do_not_wipe_out_one_another() {
    let file = File::new();
    let mut store = file.open().unwrap();
    put(&mut store, &deny("192.0.2.7"));
    put(&mut store, &ban("192.0.2.7", 2_000_000));
    let both = store.read().on(ListName::Deny, p("192.0.2.7")).unwrap();
    let origins: Vec<Origin> = both.iter().map(|r| r.entry.origin).collect();
    assert_eq!(origins, [Origin::Operator, Origin::Ban]);
    store
        .write(Durability::Lazy, |w| {
            w.remove(ListName::Deny, p("192.0.2.7"), Origin::Ban)
        })
        .unwrap();
    let left = store.read().on(ListName::Deny, p("192.0.2.7")).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].entry, deny("192.0.2.7"));
}

#[test]
fn restoring_brings_back_the_number_and_the_words() {
    let mut store = Store::in_memory().unwrap();
    let rule = put(&mut store, &ban("192.0.2.7", 2_000_000));
    let before = store.read().by_rule(rule).unwrap().unwrap();
    put(&mut store, &ban("192.0.2.7", 9_000_000));
    store
        .write(Durability::Lazy, |w| w.restore(&before))
        .unwrap();
    assert_eq!(store.read().by_rule(rule).unwrap(), Some(before.clone()));

    store
        .write(Durability::Lazy, |w| {
            w.remove(ListName::Deny, p("192.0.2.7"), Origin::Ban)
        })
        .unwrap();
    store
        .write(Durability::Lazy, |w| w.restore(&before))
        .unwrap();
    assert_eq!(store.read().by_rule(rule).unwrap(), Some(before));
}

#[test]
fn a_failed_change_leaves_nothing() {
    let mut store = Store::in_memory().unwrap();
    let done: Result<(), StoreError> = store.write(Durability::Lazy, |w| {
        w.put(&deny("10.0.0.0/8"))?;
        Err(StoreError::new(w.path, StoreFault::Busy))
    });
    assert!(done.unwrap_err().is_busy());
    assert_eq!(store.read().count(ListName::Deny, None, NOW).unwrap(), 0);
}

#[test]
fn finds_what_covers_an_address_longest_first() {
    let mut store = Store::in_memory().unwrap();
    for prefix in [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.2.3",
        "11.0.0.0/8",
    ] {
        put(&mut store, &deny(prefix));
    }
    put(&mut store, &ban("10.1.2.0/24", NOW.0));
    put(
        &mut store,
        &entry(ListName::Allow, "10.1.0.0/17", Origin::Operator),
    );
    let found =
        |text: &str| prefixes(&store.read().covering(ListName::Deny, p(text), NOW).unwrap());
    assert_eq!(
        found("10.1.2.3"),
        ["10.1.2.3", "10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0"]
    );
    assert_eq!(
        found("10.1.0.0/16"),
        ["10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0"]
    );
    assert_eq!(found("2001:db8::1"), [""; 0]);
    put(&mut store, &deny("2001:db8::/32"));
    let v6 = store
        .read()
        .covering(ListName::Deny, p("2001:db8::1"), NOW)
        .unwrap();
    assert_eq!(prefixes(&v6), ["2001:db8::/32"]);
}

#[test]
fn finds_what_lies_inside_a_prefix() {
    let mut store = Store::in_memory().unwrap();
    for prefix in ["10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"] {
        put(&mut store, &deny(prefix));
    }
    put(&mut store, &ban("10.1.2.3", 2_000_000));
    put(&mut store, &ban("10.1.2.4", NOW.0));
    let inside = |origin, limit| {
        prefixes(
            &store
                .read()
                .inside(ListName::Deny, p("10.1.0.0/16"), origin, NOW, limit)
                .unwrap(),
        )
    };
    assert_eq!(inside(None, 10), ["10.1.0.0/16", "10.1.2.3"]);
    assert_eq!(inside(None, 1), ["10.1.0.0/16"]);
    assert_eq!(inside(Some(Origin::Ban), 10), ["10.1.2.3"]);
}

#[test]
fn pages_walk_the_whole_list_once() {
    let mut store = Store::in_memory().unwrap();
    for i in 0..100u8 {
        put(&mut store, &deny(&format!("10.0.{i}.0/24")));
    }
    put(&mut store, &ban("10.0.50.0/24", 2_000_000));
    put(&mut store, &ban("10.0.51.0/24", NOW.0));
    put(&mut store, &deny("2001:db8::/32"));
    let mut seen = Vec::new();
    let mut filter = Filter::default();
    loop {
        let page = store.read().page(ListName::Deny, filter, NOW, 7).unwrap();
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        filter.after = Some(Cursor {
            prefix: last.entry.prefix,
            origin: last.entry.origin,
            batch: None,
        });
        seen.extend(page.iter().map(|r| (r.entry.prefix, r.entry.origin)));
    }
    assert_eq!(seen.len(), 102);
    assert!(seen.is_sorted());
    seen.dedup();
    assert_eq!(seen.len(), 102);
    assert_eq!(store.read().count(ListName::Deny, None, NOW).unwrap(), 102);

    let bans = Filter {
        origin: Some(Origin::Ban),
        after: None,
    };
    let bans = store.read().page(ListName::Deny, bans, NOW, 7).unwrap();
    assert_eq!(prefixes(&bans), ["10.0.50.0/24"]);
}

#[test]
fn expiry_hides_an_entry_before_it_is_swept() {
    let mut store = Store::in_memory().unwrap();
    put(&mut store, &ban("192.0.2.7", 1_500_000));
    put(&mut store, &deny("192.0.2.8"));
    let live = |now| {
        let mut all = Vec::new();
        store
            .read()
            .live(ListName::Deny, UnixMillis(now), |l| {
                all.push(l.prefix.to_string())
            })
            .unwrap();
        all
    };
    assert_eq!(live(1_499_999), ["192.0.2.7", "192.0.2.8"]);
    assert_eq!(live(1_500_000), ["192.0.2.8"]);
    let expired = |now| prefixes(&store.read().expired(UnixMillis(now), 10).unwrap());
    assert_eq!(expired(1_499_999), [""; 0]);
    assert_eq!(expired(1_500_000), ["192.0.2.7"]);
}

#[test]
fn knows_whether_it_was_ever_used() {
    let mut store = Store::in_memory().unwrap();
    assert!(store.read().is_untouched().unwrap());
    put(&mut store, &deny("192.0.2.7"));
    store
        .write(Durability::Lazy, |w| {
            w.remove(ListName::Deny, p("192.0.2.7"), Origin::Operator)
        })
        .unwrap();
    assert!(!store.read().is_untouched().unwrap());
}

#[test]
fn the_last_rule_id_is_the_last() {
    let mut store = Store::in_memory().unwrap();
    put(&mut store, &deny("192.0.2.7"));
    store
        .conn
        .execute_batch("UPDATE sqlite_sequence SET seq = 4261412862 WHERE name = 'entry'")
        .unwrap();
    assert_eq!(put(&mut store, &deny("192.0.2.8")).get(), LAST_ENTRY);
    let refused = store
        .write(Durability::Lazy, |w| w.put(&deny("192.0.2.9")))
        .unwrap_err();
    assert!(
        matches!(refused.fault, StoreFault::RulesExhausted),
        "{refused}"
    );
    // What is there can still be changed.
    put(&mut store, &deny("192.0.2.8"));
}

#[test]
fn a_hundred_thousand_entries_load_in_bounded_time() {
    let mut store = Store::in_memory().unwrap();
    store
        .write(Durability::Lazy, |w| {
            for i in 0..100_000u32 {
                let new = NewRecord {
                    prefix: Prefix::host(std::net::Ipv4Addr::from(0x0a00_0000 + i).into()),
                    ..deny("0.0.0.0/0")
                };
                w.put(&new)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let start = Instant::now();
    let mut seen = 0;
    store
        .read()
        .live(ListName::Deny, NOW, |_| seen += 1)
        .unwrap();
    assert_eq!(seen, 100_000);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// A walk in steps, whose entries on one prefix must not come in two of them.
#[test]
fn prefixes_come_whole_in_every_step() {
    let mut store = Store::in_memory().unwrap();
    let until = NOW.0 + 1_000;
    for prefix in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        put(&mut store, &deny(prefix));
        put(&mut store, &ban(prefix, until));
        put(&mut store, &entry(ListName::Deny, prefix, Origin::Feed));
    }
    put(&mut store, &ban("192.0.2.9", NOW.0));
    for limit in 1..=12 {
        let (mut after, mut more, mut seen) = (None, true, Vec::new());
        while more {
            let step;
            (step, more) = store
                .read()
                .live_behind(ListName::Deny, after, NOW, limit)
                .unwrap();
            after = step.last().map(|live| live.prefix).or(after);
            for on in step.chunk_by(|a, b| a.prefix == b.prefix) {
                seen.push((on[0].prefix.to_string(), on.len()));
            }
        }
        let expected = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
        let expected = expected.map(|prefix| (prefix.to_owned(), 3));
        assert_eq!(seen, expected, "in steps of {limit}");
    }
}
