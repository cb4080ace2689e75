//! Imports: a set that comes and goes as a whole.

use std::net::Ipv4Addr;

use gateway_policy::import::Entry as Line;

use super::*;
use crate::control::api::ImportRequest;
use crate::store::{BatchState, NewBatch, NewEntry};

fn running() -> Bench {
    let hooks = Heard {
        runs: true,
        ..Heard::default()
    };
    bench_with(hooks, Arc::default(), Store::in_memory().unwrap(), clock)
}

/// The file `tag` with these prefixes, in order.
fn file(tag: &str, prefixes: &[&str]) -> ImportRequest {
    let mut prefixes: Vec<Prefix> = prefixes.iter().map(|text| p(text)).collect();
    prefixes.sort();
    let entry = |(line, prefix)| Line {
        prefix,
        line,
        ttl: None,
    };
    ImportRequest {
        tag: tag.to_owned(),
        entries: (1..).zip(prefixes).map(entry).collect(),
        ..ImportRequest::default()
    }
}

fn replacing(tag: &str, prefixes: &[&str]) -> ImportRequest {
    ImportRequest {
        replace: true,
        ..file(tag, prefixes)
    }
}

fn on_trial(request: ImportRequest) -> ImportRequest {
    ImportRequest {
        confirm: Some(Period::from_secs(60)),
        ..request
    }
}

impl Bench {
    fn import(&self, request: &ImportRequest) -> Result<ImportDone, Fault> {
        self.session.import(ListName::Deny, request)
    }

    /// Added, removed, changed, unchanged.
    fn counts(&self, request: &ImportRequest) -> [usize; 4] {
        let done = self.import(request).unwrap();
        [done.added, done.removed, done.changed, done.unchanged]
    }

    /// What the store has that does not count, or not for long.
    fn open(&self) -> usize {
        let store = self.service.store();
        let open = |state: &BatchState| store.read().batches(*state).unwrap().len();
        BatchState::OPEN.iter().map(open).sum()
    }
}

#[test]
fn a_tag_follows_its_file() {
    let bench = bench();
    let first = ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32"];
    assert_eq!(bench.counts(&file("drop", &first)), [3, 0, 0, 0]);
    assert_eq!(bench.counts(&file("drop", &first)), [0, 0, 0, 3]);
    assert_eq!(bench.counts(&file("drop", &["10.0.0.0/8"])), [1, 0, 0, 0]);
    let asked = ImportRequest {
        dry_run: true,
        ..replacing("drop", &["192.0.2.7"])
    };
    assert_eq!(bench.counts(&asked), [0, 3, 0, 1]);
    assert_eq!(bench.kernel(List::Deny).len(), 4);

    assert_eq!(
        bench.counts(&replacing("drop", &["192.0.2.7", "192.0.2.9"])),
        [1, 3, 0, 1]
    );
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.7", "192.0.2.9"]);
    let entries = bench.entries(ListName::Deny);
    assert_eq!(prefixes(&entries), ["192.0.2.7", "192.0.2.9"]);
    let import = entries[1].import.as_ref().unwrap();
    assert_eq!((import.tag.as_str(), import.line), ("drop", 2));
    assert_eq!(entries[1].created_by.as_deref(), Some("cli uid 0"));

    let shadow = ImportRequest {
        shadow: true,
        ..file("drop", &["192.0.2.7"])
    };
    assert_eq!(bench.counts(&shadow), [0, 0, 1, 0]);
    let entry = bench.lists.entry(List::Deny, "192.0.2.7").unwrap();
    assert_eq!(entry.mode, MODE_SHADOW);
    assert_eq!(bench.open(), 0);
    assert!(
        bench
            .log()
            .contains(&"cli uid 0 import drop: 1 added, 3 removed, 0 changed".to_owned())
    );
}

