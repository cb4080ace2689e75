//! The service over lists and a store in memory.

use gateway_common::lists::{
    Entry, MODE_ENFORCE, MODE_SHADOW, ORIGIN_BAN, ORIGIN_FEED, ORIGIN_OPERATOR,
};
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Period;

use super::*;
use crate::control::FaultKind;
use crate::control::api::{AgentStatus, EntryView, MAX_PREFIXES, Place};
use crate::control::fake::{FakeLists, NOW, clock, later};
use crate::control::lists::{Absent, ListsError};
use crate::store::{BanFacts, Durability, Mode, NewRecord, Origin, RuleId, StoreError, UnixMillis};

/// Hooks that write down what they hear.
#[derive(Default)]
struct Heard {
    lifted: Mutex<Vec<String>>,
    safelist: Mutex<usize>,
    protected: Vec<(Prefix, String)>,
}

impl Hooks for Heard {
    fn agent(&self) -> Option<AgentStatus> {
        None
    }

    fn reload(&self) -> Result<Reloaded, Fault> {
        Ok(Reloaded {
            generation: 2,
            notes: Vec::new(),
        })
    }

    fn protected(&self) -> Vec<(Prefix, String)> {
        self.protected.clone()
    }

    fn lifted(&self, prefix: Prefix) {
        self.lifted.lock().unwrap().push(prefix.to_string());
    }

    fn safelist_changed(&self) {
        *self.safelist.lock().unwrap() += 1;
    }
}

struct Bench {
    lists: Arc<FakeLists>,
    hooks: Arc<Heard>,
    service: Arc<Service>,
    session: Session,
}

fn bench_with(hooks: Heard, lists: Arc<FakeLists>, store: Store, clock: Clock) -> Bench {
    let hooks = Arc::new(hooks);
    let service = Arc::new(Service::with_clock(
        Arc::clone(&lists) as Arc<dyn Lists>,
        store,
        Arc::clone(&hooks) as Arc<dyn Hooks>,
        clock,
    ));
    let session = service.session(Actor::cli(0, None));
    Bench {
        lists,
        hooks,
        service,
        session,
    }
}

fn bench() -> Bench {
    bench_with(
        Heard::default(),
        Arc::default(),
        Store::in_memory().unwrap(),
        clock,
    )
}

impl Bench {
    /// The same lists and store at another time.
    fn at(self, clock: Clock) -> Self {
        let Self {
            lists,
            service,
            session,
            ..
        } = self;
        drop(session);
        let store = Arc::into_inner(service)
            .unwrap()
            .store
            .into_inner()
            .unwrap();
        bench_with(Heard::default(), lists, store, clock)
    }

    fn deny(&self, prefixes: &[&str]) -> Result<Changed, Fault> {
        self.session.add(ListName::Deny, &request(prefixes))
    }

    fn allow(&self, prefixes: &[&str]) -> Result<Changed, Fault> {
        self.session.add(ListName::Allow, &request(prefixes))
    }

    fn remove(&self, prefixes: &[&str]) -> Result<Changed, Fault> {
        let request = RemoveRequest {
            prefixes: request(prefixes).prefixes,
        };
        self.session.remove(ListName::Deny, &request)
    }

    fn entries(&self, list: ListName) -> Vec<EntryView> {
        let page = self.session.page(list, &PageQuery::default()).unwrap();
        assert_eq!(page.next, None);
        page.entries
    }

    fn log(&self) -> Vec<String> {
        let changes = self.service.store().read().changes(100).unwrap();
        changes
            .iter()
            .rev()
            .map(|c| {
                let prefix = c.prefix.map(|p| format!(" {p}")).unwrap_or_default();
                format!("{} {}{prefix} {}", c.actor, c.action, c.note)
                    .trim()
                    .to_owned()
            })
            .collect()
    }

    fn kernel(&self, list: List) -> Vec<String> {
        let entries = self.lists.entries(list).unwrap();
        entries.iter().map(|(p, _)| p.to_string()).collect()
    }
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn request(prefixes: &[&str]) -> AddRequest {
    AddRequest {
        prefixes: prefixes.iter().map(|text| p(text)).collect(),
        ..AddRequest::default()
    }
}

fn order(client: &str, seconds: u64) -> BanOrder {
    BanOrder {
        client: p(client),
        mode: Mode::Enforce,
        from: NOW.monotonic,
        until: NOW.monotonic.saturating_add(Nanos::from_secs(seconds)),
        facts: BanFacts {
            offence: "failed-auth".to_owned(),
            count: 10,
            strike: 1,
            request: Some("r-1".to_owned()),
        },
        reason: "bad signature".to_owned(),
    }
}

fn prefixes(entries: &[EntryView]) -> Vec<String> {
    entries.iter().map(|e| e.prefix.to_string()).collect()
}

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
    assert_eq!(session.reload().unwrap_err().kind, FaultKind::NoAgent);
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
    assert_eq!(asked.decided_by, Some(changed.entries[0].clone()));
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
    assert_eq!(bench.session.reload().unwrap().generation, 2);
    assert_eq!(bench.log(), ["cli uid 0 reload generation 2"]);
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
