//! What is proposed, and what nobody can bring about.

use std::net::IpAddr;

use super::*;
use crate::records::Hit;
use crate::records::tests::record;

/// A request in which a rule matched a field.
fn matched(number: u8, subject: Option<&str>, target: &str, variable: &str) -> Record {
    let mut record = record(&format!("r{number}"), 1_700_000_000_000 + u64::from(number));
    record.client = IpAddr::from([192, 0, number, 7]);
    record.subject = subject.map(str::to_owned);
    record.route = Some("/app/**".to_owned());
    record.copy.target = target.as_bytes().into();
    record.copy.headers = vec![(b"Host"[..].into(), b"a.example:443"[..].into())];
    record.matches = vec![Hit {
        id: 942_100,
        phase: 2,
        file: "sqli.conf".to_owned(),
        line: 7,
        msg: "SQL\ninjection".to_owned(),
        severity: None,
        tags: Vec::new(),
        variable: variable.to_owned(),
        effect: "deny 403".to_owned(),
        shadow: false,
        shadow_route: false,
        data: None,
        looks: Vec::new(),
    }];
    record
}

fn demands() -> Demands {
    Demands {
        requests: 3,
        clients: 3,
        anonymous: false,
        banned: Vec::new(),
    }
}

fn suggest(records: &[Record], demands: &Demands) -> Suggestions {
    let mut conduct = Conduct::default();
    records.iter().for_each(|record| conduct.see(record));
    let mut tally = Tally::default();
    for record in records {
        tally.add(record, &conduct, demands);
    }
    propose(&tally, demands, &|id| id == FIRST_ID)
}

/// Three holders of tokens whose comments make a rule match.
fn false_alarms() -> Vec<Record> {
    let holders = [(1, "ann"), (2, "bob"), (3, "eve")];
    let one = |(number, subject)| matched(number, Some(subject), "/app/c?x=1", "ARGS:comment");
    holders.map(one).to_vec()
}

#[test]
fn an_exclusion_is_for_one_rule_one_field_and_where_it_was_seen() {
    let suggestions = suggest(&false_alarms(), &demands());
    let [proposal] = suggestions.proposals.as_slice() else {
        panic!("{suggestions:?}")
    };
    assert_eq!(proposal.id, FIRST_ID + 1, "the first one is taken");
    assert_eq!((proposal.requests, proposal.clients), (3, 3));
    let rule: Vec<&str> = proposal.text.lines().skip(2).collect();
    assert_eq!(
        rule,
        [
            "SecRule REQUEST_FILENAME \"@streq /app/c\" \\",
            "    \"id:9110002,phase:1,pass,nolog,t:none,t:normalizePath,chain\"",
            "    SecRule SERVER_NAME \"@streq a.example\" \\",
            "        \"t:none,t:lowercase,ctl:ruleRemoveTargetById=942100;ARGS:comment\"",
        ]
    );
}

#[test]
fn strangers_bring_nothing_about() {
    let mut strangers = false_alarms();
    strangers
        .iter_mut()
        .for_each(|record| record.subject = None);
    assert!(suggest(&strangers, &demands()).proposals.is_empty());
    let anonymous = Demands {
        anonymous: true,
        ..demands()
    };
    assert_eq!(suggest(&strangers, &anonymous).proposals.len(), 1);
    // Many addresses of one network are one client.
    for (number, record) in (1..).zip(&mut strangers) {
        record.client = IpAddr::from([192, 0, 2, number]);
    }
    let suggestions = suggest(&strangers, &anonymous);
    assert!(suggestions.proposals.is_empty());
    assert_eq!(suggestions.refused[0].why, "too few clients");
}

#[test]
fn one_source_brings_nothing_about() {
    let mut one_holder = false_alarms();
    for record in &mut one_holder {
        record.subject = Some("ann".to_owned());
    }
    assert_eq!(
        suggest(&one_holder, &demands()).refused[0].why,
        "too few clients"
    );
    let mut one_address = false_alarms();
    for record in &mut one_address {
        record.client = IpAddr::from([192, 0, 2, 1]);
    }
    assert_eq!(
        suggest(&one_address, &demands()).refused[0].why,
        "all of them come from one address"
    );
}

