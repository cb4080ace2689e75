//! Logs, metrics and health, of a real gateway.

mod waf_log;

use std::fs;
use std::io::{self, Write};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use http::header;
use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};

use super::*;
use crate::http::tests::client::Raw;
use crate::http::tests::until;
use crate::http::tests::world::{World, waf};
use crate::http::{Gate, Observer, Outcome, Quotas};

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_request_is_one_line_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let log = Arc::new(AccessLog::start(Sink::File(path.clone()), 100).unwrap());
    let counts = Arc::clone(log.counts());
    let world = World::start(|setup| {
        setup.observers.push(log);
        setup.settings.logged = vec![
            header::USER_AGENT,
            header::REFERER,
            header::AUTHORIZATION,
            header::COOKIE,
        ];
        setup.settings.waf = Some(waf(
            "SecRule ARGS:q \"@contains attack\" \"id:7,phase:2,deny,log,msg:'An attack'\"\n",
        ))
        .into();
    });
    let token = world.token(&["admin"]);
    let reply = world.get_with(
        "/admin/x?page=2&api_key=hunter2&q=eyJh.eyJp.c2ln",
        &[
            ("authorization", &token),
            ("cookie", "session=hunter2"),
            ("user-agent", "a\tb\"\\"),
            ("referer", "https://a.example/?password=hunter2"),
        ],
    );
    assert_eq!(reply.status, 200);
    assert_eq!(world.get("/open/x?q=attack").status, 403);
    assert_eq!(
        world
            .get_with("/open/x", &[("authorization", "Bearer hunter2.x.y")])
            .status,
        401
    );
    world
        .raw()
        .send(b"\x00\n\"}\n{\"status\":200}\r\n\r\n")
        .rest();
    until("four lines", || counts.written() == 4);

    let text = fs::read_to_string(&path).unwrap();
    let secret = token.rsplit('.').next().unwrap();
    for hidden in ["hunter2", secret, "eyJh.eyJp", "union"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    let all = lines(&path);
    assert_eq!(all.len(), 4, "nobody writes a line of his own: {text}");
    let [first, blocked, unknown, unparsed] = &all[..] else {
        panic!("four")
    };
    assert_eq!(first["request"], reply.header("x-request-id"));
    assert_eq!(first["query"], "page=2&api_key=***&q=***");
    assert_eq!(
        first["headers"],
        json!({
            "user-agent": "a\tb\"\\",
            "referer": "https://a.example/?password=***",
            "authorization": "***",
            "cookie": "***",
        })
    );
    for (field, value) in [
        ("client", json!("127.0.0.1")),
        ("method", json!("GET")),
        ("host", json!("gateway.example")),
        ("path", json!("/admin/x")),
        ("status", json!(200)),
        ("subject", json!("ann")),
        ("ending", json!("complete")),
        ("tls", json!(true)),
        ("http", json!("1.1")),
        ("sent", json!(reply.body.len())),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    assert_eq!(first["upstream"]["name"], "app");
    assert_eq!(first["upstream"]["attempts"], 1);
    let micros = first["us"].as_object().unwrap();
    for stage in [
        "limit", "form", "identity", "access", "waf", "upstream", "response", "total",
    ] {
        assert!(micros[stage].is_u64(), "{stage}");
    }
    assert_eq!(
        (&blocked["refusal"], &blocked["status"]),
        (&json!("waf-blocked"), &json!(403))
    );
    assert_eq!(
        blocked["rules"],
        json!([{"id": 7, "message": "An attack", "variable": "ARGS:q"}])
    );
    assert_eq!(unknown["refusal"], "token-malformed");
    assert_eq!(
        (&unparsed["refusal"], &unparsed["method"]),
        (&json!("method-malformed"), &Value::Null)
    );
    let time = first["time"].as_str().unwrap();
    assert!(
        time.starts_with("20") && time.ends_with('Z') && time.len() == 24,
        "{time}"
    );
}

/// An outcome to tell again and again.
fn outcome() -> Arc<Outcome> {
    let world = World::start(|_| ());
    world.get("/nowhere");
    Arc::new(world.seen.outcome(0))
}

/// A disk that waits until it is told to go on.
struct Stuck {
    begun: mpsc::Sender<()>,
    go: Arc<Mutex<()>>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.begun.send(());
        drop(self.go.lock());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_disk_costs_lines_and_never_time() {
    let outcome = outcome();
    let go = Arc::new(Mutex::new(()));
    let (begun, stuck) = mpsc::channel();
    let held = go.lock().unwrap();
    let disk = Box::new(Stuck {
        begun,
        go: Arc::clone(&go),
    });
    let log = AccessLog::write_to(Sink::Stderr, disk, 3).unwrap();
    log.outcome(&outcome);
    stuck.recv().unwrap();
    // The thread waits for the disk now: three lines fit into the channel, and no call blocks.
    for _ in 0..10 {
        log.outcome(&outcome);
    }
    let counts = Arc::clone(log.counts());
    assert_eq!((counts.written(), counts.lost()), (0, 7));
    drop(held);
    drop(log);
    assert_eq!(
        (counts.written(), counts.lost(), counts.failed()),
        (4, 7, 0)
    );
}

#[test]
fn after_a_rotation_lines_go_to_the_new_file() {
    let outcome = outcome();
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("a.log"), dir.path().join("a.log.1"));
    let log = AccessLog::start(Sink::File(path.clone()), 10).unwrap();
    log.outcome(&outcome);
    until("it is written", || log.counts().written() == 1);
    fs::rename(&path, &old).unwrap();
    log.outcome(&outcome);
    log.reopen();
    log.outcome(&outcome);
    drop(log);
    assert_eq!((lines(&old).len(), lines(&path).len()), (2, 1));
}

#[test]
fn a_disk_that_refuses_is_counted() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = AccessLog::write_to(Sink::Stderr, Box::new(Full), 10).unwrap();
    log.outcome(&outcome());
    let counts = Arc::clone(log.counts());
    drop(log);
    assert_eq!((counts.written(), counts.failed()), (0, 1));
    let nowhere = Sink::File("/nonexistent/a.log".into());
    assert!(AccessLog::start(nowhere, 10).is_err());
}

