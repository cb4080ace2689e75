//! Lists, verdicts and counters, looked at.

use gateway_common::rule::Rule;

use super::*;
use crate::datapath::RuleHits;

#[test]
fn pages_join_up() {
    let bench = bench();
    let all: Vec<String> = (0..25).map(|i| format!("10.0.{i}.0/24")).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    bench.deny(&names).unwrap();
    bench.service.ban(&order("10.0.7.0/24", 600)).unwrap();
    let mut seen = Vec::new();
    let mut after: Option<Place> = None;
    loop {
        let query = PageQuery {
            limit: Some(4),
            after,
            origin: None,
        };
        let page = bench.session.page(ListName::Deny, &query).unwrap();
        seen.extend(prefixes(&page.entries));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 26);
    seen.dedup();
    assert_eq!(seen, all);
    let text = String::from(Place(crate::store::Cursor {
        prefix: p("10.0.7.0/24"),
        origin: Origin::Ban,
        batch: None,
    }));
    assert_eq!(text, "10.0.7.0/24,ban");
    assert!(Place::try_from("10.0.7.0/24".to_owned()).is_err());
}

#[test]
fn explain_names_what_decided() {
    let bench = bench();
    bench
        .session
        .add(
            ListName::Deny,
            &AddRequest {
                reason: "scans".to_owned(),
                ..request(&["10.0.0.0/8"])
            },
        )
        .unwrap();
    bench.deny(&["10.1.0.0/16"]).unwrap();
    bench.service.ban(&order("10.1.2.3", 600)).unwrap();
    let zone = Entry::default();
    bench
        .lists
        .insert(List::Zone, p("10.1.2.0/24"), zone)
        .unwrap();

    let asked = bench.session.explain("10.1.2.3".parse().unwrap()).unwrap();
    assert_eq!(
        (asked.verdict.as_str(), asked.action.as_str()),
        ("banned", "drop")
    );
    let decided = asked.decided_by.unwrap();
    assert_eq!(decided.prefix, p("10.1.2.3"));
    assert_eq!(decided.ban.unwrap().request.as_deref(), Some("r-1"));
    assert_eq!(prefixes(&asked.others), ["10.1.0.0/16", "10.0.0.0/8"]);
    assert_eq!(asked.zone, Some(p("10.1.2.0/24")));
    let actions: Vec<_> = asked.history.iter().map(|c| c.action.as_str()).collect();
    assert_eq!(actions, ["ban", "add", "add"]);
    assert_eq!(asked.notes, [""; 0]);

    let other = bench
        .session
        .explain("::ffff:10.9.9.9".parse().unwrap())
        .unwrap();
    assert_eq!(other.verdict, "denied-prefix");
    assert_eq!(other.decided_by.unwrap().reason, "scans");

    let free = bench.session.explain("192.0.2.1".parse().unwrap()).unwrap();
    assert_eq!((free.verdict.as_str(), free.decided_by), ("pass", None));
    assert_eq!(
        free.meaning,
        "The packet broke no rule and kept to its rate."
    );
}

#[test]
fn explain_finds_the_rule_of_a_block_denied_at_a_glance() {
    let bench = bench();
    let changed = bench.deny(&["192.0.2.0/24"]).unwrap();
    let asked = bench.session.explain("192.0.2.9".parse().unwrap()).unwrap();
    assert_eq!(asked.verdict, "denied-prefix");
    let decided = EntryView {
        hits: None,
        ..asked.decided_by.unwrap()
    };
    assert_eq!(decided, changed.entries[0]);
}

#[test]
fn explain_knows_shadow_entries_and_the_safelist() {
    let bench = bench();
    let shadow = AddRequest {
        shadow: true,
        ..request(&["192.0.2.0/24"])
    };
    let shadow = bench.session.add(ListName::Deny, &shadow).unwrap();
    bench.allow(&["198.51.100.0/24"]).unwrap();
    let asked = bench.session.explain("192.0.2.9".parse().unwrap()).unwrap();
    assert_eq!(
        (asked.verdict.as_str(), asked.action.as_str()),
        ("would-deny", "pass")
    );
    assert_eq!(asked.decided_by, Some(shadow.entries[0].clone()));
    let asked = bench
        .session
        .explain("198.51.100.1".parse().unwrap())
        .unwrap();
    assert_eq!(asked.verdict, "safelisted");
    assert_eq!(asked.decided_by.unwrap().list, ListName::Allow);
}

#[test]
fn explain_says_when_the_store_and_the_kernel_differ() {
    let bench = bench();
    let entry = Entry {
        rule: 77,
        origin: ORIGIN_FEED,
        ..Entry::default()
    };
    bench
        .lists
        .insert(List::Deny, p("192.0.2.7"), entry)
        .unwrap();
    let asked = bench.session.explain("192.0.2.7".parse().unwrap()).unwrap();
    let decided = asked.decided_by.unwrap();
    assert_eq!((decided.rule.get(), decided.origin), (77, Origin::Feed));
    assert_eq!(decided.created_by, None);
    assert!(
        asked.notes[0].contains("no words for rule 77"),
        "{:?}",
        asked.notes
    );

    bench.deny(&["198.51.100.7"]).unwrap();
    bench.lists.remove(List::Deny, p("198.51.100.7")).unwrap();
    let asked = bench
        .session
        .explain("198.51.100.7".parse().unwrap())
        .unwrap();
    assert_eq!(asked.verdict, "pass");
    assert!(
        asked.notes[0].contains("not in the kernel's list"),
        "{:?}",
        asked.notes
    );
}

