//! The lists and the bans.

use super::*;

#[test]
fn deny_add_list_del() {
    let host = TestHost::new();
    assert_eq!(host.say("deny list").ok(), "the deny list is empty\n");
    assert_eq!(
        host.say("deny add 192.0.2.0/24 2001:db8::1 --reason scans")
            .ok(),
        "denied 192.0.2.0/24 for good (rule 1)\ndenied 2001:db8::1 for good (rule 2)\n"
    );
    assert_eq!(
        host.say("deny add 198.51.100.7 --shadow").ok(),
        "counting what would be denied of 198.51.100.7 for good (rule 3)\n"
    );
    assert_eq!(
        host.say("deny list").ok(),
        "PREFIX        ORIGIN    MODE     TIME      RULE  REASON\n\
         192.0.2.0/24  operator  enforce  for good     1  scans\n\
         198.51.100.7  operator  shadow   for good     3\n\
         2001:db8::1   operator  enforce  for good     2  scans\n"
    );
    assert_eq!(
        host.say("deny del 192.0.2.0/24").ok(),
        "took 192.0.2.0/24 off the deny list (rule 1)\n"
    );
    assert_eq!(host.lists().entry(List::Deny, "192.0.2.0/24"), None);
    assert_eq!(
        host.say("deny del 192.0.2.0/24").failed(FAILED),
        "gateway: 192.0.2.0/24 is not on the deny list; nothing was changed\n"
    );
    assert_eq!(
        host.say("deny list --origin feed").ok(),
        "the deny list has nothing of origin feed\n"
    );
}

#[test]
fn a_ttl_ends() {
    let host = TestHost::new();
    let said = host.say("deny add 192.0.2.7 --ttl 1h30m").ok();
    assert!(
        said.starts_with("denied 192.0.2.7 for 1h ") && said.ends_with(" (rule 1)\n"),
        "{said}"
    );
    let entry = host.lists().entry(List::Deny, "192.0.2.7").unwrap();
    let left = entry.expires.since(crate::clock::monotonic()).as_duration();
    assert!((5_300..=5_400).contains(&left.as_secs()), "{left:?}");
}

#[test]
fn allow_add_list_del() {
    let host = TestHost::new();
    assert_eq!(
        host.say("allow add 198.51.100.0/24").ok(),
        "safelisted 198.51.100.0/24 for good (rule 1)\n"
    );
    assert!(host.say("allow list").ok().contains("198.51.100.0/24"));
    let said = host.say("deny add 198.51.100.0/24");
    assert_eq!(said.code, DONE);
    assert!(
        said.err
            .starts_with("note: 198.51.100.0/24 is on the safelist too"),
        "{}",
        said.err
    );
    assert_eq!(
        host.say("allow del 198.51.100.0/24").ok(),
        "took 198.51.100.0/24 off the safelist (rule 1)\n"
    );
}

#[test]
fn locking_oneself_out_takes_force() {
    let host = TestHost {
        session: Some("203.0.113.9".parse().unwrap()),
        ..TestHost::new()
    };
    for (line, words) in [
        ("deny add 203.0.113.0/24", "from where you are logged in"),
        ("deny add ::/0", "every address there is"),
        ("allow add 0.0.0.0/0", "turns the filter off"),
    ] {
        let said = host.say(line).failed(FAILED);
        assert!(said.contains(words) && said.contains("--force"), "{said}");
    }
    host.say("deny add 203.0.113.0/24 --shadow").ok();
    host.say("deny add 203.0.113.0/24 --force").ok();
}

#[test]
fn a_long_list_is_printed_page_by_page() {
    let host = TestHost::new();
    let store = host.dir.path().join("var/gateway.db");
    let mut store = Store::open(&store, Options::default()).unwrap();
    store
        .write(crate::store::Durability::Lazy, |w| {
            for i in 0..20_000u32 {
                w.put(&crate::store::NewRecord {
                    list: ListName::Deny,
                    prefix: IpAddr::from((0x0a00_0000 + i).to_be_bytes()).into(),
                    origin: crate::store::Origin::Operator,
                    mode: Mode::Enforce,
                    expires: None,
                    reason: String::new(),
                    created: UnixMillis(1),
                    created_by: "test".to_owned(),
                })?;
            }
            Ok::<_, crate::store::StoreError>(())
        })
        .unwrap();
    drop(store);
    let list = host.say("deny list").ok();
    assert_eq!(list.lines().count(), 20_001);
    let json = host.say("deny list --json").json();
    let entries = json["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 20_000);
    assert_eq!(entries[19_999]["prefix"], "10.0.78.31");
}

#[test]
fn bans_are_listed_and_lifted() {
    let lists = Arc::new(FakeLists::default());
    let (service, session) = fixed(lists);
    ban(&service, "192.0.2.7", Mode::Enforce);
    ban(&service, "2001:db8:1:2::/64", Mode::Shadow);
    let mut out = Vec::new();
    let query = crate::control::api::PageQuery::default();
    let columns = (show::BAN_COLUMNS, show::ban_row as fn(&_) -> _);
    crate::cli::lists::walk(&session, ListName::Deny, query, columns, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "CLIENT             TIME         OFFENCE          STRIKE  MODE     RULE  REQUEST  REASON\n\
         192.0.2.7          9m 58s left  failed-auth x10       2  enforce     1  01JD7Q   bad \
         \\u{1b}[2J signature\n\
         2001:db8:1:2::/64  9m 58s left  failed-auth x10       2  shadow      2  01JD7Q   bad \
         \\u{1b}[2J signature\n"
    );

    let host = TestHost::new();
    assert_eq!(
        host.say("bans lift 192.0.2.7").failed(FAILED),
        "gateway: nobody in 192.0.2.7 is banned; nothing was changed\n"
    );
    let store = Store::open(&host.dir.path().join("var/gateway.db"), Options::default()).unwrap();
    let lists = host.lists.clone().unwrap();
    let service = Service::new(lists, store, Arc::new(NoAgent));
    let now = crate::clock::monotonic();
    let order = BanOrder {
        client: "192.0.2.7".parse().unwrap(),
        mode: Mode::Enforce,
        from: now,
        until: now.saturating_add(Nanos::from_secs(600)),
        facts: BanFacts {
            offence: "waf-block".to_owned(),
            count: 3,
            strike: 1,
            request: None,
        },
        reason: String::new(),
    };
    service.ban(&order).unwrap();
    drop(service);
    assert!(host.say("bans list").ok().contains("waf-block x3"));
    assert_eq!(
        host.say("bans lift 192.0.2.0/24").ok(),
        "lifted the ban of 192.0.2.7 (rule 1)\n"
    );
    assert_eq!(host.lists().entry(List::Deny, "192.0.2.7"), None);
}
