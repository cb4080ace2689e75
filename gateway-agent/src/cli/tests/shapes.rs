//! What answers look like.

use gateway_common::rule::Rule;

use super::*;
use crate::datapath::RuleHits;

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

fn explained(session: &Session, address: &str) -> String {
    let explanation: Explanation = session.explain(address.parse().unwrap()).unwrap();
    let mut out = Vec::new();
    crate::cli::explain::print(&mut out, &explanation, NOW.wall).unwrap();
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
         \x20 hits     none counted\n\
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
        AgentStatus, AttackStatus, AttackWatch, FilterStatus, InterfaceStatus, LimitStatus,
        ListsStatus, OrderName, ReconcileStatus, Repairs, Status, SynCookieStatus, TrialStatus,
        UpstreamStatus, WouldDrop,
    };
    let at = |seconds: u64| UnixMillis(NOW.wall.0 - seconds * 1_000);
    let mut status = Status {
        version: "0.1.0".to_owned(),
        agent: Some(AgentStatus {
            waf: None,
            pid: 812,
            started_unix_ms: at(7_380),
            config: "/etc/gateway/gateway.yaml".to_owned(),
            generation: 3,
            configured_unix_ms: at(60),
            trial: Some(TrialStatus {
                until_unix_ms: UnixMillis(NOW.wall.0 + 42_000),
            }),
            taken_back: false,
            listeners: vec!["[::]:443".to_owned()],
            upstreams: vec![UpstreamStatus {
                name: "app".to_owned(),
                targets: vec!["127.0.0.1:9000".to_owned(), "127.0.0.1:9001".to_owned()],
            }],
            limits: vec![
                LimitStatus {
                    name: "packet_limits.untrusted".to_owned(),
                    value: "5000/s".to_owned(),
                    mode: Some(Mode::Shadow),
                    would_drop: Some(WouldDrop {
                        packets: 3,
                        bytes: 162,
                    }),
                },
                LimitStatus {
                    name: "rate_limits.untrusted".to_owned(),
                    value: "10/m".to_owned(),
                    mode: None,
                    would_drop: None,
                },
            ],
            syn_cookies: Some(SynCookieStatus {
                mode: "enforce".to_owned(),
                threshold: Some("1000/s".to_owned()),
                ready: true,
                endpoints: 4,
                why: None,
            }),
            feeds: vec![crate::control::api::FeedStatus {
                name: "drop".to_owned(),
                list: crate::control::api::FeedTarget::Deny,
                state: crate::control::api::FeedState::HeldBack,
                entries: 1,
                changed_unix_ms: None,
                would_drop: None,
                agent: None,
            }],
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
        attack: Some(AttackStatus {
            on: true,
            order: OrderName::Auto,
            since_unix_ms: Some(at(90)),
            agent: Some(AttackWatch {
                cause: Some("61000 connections a second are opened, above 20000".to_owned()),
                known: 12,
                refused: 0,
            }),
        }),
        reconciled: Some(ReconcileStatus {
            at_unix_ms: at(3),
            took_ms: 40,
            wanted: 1_205,
            in_force: 1_203,
            refused: 1,
            repairs: Repairs {
                missing: 1,
                summary: 12,
                ..Repairs::default()
            },
        }),
    };
    let mut out = Vec::new();
    status::print(&mut out, &status, NOW.wall.0).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "agent      0.1.0, process 812, up 2h 3m\n\
         config     /etc/gateway/gateway.yaml, generation 3, in force for 1m\n\
         \x20          on trial: taken back in 42s unless you type: gateway confirm\n\
         filter     eth0 (native)\n\
         \x20          eth1 (native)\n\
         lists      1204 prefixes denied, 1 of them a ban; 1 prefix safelisted\n\
         attack     on for 1m 30s: 61000 connections a second are opened, above 20000; \
         12 sources known\n\
         kernel     1203 of 1205 entries in force, compared 3s ago\n\
         \x20          1 entry finds its map full\n\
         \x20          mended since the start: 1 missing, 12 summary\n\
         limits     packet_limits.untrusted 5000/s (shadow: 3 packets would have been dropped, \
         162 bytes)\n\
         \x20          rate_limits.untrusted 10/m\n\
         cookies    SYNs above 1000/s are answered, at 4 addresses and ports\n\
         feeds      drop held-back, 1 entry: see gateway feeds list\n\
         listeners  [::]:443\n\
         upstreams  app at 127.0.0.1:9000, 127.0.0.1:9001\n"
    );
    for (mode, why, line) in [
        (
            "shadow",
            None,
            "cookies    SYNs above 1000/s are counted (shadow), at 4 addresses and ports\n",
        ),
        ("off", None, "cookies    off\n"),
        (
            "off",
            Some("no such helper"),
            "cookies    off: no such helper\n",
        ),
    ] {
        let agent = status.agent.as_mut().unwrap();
        let cookies = agent.syn_cookies.as_mut().unwrap();
        cookies.mode = mode.to_owned();
        cookies.why = why.map(str::to_owned);
        let mut out = Vec::new();
        status::print(&mut out, &status, NOW.wall.0).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains(line), "{out}");
    }
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
fn the_rules_that_drop_most_are_shown_when_asked_for() {
    let host = TestHost::new();
    assert_eq!(host.say("stats --json").json()["busiest"], Value::Null);
    let told = host.say("stats --top").ok();
    assert!(
        told.ends_with("\nno rule in force has dropped a packet\n"),
        "{told}"
    );
    let lists = host.lists.as_ref().unwrap();
    lists.state().hits = (1..=12)
        .map(|n| RuleHits {
            rule: match n {
                7 => Rule::Block([192, 0, 2]),
                n => Rule::Entry(n),
            },
            packets: u64::from(n % 11) * 1_000,
            since: Nanos::from_secs(10),
        })
        .collect();
    let told = host.say("stats --top").ok();
    let (_, top) = told.split_once("\n\n").unwrap();
    let lines: Vec<&str> = top.lines().collect();
    assert_eq!(lines.len(), 11, "{top}");
    assert!(lines[0].starts_with("DROPPED BY"), "{top}");
    assert!(lines[1].starts_with("rule 10             "), "{top}");
    assert!(
        lines[4].starts_with("block 192.0.2.0/24      7000  "),
        "{top}"
    );
    let busiest = host.say("stats --top --json").json();
    assert_eq!(busiest["busiest"][3]["block"], "192.0.2.0/24");
    assert_eq!(busiest["busiest"][3]["at_least"], 7_000);
    assert_eq!(busiest["busiest"][0]["rule"], 10);
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

#[test]
fn feeds_are_told_with_what_is_wrong_with_them() {
    use crate::control::api::{FeedDetail, FeedState, FeedStatus, WouldDrop};
    let detail = FeedDetail {
        source: "https://lists.example/drop.txt".to_owned(),
        mode: Mode::Enforce,
        interval_ms: 3_600_000,
        tried_unix_ms: Some(NOW.wall),
        success_unix_ms: Some(UnixMillis(NOW.wall.0 - 720_000)),
        next_unix_ms: None,
        failures: 0,
        error: None,
        offered: None,
        bad_lines: 0,
        left_out: 0,
        remarks: Vec::new(),
        last: "1 added, 0 removed, 0 changed, 0 unchanged".to_owned(),
    };
    let feed = |name: &str, state, agent| FeedStatus {
        name: name.to_owned(),
        list: ListName::Deny.into(),
        state,
        entries: 1_508,
        changed_unix_ms: Some(NOW.wall),
        would_drop: None,
        agent,
    };
    let feeds = [
        feed("fine", FeedState::Fresh, Some(detail.clone())),
        FeedStatus {
            would_drop: Some(WouldDrop {
                packets: 71,
                bytes: 4_260,
            }),
            ..feed(
                "tried",
                FeedState::Fresh,
                Some(FeedDetail {
                    mode: Mode::Shadow,
                    ..detail.clone()
                }),
            )
        },
        feed(
            "shrunk",
            FeedState::HeldBack,
            Some(FeedDetail {
                offered: Some(3),
                bad_lines: 1,
                left_out: 2,
                remarks: vec!["line 7: `oops` is not an address".to_owned()],
                ..detail.clone()
            }),
        ),
        feed(
            "gone",
            FeedState::Failed,
            Some(FeedDetail {
                success_unix_ms: None,
                error: Some("its server answers 404 Not Found".to_owned()),
                ..detail
            }),
        ),
        feed("left", FeedState::Unattended, None),
    ];
    let mut out = Vec::new();
    crate::cli::feeds::list(&mut out, &feeds, NOW.wall.0).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "FEED    LIST  MODE     STATE       ENTRIES  WOULD DROP  READ     SOURCE\n\
         fine    deny  enforce  fresh          1508           -  12m ago  https://lists.example/drop.txt\n\
         tried   deny  shadow   fresh          1508          71  12m ago  https://lists.example/drop.txt\n\
         shrunk  deny  enforce  held-back      1508           -  12m ago  https://lists.example/drop.txt\n\
         gone    deny  enforce  failed         1508           -  -        https://lists.example/drop.txt\n\
         left    deny  -        unattended     1508           -  -        -\n\
         shrunk: held back, since it has 1508 entries and now offers 3; if that is right: gateway \
         feeds accept shrunk\n\
         shrunk: 1 bad line passed over, 2 entries left out; the first: line 7: `oops` is not an \
         address\n\
         gone: not taken, its entries stay: its server answers 404 Not Found\n"
    );
}

