//! What would change, and requests from other hands.

use gateway_waf::{SourceError, Sources, Waf};

use super::*;
use crate::records::Text;

struct One<'a>(&'a str);

impl Sources for One<'_> {
    fn read(&self, _: &str) -> Result<Vec<u8>, SourceError> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        Ok(vec![pattern.to_owned()])
    }
}

fn waf(rules: &str) -> Waf {
    Waf::load(&["t.conf"], &One(rules)).unwrap()
}

fn text(text: &str) -> Text {
    text.as_bytes().into()
}

fn specimen(id: &str, target: &str) -> Specimen {
    Specimen {
        id: id.to_owned(),
        client: [192, 0, 2, 7].into(),
        route: None,
        at: 0,
        request: Request {
            method: text("GET"),
            target: text(target),
            protocol: text("HTTP/1.1"),
            ..Request::default()
        },
        found: None,
    }
}

const NOW: &str = "SecRuleEngine DetectionOnly\n\
    SecRule ARGS \"@contains evil\" \"id:1,phase:2,deny,log\"\n\
    SecRule ARGS \"@contains odd\" \"id:2,phase:2,pass,log\"";

#[test]
fn what_changes_is_told_by_rule_and_by_request() {
    let candidate = waf(
        "SecRule ARGS:q \"@contains evil\" \"id:1,phase:2,deny,log\"\n\
         SecRule ARGS \"@contains new\" \"id:3,phase:2,deny,log\"",
    );
    let mut report = Report::default();
    for (id, target) in [
        ("same", "/?q=evil"),
        ("freed", "/?p=evil"),
        ("caught", "/?p=new"),
        ("noted", "/?p=odd"),
        ("clean", "/"),
    ] {
        report.add(&specimen(id, target), &waf(NOW), &candidate);
    }
    assert_eq!(report.requests, 5);
    assert_eq!(report.blocked.requests, ["caught"]);
    assert_eq!(report.passed.requests, ["freed"]);
    let changed: Vec<_> = report
        .rules
        .iter()
        .map(|(id, change)| (*id, change.newly.count, change.no_longer.count))
        .collect();
    assert_eq!(changed, [(1, 0, 1), (2, 0, 1), (3, 1, 0)]);
    let mut same = Report::default();
    same.add(&specimen("a", "/?q=evil"), &waf(NOW), &waf(NOW));
    assert!(!same.has_changes());
}

#[test]
fn what_is_masked_and_matters_is_not_judged() {
    let masked = |found: &[u64], target: &str| {
        let mut specimen = specimen("m", target);
        specimen.request.masked = 1;
        specimen.found = Some((found.iter().copied().collect(), true));
        specimen
    };
    let mut report = Report::default();
    // Rule 1 had matched what is masked now.
    report.add(&masked(&[1], "/?password=***"), &waf(NOW), &waf(""));
    assert_eq!((report.unjudged.count, report.partial), (1, 0));
    // Rule 1 still matches, so what is masked does not matter for what is known.
    report.add(&masked(&[1], "/?q=evil&password=***"), &waf(NOW), &waf(""));
    assert_eq!((report.unjudged.count, report.partial), (1, 1));
    assert_eq!(report.passed.count, 1);
}

#[test]
fn archives_of_browsers_are_read() {
    let har = br#"{"log": {"version": "1.2", "entries": [
        {"request": {"method": "POST", "url": "https://a.example:8443/p?q=1#f", "httpVersion": "h2",
         "headers": [{"name": ":authority", "value": "x"}, {"name": "content-type",
         "value": "application/x-www-form-urlencoded"}],
         "postData": {"mimeType": "x", "text": "b=evil"}, "bodySize": 6}},
        {"request": {"method": "GET", "url": "http://b.example"}}]}}"#;
    let read = parse_har(har).unwrap();
    let [first, second] = read.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(first.request.target, text("/p?q=1"));
    assert_eq!(first.request.headers[0].1, text("a.example:8443"));
    assert_eq!(judge(&waf(NOW), first).blocked, Some(1));
    assert_eq!(second.request.target, text("/"));
    assert_eq!(second.id, "entry 2");
    assert!(parse_har(b"{}").is_err());
}

#[test]
fn lines_of_servers_are_read() {
    let line = r#"192.0.2.9 - ann [10/Oct/2025:13:55:36 -0700] "GET /a?q=\x22evil\" HTTP/1.0" 200 2326 "http://r.example/" "Mozilla \"x\"""#;
    let Line::Request(read) = parse_log_line(line, 7) else {
        panic!("not read")
    };
    assert_eq!(read.id, "line 7");
    assert_eq!(read.client, IpAddr::from([192, 0, 2, 9]));
    assert_eq!(read.request.target, text("/a?q=\"evil\""));
    assert_eq!(
        read.request.headers[2],
        (text("User-Agent"), text("Mozilla \"x\""))
    );
    assert!(read.request.is_whole());
    let common = r#"host.example - - [x] "POST /a HTTP/1.1" 200 -"#;
    let Line::Request(read) = parse_log_line(common, 1) else {
        panic!("not read")
    };
    assert!(!read.request.is_whole(), "its body is not in the log");
}

#[test]
fn a_request_is_judged_by_what_is_in_shadow_on_its_route() {
    let mut rules = waf(NOW);
    rules.shadow_on("/legacy/**", "1").unwrap();
    let mut request = specimen("a", "/?q=evil");
    for (route, blocked) in [
        (None, Some(1)),
        (Some("/legacy/**"), None),
        (Some("/**"), Some(1)),
    ] {
        request.route = route.map(str::to_owned);
        let verdict = judge(&rules, &request);
        assert_eq!(verdict.blocked, blocked, "{route:?}");
        assert!(verdict.all.contains(&1), "{route:?}");
    }
}

#[test]
fn lines_of_the_gateway_are_read() {
    let line = r#"{"request":"01","client":"2001:db8::1","http":"2","method":"GET","host":"a.example",
        "path":"/p","query":"token=***&q=evil","received":0,"headers":{"user-agent":"curl"}}"#;
    let Line::Request(read) = parse_log_line(line, 1) else {
        panic!("not read")
    };
    assert_eq!(read.request.target, text("/p?token=***&q=evil"));
    assert_eq!(read.request.masked, 1);
    assert_eq!(judge(&waf(NOW), &read).blocked, Some(1));
    let misread = r#"{"request":"01","client":"::1","http":"1.1","host":"","path":""}"#;
    assert!(matches!(parse_log_line(misread, 1), Line::Nothing));
}

#[test]
fn junk_is_no_request() {
    for junk in [
        "",
        "{",
        "{}",
        "1",
        "a [x] \"",
        "a - - [x] \"GET\" 200",
        "a - - [x] \"\\x16\\x03\" 400 0",
        "a - - [x] \"GET / FTP/1\" 200",
        "a - - [x] \"GET / HTTP/1.1\\",
    ] {
        assert!(matches!(parse_log_line(junk, 1), Line::Unknown), "{junk}");
    }
}
