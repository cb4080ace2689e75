//! The store on a real file.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use gateway_policy::grammar::Prefix;
use tempfile::TempDir;

use super::*;

const NOW: UnixMillis = UnixMillis(1_000_000);

struct File {
    dir: TempDir,
}

impl File {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("var/gateway.db")
    }

    fn open(&self) -> Result<Store, StoreError> {
        let options = Options {
            busy_timeout: Duration::from_millis(20),
        };
        Store::open(&self.path(), options)
    }
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn entry(list: ListName, prefix: &str, origin: Origin) -> NewRecord {
    NewRecord {
        list,
        prefix: p(prefix),
        origin,
        mode: Mode::Enforce,
        expires: None,
        reason: "scans".to_owned(),
        created: NOW,
        created_by: "cli uid 0".to_owned(),
    }
}

fn deny(prefix: &str) -> NewRecord {
    entry(ListName::Deny, prefix, Origin::Operator)
}

fn ban(prefix: &str, until: u64) -> NewRecord {
    NewRecord {
        expires: Some(UnixMillis(until)),
        reason: "bad signature".to_owned(),
        ..entry(ListName::Deny, prefix, Origin::Ban)
    }
}

fn facts(strike: u32) -> BanFacts {
    BanFacts {
        offence: "failed-auth".to_owned(),
        count: 11,
        strike,
        request: Some("01J".to_owned()),
    }
}

fn past(client: &str, mode: Mode, from: u64, until: u64) -> PastBan {
    PastBan {
        client: p(client),
        mode,
        from: UnixMillis(from),
        until: UnixMillis(until),
        facts: facts(2),
        reason: String::new(),
    }
}

fn set(store: &mut Store, ban: &PastBan) {
    store.write(Durability::Lazy, |w| w.set_ban(ban)).unwrap();
}

fn put(store: &mut Store, new: &NewRecord) -> RuleId {
    store.write(Durability::Lazy, |w| w.put(new)).unwrap()
}

fn prefixes(records: &[Record]) -> Vec<String> {
    records.iter().map(|r| r.entry.prefix.to_string()).collect()
}

#[test]
fn keeps_everything_across_reopening() {
    let file = File::new();
    let mut store = file.open().unwrap();
    let banned = put(&mut store, &ban("192.0.2.7", 2_000_000));
    let row = past("192.0.2.7", Mode::Enforce, NOW.0, 2_000_000);
    set(&mut store, &row);
    drop(store);

    let store = file.open().unwrap();
    let found = store.read().by_rule(banned).unwrap().unwrap();
    assert_eq!(found.entry, ban("192.0.2.7", 2_000_000));
    assert_eq!(found.ban, Some(facts(2)));
    let bans = store.read().past_bans(NOW).unwrap();
    assert_eq!(bans.len(), 1);
    assert_eq!(bans[0].reason, "bad signature");
}