#[test]
fn without_an_agent_feeds_can_be_looked_at_only() {
    let host = TestHost::new();
    assert_eq!(host.say("feeds list").ok(), "there are no feeds\n");
    let feeds = host.say("feeds list --json").json();
    assert_eq!(feeds["feeds"], Value::Array(Vec::new()));
    for verb in ["refresh", "accept"] {
        let said = host.say(&format!("feeds {verb} drop")).failed(FAILED);
        assert!(said.contains("no agent answers at"), "{said}");
        host.say(&format!("feeds {verb}")).failed(USAGE);
    }
}

#[test]
fn explain_names_the_feed_and_the_line() {
    let lists = Arc::new(FakeLists::default());
    let (service, session) = fixed(Arc::clone(&lists));
    let order = crate::control::FeedOrder {
        name: "drop".parse().unwrap(),
        list: ListName::Deny,
        mode: Mode::Shadow,
        source: "https://lists.example/drop.txt".to_owned(),
        entries: vec![gateway_policy::import::Entry {
            prefix: "192.0.2.0/24".parse().unwrap(),
            line: 17,
            ttl: None,
        }],
        limits: None,
    };
    service.update_feed(order, None).unwrap();
    lists.state().would = [(1, (2, 120))].into();
    let told = explained(&session, "192.0.2.7");
    assert!(
        told.contains(
            "  origin   a feed put it there\n\
             \x20 feed     drop line 17\n\
             \x20 reason   https://lists.example/drop.txt\n"
        ),
        "{told}"
    );
    assert!(
        told.contains(
            "  hits     2 packets would have been dropped (120 bytes)\n\
             \x20 to end   gateway allow add 192.0.2.0/24\n"
        ),
        "{told}"
    );
}
