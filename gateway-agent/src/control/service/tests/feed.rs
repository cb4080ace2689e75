//! Feeds: what of them gets onto the lists, and what not.

use gateway_common::rule::{LimitKind, limit};
use gateway_policy::grammar::FeedName;
use gateway_policy::import::Entry as Line;

use super::*;
use crate::store::Tagged;

/// What a feed on the deny list says.
fn says(name: &str, prefixes: &[&str]) -> FeedOrder {
    let mut entries: Vec<Line> = prefixes
        .iter()
        .zip(1..)
        .map(|(text, line)| Line {
            prefix: p(text),
            line,
            ttl: None,
        })
        .collect();
    entries.sort_by_key(|entry| entry.prefix);
    FeedOrder {
        name: name.parse::<FeedName>().unwrap(),
        list: ListName::Deny,
        mode: Mode::Enforce,
        source: "https://lists.example/drop.txt".to_owned(),
        entries,
        limits: None,
    }
}

/// So many hosts, from this one on.
fn many(name: &str, from: u32, count: u32) -> FeedOrder {
    let hosts: Vec<String> = (from..from + count)
        .map(|n| std::net::Ipv4Addr::from(0xc633_0000 + n).to_string())
        .collect();
    says(name, &hosts.iter().map(String::as_str).collect::<Vec<_>>())
}

impl Bench {
    fn fed(&self, order: FeedOrder) -> FeedTaken {
        match self.service.update_feed(order, None).unwrap() {
            FeedOutcome::Taken(taken) => taken,
            FeedOutcome::HeldBack { held, .. } => panic!("held back with {held}"),
        }
    }

    fn calls(&self) -> usize {
        self.lists.state().calls.len()
    }
}

#[test]
fn only_what_changed_is_written() {
    let bench = bench();
    let taken = bench.fed(says(
        "drop",
        &["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"],
    ));
    assert_eq!((taken.entries, taken.done.added), (3, 3));
    let before = bench.entries(ListName::Deny);
    let calls = bench.calls();
    // Another line is no other entry.
    let taken = bench.fed(says(
        "drop",
        &["2001:db8::/32", "198.51.100.7", "192.0.2.0/24"],
    ));
    assert_eq!((taken.done.unchanged, bench.calls()), (3, calls));
    assert_eq!(bench.entries(ListName::Deny), before);

    let taken = bench.fed(says(
        "drop",
        &["192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32"],
    ));
    let done = taken.done;
    assert_eq!((done.added, done.removed, done.unchanged), (1, 1, 2));
    assert_eq!(bench.calls(), calls + 2);
    let entries = bench.entries(ListName::Deny);
    assert_eq!(
        prefixes(&entries),
        ["192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32"]
    );
    assert_eq!(bench.kernel(List::Deny), prefixes(&entries));
    let kept = before
        .iter()
        .find(|e| e.prefix == p("192.0.2.0/24"))
        .unwrap();
    assert_eq!(entries[0].rule, kept.rule);
    assert_eq!(entries[1].origin, Origin::Feed);
    let import = entries[1].import.clone().unwrap();
    assert_eq!((import.tag.as_str(), import.line), ("drop", 2));
    assert_eq!(entries[1].reason, "https://lists.example/drop.txt");
    assert_eq!(
        bench.log().last().unwrap(),
        "agent import drop: 1 added, 1 removed, 0 changed"
    );
}

#[test]
fn feeds_operators_and_bans_do_not_wipe_out_each_other() {
    let bench = bench();
    bench.deny(&["192.0.2.7"]).unwrap();
    bench.service.ban(&order("192.0.2.8", 600)).unwrap();
    bench.fed(says("a", &["192.0.2.7", "192.0.2.8", "192.0.2.9"]));
    bench.fed(says("b", &["192.0.2.9"]));
    assert_eq!(bench.entries(ListName::Deny).len(), 6);
    let refused = bench.remove(&["192.0.2.9"]).unwrap_err();
    assert_eq!(refused.kind, FaultKind::NotYours);
    assert!(
        refused.detail.contains("gateway allow add 192.0.2.9"),
        "{refused}"
    );

    let gone = bench.service.drop_feeds(|_, name| name == "b").unwrap();
    let gone: Vec<(&str, u64)> = gone.iter().map(|t| (t.tag.as_str(), t.entries)).collect();
    assert_eq!(gone, [("a", 3)]);
    let left: Vec<(String, Origin)> = bench
        .entries(ListName::Deny)
        .iter()
        .map(|e| (e.prefix.to_string(), e.origin))
        .collect();
    assert_eq!(
        left,
        [
            ("192.0.2.7".to_owned(), Origin::Operator),
            ("192.0.2.8".to_owned(), Origin::Ban),
            ("192.0.2.9".to_owned(), Origin::Feed),
        ]
    );
    let origins: Vec<u8> = bench
        .lists
        .entries(List::Deny)
        .unwrap()
        .iter()
        .map(|(_, entry)| entry.origin)
        .collect();
    assert_eq!(origins, [ORIGIN_OPERATOR, ORIGIN_BAN, ORIGIN_FEED]);
}

