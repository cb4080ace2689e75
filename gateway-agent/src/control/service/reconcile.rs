//! Bringing the kernel's lists and the store in step: at the start, and as entries expire.

use std::collections::HashMap;

use gateway_common::lists::Entry;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Prefix;

use super::Service;
use super::apply::{Op, Plan, Step};
use crate::control::effective::{effective, in_kernel};
use crate::control::now::Now;
use crate::control::{Actor, Fault, ListsError};
use crate::store::{
    Action, Change, Durability, ListName, Live, Mode, NewRecord, Origin, Store, StoreError,
};

/// Entries that one sweep takes out.
const SWEPT: u32 = 1_000;

/// How far two forms of one expiry may be apart: they come from different readings of two
/// clocks, one of which time servers adjust.
const SLACK: Nanos = Nanos::from_secs(2);

/// What bringing the kernel in step took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Entries that the kernel had as they should be.
    pub kept: usize,
    /// Entries that the kernel was given.
    pub written: usize,
    /// Entries that the kernel had and the store had not.
    pub removed: usize,
    /// Entries that an empty store took over from the kernel.
    pub adopted: usize,
    /// Entries that found the kernel's map full: they are not in force.
    pub refused: usize,
    /// The first of those refusals, in words.
    pub refusal: Option<String>,
}

impl Service {
    /// Makes the kernel's lists say what the store says. For the start of the agent: after a
    /// reboot the kernel has nothing, after a crash it may have too much or too little.
    ///
    /// A store in which no entry ever was cannot be the truth about a kernel that has some: it
    /// was lost, so it takes over what the kernel has.
    ///
    /// # Errors
    /// When the store cannot be read or the kernel refuses, other than for a full map.
    pub fn reconcile(&self) -> Result<Reconciled, Fault> {
        self.lists.ready()?;
        let mut store = self.store();
        let mut done = Reconciled::default();
        if store.read().is_untouched()? {
            done.adopted = self.adopt(&mut store)?;
        }
        for list in ListName::ALL {
            self.follow(&store, *list, &mut done)?;
        }
        Ok(done)
    }

    /// As [`Service::reconcile`], but only if the store was lost: for a change made while no
    /// agent runs, which must not begin a store that knows of one entry alone.
    ///
    /// # Errors
    /// As [`Service::reconcile`].
    pub fn adopt_if_lost(&self) -> Result<(), Fault> {
        let untouched = self.store().read().is_untouched()?;
        if untouched && self.lists.ready().is_ok() {
            self.reconcile()?;
        }
        Ok(())
    }

    /// Takes out entries that have expired, at most a thousand: the kernel does not honour them
    /// any more, but they take up room. Says how many; call it again at once when that is a
    /// thousand. Also forgets bans that ended more than `memory` ago.
    ///
    /// # Errors
    /// When the store or the kernel refuses.
    pub fn sweep(&self, memory: Nanos) -> Result<usize, Fault> {
        let now = self.now();
        let mut store = self.store();
        let expired = store.read().expired(now.wall, SWEPT)?;
        let swept = expired.len();
        let safelist = expired.iter().any(|r| r.entry.list == ListName::Allow);
        if swept > 0 {
            let remove = |record| Step {
                op: Op::Remove(record),
                logged: None,
            };
            self.apply(
                &mut store,
                &Plan {
                    steps: expired.into_iter().map(remove).collect(),
                    actor: &Actor::agent(),
                    note: "expired",
                    durability: Durability::Lazy,
                    now,
                },
            )?;
        }
        store.write(Durability::Lazy, |writer| {
            writer.drop_old_bans(now.before(memory))
        })?;
        drop(store);
        if safelist {
            self.hooks.safelist_changed();
        }
        Ok(swept)
    }