#[test]
fn what_others_put_there_stays() {
    let bench = bench();
    bench.deny(&["192.0.2.7"]).unwrap();
    bench
        .import(&file("a", &["192.0.2.7", "192.0.2.8"]))
        .unwrap();
    bench.import(&file("b", &["192.0.2.8"])).unwrap();
    assert_eq!(
        bench.counts(&replacing("a", &["198.51.100.1"])),
        [1, 2, 0, 0]
    );
    let there = ["192.0.2.7", "192.0.2.8", "198.51.100.1"];
    assert_eq!(bench.kernel(List::Deny), there);
    // Two entries on one prefix, page by page.
    bench.import(&file("a", &["192.0.2.8"])).unwrap();
    let mut query = PageQuery {
        limit: Some(1),
        ..PageQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = bench.session.page(ListName::Deny, &query).unwrap();
        seen.extend(prefixes(&page.entries));
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(
        seen,
        ["192.0.2.7", "192.0.2.8", "192.0.2.8", "198.51.100.1"]
    );
    // An operator's `del` takes all that operators put there.
    bench.remove(&["192.0.2.8"]).unwrap();
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.7", "198.51.100.1"]);
}

#[test]
fn a_full_map_takes_none_of_it() {
    let bench = bench();
    bench
        .import(&file("a", &["192.0.2.1", "192.0.2.2"]))
        .unwrap();
    bench.lists.state().capacity = 3;
    let refused = bench
        .import(&replacing(
            "a",
            &["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1"],
        ))
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::Full);
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(
        prefixes(&bench.entries(ListName::Deny)),
        ["192.0.2.1", "192.0.2.2"]
    );
    assert_eq!(bench.open(), 0);
}

#[test]
fn what_a_crash_cut_short_never_was() {
    let bench = bench();
    bench.import(&file("a", &["192.0.2.1"])).unwrap();
    let rule = bench.entries(ListName::Deny)[0].rule;
    {
        let mut store = bench.service.store();
        let new = NewBatch {
            list: ListName::Deny,
            origin: Origin::Operator,
            tag: "a".to_owned(),
            reason: String::new(),
            created: NOW.wall,
            created_by: "cli uid 0".to_owned(),
        };
        let entry = NewEntry {
            prefix: p("192.0.2.2"),
            mode: Mode::Enforce,
            expires: None,
            line: 1,
        };
        store
            .write(Durability::Lazy, |w| {
                let batch = w.begin(&new)?;
                w.take_with(&batch, rule)?;
                w.put_into(&batch, Origin::Operator, &entry)
            })
            .unwrap();
    }
    let there = |bench: &Bench| prefixes(&bench.entries(ListName::Deny));
    assert_eq!(there(&bench), ["192.0.2.1"]);
    bench.service.recover().unwrap();
    bench.service.reconcile().unwrap();
    assert_eq!(there(&bench), ["192.0.2.1"]);
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1"]);
    assert_eq!(bench.open(), 0);
}

