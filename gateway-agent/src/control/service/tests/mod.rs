//! The service over lists and a store in memory.

mod audit;
mod bans;
mod feed;
mod import;
mod limited;
mod lists;
mod look;
mod step;

use gateway_common::lists::{
    Entry, MODE_ENFORCE, MODE_SHADOW, ORIGIN_BAN, ORIGIN_FEED, ORIGIN_OPERATOR,
};
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Period;

use super::*;
use crate::control::FaultKind;
use crate::control::api::{AgentStatus, EntryView, MAX_PREFIXES, Place};
use crate::control::fake::{FakeLists, NOW, clock, later};
use crate::control::lists::{Absent, ListsError};
use crate::store::{BanFacts, Durability, Mode, NewRecord, Origin, RuleId, StoreError, UnixMillis};

/// Hooks that write down what they hear.
#[derive(Default)]
struct Heard {
    lifted: Mutex<Vec<String>>,
    safelist: Mutex<usize>,
    protected: Vec<(Prefix, String)>,
    /// The generation of the configuration on trial.
    trial: Mutex<Option<u64>>,
    /// Whether an agent is behind the service.
    runs: bool,
}

impl Hooks for Heard {
    fn agent(&self) -> Option<AgentStatus> {
        self.runs.then(|| AgentStatus {
            waf: None,
            pid: 1,
            started_unix_ms: NOW.wall,
            config: String::new(),
            generation: 1,
            configured_unix_ms: NOW.wall,
            trial: None,
            taken_back: false,
            listeners: Vec::new(),
            upstreams: Vec::new(),
            limits: Vec::new(),
            syn_cookies: None,
            feeds: Vec::new(),
        })
    }

    fn reload(&self, trial: Option<Period>) -> Result<Reloaded, Fault> {
        *self.trial.lock().unwrap() = trial.map(|_| 2);
        Ok(Reloaded {
            generation: 2,
            ..Reloaded::default()
        })
    }

    fn confirm(&self) -> Option<u64> {
        self.trial.lock().unwrap().take()
    }

    fn protected(&self) -> Vec<(Prefix, String)> {
        self.protected.clone()
    }

    fn lifted(&self, prefix: Prefix) {
        self.lifted.lock().unwrap().push(prefix.to_string());
    }

    fn safelist_changed(&self) {
        *self.safelist.lock().unwrap() += 1;
    }
}

struct Bench {
    lists: Arc<FakeLists>,
    hooks: Arc<Heard>,
    service: Arc<Service>,
    session: Session,
}

fn bench_with(hooks: Heard, lists: Arc<FakeLists>, store: Store, clock: Clock) -> Bench {
    let hooks = Arc::new(hooks);
    let service = Arc::new(Service::with_clock(
        Arc::clone(&lists) as Arc<dyn Lists>,
        store,
        Arc::clone(&hooks) as Arc<dyn Hooks>,
        clock,
    ));
    let session = service.session(Actor::cli(0, None));
    Bench {
        lists,
        hooks,
        service,
        session,
    }
}

fn bench() -> Bench {
    bench_with(
        Heard::default(),
        Arc::default(),
        Store::in_memory().unwrap(),
        clock,
    )
}

impl Bench {
    /// The same lists and store at another time.
    fn at(self, clock: Clock) -> Self {
        let Self {
            lists,
            service,
            session,
            ..
        } = self;
        drop(session);
        let store = Arc::into_inner(service)
            .unwrap()
            .store
            .into_inner()
            .unwrap();
        bench_with(Heard::default(), lists, store, clock)
    }

    fn deny(&self, prefixes: &[&str]) -> Result<Changed, Fault> {
        self.session.add(ListName::Deny, &request(prefixes))
    }

    fn allow(&self, prefixes: &[&str]) -> Result<Changed, Fault> {
        self.session.add(ListName::Allow, &request(prefixes))
    }

    fn remove(&self, prefixes: &[&str]) -> Result<Changed, Fault> {
        let request = RemoveRequest {
            prefixes: request(prefixes).prefixes,
        };
        self.session.remove(ListName::Deny, &request)
    }

    fn entries(&self, list: ListName) -> Vec<EntryView> {
        let page = self.session.page(list, &PageQuery::default()).unwrap();
        assert_eq!(page.next, None);
        page.entries
    }

    fn log(&self) -> Vec<String> {
        let changes = self.service.store().read().changes(100).unwrap();
        changes
            .iter()
            .rev()
            .map(|c| {
                let prefix = c.prefix.map(|p| format!(" {p}")).unwrap_or_default();
                format!("{} {}{prefix} {}", c.actor, c.action, c.note)
                    .trim()
                    .to_owned()
            })
            .collect()
    }

    fn kernel(&self, list: List) -> Vec<String> {
        let entries = self.lists.entries(list).unwrap();
        entries.iter().map(|(p, _)| p.to_string()).collect()
    }
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

fn order(client: &str, seconds: u64) -> BanOrder {
    BanOrder {
        client: p(client),
        mode: Mode::Enforce,
        from: NOW.monotonic,
        until: NOW.monotonic.saturating_add(Nanos::from_secs(seconds)),
        facts: BanFacts {
            offence: "failed-auth".to_owned(),
            count: 10,
            strike: 1,
            request: Some("r-1".to_owned()),
        },
        reason: "bad signature".to_owned(),
    }
}

fn prefixes(entries: &[EntryView]) -> Vec<String> {
    entries.iter().map(|e| e.prefix.to_string()).collect()
}
