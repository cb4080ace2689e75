//! The socket, with a real client behind it.

use std::io::{Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener as StdListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gateway_common::tables::List;
use gateway_policy::grammar::{Period, Prefix};
use tempfile::TempDir;

use super::*;
use crate::control::api::{
    AddRequest, ImportDone, ImportRequest, PageQuery, ReloadRequest, RemoveRequest,
};
use crate::control::client::Client;
use crate::control::fake::{FakeLists, clock};
use crate::control::{Actor, BanOrder, Control, Fault, FaultKind, Lists, NoAgent, Session};
use crate::store::{BanFacts, ListName, Mode, Origin, Store};

/// An agent with nothing but a service and a socket.
struct Agent {
    dir: TempDir,
    lists: Arc<FakeLists>,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

fn service() -> (Arc<FakeLists>, Arc<Service>) {
    let lists = Arc::new(FakeLists::default());
    let store = Store::in_memory().unwrap();
    let service = Service::with_clock(
        Arc::clone(&lists) as Arc<dyn Lists>,
        store,
        Arc::new(NoAgent),
        clock,
    );
    (lists, Arc::new(service))
}

impl Agent {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let (lists, service) = service();
        let socket = Socket::bind(&path_in(&dir)).unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn({
            let service = Arc::clone(&service);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                let drain = Duration::from_millis(50);
                runtime
                    .block_on(serve_and_drain(socket, service, stopped, drain))
                    .unwrap();
            }
        });
        Self {
            dir,
            lists,
            service,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn path(&self) -> PathBuf {
        path_in(&self.dir)
    }

    fn client(&self) -> Client {
        Client::reach(&self.path()).unwrap().unwrap()
    }

    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// What a raw HTTP request is answered.
    fn raw(&self, request: &str) -> String {
        let mut stream = UnixStream::connect(self.path()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, target: &str) -> String {
        self.raw(&format!(
            "GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop();
    }
}

fn path_in(dir: &TempDir) -> PathBuf {
    dir.path().join("run/gateway.sock")
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn request(prefixes: &[&str]) -> AddRequest {
    AddRequest {
        prefixes: prefixes.iter().map(|text| p(text)).collect(),
        ..AddRequest::default()
    }
}

fn ban(service: &Service, client: &str) {
    let now = clock();
    let order = BanOrder {
        client: p(client),
        mode: Mode::Enforce,
        from: now.monotonic,
        until: now
            .monotonic
            .saturating_add(Period::from_secs(60).as_nanos()),
        facts: BanFacts {
            offence: "waf-block".to_owned(),
            count: 3,
            strike: 1,
            request: None,
        },
        reason: "rule 942100".to_owned(),
    };
    service.ban(&order).unwrap();
}

/// One conversation, every answer of which is written down.
fn conversation(control: &dyn Control) -> Vec<String> {
    fn said<T: std::fmt::Debug>(what: Result<T, Fault>) -> String {
        format!("{what:?}")
    }
    let page = |query: &PageQuery| said(control.page(ListName::Deny, query));
    let all = PageQuery::default();
    let first = PageQuery {
        limit: Some(1),
        ..PageQuery::default()
    };
    let second = PageQuery {
        after: control
            .page(ListName::Deny, &first)
            .ok()
            .and_then(|page| page.next),
        ..PageQuery::default()
    };
    let bans = PageQuery {
        origin: Some(Origin::Ban),
        ..PageQuery::default()
    };
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let timed = AddRequest {
        ttl: Some(Period::from_secs(60)),
        reason: "a \"quoted\" reason: ü".to_owned(),
        session: Some(address("203.0.113.9")),
        ..request(&["192.0.2.0/24", "2001:db8::/32"])
    };
    let forced = AddRequest {
        force: true,
        ..request(&["::/0"])
    };
    vec![
        said(control.add(ListName::Deny, &timed)),
        said(control.add(ListName::Allow, &request(&["192.0.2.8/29"]))),
        said(control.add(ListName::Deny, &request(&["0.0.0.0/0"]))),
        said(control.add(ListName::Deny, &forced)),
        said(control.add(ListName::Deny, &request(&[]))),
        page(&all),
        page(&first),
        page(&second),
        page(&bans),
        said(control.explain(address("192.0.2.1"))),
        said(control.explain(address("2001:db8::1"))),
        said(control.explain(address("198.51.100.1"))),
        said(control.remove(
            ListName::Deny,
            &RemoveRequest {
                prefixes: vec![p("2001:db8::/32")],
            },
        )),
        said(control.remove(
            ListName::Deny,
            &RemoveRequest {
                prefixes: vec![p("2001:db8::/32")],
            },
        )),
        said(control.lift(p("2001:db8:1:2::3"))),
        said(control.lift(p("10.0.0.0/8"))),
        said(control.lift(p("10.0.0.0/8"))),
        said(control.status()),
        said(control.stats()),
        said(control.reload(&ReloadRequest::default())),
    ]
}

#[test]
fn both_ways_give_the_same_answers() {
    let agent = Agent::start();
    ban(&agent.service, "10.1.2.3");
    ban(&agent.service, "2001:db8:1:2::/64");
    let through = conversation(&agent.client());

    let (lists, service) = service();
    ban(&service, "10.1.2.3");
    ban(&service, "2001:db8:1:2::/64");
    let session: Session = service.session(Actor::this_process());
    let straight = conversation(&session);

    assert_eq!(through.len(), straight.len());
    for (through, straight) in through.iter().zip(&straight) {
        assert_eq!(through, straight);
    }
    assert!(through[0].starts_with("Ok("), "{}", through[0]);
    assert!(through[15].starts_with("Ok("), "{}", through[15]);
    assert_eq!(
        agent.lists.entries(List::Deny).unwrap(),
        lists.entries(List::Deny).unwrap()
    );
}

#[test]
fn the_log_names_who_connected() {
    let agent = Agent::start();
    let request = request(&["192.0.2.1"]);
    let changed = agent.client().add(ListName::Deny, &request).unwrap();
    let uid = nix::unistd::geteuid().as_raw();
    let by = changed.entries[0].created_by.clone().unwrap();
    assert!(by.starts_with(&format!("cli uid {uid}")), "{by}");
}

#[test]
fn only_the_owner_may_connect() {
    let agent = Agent::start();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&agent.path()), 0o600);
    assert_eq!(mode(agent.path().parent().unwrap()) & 0o700, 0o700);
}

#[test]
fn a_living_agents_socket_is_left_alone() {
    let mut agent = Agent::start();
    let refused = Socket::bind(&agent.path()).unwrap_err();
    assert!(matches!(refused, SocketError::InUse(_)), "{refused}");
    assert!(
        refused
            .to_string()
            .starts_with("another agent answers at /")
    );
    agent.client().status().unwrap();
    agent.stop();
    assert!(!agent.path().exists());
}

#[test]
fn a_dead_agents_socket_is_replaced() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("gateway.sock");
    drop(StdListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(Client::reach(&path).unwrap().is_none());
    let socket = Socket::bind(&path).unwrap();
    assert_eq!(socket.path(), path);
    UnixStream::connect(&path).unwrap();
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("gateway.sock");
    std::fs::write(&path, "precious").unwrap();
    let refused = Socket::bind(&path).unwrap_err();
    assert!(matches!(refused, SocketError::NoSocket(_)), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[test]
fn anothers_socket_is_not_removed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("gateway.sock");
    let first = Socket::bind(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _second = Socket::bind(&path).unwrap();
    drop(first);
    assert!(path.exists());
}

#[test]
fn without_an_agent_there_is_no_client() {
    let dir = TempDir::new().unwrap();
    assert!(Client::reach(&dir.path().join("none")).unwrap().is_none());
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    // A file that is no socket refuses the connection, as a dead agent's socket does.
    assert!(Client::reach(&file).unwrap().is_none());
    let refused = Client::reach(&file.join("below")).unwrap_err();
    assert_eq!(refused.kind, FaultKind::Transport);
}

#[test]
fn an_agent_that_hangs_is_given_up() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("gateway.sock");
    let _deaf = StdListener::bind(&path).unwrap();
    let client = Client::reach(&path).unwrap().unwrap();
    let client = client.with_call_timeout(Duration::from_millis(50));
    let refused = client.status().unwrap_err();
    assert_eq!(refused.kind, FaultKind::Transport);
    assert!(
        refused.detail.contains("gave no answer within"),
        "{refused}"
    );
}

#[test]
fn an_import_may_take_longer_than_other_calls() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("gateway.sock");
    let listener = StdListener::bind(&path).unwrap();
    let client = Client::unseen(&path).unwrap();
    let client = client.with_call_timeout(Duration::from_millis(20));
    let done = ImportDone {
        added: 7,
        ..ImportDone::default()
    };
    let answer = serde_json::to_string(&done).unwrap();
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = [0; 4096];
        let _ = stream.read(&mut seen).unwrap();
        thread::sleep(Duration::from_millis(100));
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}"
        )
        .unwrap();
    });
    let request = ImportRequest::default();
    assert_eq!(client.import(ListName::Deny, &request).unwrap(), done);
    answering.join().unwrap();
}

