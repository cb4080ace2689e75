//! Whole commands, over lists in memory and a store in a folder of their own.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use gateway_common::tables::List;
use gateway_common::time::Nanos;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::control::api::Explanation;
use crate::control::fake::{FakeLists, NOW, clock};
use crate::control::lists::{Absent, InterfaceCounters};
use crate::control::lock::WriterLock;
use crate::control::server::{Socket, serve};
use crate::control::{
    Actor, BanOrder, Control, Lists, ListsError, NoAgent, Service, Session, stats_of,
};
use crate::store::{BanFacts, ListName, Mode, Options, Store, UnixMillis};

/// A host with lists in memory.
struct TestHost {
    dir: TempDir,
    lists: Option<Arc<FakeLists>>,
    session: Option<IpAddr>,
    answer: Option<bool>,
    pauses: Cell<u32>,
    asked: RefCell<Vec<String>>,
    detached: Cell<bool>,
}

impl Host for TestHost {
    fn open(&self, pins: &Path) -> Result<Arc<dyn Lists>, ListsError> {
        assert_eq!(pins, self.dir.path().join("pins"));
        match &self.lists {
            Some(lists) => Ok(Arc::clone(lists) as Arc<dyn Lists>),
            None => Err(ListsError::Absent("nothing is pinned".to_owned())),
        }
    }

    fn detach(&self, _: &Path) -> Result<(), ListsError> {
        self.detached.set(true);
        Ok(())
    }

    fn session(&self) -> Option<IpAddr> {
        self.session
    }

    fn confirm(&self, question: &str) -> Option<bool> {
        self.asked.borrow_mut().push(question.to_owned());
        self.answer
    }

    fn pause(&self, _: Duration) -> bool {
        let left = self.pauses.get();
        self.pauses.set(left.saturating_sub(1));
        left > 0
    }

    fn is_terminal(&self) -> bool {
        false
    }
}

/// What a command said.
struct Said {
    code: u8,
    out: String,
    err: String,
}

impl Said {
    /// The answer of a command that succeeded.
    fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (DONE, ""), "{}", self.out);
        self.out
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// The one sentence of a command that failed.
    fn failed(self, code: u8) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        self.err
    }
}

impl TestHost {
    fn new() -> Self {
        let lists = FakeLists::default();
        // The commands read the host's clock; nothing they add has expired by this one.
        lists.state().now = Some(Nanos(0));
        Self {
            dir: TempDir::new().unwrap(),
            lists: Some(Arc::new(lists)),
            session: None,
            answer: None,
            pauses: Cell::new(0),
            asked: RefCell::default(),
            detached: Cell::new(false),
        }
    }

    fn lists(&self) -> &FakeLists {
        self.lists.as_ref().unwrap()
    }

    fn words(&self, line: &str) -> Vec<OsString> {
        let file = |name: &str| self.dir.path().join(name).into_os_string();
        let mut words: Vec<OsString> = vec!["gateway".into()];
        words.extend(line.split(' ').filter(|w| !w.is_empty()).map(Into::into));
        for (option, name) in [
            ("--config", "gateway.yaml"),
            ("--pins", "pins"),
            ("--socket", "gateway.sock"),
            ("--store", "var/gateway.db"),
        ] {
            words.extend([option.into(), file(name)]);
        }
        words
    }

