//! The entries that the configuration names: they come and go with it.

use gateway_policy::grammar::Prefix;

use super::Service;
use super::apply::{Op, Plan, Step};
use crate::control::{Actor, Fault};
use crate::store::{Durability, ListName, Mode, NewRecord, Origin, Record, UnixMillis};

impl Service {
    /// Makes the safelist hold the management prefixes of the configuration and no others of
    /// that origin.
    ///
    /// # Errors
    /// When the store or the kernel refuses; then nothing has changed.
    pub fn set_management(&self, wanted: &[Prefix]) -> Result<(), Fault> {
        let now = self.now();
        let mut store = self.store();
        let mut present = Vec::new();
        store
            .read()
            .live(ListName::Allow, now.wall, |live| present.push(live.prefix))?;
        present.dedup();
        let mut steps = Vec::new();
        for prefix in present {
            let record = store.read().get(ListName::Allow, prefix, Origin::Config)?;
            if let Some(record) = record.filter(|_| !wanted.contains(&prefix)) {
                steps.push(removal(record));
            }
        }
        for prefix in wanted {
            if store
                .read()
                .get(ListName::Allow, *prefix, Origin::Config)?
                .is_none()
            {
                steps.push(addition(*prefix, now.wall));
            }
        }
        if steps.is_empty() {
            return Ok(());
        }
        let plan = Plan {
            steps,
            actor: &Actor::agent(),
            note: "the configuration's management addresses",
            durability: Durability::Synced,
            now,
        };
        self.apply(&mut store, &plan)?;
        Ok(())
    }
}

fn removal(record: Record) -> Step {
    Step {
        op: Op::Remove(record),
        logged: None,
    }
}

fn addition(prefix: Prefix, created: UnixMillis) -> Step {
    let entry = NewRecord {
        list: ListName::Allow,
        prefix,
        origin: Origin::Config,
        mode: Mode::Enforce,
        expires: None,
        reason: "management, in the configuration".to_owned(),
        created,
        created_by: Actor::agent().to_string(),
    };
    Step {
        op: Op::Put(entry),
        logged: None,
    }
}