#[test]
fn only_root_may_read_it() {
    let file = File::new();
    let mut store = file.open().unwrap();
    put(&mut store, &deny("192.0.2.7"));
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file.path()), 0o600);
    assert_eq!(mode(file.dir.path().join("var/gateway.db-wal")), 0o600);
    assert_eq!(mode(file.dir.path().join("var")), 0o700);
    drop(store);

    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    file.open().unwrap();
    assert_eq!(mode(file.path()), 0o600);
}

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
fn the_facts_of_a_ban_belong_to_its_mode() {
    let mut store = Store::in_memory().unwrap();
    let rule = put(&mut store, &ban("192.0.2.7", 2_000_000));
    let facts_of = |store: &Store| store.read().by_rule(rule).unwrap().unwrap().ban;
    assert_eq!(facts_of(&store), None);
    set(&mut store, &past("192.0.2.7", Mode::Shadow, 1, 2));
    assert_eq!(facts_of(&store), None);
    set(&mut store, &past("192.0.2.7", Mode::Enforce, 1, 2));
    assert_eq!(facts_of(&store), Some(facts(2)));
    put(&mut store, &deny("192.0.2.7"));
    let operators = store
        .read()
        .get(ListName::Deny, p("192.0.2.7"), Origin::Operator)
        .unwrap();
    assert_eq!(operators.unwrap().ban, None);
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
fn the_log_cannot_be_edited() {
    let mut store = Store::in_memory().unwrap();
    for prefix in ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7"] {
        let change = Change {
            at: NOW,
            actor: "cli uid 0".to_owned(),
            action: Action::Add,
            list: Some(ListName::Deny),
            prefix: Some(p(prefix)),
            rule: RuleId::new(1),
            note: String::new(),
        };
        store.write(Durability::Lazy, |w| w.log(&change)).unwrap();
    }
    let about: Vec<_> = store
        .read()
        .changes_about(p("10.1.2.3"), 10)
        .unwrap()
        .into_iter()
        .map(|c| (c.id, c.prefix.unwrap().to_string(), c.action))
        .collect();
    assert_eq!(
        about,
        [
            (2, "10.1.0.0/16".to_owned(), "add".to_owned()),
            (1, "10.0.0.0/8".to_owned(), "add".to_owned()),
        ]
    );
    assert_eq!(store.read().changes(1).unwrap()[0].id, 3);
    for sql in [
        "UPDATE change SET actor = 'nobody'",
        "DELETE FROM change WHERE id = 1",
    ] {
        let refused = store.conn.execute_batch(sql).unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

#[test]
fn the_log_gives_up_its_oldest() {
    let mut store = Store::in_memory().unwrap();
    let change = Change {
        at: NOW,
        actor: "agent".to_owned(),
        action: Action::Ban,
        list: None,
        prefix: None,
        rule: None,
        note: String::new(),
    };
    store.write(Durability::Lazy, |w| w.log(&change)).unwrap();
    let jump = format!(
        "UPDATE sqlite_sequence SET seq = {} WHERE name = 'change'",
        schema::CHANGES_KEPT
    );
    store.conn.execute_batch(&jump).unwrap();
    store.write(Durability::Lazy, |w| w.log(&change)).unwrap();
    let ids: Vec<u64> = store
        .read()
        .changes(9)
        .unwrap()
        .iter()
        .map(|c| c.id)
        .collect();
    assert_eq!(ids, [schema::CHANGES_KEPT.unsigned_abs() + 1]);
}

#[test]
fn past_bans_outlive_their_entries_and_grow_old() {
    let mut store = Store::in_memory().unwrap();
    let first = past("192.0.2.7", Mode::Enforce, 5, 10);
    let second = past("192.0.2.7", Mode::Enforce, 20, 30);
    let shadow = past("192.0.2.7", Mode::Shadow, 1, 9);
    let other = past("192.0.2.8", Mode::Enforce, 2, 25);
    for row in [&first, &shadow, &other, &second] {
        set(&mut store, row);
    }
    let all = |store: &Store, since| store.read().past_bans(UnixMillis(since)).unwrap();
    assert_eq!(
        all(&store, 0),
        [shadow.clone(), other.clone(), second.clone()]
    );
    assert_eq!(all(&store, 9), [other, second.clone()]);
    assert_eq!(
        store.read().bans_of(p("192.0.2.7")).unwrap(),
        [shadow, second.clone()]
    );
    let dropped = store
        .write(Durability::Lazy, |w| w.drop_old_bans(UnixMillis(25)))
        .unwrap();
    assert_eq!(dropped, 2);
    assert_eq!(all(&store, 0), [second]);
    let forget = |store: &mut Store| {
        store
            .write(Durability::Lazy, |w| w.forget_bans(p("192.0.2.7")))
            .unwrap()
    };
    assert_eq!(forget(&mut store), 1);
    assert_eq!(forget(&mut store), 0);
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
fn many_may_open_a_new_store_at_once() {
    let file = File::new();
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for i in 0..8 {
            let (file, barrier) = (&file, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let mut store = Store::open(&file.path(), Options::default()).unwrap();
                put(&mut store, &deny(&format!("192.0.2.{i}")));
            });
        }
    });
    let store = file.open().unwrap();
    assert_eq!(store.read().count(ListName::Deny, None, NOW).unwrap(), 8);
}

