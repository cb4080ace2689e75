//! The store on a real file.

mod entries;
mod file;
mod past;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use gateway_policy::grammar::Prefix;
use tempfile::TempDir;

use super::*;

const NOW: UnixMillis = UnixMillis(1_000_000);

struct File {
    dir: TempDir,
}

impl File {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("var/gateway.db")
    }

    fn open(&self) -> Result<Store, StoreError> {
        let options = Options {
            busy_timeout: Duration::from_millis(20),
        };
        Store::open(&self.path(), options)
    }
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn entry(list: ListName, prefix: &str, origin: Origin) -> NewRecord {
    NewRecord {
        list,
        prefix: p(prefix),
        origin,
        mode: Mode::Enforce,
        expires: None,
        reason: "scans".to_owned(),
        created: NOW,
        created_by: "cli uid 0".to_owned(),
    }
}

fn deny(prefix: &str) -> NewRecord {
    entry(ListName::Deny, prefix, Origin::Operator)
}

fn ban(prefix: &str, until: u64) -> NewRecord {
    NewRecord {
        expires: Some(UnixMillis(until)),
        reason: "bad signature".to_owned(),
        ..entry(ListName::Deny, prefix, Origin::Ban)
    }
}

fn facts(strike: u32) -> BanFacts {
    BanFacts {
        offence: "failed-auth".to_owned(),
        count: 11,
        strike,
        request: Some("01J".to_owned()),
    }
}

fn past(client: &str, mode: Mode, from: u64, until: u64) -> PastBan {
    PastBan {
        client: p(client),
        mode,
        from: UnixMillis(from),
        until: UnixMillis(until),
        facts: facts(2),
        reason: String::new(),
    }
}

fn set(store: &mut Store, ban: &PastBan) {
    store.write(Durability::Lazy, |w| w.set_ban(ban)).unwrap();
}

fn put(store: &mut Store, new: &NewRecord) -> RuleId {
    store.write(Durability::Lazy, |w| w.put(new)).unwrap()
}

fn prefixes(records: &[Record]) -> Vec<String> {
    records.iter().map(|r| r.entry.prefix.to_string()).collect()
}
