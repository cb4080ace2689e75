//! Past bans and the log of changes.

use super::*;

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