#[test]
fn clients_that_are_banned_scan_or_probe_do_not_count() {
    let mut banned = demands();
    banned.banned = vec!["192.0.1.0/24".parse().unwrap()];
    assert!(suggest(&false_alarms(), &banned).proposals.is_empty());

    let mut scanning = false_alarms();
    let mut scan = matched(1, Some("ann"), "/", "REQUEST_HEADERS:User-Agent");
    scan.matches[0].tags = vec!["attack-scanner".to_owned()];
    scanning.push(scan);
    assert!(suggest(&scanning, &demands()).proposals.is_empty());

    let mut probing = false_alarms();
    for i in 0..9 {
        probing.push(matched(9, Some("eve"), "/app/c", &format!("ARGS:a{i}")));
    }
    assert!(suggest(&probing, &demands()).proposals.is_empty());
}

#[test]
fn where_attackers_make_it_match_more_often_nothing_is_proposed() {
    let mut attacked = false_alarms();
    for number in 20..24 {
        attacked.push(matched(number, None, "/app/c", "ARGS:comment"));
    }
    let suggestions = suggest(&attacked, &demands());
    assert!(suggestions.proposals.is_empty());
    assert_eq!(
        suggestions.refused[0].why,
        "clients that do not count make it match more often"
    );
}

#[test]
fn names_that_could_break_out_of_a_rule_are_not_written() {
    for variable in [
        "ARGS:a\"",
        "ARGS:a b",
        "ARGS:a;ctl",
        "ARGS:/.*/",
        "ARGS:",
        "ARGS",
        "REQUEST_BODY",
        "XML:/*",
    ] {
        let mut records = false_alarms();
        for record in &mut records {
            record.matches[0].variable = variable.to_owned();
        }
        assert!(
            suggest(&records, &demands()).proposals.is_empty(),
            "{variable}"
        );
    }
    let mut records = false_alarms();
    for record in &mut records {
        record.copy.target = b"/a\"b/../c"[..].into();
        record.copy.headers[0].1 = b"a\"b"[..].into();
        record.matches[0].msg = "x\nSecRuleEngine Off\\".to_owned();
    }
    let suggestions = suggest(&records, &demands());
    assert!(suggestions.proposals.is_empty(), "{suggestions:?}");
}

#[test]
fn comments_stay_on_their_lines() {
    let mut records = false_alarms();
    for record in &mut records {
        record.matches[0].msg = "x\nSecRuleEngine Off\\".to_owned();
        record.route = Some("/app/**\n\\".to_owned());
    }
    let suggestions = suggest(&records, &demands());
    let text = &suggestions.proposals[0].text;
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    assert_eq!(comments.filter(|line| !line.ends_with('\\')).count(), 2);
    assert!(!text.contains("\nSecRuleEngine"), "{text}");
}

#[test]
fn scopes_name_paths_or_their_folder() {
    let of = |paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        scope::of_paths(&paths, false)
    };
    let many: Vec<String> = (0..20).map(|i| format!("/app/posts/{i}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let apart: Vec<String> = (0..20).map(|i| format!("/{i}/x")).collect();
    let apart: Vec<&str> = apart.iter().map(String::as_str).collect();
    for (paths, scope) in [
        (&["/a.php"][..], Some("@streq /a.php")),
        (&["/a.php", "/b"], Some("@rx ^(?:/a\\.php|/b)$")),
        (&many, Some("@beginsWith /app/posts/")),
        (&["/app/%2e/x"], Some("@beginsWith /app/")),
        (&apart, None),
        (&["/%2e"], None),
        (&["/app/../b/x"], Some("@beginsWith /app/")),
        (&["*"], None),
    ] {
        assert_eq!(of(paths).as_deref(), scope, "{paths:?}");
    }
}
