//! Whole commands, over lists in memory and a store in a folder of their own.

mod agent;
mod import;
mod lists;
mod shapes;
mod trace;
mod waf;
mod wrong;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use gateway_common::Verdict;
use gateway_common::packet::{self, Address};
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::control::api::Explanation;
use crate::control::fake::{FakeLists, NOW, clock};
use crate::control::lists::{Absent, InterfaceCounters, Probe};
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
    cookies: Option<u8>,
}

impl Host for TestHost {
    fn open(&self, pins: &Path) -> Result<Arc<dyn Lists>, ListsError> {
        assert_eq!(pins, self.dir.path().join("pins"));
        match &self.lists {
            Some(lists) => Ok(Arc::clone(lists) as Arc<dyn Lists>),
            None => Err(ListsError::Absent("nothing is pinned".to_owned())),
        }
    }

    fn judge(&self, pins: &Path) -> Result<Box<dyn Judge>, ListsError> {
        Ok(Box::new(BySource(self.open(pins)?)))
    }

    fn detach(&self, _: &Path) -> Result<(), ListsError> {
        self.detached.set(true);
        Ok(())
    }

    fn give_back_cookies(&self, store: &Path) -> Result<Option<u8>, String> {
        assert_eq!(store, self.dir.path().join("var/gateway.db"));
        Ok(self.cookies)
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

    fn input(&self, _: u64) -> io::Result<Vec<u8>> {
        Ok(b"192.0.2.0/24\n".to_vec())
    }

    fn is_terminal(&self) -> bool {
        false
    }
}

/// Goes by a frame's source alone.
struct BySource(Arc<dyn Lists>);

impl Judge for BySource {
    fn judge(&mut self, frame: &[u8]) -> Result<Probe, ListsError> {
        match packet::source(frame, packet::locate(frame)) {
            Some(Address::V4(source)) => self.0.probe(source.into()),
            Some(Address::V6(source)) => self.0.probe(source.into()),
            None => Ok(Probe {
                verdict: Verdict::Truncated,
                rule: 0,
            }),
        }
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
            cookies: None,
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
