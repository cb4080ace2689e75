//! Imports: as many entries as a file has, none of which makes a ban wait.
//!
//! The entries are written in short transactions as a batch that does not count yet. One row
//! then makes all of it count; from there the kernel is made to follow, again a little at a time.
//! If the process dies before that row is written, nothing was imported; if after it, the next
//! start makes the kernel follow.

use std::collections::HashSet;
use std::sync::PoisonError;

use gateway_policy::grammar::{Period, Prefix};
use gateway_policy::import;

use super::Service;
use super::apply::Plan;
use super::change::lift_steps;
use crate::control::api::{ImportDone, ImportRequest};
use crate::control::now::Now;
use crate::control::{Actor, Fault, FaultKind};
use crate::store::{
    Action, Batch, BatchState, Change, Cursor, Durability, Filter, Held, ListName, Mode, NewBatch,
    NewEntry, Origin, Record, RuleId, StoreError, UnixMillis,
};

/// Entries that are worked on while the store is held: a few milliseconds.
pub(super) const CHUNK: usize = 1_000;
/// The same, as the store counts.
pub(super) const ROWS: u32 = 1_000;

/// What an import changes.
#[derive(Default)]
pub(super) struct Delta {
    pub(super) puts: Vec<NewEntry>,
    pub(super) takes: Vec<RuleId>,
    pub(super) told: ImportDone,
}

/// What a tag shall hold.
pub(super) struct Wanted<'a> {
    /// By prefix, each prefix once.
    pub(super) entries: &'a [import::Entry],
    /// Whether what else the tag has goes.
    pub(super) replace: bool,
    /// For how long, for entries that do not say so themselves.
    pub(super) ttl: Option<Period>,
    pub(super) mode: Mode,
}

impl Service {
    pub(super) fn import(
        &self,
        actor: &Actor,
        list: ListName,
        request: &ImportRequest,
    ) -> Result<ImportDone, Fault> {
        self.check_import(list, request)?;
        self.lists.ready()?;
        if request.confirm.is_some() && self.hooks.agent().is_none() {
            return Err(Fault::new(
                FaultKind::NoAgent,
                "nobody could take it back: --confirm needs a running agent; nothing was changed",
            ));
        }
        let _one = self.bulk.lock().unwrap_or_else(PoisonError::into_inner);
        self.refuse_during_trial(list, &request.tag)?;
        let now = self.now();
        let held = self.held((list, Origin::Operator, &request.tag), now)?;
        let wanted = Wanted {
            entries: &request.entries,
            replace: request.replace,
            ttl: request.ttl,
            mode: match request.shadow {
                true => Mode::Shadow,
                false => Mode::Enforce,
            },
        };
        let mut delta = delta(&wanted, &held, now);
        delta.told.tag.clone_from(&request.tag);
        delta.told.dry_run = request.dry_run;
        if request.dry_run || delta.puts.is_empty() && delta.takes.is_empty() {
            return Ok(delta.told);
        }
        let new = NewBatch {
            list,
            origin: Origin::Operator,
            tag: request.tag.clone(),
            reason: request.reason.clone(),
            created: now.wall,
            created_by: actor.to_string(),
        };
        let deadline = request.confirm.map(|c| self.now().after(c.as_nanos()));
        self.put_in_force(actor, &new, &delta, deadline)?;
        delta.told.trial_until_unix_ms = deadline;
        if list == ListName::Allow {
            delta.told.lifted = self.lift_inside(actor, &request.entries, &request.reason)?;
            self.hooks.safelist_changed();
        }
        Ok(delta.told)
    }

    /// Writes a batch and puts it in force: all of it, or nothing.
    pub(super) fn put_in_force(
        &self,
        actor: &Actor,
        new: &NewBatch,
        delta: &Delta,
        deadline: Option<UnixMillis>,
    ) -> Result<(), Fault> {
        let batch = self.write_batch(new, delta)?;
        let note = format!(
            "{}: {} added, {} removed, {} changed",
            new.tag, delta.told.added, delta.told.removed, delta.told.changed
        );
        let state = match deadline {
            Some(_) => BatchState::Trial,
            None => BatchState::Settling,
        };
        let in_force = self
            .move_to(&batch, state, deadline, (actor, Action::Import, &note))
            .and_then(|()| self.follow_batch(&batch));
        if let Err(refused) = in_force {
            return Err(self.undo_batch(&batch, refused));
        }
        match deadline {
            Some(_) => Ok(()),
            None => self.settle(&batch),
        }
    }

    /// What is under a tag, by prefix.
    pub(super) fn held(&self, set: (ListName, Origin, &str), now: Now) -> Result<Vec<Held>, Fault> {
        let mut held: Vec<Held> = Vec::new();
        loop {
            let after = held.last().map(|last| last.live.prefix);
            let part = self.store().read().tagged(set, after, now.wall, ROWS)?;
            let full = part.len() >= CHUNK;
            held.extend(part);
            if !full {
                return Ok(held);
            }
        }
    }