#[test]
fn one_that_shrinks_is_held_back_until_it_is_accepted() {
    let bench = bench();
    bench.fed(many("drop", 0, 100));
    let offered = many("drop", 0, 49);
    let outcome = bench.service.update_feed(offered.clone(), None).unwrap();
    assert_eq!(
        outcome,
        FeedOutcome::HeldBack {
            held: 100,
            offer: offered.clone()
        }
    );
    assert_eq!(bench.kernel(List::Deny).len(), 100);
    // Half of it is believed, and so is a small one that loses nearly all.
    bench.fed(many("drop", 0, 50));
    bench.fed(many("small", 5_000, 19));
    bench.fed(many("small", 5_000, 1));
    let empty = bench
        .service
        .update_feed(many("small", 0, 0), None)
        .unwrap();
    assert!(
        matches!(empty, FeedOutcome::HeldBack { held: 1, .. }),
        "{empty:?}"
    );

    let somebody = Actor::cli(0, None);
    let accepted = bench
        .service
        .update_feed(many("drop", 0, 0), Some(&somebody));
    assert!(
        matches!(accepted, Ok(FeedOutcome::Taken(_))),
        "{accepted:?}"
    );
    assert_eq!(bench.kernel(List::Deny).len(), 1);
    assert_eq!(
        bench.log().last().unwrap(),
        "cli uid 0 import drop: 0 added, 50 removed, 0 changed"
    );
}

#[test]
fn whom_nobody_should_deny_is_left_out() {
    let bench = bench_with(
        Heard {
            protected: vec![(p("203.0.113.7"), "the upstream app".to_owned())],
            ..Heard::default()
        },
        Arc::default(),
        Store::in_memory().unwrap(),
        clock,
    );
    let zone = Entry::default();
    bench
        .lists
        .insert(List::Zone, p("10.0.0.0/8"), zone)
        .unwrap();
    let taken = bench.fed(says(
        "bogons",
        &[
            "0.0.0.0/0",
            "10.1.2.0/24",
            "127.0.0.0/8",
            "169.254.1.1",
            "192.0.2.0/24",
            "203.0.113.0/24",
            "::1",
            "fe80::/64",
        ],
    ));
    assert_eq!((taken.entries, taken.left_out), (1, 7));
    assert!(
        taken.told.iter().any(|t| t.contains("the upstream app")),
        "{:?}",
        taken.told
    );
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.0/24"]);
}

#[test]
fn what_is_protected_since_and_another_mode_hold_without_asking_the_feed() {
    let bench = bench();
    bench.fed(says("drop", &["10.1.2.3", "192.0.2.0/24"]));
    let name: FeedName = "drop".parse().unwrap();
    let shadow = (ListName::Deny, Mode::Shadow);
    assert_eq!(bench.service.settle_feed(&name, shadow, "x").unwrap(), 2);
    let entry = bench.lists.entry(List::Deny, "192.0.2.0/24").unwrap();
    assert_eq!((entry.mode, entry.origin), (MODE_SHADOW, ORIGIN_FEED));
    // Its line is that of the feed still.
    let line = bench.entries(ListName::Deny)[1]
        .import
        .clone()
        .unwrap()
        .line;
    assert_eq!(line, 2);

    let zone = Entry::default();
    bench
        .lists
        .insert(List::Zone, p("10.0.0.0/8"), zone)
        .unwrap();
    assert_eq!(bench.service.settle_feed(&name, shadow, "x").unwrap(), 1);
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.0/24"]);
    let calls = bench.calls();
    assert_eq!(bench.service.settle_feed(&name, shadow, "x").unwrap(), 1);
    assert_eq!(bench.calls(), calls);
}

#[test]
fn one_that_does_not_fit_changes_nothing() {
    let bench = bench();
    bench.fed(says("drop", &["192.0.2.1", "192.0.2.2"]));
    bench.lists.state().capacity = 3;
    let refused = bench
        .service
        .update_feed(
            says(
                "drop",
                &["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"],
            ),
            None,
        )
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::Full, "{refused}");
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(
        prefixes(&bench.entries(ListName::Deny)),
        ["192.0.2.1", "192.0.2.2"]
    );
    let words: Vec<Tagged> = bench.service.feed_tags().unwrap();
    assert_eq!(words[0].entries, 2);
}