#[test]
fn a_locked_store_says_so() {
    let file = File::new();
    let mut one = file.open().unwrap();
    let mut two = file.open().unwrap();
    let refused = one
        .write(Durability::Lazy, |w| {
            w.put(&deny("192.0.2.7"))?;
            Ok::<_, StoreError>(two.write(Durability::Lazy, |w| w.put(&deny("192.0.2.8"))))
        })
        .unwrap()
        .unwrap_err();
    assert!(refused.is_busy());
    assert!(
        refused.to_string().ends_with(
            "var/gateway.db: is locked by another process; try again when that one is done"
        ),
        "{refused}"
    );
    assert_eq!(two.read().count(ListName::Deny, None, NOW).unwrap(), 1);
}

#[test]
fn a_read_only_store_says_so() {
    let file = File::new();
    let mut store = file.open().unwrap();
    store.conn.pragma_update(None, "query_only", true).unwrap();
    let refused = store
        .write(Durability::Lazy, |w| w.put(&deny("192.0.2.7")))
        .unwrap_err();
    assert!(matches!(refused.fault, StoreFault::ReadOnly), "{refused}");
}

#[test]
fn the_last_rule_id_is_the_last() {
    let mut store = Store::in_memory().unwrap();
    put(&mut store, &deny("192.0.2.7"));
    store
        .conn
        .execute_batch("UPDATE sqlite_sequence SET seq = 4294967294 WHERE name = 'entry'")
        .unwrap();
    assert_eq!(put(&mut store, &deny("192.0.2.8")).get(), u32::MAX);
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
fn refuses_what_is_no_store_of_ours() {
    let file = File::new();
    drop(file.open().unwrap());
    std::fs::write(
        file.path(),
        b"this is not a database, but it is long enough to look at",
    )
    .unwrap();
    let refused = file.open().unwrap_err();
    assert!(matches!(refused.fault, StoreFault::Corrupt(_)), "{refused}");

    let other = File::new();
    std::fs::create_dir(other.dir.path().join("var")).unwrap();
    Connection::open(other.path())
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    let refused = other.open().unwrap_err();
    assert!(matches!(refused.fault, StoreFault::Foreign(0)), "{refused}");

    let newer = File::new();
    newer
        .open()
        .unwrap()
        .conn
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let refused = newer.open().unwrap_err();
    assert!(
        matches!(
            refused.fault,
            StoreFault::Newer {
                found: 99,
                known: 1
            }
        ),
        "{refused}"
    );

    let dir = File::new();
    std::fs::create_dir_all(dir.path()).unwrap();
    let refused = dir.open().unwrap_err();
    assert!(matches!(refused.fault, StoreFault::Open(_)), "{refused}");
}

#[test]
fn a_damaged_store_gives_an_error_and_no_panic() {
    let file = File::new();
    let mut store = file.open().unwrap();
    store
        .write(Durability::Lazy, |w| {
            for i in 0..2_000u32 {
                let [_, _, a, b] = i.to_be_bytes();
                w.put(&deny(&format!("10.0.{a}.{b}")))?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    drop(store);
    let whole = std::fs::read(file.path()).unwrap();
    let pages = whole.len() / 4096;
    let mut refused = 0;
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(file.path(), &bytes).unwrap();
        let walk = file.open().and_then(|store| {
            let all = store
                .read()
                .page(ListName::Deny, Filter::default(), NOW, 5_000)?;
            assert!(all.len() <= 2_000);
            store.read().covering(ListName::Deny, p("10.0.1.1"), NOW)
        });
        if let Err(e) = walk {
            assert!(
                matches!(e.fault, StoreFault::Corrupt(_) | StoreFault::Nonsense(_)),
                "page {page}: {e}"
            );
            refused += 1;
        }
    }
    assert!(refused * 2 > pages, "only {refused} of {pages} noticed");
}

#[test]
fn values_that_make_no_sense_are_named() {
    let file = File::new();
    let mut store = file.open().unwrap();
    put(&mut store, &deny("192.0.2.7"));
    for (sql, words) in [
        ("UPDATE entry SET origin = 9", "9 is no origin"),
        ("UPDATE entry SET origin = 0, mode = 7", "7 is no mode"),
        (
            "UPDATE entry SET mode = 0, prefix = x'0400'",
            "the prefix [4, 0]",
        ),
    ] {
        store.conn.execute_batch(sql).unwrap();
        let refused = store
            .read()
            .page(ListName::Deny, Filter::default(), NOW, 10)
            .unwrap_err();
        assert!(refused.to_string().ends_with(words), "{refused}");
    }
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
