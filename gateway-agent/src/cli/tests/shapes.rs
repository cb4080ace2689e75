//! What answers look like.

use super::*;

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
            waf: None,
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
