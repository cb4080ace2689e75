//! `gateway waf`, over records that the real rules made.

use std::fs;
use std::net::IpAddr;

use gateway_waf::{DEFAULT_RULES, Embedded, RequestCopy, TxContext, Waf};
use http::StatusCode;

use super::*;
use crate::http::{Case, Guard, RequestId};
use crate::records::{Bounds, Record, Ring, folder};

/// A request of which a record is made.
struct Sent {
    id: u8,
    subject: Option<&'static str>,
    target: &'static str,
}

/// What the default rules find in requests, as the agent keeps it.
fn keep(host: &TestHost, requests: &[Sent]) {
    let names: Vec<&str> = DEFAULT_RULES.iter().map(|(name, _)| *name).collect();
    let waf = Waf::load(&names, &Embedded).unwrap();
    let bounds = Bounds {
        size: 1 << 20,
        age: Duration::from_secs(3600),
    };
    let store = host.dir.path().join("var/gateway.db");
    let mut ring = Ring::open(folder(&store), bounds).unwrap();
    for sent in requests {
        let mut line = serde_json::to_vec(&record(&waf, sent)).unwrap();
        line.push(b'\n');
        ring.write_all(&line).unwrap();
    }
}

fn id(number: u8) -> String {
    format!("{number:032x}")
}

fn record(waf: &Waf, sent: &Sent) -> Record {
    let client = IpAddr::from([192, 0, sent.id, 7]);
    let mut transaction = waf.transaction(&TxContext {
        now: gateway_waf::UnixMillis(1_800_000_000_000),
        request_id: &id(sent.id),
        client,
        client_port: 1,
        server: client,
        server_port: 443,
    });
    transaction.request_line(b"GET", sent.target.as_bytes(), b"HTTP/1.1");
    transaction.request_header(b"Host", b"shop.example");
    transaction.request_header(b"User-Agent", b"Mozilla/5.0");
    transaction.request_header(b"Accept", b"*/*");
    let decision = match transaction.phase1() {
        passed if passed.is_pass() => transaction.phase2(),
        blocked => blocked,
    };
    let copy: RequestCopy = transaction.copy(1024, &|_| false);
    Record::of(&Case {
        request: RequestId::parse(id(sent.id).as_bytes()).unwrap(),
        at: crate::clock::unix_millis(),
        client,
        subject: sent.subject.map(Into::into),
        route: Some("/app/**".into()),
        guard: Guard::Block,
        status: StatusCode::FORBIDDEN,
        decision,
        score: transaction.score(),
        matches: transaction.matches().to_vec(),
        explanations: transaction.explain(&|_| false),
        copy,
    })
}

const COMMENT: &str = "/app/c?comment=1%27+UNION+SELECT+password+FROM+users--+";

fn world() -> TestHost {
    let host = TestHost::new();
    fs::write(
        host.dir.path().join("gateway.yaml"),
        "interfaces: [{ name: eth0 }]\npaths: { store: var/gateway.db }\n",
    )
    .unwrap();
    let mut sent: Vec<Sent> = [(1, "ann"), (2, "bob"), (3, "eve")]
        .map(|(id, subject)| Sent {
            id,
            subject: Some(subject),
            target: COMMENT,
        })
        .into();
    sent.push(Sent {
        id: 9,
        subject: None,
        target: "/app/other?q=1%27+UNION+SELECT+password+FROM+users--+",
    });
    keep(&host, &sent);
    host
}