    fn say(&self, line: &str) -> Said {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = main(self.words(line), self, &mut out, &mut err);
        Said {
            code,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }
}

fn fixed(lists: Arc<FakeLists>) -> (Arc<Service>, Session) {
    let store = Store::in_memory().unwrap();
    let service = Arc::new(Service::with_clock(lists, store, Arc::new(NoAgent), clock));
    let session = service.session(Actor::cli(0, None));
    (service, session)
}

fn ban(service: &Service, client: &str, mode: Mode) {
    let order = BanOrder {
        client: client.parse().unwrap(),
        mode,
        from: Nanos(NOW.monotonic.0 - 123_000_000_000),
        until: NOW.monotonic.saturating_add(Nanos::from_secs(598)),
        facts: BanFacts {
            offence: "failed-auth".to_owned(),
            count: 10,
            strike: 2,
            request: Some("01JD7Q".to_owned()),
        },
        reason: "bad \u{1b}[2J signature".to_owned(),
    };
    service.ban(&order).unwrap();
}

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
fn json_has_the_documented_shapes() {
    let host = TestHost::new();
    let added = host.say("deny add 192.0.2.7 --reason x --json").json();
    assert_eq!(added["entries"][0]["prefix"], "192.0.2.7");
    assert_eq!(added["entries"][0]["left_ms"], Value::Null);
    assert_eq!(added["notes"], Value::Array(Vec::new()));
    let list = host.say("deny list --json").json();
    assert_eq!(list["list"], "deny");
    assert_eq!(list["entries"][0]["reason"], "x");
    assert_eq!(
        host.say("allow list --json").ok(),
        "{\"list\": \"allow\", \"entries\": []}\n"
    );
    assert_eq!(host.say("bans list --json").json()["list"], "bans");
    let status = host.say("status --json").json();
    assert_eq!(status["agent"], Value::Null);
    assert_eq!(status["lists"]["deny"], 1);
    assert_eq!(status["filter"]["interfaces"][0]["mode"], "native");
    let stats = host.say("stats --json").json();
    assert_eq!(stats["interfaces"][0]["verdicts"][9]["verdict"], "banned");
    assert_eq!(stats["interfaces"][0]["verdicts"][9]["action"], "drop");
    let explain = host.say("explain 192.0.2.7 --json").json();
    assert_eq!(explain["verdict"], "denied-exact");
    assert_eq!(explain["decided_by"]["rule"], 1);
    assert_eq!(explain["history"][0]["action"], "add");
}

#[test]
fn mistakes_are_told_with_words_and_exit_2() {
    let host = TestHost::new();
    for (line, words) in [
        (
            "deny add 10.0.0.5/8",
            "has host bits set; write 10.0.0.0/8 or 10.0.0.5",
        ),
        ("deny add", "PREFIX"),
        ("deny add 192.0.2.1 --ttl 5y", "there is no unit `y`"),
        ("deny add 192.0.2.1 --ttl 0s", "cannot last 0s"),
        ("allow add 192.0.2.1 --shadow", "--shadow"),
        ("deny list --origin me", "operator, feed, ban or config"),
        ("explain example.com", "invalid IP address"),
        ("stats --watch=1ms", "the shortest pause is 100ms"),
        ("frobnicate", "unrecognized subcommand"),
    ] {
        let said = host.say(line).failed(USAGE);
        assert!(said.contains(words), "{line}: {said}");
    }
    assert!(!host.dir.path().join("var").exists());
}

#[test]
fn help_and_version_are_answers() {
    let host = TestHost::new();
    let version = host.say("--version").ok();
    assert_eq!(version, format!("gateway {}\n", env!("CARGO_PKG_VERSION")));
    assert!(host.say("deny add --help").ok().contains("--ttl <PERIOD>"));
}

#[test]
fn without_a_filter_looking_works_and_changing_does_not() {
    let host = TestHost {
        lists: None,
        ..TestHost::new()
    };
    assert_eq!(host.say("deny list").ok(), "the deny list is empty\n");
    assert_eq!(host.say("bans list").ok(), "nobody is banned\n");
    assert_eq!(
        host.say("status").ok(),
        "agent      none runs; `gateway run` starts it\n\
         filter     off: nothing is pinned\n\
         lists      0 prefixes denied, 0 of them bans; 0 prefixes safelisted\n"
    );
    for line in ["deny add 192.0.2.7", "explain 192.0.2.7", "stats"] {
        assert_eq!(
            host.say(line).failed(FAILED),
            "gateway: no filter is loaded: nothing is pinned\n"
        );
    }
    assert!(!host.dir.path().join("var/gateway.db").exists());
    let said = host.say("reload").failed(FAILED);
    assert!(said.starts_with("gateway: no agent answers at /"), "{said}");
}

#[test]
fn a_damaged_store_is_told_in_one_sentence() {
    let host = TestHost::new();
    std::fs::create_dir(host.dir.path().join("var")).unwrap();
    std::fs::write(
        host.dir.path().join("var/gateway.db"),
        "nonsense".repeat(100),
    )
    .unwrap();
    for line in ["deny list", "deny add 192.0.2.7"] {
        let said = host.say(line).failed(FAILED);
        assert!(said.contains("var/gateway.db: is damaged"), "{said}");
        assert_eq!(said.lines().count(), 1);
    }
}

#[test]
fn through_an_agent_nothing_else_is_touched() {
    let host = TestHost {
        lists: None,
        ..TestHost::new()
    };
    let lists = Arc::new(FakeLists::default());
    let (service, _) = fixed(Arc::clone(&lists));
    let socket = Socket::bind(&host.dir.path().join("gateway.sock")).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let agent = thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(serve(socket, service, async {
                let _ = stopped.await;
            }))
            .unwrap();
    });
    host.say("deny add 192.0.2.7 --reason scans").ok();
    assert!(lists.entry(List::Deny, "192.0.2.7").is_some());
    assert!(host.say("deny list").ok().contains("scans"));
    assert!(host.say("explain 192.0.2.7").ok().contains("denied-exact"));
    let said = host.say("detach --yes").failed(FAILED);
    assert!(said.contains("stop it first"), "{said}");
    host.say("deny del 192.0.2.7").ok();
    let said = host.say("reload").failed(FAILED);
    assert!(said.contains("nothing to reload"), "{said}");
    assert!(!host.dir.path().join("var").exists());
    drop(stop);
    agent.join().unwrap();
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

