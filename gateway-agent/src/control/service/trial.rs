//! Batches from when they count: the kernel follows, they are kept or taken back, and what does
//! not count any more is cleared away.
//!
//! The kernel's own entries of an import on trial end with the trial. So if the agent dies in the
//! middle of it, whom the import locked out is let in again all the same.

use std::sync::{PoisonError, TryLockError};

use super::Service;
use super::import::ROWS;
use crate::control::api::Confirmed;
use crate::control::effective::{effective, in_kernel};
use crate::control::{Actor, Fault, FaultKind};
use crate::store::{Action, Batch, BatchState, Durability, ListName, Touched};

/// Entries up to which each is put in force by itself.
const FEW: usize = 100;

impl Service {
    pub(super) fn confirm(&self, actor: &Actor) -> Result<Confirmed, Fault> {
        let one = self.bulk.lock().unwrap_or_else(PoisonError::into_inner);
        let trials = self.store().read().batches(BatchState::Trial)?;
        let mut confirmed = Confirmed::default();
        for batch in trials {
            let why = (actor, Action::Confirm, batch.tag.as_str());
            self.move_to(&batch, BatchState::Settling, None, why)?;
            self.follow_batch(&batch)?;
            self.settle(&batch)?;
            confirmed.tags.push(batch.tag);
        }
        drop(one);
        confirmed.generation = self.hooks.confirm();
        if let Some(generation) = confirmed.generation {
            let note = format!("the configuration, generation {generation}");
            self.log_configuration(actor, Action::Confirm, note)?;
        }
        if confirmed == Confirmed::default() {
            return Err(Fault::new(
                FaultKind::NotFound,
                "no import and no configuration awaits a confirmation; one whose time was over \
                 has been taken back",
            ));
        }
        Ok(confirmed)
    }

    /// Takes back the imports whose trial is over; returns their tags. While another import is
    /// under way it takes back none, so that its caller need not wait: call it again soon.
    ///
    /// # Errors
    /// When the store or the kernel refuses.
    pub fn roll_back_overdue(&self) -> Result<Vec<String>, Fault> {
        let _one = match self.bulk.try_lock() {
            Ok(one) => one,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(Vec::new()),
        };
        let mut trials = self.store().read().batches(BatchState::Trial)?;
        let now = self.now().wall;
        trials.retain(|batch| batch.deadline.is_none_or(|deadline| deadline <= now));
        let mut tags = Vec::new();
        for batch in trials {
            let why = (&Actor::agent(), Action::RollBack, batch.tag.as_str());
            self.move_to(&batch, BatchState::Undone, None, why)?;
            self.unfollow_batch(&batch)?;
            self.clear(&batch, BatchState::Undone)?;
            if batch.list == ListName::Allow {
                self.hooks.safelist_changed();
            }
            tags.push(batch.tag);
        }
        Ok(tags)
    }

    /// Finishes what a process that died had begun: what it was still writing never counted, what
    /// counted is kept. For the start, before [`Service::reconcile`], which makes the kernel
    /// follow.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn recover(&self) -> Result<(), Fault> {
        for state in [
            BatchState::Writing,
            BatchState::Undone,
            BatchState::Settling,
        ] {
            let open = self.store().read().batches(state)?;
            for batch in open {
                self.clear(&batch, state)?;
            }
        }
        Ok(())
    }

    pub(super) fn refuse_during_trial(&self, list: ListName, tag: &str) -> Result<(), Fault> {
        let trials = self.store().read().batches(BatchState::Trial)?;
        match trials.iter().any(|t| t.list == list && t.tag == tag) {
            false => Ok(()),
            true => Err(Fault::new(
                FaultKind::Busy,
                format!(
                    "the last import of {tag} is on trial: say `gateway confirm`, or wait until \
                     it is taken back; nothing was changed"
                ),
            )),
        }
    }

    /// Makes the kernel follow a batch that counts: what it took away goes first and makes room.
    pub(super) fn follow_batch(&self, batch: &Batch) -> Result<(), Fault> {
        self.follow_in_order(batch, [Touched::Taken, Touched::Put])
    }

    /// Makes the kernel follow a batch that counts no more: what it put there goes first.
    pub(super) fn unfollow_batch(&self, batch: &Batch) -> Result<(), Fault> {
        self.follow_in_order(batch, [Touched::Put, Touched::Taken])
    }

    /// Gives the kernel what decides on every prefix that a batch touches.
    fn follow_in_order(&self, batch: &Batch, order: [Touched; 2]) -> Result<(), Fault> {
        let mut done = 0;
        for what in order {
            let mut after = 0;
            while let Some(last) = self.follow_some(batch, what, after, &mut done)? {
                after = last;
            }
        }
        if done > FEW {
            self.lists.settle()?;
        }
        Ok(())
    }

    /// The next prefixes behind the entry `after`; says which entry was the last, if any.
    fn follow_some(
        &self,
        batch: &Batch,
        what: Touched,
        after: u32,
        done: &mut usize,
    ) -> Result<Option<u32>, Fault> {
        let list = batch.list.list();
        let now = self.now();
        // Held until the kernel has it: a ban in between would be overwritten.
        let store = self.store();
        let (prefixes, last) = store.read().touched(batch, what, after, ROWS)?;
        let on = store.read().live_on_each(batch.list, &prefixes, now.wall)?;
        let changes: Vec<_> = prefixes
            .into_iter()
            .map(|prefix| {
                let on = on.get(&prefix).into_iter().flatten();
                (prefix, effective(on, now).map(|live| in_kernel(live, now)))
            })
            .collect();
        *done += changes.len();
        if *done > FEW {
            self.lists.stage(list, &changes)?;
            return Ok(last);
        }
        for (prefix, entry) in changes {
            match entry {
                Some(entry) => self.lists.insert(list, prefix, entry)?,
                None => drop(self.lists.remove(list, prefix)?),
            }
        }
        Ok(last)
    }

    /// Clears away what a batch that is in force has taken off the list.
    pub(super) fn settle(&self, batch: &Batch) -> Result<(), Fault> {
        self.clear(batch, BatchState::Settling)
    }

    /// Clears away what does not count of a batch, a little at a time.
    pub(super) fn clear(&self, batch: &Batch, state: BatchState) -> Result<(), Fault> {
        loop {
            let mut store = self.store();
            if store.write(Durability::Lazy, |w| w.clear(batch, state, ROWS))? > 0 {
                continue;
            }
            return store
                .write(Durability::Lazy, |w| match state {
                    BatchState::Undone | BatchState::Writing => w.forget(batch),
                    BatchState::Settling => w.set_state(batch, BatchState::Done, None),
                    BatchState::Done | BatchState::Trial => Ok(()),
                })
                .map_err(Fault::from);
        }
    }
}