#[test]
fn a_match_is_explained_down_to_the_bytes() {
    let host = world();
    let said = host.say(&format!("waf explain {}", id(1))).ok();
    for part in [
        "was blocked by rule 9100051 and answered with 403",
        "GET /app/c?comment=1%27+UNION+SELECT+password+FROM+users--+ HTTP/1.1",
        "with a token of ann",
        "/app/**, WAF mode block",
        "Rule 9100051 at gateway/50-sqli.conf:",
        "variable  ARGS:comment",
        "as sent                '1' UNION SELECT password FROM users-- '",
        "t:urlDecodeUni         no change",
        "t:lowercase            '1' union select password from users-- '",
        "operator  @rx ",
        "bytes from byte ",
        "did       deny 403",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    // The general verb leads there too.
    assert_eq!(host.say(&format!("explain {}", id(1))).ok(), said);
    let json = host.say(&format!("waf explain {} --json", id(1))).json();
    assert_eq!(json["rule"], 9_100_051);
    assert_eq!(json["matches"][0]["looks"][0]["variable"], "ARGS:comment");
}

#[test]
fn an_unknown_request_says_what_is_kept() {
    let host = world();
    let said = host.say(&format!("waf explain {}", id(77))).failed(FAILED);
    assert!(said.contains("nothing is kept of request"), "{said}");
    assert!(said.contains("4 requests are kept since 20"), "{said}");
    let empty = TestHost::new();
    let said = empty.say(&format!("waf explain {}", id(1))).failed(FAILED);
    assert!(said.contains("no request is kept in"), "{said}");
}

/// Writes a rule file and returns its name.
fn file(host: &TestHost, name: &str, text: &str) -> String {
    let path = host.dir.path().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_replay_tells_what_other_rules_would_change() {
    let host = world();
    let same = file(
        &host,
        "same.conf",
        "SecRule ARGS \"@streq x\" \"id:1,phase:2,deny\"\n",
    );
    let said = host.say(&format!("waf replay --add {same}"));
    assert_eq!(said.code, DONE, "{}", said.err);
    assert!(
        said.out
            .contains("4 requests replayed.\nNothing would change.")
    );

    let less = file(&host, "less.conf", "SecRuleRemoveById 9100000-9109999\n");
    let said = host.say(&format!("waf replay --add {less} --since 1d"));
    assert_eq!(said.code, CHANGES, "{}", said.err);
    assert!(
        said.out.contains("newly passed: 4 requests"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("rule 9100051 would no longer match"),
        "{}",
        said.out
    );

    let log = file(
        &host,
        "access.log",
        "192.0.2.1 - - [x] \"GET /?q=x HTTP/1.1\" 200 1 \"-\" \"curl\"\njunk\n",
    );
    let said = host.say(&format!(
        "waf replay --add {same} --access-log {log} --json"
    ));
    assert_eq!(said.code, CHANGES);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["blocked"]["requests"][0], "line 1");
    assert!(
        said.err.contains("1 line is in no known format"),
        "{}",
        said.err
    );
}

#[test]
fn a_replay_that_cannot_be_is_refused() {
    let host = world();
    let bad = file(&host, "bad.conf", "SecRuul\n");
    let said = host
        .say(&format!("waf replay --rules {bad}"))
        .failed(FAILED);
    assert!(said.contains("bad.conf:1:1"), "{said}");
    let said = host.say("waf replay --paranoia 2").failed(USAGE);
    assert!(
        said.contains("none of the rules knows a paranoia level"),
        "{said}"
    );
    let said = host.say("waf replay --rules /nowhere").failed(FAILED);
    assert_eq!(said, "gateway: --rules /nowhere: no file matches\n");
    assert_eq!(host.say("waf replay").code, USAGE);
    assert_eq!(
        host.say("waf replay --add x --since 1d --har y").code,
        USAGE
    );
}

#[test]
fn the_paranoia_level_is_raised_before_rules_settle_it() {
    let host = world();
    let rules = "SecRule &TX:paranoia_level \"@eq 0\" \"id:1,phase:1,pass,nolog,setvar:tx.paranoia_level=1\"\n\
        SecRule TX:paranoia_level \"@ge 3\" \"id:2,phase:2,pass,log\"\n";
    let rules = file(&host, "x-901-INITIALIZATION.conf", rules);
    assert_eq!(host.say(&format!("waf replay --add {rules}")).code, DONE);
    let said = host.say(&format!("waf replay --add {rules} --paranoia 3 --json"));
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["rules"]["2"]["newly"]["count"], 4);
    assert_eq!(
        host.say(&format!("waf replay --add {rules} --paranoia 2"))
            .code,
        DONE
    );
}

#[test]
fn a_suggestion_ends_the_false_alarm_and_nothing_else() {
    let host = world();
    let said = host.say("waf suggest --min-requests 3");
    assert_eq!(said.code, DONE, "{}", said.err);
    assert!(
        said.out.contains(";ARGS:comment"),
        "{}{}",
        said.out,
        said.err
    );
    let file = file(&host, "tuned.before.conf", &said.out);
    let tried = host.say(&format!("waf replay --add {file} --json"));
    assert_eq!(tried.code, CHANGES, "{}", tried.err);
    let report: Value = serde_json::from_str(&tried.out).unwrap();
    let passed = report["passed"]["requests"].as_array().unwrap();
    let ids: Vec<&str> = passed.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [id(1), id(2), id(3)],
        "the attack elsewhere is caught as before"
    );
}

#[test]
fn where_nothing_is_proposed_the_reason_is_told() {
    let said = world().say("waf suggest --min-requests 3 --min-clients 4");
    assert!(
        said.out.starts_with("# Nothing to propose."),
        "{}",
        said.out
    );
    assert!(said.err.contains("too few clients"), "{}", said.err);
}