#[test]
fn an_answer_in_another_form_is_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("gateway.sock");
    let listener = StdListener::bind(&path).unwrap();
    let answering = thread::spawn(move || {
        for answer in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops",
            "nonsense\r\n\r\n",
        ] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = [0; 4096];
            let _ = stream.read(&mut seen).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let client = Client::unseen(&path).unwrap();
    for words in ["does not know", "status 500", ""] {
        let refused = client.status().unwrap_err();
        assert_eq!(refused.kind, FaultKind::Transport);
        assert!(refused.detail.contains(words), "{refused}");
    }
    answering.join().unwrap();
}

#[test]
fn bad_requests_get_a_problem() {
    let agent = Agent::start();
    for (target, status, words) in [
        ("/v1/nothing", 404, "there is no such resource"),
        ("/v1/lists/grey", 404, "there are the lists deny and allow"),
        (
            "/v1/lists/deny?limit=0",
            400,
            "a page has 1 to 10000 entries, not 0",
        ),
        (
            "/v1/lists/deny?after=x",
            400,
            "takes the `next` of the page before",
        ),
        ("/v1/lists/deny?colour=red", 400, "unknown field `colour`"),
        (
            "/v1/explain/example.com",
            400,
            "`example.com` is not an address",
        ),
        ("/v1/reload", 405, "the resource has no such method"),
    ] {
        let answer = agent.get(target);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(
            answer.contains("content-type: application/problem+json\r\n"),
            "{answer}"
        );
        assert!(answer.contains(words), "{answer}");
    }
    let post = |body: &str| {
        agent.raw(&format!(
            "POST /v1/lists/deny HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    for (body, words) in [
        ("{", "the body: EOF"),
        ("{\"prefixes\": [\"10.0.0.5/8\"]}", "has host bits set"),
        (
            "{\"prefixes\": [], \"colour\": 1}",
            "unknown field `colour`",
        ),
    ] {
        let answer = post(body);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains(words), "{answer}");
    }
    let answer = post(&" ".repeat((1 << 20) + 1));
    assert!(answer.contains("length limit exceeded"), "{answer}");
    assert!(agent.service.safelist().unwrap().is_empty());
}

#[test]
fn bans_are_a_resource_of_their_own() {
    let agent = Agent::start();
    ban(&agent.service, "10.1.2.3");
    agent
        .client()
        .add(ListName::Deny, &request(&["192.0.2.1"]))
        .unwrap();
    let answer = agent.get("/v1/bans");
    assert!(answer.contains("\"prefix\":\"10.1.2.3\""), "{answer}");
    assert!(!answer.contains("192.0.2.1"), "{answer}");
    let answer =
        agent.raw("DELETE /v1/bans/10.0.0.0%2F8 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(agent.lists.entry(List::Deny, "10.1.2.3"), None);
}

#[test]
fn half_a_request_does_not_keep_the_agent_from_ending() {
    let mut agent = Agent::start();
    let mut stuck = UnixStream::connect(agent.path()).unwrap();
    stuck
        .write_all(b"POST /v1/reload HTTP/1.1\r\nhost: x\r\n")
        .unwrap();
    agent.client().status().unwrap();
    agent.stop();
    assert!(!agent.path().exists());
}