    fn follow(&self, store: &Store, list: ListName, done: &mut Reconciled) -> Result<(), Fault> {
        let now = self.now();
        let mut wanted: Vec<Live> = Vec::new();
        let mut on: Vec<Live> = Vec::new();
        store.read().live(list, now.wall, |live| {
            if on.first().is_some_and(|first| first.prefix != live.prefix) {
                wanted.extend(effective(&on, now).copied());
                on.clear();
            }
            on.push(live);
        })?;
        wanted.extend(effective(&on, now).copied());

        let mut kernel: HashMap<Prefix, Entry> =
            self.lists.entries(list.list())?.into_iter().collect();
        let mut missing = Vec::new();
        for live in wanted {
            let entry = in_kernel(&live, now);
            match kernel.remove(&live.prefix) {
                Some(old) if same(&old, &entry) => done.kept += 1,
                Some(_) | None => missing.push((live.prefix, entry)),
            }
        }
        // What is too much goes first: it makes room.
        for prefix in kernel.into_keys() {
            self.lists.remove(list.list(), prefix)?;
            done.removed += 1;
        }
        match self.lists.insert_all(list.list(), &missing) {
            Ok(()) => done.written += missing.len(),
            Err(ListsError::Full { .. }) => self.fill(list, &missing, done)?,
            Err(other @ (ListsError::Absent(_) | ListsError::Failed(_))) => {
                return Err(other.into());
            }
        }
        Ok(())
    }

    /// Adds as many entries as fit.
    fn fill(
        &self,
        list: ListName,
        entries: &[(Prefix, Entry)],
        done: &mut Reconciled,
    ) -> Result<(), Fault> {
        for (prefix, entry) in entries {
            match self.lists.insert(list.list(), *prefix, *entry) {
                Ok(()) => done.written += 1,
                Err(full @ ListsError::Full { .. }) => {
                    done.refused += 1;
                    done.refusal.get_or_insert_with(|| full.to_string());
                }
                Err(other @ (ListsError::Absent(_) | ListsError::Failed(_))) => {
                    return Err(other.into());
                }
            }
        }
        Ok(())
    }

    /// Takes what the kernel's lists hold into the store.
    fn adopt(&self, store: &mut Store) -> Result<usize, Fault> {
        let now = self.now();
        let mut found = Vec::new();
        for list in ListName::ALL {
            for (prefix, entry) in self.lists.entries(list.list())? {
                if entry.is_live(now.monotonic) {
                    found.push(adopted(*list, prefix, &entry, now));
                }
            }
        }
        if found.is_empty() {
            return Ok(0);
        }
        store
            .write(Durability::Synced, |writer| {
                for new in &found {
                    writer.put(new)?;
                }
                writer.log(&Change {
                    at: now.wall,
                    actor: Actor::agent().to_string(),
                    action: Action::Adopt,
                    list: None,
                    prefix: None,
                    rule: None,
                    note: format!("{} entries of the kernel's lists", found.len()),
                })
            })
            .map_err(|e: StoreError| Fault::from(e))?;
        Ok(found.len())
    }
}

/// An entry of the kernel as the store takes it over. Which feed brought it, the kernel does not
/// know, so nobody would ever take it away: it holds until the feeds have been read again, and a
/// day at most.
fn adopted(list: ListName, prefix: Prefix, entry: &Entry, now: Now) -> NewRecord {
    let origin = Origin::try_from(entry.origin).unwrap_or(Origin::Operator);
    let expires = match (origin, now.to_wall(entry.expires)) {
        (Origin::Feed, None) => Some(now.after(Nanos::from_secs(24 * 3600))),
        (Origin::Operator | Origin::Feed | Origin::Ban | Origin::Config, expires) => expires,
    };
    NewRecord {
        list,
        prefix,
        origin,
        mode: Mode::try_from(entry.mode).unwrap_or(Mode::Enforce),
        expires,
        reason: "found in the kernel's list; the store had been lost".to_owned(),
        created: now.wall,
        created_by: Actor::agent().to_string(),
    }
}

/// Whether the kernel's entry needs no rewriting.
pub(super) fn same(old: &Entry, new: &Entry) -> bool {
    let apart = old
        .expires
        .since(new.expires)
        .max(new.expires.since(old.expires));
    same_rule(old, new) && apart <= SLACK
}

/// Whether two entries differ in nothing but when they end.
pub(super) fn same_rule(old: &Entry, new: &Entry) -> bool {
    (old.rule, old.mode, old.origin, old.class) == (new.rule, new.mode, new.origin, new.class)
        && old.is_permanent() == new.is_permanent()
}