#[test]
fn a_trial_that_nobody_confirms_is_taken_back_after_a_crash_too() {
    let bench = running();
    bench
        .import(&file("a", &["192.0.2.1", "192.0.2.2"]))
        .unwrap();
    let done = bench
        .import(&on_trial(replacing("a", &["192.0.2.2", "192.0.2.3"])))
        .unwrap();
    let deadline = NOW.wall.0 + 60_000;
    assert_eq!(done.trial_until_unix_ms, Some(UnixMillis(deadline)));
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.2", "192.0.2.3"]);
    // The kernel itself ends what is on trial.
    let entry = bench.lists.entry(List::Deny, "192.0.2.3").unwrap();
    assert_eq!(
        entry.expires,
        NOW.monotonic.saturating_add(Nanos::from_secs(60))
    );

    assert_eq!(
        bench.import(&file("a", &[])).unwrap_err().kind,
        FaultKind::Busy
    );
    assert!(bench.service.roll_back_overdue().unwrap().is_empty());
    // A start within the time changes nothing.
    bench.service.recover().unwrap();
    assert_eq!(bench.service.reconcile().unwrap().kept, 2);

    let bench = bench.at(later);
    bench.service.recover().unwrap();
    // Whoever asks has other things to do than to wait for an import.
    let under_way = bench.service.bulk.lock().unwrap();
    assert!(bench.service.roll_back_overdue().unwrap().is_empty());
    drop(under_way);
    assert_eq!(bench.service.roll_back_overdue().unwrap(), ["a"]);
    assert_eq!(bench.kernel(List::Deny), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(
        prefixes(&bench.entries(ListName::Deny)),
        ["192.0.2.1", "192.0.2.2"]
    );
    assert_eq!(bench.open(), 0);
    assert_eq!(
        bench.session.confirm().unwrap_err().kind,
        FaultKind::NotFound
    );
}

#[test]
fn a_confirmed_trial_stays() {
    let bench = running();
    bench.import(&on_trial(file("a", &["192.0.2.1"]))).unwrap();
    bench.import(&on_trial(file("b", &["192.0.2.2"]))).unwrap();
    assert_eq!(bench.session.confirm().unwrap().tags, ["a", "b"]);
    for prefix in ["192.0.2.1", "192.0.2.2"] {
        let entry = bench.lists.entry(List::Deny, prefix).unwrap();
        assert!(entry.is_permanent(), "{prefix}");
    }
    let bench = bench.at(later);
    assert!(bench.service.roll_back_overdue().unwrap().is_empty());
    assert_eq!(bench.entries(ListName::Deny).len(), 2);
}

#[test]
fn the_safelist_lifts_bans_inside() {
    let bench = bench();
    bench.service.ban(&order("192.0.2.7", 600)).unwrap();
    bench.service.ban(&order("198.51.100.7", 600)).unwrap();
    let done = bench
        .session
        .import(ListName::Allow, &file("ours", &["192.0.2.0/24"]))
        .unwrap();
    assert_eq!((done.added, done.lifted), (1, 1));
    assert_eq!(bench.kernel(List::Deny), ["198.51.100.7"]);
    assert_eq!(*bench.hooks.lifted.lock().unwrap(), ["192.0.2.7"]);
    assert_eq!(*bench.hooks.safelist.lock().unwrap(), 1);
}

#[test]
fn locking_somebody_out_is_told_by_line() {
    let protected = vec![(p("10.0.0.0/8"), "the trusted network internal".to_owned())];
    let hooks = Heard {
        protected,
        ..Heard::default()
    };
    let bench = bench_with(hooks, Arc::default(), Store::in_memory().unwrap(), clock);
    for (prefix, words) in [
        ("10.0.0.0/7", "the trusted network internal"),
        ("127.0.0.0/8", "the host itself"),
        ("0.0.0.0/0", "every address there is"),
    ] {
        let prefixes = if prefix.starts_with('0') {
            vec![prefix, "192.0.2.1"]
        } else {
            vec!["9.9.9.9", prefix]
        };
        let refused = bench.import(&file("a", &prefixes)).unwrap_err();
        assert_eq!(refused.kind, FaultKind::NeedsForce);
        assert!(refused.detail.starts_with("line ") && refused.detail.contains(words));
    }
    assert!(bench.kernel(List::Deny).is_empty());
}

/// Nobody waits for an import: a ban comes through between two of its moments.
#[test]
fn a_ban_gets_through_in_the_middle_of_an_import() {
    let bench = bench();
    let many = |n: u32| Line {
        prefix: Ipv4Addr::from(0x0b00_0000 + n).into(),
        line: n,
        ttl: None,
    };
    let request = ImportRequest {
        entries: (0..6_000).map(many).collect(),
        ..file("many", &[])
    };
    std::thread::scope(|scope| {
        let import = scope.spawn(|| bench.import(&request).unwrap());
        let mut bans = 0;
        while !import.is_finished() {
            let client = format!("198.51.{}.{}", bans / 250, bans % 250);
            bench.service.ban(&order(&client, 600)).unwrap();
            bans += 1;
        }
        // Each of its moments lets in who waits; one that kept the store would let in one or two.
        assert!(bans > 4, "{bans} bans");
    });
}