#[test]
fn the_safelist_has_feeds_too_and_they_lift_bans() {
    let bench = bench();
    bench.service.ban(&order("192.0.2.8", 600)).unwrap();
    let safe = FeedOrder {
        list: ListName::Allow,
        ..says("partners", &["192.0.2.0/24", "0.0.0.0/0"])
    };
    let taken = bench.fed(safe);
    assert_eq!((taken.done.lifted, taken.left_out), (1, 1));
    assert_eq!(bench.kernel(List::Allow), ["192.0.2.0/24"]);
    assert_eq!(bench.kernel(List::Deny), [""; 0]);
    assert_eq!(*bench.hooks.safelist.lock().unwrap(), 1);
    // The same name on another list is another feed.
    let gone = bench
        .service
        .drop_feeds(|list, _| list == ListName::Deny)
        .unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(bench.kernel(List::Allow), [""; 0]);
}

#[test]
fn without_an_agent_the_store_tells_what_feeds_have_left() {
    let bench = bench();
    bench.fed(says("drop", &["192.0.2.0/24", "192.0.2.7"]));
    let feeds = bench.session.feeds().unwrap().feeds;
    assert_eq!(feeds.len(), 1);
    assert_eq!((feeds[0].name.as_str(), feeds[0].entries), ("drop", 2));
    assert_eq!(feeds[0].agent, None);
    let request = FeedRequest {
        name: "drop".to_owned(),
    };
    for refused in [
        bench.session.refresh_feed(&request),
        bench.session.accept_feed(&request),
    ] {
        assert_eq!(refused.unwrap_err().kind, FaultKind::NoAgent);
    }
}

#[test]
fn empty_batches_do_not_pile_up() {
    let bench = bench();
    for n in 0..200 {
        bench.fed(many("drop", n * 30, 30));
    }
    let store = bench.service.store();
    let newest = store
        .read()
        .page(ListName::Deny, crate::store::Filter::default(), NOW.wall, 1);
    let batch = newest.unwrap()[0].import.clone().unwrap().batch;
    assert_eq!(batch.get(), 200);
    assert!(
        store.batches_of("drop") <= 65,
        "{}",
        store.batches_of("drop")
    );
}

#[test]
fn a_lost_store_holds_what_feeds_had_for_a_day() {
    let first = bench();
    first.fed(says("drop", &["192.0.2.0/24"]));
    let Bench { lists, .. } = first;
    let bench = bench_with(Heard::default(), lists, Store::in_memory().unwrap(), clock);
    bench.service.reconcile().unwrap();
    let entries = bench.entries(ListName::Deny);
    assert_eq!(entries[0].origin, Origin::Feed);
    assert_eq!(entries[0].left_ms, Some(24 * 3600 * 1000));
}

#[test]
fn what_a_feed_would_have_dropped_is_the_sum_of_its_entries() {
    let bench = bench();
    let shadowed = |name, prefixes: &[&str]| FeedOrder {
        mode: Mode::Shadow,
        ..says(name, prefixes)
    };
    bench.fed(shadowed("a", &["192.0.2.0/24", "198.51.100.7"]));
    bench.fed(shadowed("b", &["203.0.113.0/24"]));
    bench.fed(says("acts", &["198.18.0.0/16"]));
    let by_hand = AddRequest {
        shadow: true,
        ..request(&["198.51.101.0/24"])
    };
    bench.session.add(ListName::Deny, &by_hand).unwrap();
    let limit = limit(LimitKind::Packets, 0);
    bench.lists.state().would = (1..=9).map(|rule| (rule, (10, 600))).collect();
    bench.lists.state().would.insert(limit, (5, 300));
    let sums = |bench: &Bench| -> Vec<_> {
        let feeds = bench.session.feeds().unwrap().feeds;
        feeds
            .into_iter()
            .map(|feed| (feed.name, feed.would_drop.map(|would| would.packets)))
            .collect()
    };
    let named = |name: &str, sum| (name.to_owned(), sum);
    assert_eq!(
        sums(&bench),
        [
            named("a", Some(20)),
            named("acts", None),
            named("b", Some(10))
        ]
    );
    // What is gone takes its count along; what stays keeps it, and so do limits.
    bench.fed(shadowed("a", &["198.51.100.7"]));
    bench.service.forget_counts().unwrap();
    assert_eq!(sums(&bench)[0], named("a", Some(10)));
    assert_eq!(bench.lists.state().would.get(&limit), Some(&(5, 300)));
}