fn scrape(monitor: &Monitor, path: &str) -> (u16, String, String) {
    let mut raw = Raw::connect(monitor.addr());
    let reply = raw
        .send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
        .reply();
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    (
        reply.status.as_u16(),
        reply.header("content-type").to_owned(),
        text,
    )
}

fn start(metrics: &Arc<Metrics>, health: impl Fn() -> Health + Send + Sync + 'static) -> Monitor {
    Monitor::start("127.0.0.1:0".parse().unwrap(), Arc::clone(metrics), health).unwrap()
}

#[test]
fn metrics_count_what_happened() {
    let metrics = Arc::new(Metrics::default());
    let http = metrics.register(HttpMetrics::new);
    let world = World::start(|setup| {
        setup.observers.push(http);
        let two = "2/hour"
            .parse()
            .map(gateway_policy::limits::Quota::from_rate)
            .unwrap();
        setup.settings.quotas = Quotas {
            trusted: None,
            untrusted: Some(two),
        };
    });
    let gate: Arc<Gate> = Arc::clone(&world.gate);
    metrics.register(|registry| {
        HttpMetrics::collect(registry, gate, vec![("access", Arc::default())])
    });
    let own = Counter::<u64>::default();
    metrics.register(|registry| registry.register("mine", "Somebody else's", own.clone()));
    own.inc();

    assert_eq!(world.get("/open/x").status, 200);
    assert_eq!(world.get("/reset").status, 502);
    assert_eq!(world.get("/open/x").status, 429);
    world.seen.outcome(2);
    until("all is closed", || world.gate.load().open() == 0);
    let monitor = start(&metrics, Health::default);
    let (status, kind, text) = scrape(&monitor, "/metrics");
    assert_eq!(status, 200);
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    for line in [
        "gateway_http_requests_total{class=\"2xx\"} 1",
        "gateway_http_requests_total{class=\"4xx\"} 1",
        "gateway_http_requests_total{class=\"5xx\"} 1",
        "gateway_http_refusals_total{refusal=\"rate-limited\"} 1",
        "gateway_http_refusals_total{refusal=\"upstream-reset\"} 1",
        "gateway_http_answers_total{ending=\"complete\"} 3",
        "gateway_http_upstream_results_total{upstream=\"app\",result=\"answered\"} 1",
        "gateway_http_upstream_results_total{upstream=\"app\",result=\"upstream-reset\"} 1",
        "gateway_http_stage_seconds_count{stage=\"limit\"} 3",
        "gateway_http_stage_seconds_count{stage=\"upstream\"} 2",
        "gateway_http_request_seconds_count 3",
        "gateway_http_connections_open 0",
        "gateway_http_connections_accepted_total 3",
        "gateway_http_connections_ended_total{end=\"refused-client\"} 0",
        "gateway_http_limiter_clients 1",
        "gateway_access_log_lost_total 0",
        "gateway_mine_total 1",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} not in\n{text}"
        );
    }
    assert_eq!(scrape(&monitor, "/").0, 404);
}

#[test]
fn health_is_what_the_agent_says() {
    let healthy = Arc::new(Mutex::new(true));
    let asked = Arc::clone(&healthy);
    let monitor = start(&Arc::default(), move || {
        let Value::Object(detail) = json!({"generation": 3, "status": "a lie"}) else {
            unreachable!("an object")
        };
        Health {
            healthy: *asked.lock().unwrap(),
            detail,
        }
    });
    let (status, kind, text) = scrape(&monitor, "/healthz");
    assert_eq!((status, kind.as_str()), (200, "application/json"));
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body, json!({"status": "ok", "generation": 3}));
    *healthy.lock().unwrap() = false;
    let (status, _, text) = scrape(&monitor, "/healthz");
    assert!(status == 503 && text.contains("\"failing\""), "{text}");
    let taken = Monitor::start(monitor.addr(), Arc::default(), Health::default).unwrap_err();
    assert!(
        taken
            .to_string()
            .starts_with("cannot serve metrics on 127.0.0.1:")
    );
}

#[test]
fn log_settings_are_refused_with_words() {
    assert!(
        "xml"
            .parse::<Format>()
            .unwrap_err()
            .to_string()
            .contains("text or json")
    );
    let error = init_app_log(Format::Json, "gateway=loud")
        .unwrap_err()
        .to_string();
    assert!(error.contains("gateway=loud"), "{error}");
}