#[test]
fn counters_are_summed_by_what_became_of_the_packets() {
    let bench = bench();
    let stats = bench.session.stats().unwrap();
    let eth0 = &stats.interfaces[0];
    assert_eq!(eth0.name, "eth0");
    assert_eq!(eth0.verdicts[9].verdict, "banned");
    assert_eq!(eth0.verdicts[9].packets, 90);
    let sum = |action: &str| -> u64 {
        let of = eth0.verdicts.iter().filter(|v| v.action == action);
        of.map(|v| v.packets).sum()
    };
    assert_eq!(stats.total.passed_packets, sum("pass"));
    assert_eq!(stats.total.dropped_packets, sum("drop"));
    assert_eq!(stats.total.events_lost, 1);
    assert_eq!(stats.total, eth0.total);
}

#[test]
fn a_reload_is_logged() {
    let bench = bench();
    let request = ReloadRequest::default();
    assert_eq!(bench.session.reload(&request).unwrap().generation, 2);
    assert_eq!(bench.log(), ["cli uid 0 reload generation 2"]);
}

#[test]
fn a_configuration_on_trial_is_confirmed_once_and_logged() {
    let bench = bench();
    let request = ReloadRequest {
        confirm: Some("60s".parse().unwrap()),
    };
    bench.session.reload(&request).unwrap();
    let confirmed = bench.session.confirm().unwrap();
    assert_eq!((confirmed.generation, confirmed.tags.len()), (Some(2), 0));
    let again = bench.session.confirm().unwrap_err();
    assert_eq!(again.kind, FaultKind::NotFound);
    bench.service.log_roll_back(3).unwrap();
    let log = bench.log();
    let (of_reload, of_end) = log.split_at(1);
    assert!(
        of_reload[0].ends_with("reload generation 2, on trial for 1m"),
        "{log:?}"
    );
    assert_eq!(
        of_end,
        [
            "cli uid 0 confirm the configuration, generation 2",
            "agent roll-back the configuration, which nobody confirmed; generation 3",
        ]
    );
}

#[test]
fn shadow_entries_tell_what_they_would_have_dropped() {
    let bench = bench();
    let shadow = AddRequest {
        shadow: true,
        ..request(&["192.0.2.0/24", "198.51.100.0/24"])
    };
    bench.session.add(ListName::Deny, &shadow).unwrap();
    bench.deny(&["203.0.113.7"]).unwrap();
    // The third entry is one that drops; the fourth was there once.
    bench.lists.state().would = [(1, (5, 300)), (3, (9, 9)), (4, (2, 2))].into();
    let counted: Vec<Option<u64>> = bench
        .entries(ListName::Deny)
        .iter()
        .map(|entry| entry.would_drop.map(|would| would.packets))
        .collect();
    assert_eq!(counted, [Some(5), None, None]);
    let explained = bench.session.explain("192.0.2.9".parse().unwrap()).unwrap();
    let would = explained.decided_by.unwrap().would_drop.unwrap();
    assert_eq!((would.packets, would.bytes), (5, 300));
    assert_eq!(bench.service.forget_counts().unwrap(), 1);
    let left: Vec<u32> = bench.lists.state().would.keys().copied().collect();
    assert_eq!(left, [1, 3]);
}

#[test]
fn explain_tells_what_an_entry_has_dropped_at_least() {
    let bench = bench();
    // The rules 1 to 4.
    bench
        .deny(&[
            "198.51.0.0/16",
            "198.51.100.0/24",
            "198.51.101.7",
            "192.0.2.9",
        ])
        .unwrap();
    let hits = |rule, packets, seconds| RuleHits {
        rule,
        packets,
        since: Nanos::from_secs(seconds),
    };
    bench.lists.state().hits = vec![
        hits(Rule::Entry(1), 3, 4_990),
        hits(Rule::Entry(3), 7, 4_000),
        // Blocks of the /16, of the /24 inside it, and of neither.
        hits(Rule::Block([198, 51, 7]), 100, 4_900),
        hits(Rule::Block([198, 51, 8]), 1, 4_995),
        hits(Rule::Block([198, 51, 100]), 1_000, 4_800),
        hits(Rule::Block([192, 0, 2]), 9, 4_800),
    ];
    let told = |address: &str| {
        let explained = bench.session.explain(address.parse().unwrap()).unwrap();
        let decided = explained.decided_by.unwrap();
        let hits = decided.hits.unwrap();
        let ago = hits.since_unix_ms.map(|at| (NOW.wall.0 - at.0) / 1_000);
        (decided.rule.get(), hits.at_least, ago)
    };
    assert_eq!(told("198.51.9.9"), (1, 104, Some(100)));
    assert_eq!(told("198.51.100.9"), (2, 1_000, Some(200)));
    assert_eq!(told("198.51.101.7"), (3, 7, Some(1_000)));
    // Of a host it is known what was dropped from its /24.
    assert_eq!(told("192.0.2.9"), (4, 9, Some(200)));
}
