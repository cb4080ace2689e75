//! The log of the WAF, of a real gateway.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::super::{Sink, WafLog};
use crate::http::tests::until;
use crate::http::tests::world::{World, waf};

const RULES: &str = r#"
SecRuleEngine DetectionOnly
SecRule REQUEST_HEADERS:X-CRS-Test "@rx ^.*$" "id:999999,pass,phase:1,log,msg:'X-CRS-Test %{MATCHED_VAR}',ctl:ruleRemoveById=1-999999"
SecRule ARGS "@contains attack" "id:942100,phase:2,deny,log,msg:'An attack',logdata:'%{MATCHED_VAR}',severity:CRITICAL,tag:'t/1',ver:'v1'"
SecRule ARGS "@contains at" "id:942101,phase:2,pass,nolog"
SecRule REQUEST_URI_RAW "@contains <" "id:920100,phase:1,pass,log"
SecRule ARGS:password "@rx ." "id:942200,phase:2,pass,log,msg:'%{MATCHED_VAR}'"
SecAction "id:980100,phase:5,pass,log,msg:'The end'"
"#;

fn world(log: &Arc<WafLog>) -> World {
    let log = Arc::clone(log);
    World::start(|setup| {
        setup.observers.push(log);
        setup.settings.waf = Some(waf(RULES)).into();
    })
}

fn start(path: &Path) -> Arc<WafLog> {
    Arc::new(WafLog::start(Sink::File(path.to_owned()), 100).unwrap())
}

/// The ids that the log names, in order.
fn ids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let id = |line: &str| Some(line.split_once("[id \"")?.1.split_once('"')?.0.to_owned());
    text.lines().map(|line| id(line).unwrap()).collect()
}

#[test]
fn each_match_is_a_line_that_is_there_before_the_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("waf.log");
    let log = start(&path);
    let world = world(&log);
    let reply = world.get("/open/x?q=an%20%22attack%22%0a");
    // Nothing is waited for here.
    assert_eq!(ids(&path), ["942100", "980100"]);
    assert_eq!(reply.status, 200);
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().next().unwrap();
    assert!(line.starts_with("[20"), "{line}");
    for part in [
        "Z] [client 127.0.0.1] ModSecurity: Warning. ",
        "at ARGS:q. [file \"test.conf\"] [line \"4\"] [id \"942100\"] [msg \"An attack\"] ",
        r#"[data "an \"attack\"\n"] [severity "CRITICAL"] [ver "v1"] [tag "t/1"] "#,
        "[hostname \"gateway.example\"] [uri \"/open/x\"] ",
        &format!("[unique_id \"{}\"]", reply.header("x-request-id")),
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn the_marker_of_the_test_suite_comes_out_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("waf.log");
    let log = start(&path);
    let world = world(&log);
    let marker = "942100-1 token=eyJhbGciOi";
    world.get_with("/open/x?q=attack", &[("x-crs-test", marker)]);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains(&format!("[msg \"X-CRS-Test {marker}\"]")),
        "{text}"
    );
    assert_eq!(ids(&path), ["999999"], "the rule switches off the others");
}

#[test]
fn what_is_refused_for_its_form_is_in_the_log_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("waf.log");
    let log = start(&path);
    let world = world(&log);
    let mut raw = world.raw();
    let reply = raw.send(b"GET /<x>?q=attack HTTP/9.9\r\n\r\n").reply();
    assert_eq!(ids(&path), ["920100", "942100", "980100"]);
    assert_eq!(reply.status, 400);
}

#[test]
fn secrets_do_not_come_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("waf.log");
    let log = start(&path);
    world(&log).get("/open/x?password=hunter2");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("942200") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn after_a_rotation_lines_go_to_the_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("waf.log"), dir.path().join("waf.log.1"));
    let log = start(&path);
    let world = world(&log);
    world.get("/open/x?q=attack");
    fs::rename(&path, &old).unwrap();
    log.reopen();
    world.get("/open/x");
    assert_eq!(ids(&old), ["942100", "980100"]);
    assert_eq!(ids(&path), ["980100"]);
}

#[test]
fn a_client_that_does_not_wait_is_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("waf.log");
    let log = start(&path);
    let world = world(&log);
    let mut raw = world.raw();
    raw.send(b"GET /slow?q=attack HTTP/1.1\r\nHost: a\r\n\r\n");
    until("the upstream has it", || {
        world.origin.counts.requests() == 1
    });
    drop(raw);
    until("it is written", || ids(&path) == ["942100", "980100"]);
}

/// A disk that fails, or does not answer until it is let go.
struct Disk(Arc<Mutex<()>>);

impl Write for Disk {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        drop(self.0.lock());
        Err(io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_full_or_hangs_stops_nobody() {
    let go = Arc::new(Mutex::new(()));
    let held = go.lock().unwrap();
    let disk = Box::new(Disk(Arc::clone(&go)));
    let log = Arc::new(WafLog::write_to(Sink::Stderr, disk, 100).unwrap());
    let world = world(&log);
    assert_eq!(world.get("/open/x?q=attack").status, 200);
    drop(held);
    assert_eq!(world.get("/open/x").status, 200);
    until("lines are counted", || log.counts().failed() == 3);
}