    /// Writes a batch that does not count yet.
    fn write_batch(&self, new: &NewBatch, delta: &Delta) -> Result<Batch, Fault> {
        // What is not synced here is when the batch begins to count.
        let quick = Durability::Lazy;
        let batch = self.store().write(quick, |w| w.begin(new))?;
        let write = || -> Result<(), StoreError> {
            for takes in delta.takes.chunks(CHUNK) {
                self.store().write(quick, |w| {
                    takes.iter().try_for_each(|rule| w.take_with(&batch, *rule))
                })?;
            }
            for puts in delta.puts.chunks(CHUNK) {
                self.store().write(quick, |w| {
                    let put = |entry| w.put_into(&batch, new.origin, entry);
                    puts.iter().try_for_each(put)
                })?;
            }
            Ok(())
        };
        match write() {
            Ok(()) => Ok(batch),
            Err(refused) => {
                // The next start clears away what this leaves.
                let _ = self.clear(&batch, BatchState::Writing);
                Err(refused.into())
            }
        }
    }

    /// Changes what a batch counts for, at one stroke, and logs it.
    pub(super) fn move_to(
        &self,
        batch: &Batch,
        state: BatchState,
        deadline: Option<crate::store::UnixMillis>,
        (actor, action, note): (&Actor, Action, &str),
    ) -> Result<(), Fault> {
        let change = Change {
            at: self.now().wall,
            actor: actor.to_string(),
            action,
            list: Some(batch.list),
            prefix: None,
            rule: None,
            note: note.to_owned(),
        };
        self.store()
            .write(Durability::Synced, |writer| {
                writer.set_state(batch, state, deadline)?;
                writer.log(&change)
            })
            .map_err(|e: StoreError| e.into())
    }

    /// The kernel refused: takes the batch back; returns what was refused.
    fn undo_batch(&self, batch: &Batch, mut refused: Fault) -> Fault {
        let why = (&Actor::agent(), Action::Undo, refused.detail.as_str());
        let undone = self
            .move_to(batch, BatchState::Undone, None, why)
            .and_then(|()| self.unfollow_batch(batch))
            .and_then(|()| self.clear(batch, BatchState::Undone));
        if let Err(second) = undone {
            refused.detail = format!(
                "{}; and not all of the import could be taken back ({second}): restart the \
                 agent, which brings the store and the kernel in step",
                refused.detail
            );
        }
        refused
    }

    /// Ends the bans inside what has just been put on the safelist.
    pub(super) fn lift_inside(
        &self,
        actor: &Actor,
        entries: &[import::Entry],
        note: &str,
    ) -> Result<usize, Fault> {
        let safe: HashSet<Prefix> = entries.iter().map(|entry| entry.prefix).collect();
        let mut after: Option<Cursor> = None;
        let mut lifted = 0;
        loop {
            let now = self.now();
            let mut store = self.store();
            let filter = Filter {
                origin: Some(Origin::Ban),
                after,
            };
            let bans = store.read().page(ListName::Deny, filter, now.wall, ROWS)?;
            let Some(last) = bans.last() else {
                return Ok(lifted);
            };
            after = Some(Cursor {
                prefix: last.entry.prefix,
                origin: last.entry.origin,
                batch: None,
            });
            let inside: Vec<Record> = bans
                .into_iter()
                .filter(|ban| around(ban.entry.prefix).any(|prefix| safe.contains(&prefix)))
                .collect();
            self.apply(
                &mut store,
                &Plan {
                    steps: inside.iter().cloned().flat_map(lift_steps).collect(),
                    actor,
                    note,
                    durability: Durability::Synced,
                    now,
                },
            )?;
            drop(store);
            lifted += inside.len();
            for ban in inside {
                self.hooks.lifted(ban.entry.prefix);
            }
        }
    }
}

/// Every prefix that holds all of `prefix`.
fn around(prefix: Prefix) -> impl Iterator<Item = Prefix> {
    (0..=prefix.len()).filter_map(move |len| Prefix::holding(prefix.network(), len).ok())
}

/// What has to change for a tag to hold what is wanted. Both sides are in order.
pub(super) fn delta(wanted: &Wanted<'_>, held: &[Held], now: Now) -> Delta {
    let mut delta = Delta::default();
    let mut held = held.iter().map(|held| held.live).peekable();
    let mode = wanted.mode;
    let mut drop_until = |delta: &mut Delta, prefix: Option<Prefix>| {
        while let Some(old) = held.next_if(|old| prefix.is_none_or(|p| old.prefix < p)) {
            if wanted.replace {
                delta.takes.push(old.rule);
                delta.told.removed += 1;
            }
        }
        held.next_if(|old| Some(old.prefix) == prefix)
    };
    for entry in wanted.entries {
        let import::Entry { prefix, line, ttl } = *entry;
        let expires = ttl.or(wanted.ttl).map(|ttl| now.after(ttl.as_nanos()));
        match drop_until(&mut delta, Some(prefix)) {
            Some(old) if old.mode == mode && old.expires.is_none() && expires.is_none() => {
                delta.told.unchanged += 1;
                continue;
            }
            Some(old) => {
                delta.takes.push(old.rule);
                delta.told.changed += 1;
            }
            None => delta.told.added += 1,
        }
        delta.puts.push(NewEntry {
            prefix,
            mode,
            expires,
            line,
        });
    }
    drop_until(&mut delta, None);
    delta
}