/// A reader that goes away.
struct Gone(usize);

impl Write for Gone {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.0 -= 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let host = TestHost::new();
    host.say("deny add 192.0.2.7 192.0.2.8 192.0.2.9").ok();
    for line in [
        "deny list",
        "deny list --json",
        "status",
        "status --json",
        "stats",
    ] {
        for writes in 0..3 {
            let mut err = Vec::new();
            let code = main(host.words(line), &host, &mut Gone(writes), &mut err);
            assert_eq!((code, err.len()), (DONE, 0), "{line}");
        }
    }
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
    lists::walk(&session, ListName::Deny, query, columns, &mut out).unwrap();
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

fn explained(session: &Session, address: &str) -> String {
    let explanation: Explanation = session.explain(address.parse().unwrap()).unwrap();
    let mut out = Vec::new();
    explain::print(&mut out, &explanation, NOW.wall).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn explain_tells_the_story_of_a_ban() {
    let lists = Arc::new(FakeLists::default());
    let (service, session) = fixed(Arc::clone(&lists));
    let wide = crate::control::api::AddRequest {
        prefixes: vec!["192.0.2.0/24".parse().unwrap()],
        reason: "noisy".to_owned(),
        shadow: true,
        ..Default::default()
    };
    session.add(ListName::Deny, &wide).unwrap();
    ban(&service, "192.0.2.7", Mode::Enforce);
    assert_eq!(
        explained(&session, "192.0.2.7"),
        "Packets from 192.0.2.7 are dropped (banned).\n\
         The agent banned the source for what it did at layer 7.\n\
         \n\
         \x20 rule     2: 192.0.2.7 is on the deny list\n\
         \x20 origin   the agent put it there: a ban for what the client did\n\
         \x20 offence  failed-auth, 10 times within its window; strike 2\n\
         \x20 request  01JD7Q\n\
         \x20 reason   bad \\u{1b}[2J signature\n\
         \x20 since    2025-11-22 16:44:37 UTC (2m 3s ago), by agent\n\
         \x20 until    2025-11-22 16:56:38 UTC (9m 58s left)\n\
         \x20 to end   gateway bans lift 192.0.2.7\n\
         \n\
         Also on it, but not what decides:\n\
         \x20 deny 192.0.2.0/24 (rule 1, operator, shadow, for good): noisy\n\
         \n\
         What was changed lately:\n\
         \x20 2025-11-22 16:46:40 UTC  ban deny 192.0.2.7, by agent: failed-auth x10, strike 2, \
         request 01JD7Q\n\
         \x20 2025-11-22 16:46:40 UTC  add deny 192.0.2.0/24, by cli uid 0: noisy\n"
    );
    assert_eq!(
        explained(&session, "198.51.100.7"),
        "Packets from 198.51.100.7 are let in (pass).\n\
         The packet broke no rule and kept to its rate.\n"
    );
    let told = explained(&session, "192.0.2.8");
    assert!(
        told.contains("1: 192.0.2.0/24 is on the deny list, in shadow mode\n"),
        "{told}"
    );
    assert!(told.contains("until    for good\n"), "{told}");
    assert!(told.ends_with("noisy\n"), "{told}");
}

#[test]
fn status_tells_all_an_agent_knows() {
    use crate::control::api::{
        AgentStatus, FilterStatus, InterfaceStatus, LimitStatus, ListsStatus, Status,
        UpstreamStatus,
    };
    let at = |seconds: u64| UnixMillis(NOW.wall.0 - seconds * 1_000);
    let status = Status {
        version: "0.1.0".to_owned(),
        agent: Some(AgentStatus {
            pid: 812,
            started_unix_ms: at(7_380),
            config: "/etc/gateway/gateway.yaml".to_owned(),
            generation: 3,
            configured_unix_ms: at(60),
            listeners: vec!["[::]:443".to_owned()],
            upstreams: vec![UpstreamStatus {
                name: "app".to_owned(),
                targets: vec!["127.0.0.1:9000".to_owned(), "127.0.0.1:9001".to_owned()],
            }],
            limits: vec![
                LimitStatus {
                    name: "packet_limits.untrusted".to_owned(),
                    value: "5000/s".to_owned(),
                },
                LimitStatus {
                    name: "rate_limits.untrusted".to_owned(),
                    value: "10/m".to_owned(),
                },
            ],
        }),
        filter: FilterStatus {
            loaded: true,
            why: None,
            interfaces: ["eth0", "eth1"]
                .map(|name| InterfaceStatus {
                    name: name.to_owned(),
                    mode: "native".to_owned(),
                })
                .to_vec(),
        },
        lists: ListsStatus {
            deny: 1_204,
            bans: 1,
            allow: 1,
        },
    };
    let mut out = Vec::new();
    status::print(&mut out, &status, NOW.wall.0).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "agent      0.1.0, process 812, up 2h 3m\n\
         config     /etc/gateway/gateway.yaml, generation 3, in force for 1m\n\
         filter     eth0 (native)\n\
         \x20          eth1 (native)\n\
         lists      1204 prefixes denied, 1 of them a ban; 1 prefix safelisted\n\
         limits     packet_limits.untrusted 5000/s\n\
         \x20          rate_limits.untrusted 10/m\n\
         listeners  [::]:443\n\
         upstreams  app at 127.0.0.1:9000, 127.0.0.1:9001\n"
    );
}

#[test]
fn stats_show_what_fell() {
    let mut counters: Vec<InterfaceCounters> = FakeLists::default().counters().unwrap();
    for count in &mut counters[0].verdicts {
        if !matches!(count.verdict.name(), "pass" | "banned" | "rate-limited") {
            (count.packets, count.bytes) = (0, 0);
        }
    }
    counters[0].verdicts[0].packets = 1_234;
    counters[0].verdicts[0].bytes = 1_234_000;
    let print = |stats: &_, since: Option<(&_, Duration)>| {
        let mut out = Vec::new();
        stats::print(&mut out, stats, since).unwrap();
        String::from_utf8(out).unwrap()
    };
    let stats = stats_of(&counters);
    assert_eq!(
        print(&stats, None),
        "eth0 (native)\n\
         VERDICT       ACTION  PACKETS    BYTES\n\
         pass          pass       1234   1.2 MB\n\
         banned        drop         90   9.0 kB\n\
         rate-limited  drop        100  10.0 kB\n\
         eth0: 190 packets dropped (19.0 kB), 1234 passed (1.2 MB); 1 sampled events lost\n"
    );
    let mut later = counters.clone();
    later[0].verdicts[9].packets += 500;
    let since = Some((&stats, Duration::from_millis(500)));
    let told = print(&stats_of(&later), since);
    assert!(told.contains("PACKETS/S\n"), "{told}");
    assert!(
        told.contains("banned        drop        590   9.0 kB       1000\n"),
        "{told}"
    );
    let two = [counters[0].clone(), counters[0].clone()];
    assert!(print(&stats_of(&two), None).ends_with(
        "in all: 380 packets dropped (38.0 kB), 2468 passed (2.4 MB); 2 sampled events lost\n"
    ));
    assert_eq!(
        print(&stats_of(&[]), None),
        "the filter is loaded, but on no interface\n"
    );
}

#[test]
fn watching_shows_it_again_and_again() {
    let host = TestHost::new();
    host.pauses.set(2);
    let told = host.say("stats --watch").ok();
    assert_eq!(told.matches("eth0 (native)").count(), 3);
    assert_eq!(told.matches("PACKETS/S").count(), 2);
    host.pauses.set(2);
    let told = host.say("stats --watch=200ms --json").ok();
    assert_eq!(told.lines().count(), 3);
    for line in told.lines() {
        let stats: Value = serde_json::from_str(line).unwrap();
        assert_eq!(stats["interfaces"][0]["name"], "eth0");
    }
}

#[test]
fn detaching_is_asked_for() {
    let host = TestHost::new();
    let said = host.say("detach").failed(USAGE);
    assert!(
        said.contains("the filter on eth0 and its maps under /"),
        "{said}"
    );
    assert!(said.ends_with("say so with --yes\n"), "{said}");

    let unwilling = TestHost {
        answer: Some(false),
        ..TestHost::new()
    };
    assert_eq!(
        unwilling.say("detach").failed(FAILED),
        "nothing was removed\n"
    );
    assert_eq!(unwilling.asked.borrow().len(), 1);
    assert!(!unwilling.detached.get());

    let willing = TestHost {
        answer: Some(true),
        ..TestHost::new()
    };
    assert!(
        willing
            .say("detach")
            .ok()
            .starts_with("removed the filter on eth0")
    );
    assert!(willing.detached.get());

    host.say("detach --yes").ok();
    assert!(host.detached.get());
    let nothing = TestHost {
        lists: None,
        ..TestHost::new()
    };
    assert!(
        nothing
            .say("detach --yes")
            .ok()
            .contains("nothing to remove")
    );
    assert!(!nothing.detached.get());

    let busy = TestHost::new();
    let store = busy.dir.path().join("var/gateway.db");
    let _lock = WriterLock::take(&WriterLock::path_beside(&store), Duration::ZERO).unwrap();
    let said = busy.say("detach --yes").failed(FAILED);
    assert!(said.contains("wait for it to finish"), "{said}");
    assert!(!busy.detached.get());
}

#[test]
fn what_is_absent_says_why_to_everyone() {
    let why = ListsError::Absent("because".to_owned());
    let absent = Absent(why.clone());
    assert_eq!(absent.counters(), Err(why.clone()));
    assert_eq!(absent.interfaces(), Err(why));
}

#[test]
fn check_tells_every_fault() {
    let host = TestHost::new();
    std::fs::write(
        host.dir.path().join("gateway.yaml"),
        "nonsense: 1\nbans: 7\n",
    )
    .unwrap();
    let said = host.say("check");
    assert_eq!(said.code, FAILED);
    assert!(said.out.contains("gateway.yaml:1:"), "{}", said.out);
    let json: Value = serde_json::from_str(&host.say("check --json").out).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["faults"][0]["line"], 1);
}
