//! The logic of every change and every question, over the kernel's lists and the store.
//!
//! A change is crash-safe by its order: the store first, then the kernel. If the kernel refuses,
//! the store is put back as it was, and the whole change fails. If the process dies in between,
//! the store says what was meant, and [`Service::reconcile`] at the next start makes the kernel
//! follow.

mod apply;
mod attack;
mod audit;
mod bans;
mod change;
mod configured;
mod explain;
mod feed;
mod guard;
mod import;
mod limited;
mod look;
mod reconcile;
#[cfg(test)]
mod tests;
mod trial;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_policy::grammar::Prefix;

pub use audit::{Pace, Round};
pub use bans::{BanOrder, BanOutcome};
pub use feed::{FeedOrder, FeedOutcome, FeedTaken};
pub use look::{busiest_of, stats_of};
pub use reconcile::Reconciled;

use super::api::{
    AddRequest, AttackStatus, Changed, Confirmed, Explanation, FeedRequest, FeedStatus, Feeds,
    ImportDone, ImportRequest, OrderName, Page, PageQuery, ReloadRequest, Reloaded, RemoveRequest,
    Stats, Status,
};
use super::now::{Clock, Now};
use super::{Actor, Control, Fault, Hooks, Lists};
use crate::store::{ListName, Store};

/// The kernel's lists and the store, kept in step. One lock around both keeps changes in one
/// order; it is held for the few system calls and the one transaction that a change takes. An
/// import takes it many times, for a moment each.
pub struct Service {
    lists: Arc<dyn Lists>,
    hooks: Arc<dyn Hooks>,
    store: Mutex<Store>,
    /// Who waits for the store holds it, so that who had the store last cannot take it again
    /// before.
    door: Mutex<()>,
    /// Held for a whole import: there is one at a time.
    bulk: Mutex<()>,
    audited: Mutex<audit::Audited>,
    clock: Clock,
}

impl Service {
    /// Joins the kernel's lists and the store.
    #[must_use]
    pub fn new(lists: Arc<dyn Lists>, store: Store, hooks: Arc<dyn Hooks>) -> Self {
        Self::with_clock(lists, store, hooks, Now::read)
    }

    pub(crate) fn with_clock(
        lists: Arc<dyn Lists>,
        store: Store,
        hooks: Arc<dyn Hooks>,
        clock: Clock,
    ) -> Self {
        Self {
            lists,
            hooks,
            store: Mutex::new(store),
            door: Mutex::default(),
            bulk: Mutex::default(),
            audited: Mutex::default(),
            clock,
        }
    }

    /// The service in the name of somebody.
    #[must_use]
    pub fn session(self: &Arc<Self>, actor: Actor) -> Session {
        Session {
            service: Arc::clone(self),
            actor,
        }
    }

    fn now(&self) -> Now {
        (self.clock)()
    }

    /// The right to change many things at once.
    fn alone(&self) -> MutexGuard<'_, ()> {
        self.bulk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction that a panic cut short was rolled back when it was dropped, so the store
    /// behind a poisoned lock is sound.
    fn store(&self) -> MutexGuard<'_, Store> {
        let _waiting = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service in the name of somebody: their changes are logged as theirs.
pub struct Session {
    service: Arc<Service>,
    actor: Actor,
}

impl Control for Session {
    fn add(&self, list: ListName, request: &AddRequest) -> Result<Changed, Fault> {
        self.service.add(&self.actor, list, request)
    }

    fn remove(&self, list: ListName, request: &RemoveRequest) -> Result<Changed, Fault> {
        self.service.remove(&self.actor, list, request)
    }

    fn import(&self, list: ListName, request: &ImportRequest) -> Result<ImportDone, Fault> {
        self.service.import(&self.actor, list, request)
    }

    fn confirm(&self) -> Result<Confirmed, Fault> {
        self.service.confirm(&self.actor)
    }

    fn page(&self, list: ListName, query: &PageQuery) -> Result<Page, Fault> {
        self.service.page(list, query)
    }

    fn lift(&self, prefix: Prefix) -> Result<Changed, Fault> {
        self.service.lift(&self.actor, prefix)
    }

    fn status(&self) -> Result<Status, Fault> {
        self.service.status()
    }

    fn stats(&self) -> Result<Stats, Fault> {
        self.service.stats()
    }

    fn explain(&self, address: IpAddr) -> Result<Explanation, Fault> {
        self.service.explain(address)
    }

    fn reload(&self, request: &ReloadRequest) -> Result<Reloaded, Fault> {
        self.service.reload(&self.actor, request)
    }

    fn attack(&self) -> Result<AttackStatus, Fault> {
        self.service.attack_status()
    }

    fn order(&self, order: OrderName) -> Result<AttackStatus, Fault> {
        self.service.order(&self.actor, order)
    }

    fn feeds(&self) -> Result<Feeds, Fault> {
        self.service.feeds()
    }

    fn refresh_feed(&self, request: &FeedRequest) -> Result<FeedStatus, Fault> {
        let feed = self.service.hooks.refresh_feed(&request.name)?;
        self.service.summed(feed)
    }

    fn accept_feed(&self, request: &FeedRequest) -> Result<FeedStatus, Fault> {
        let feed = self.service.hooks.accept_feed(&self.actor, &request.name)?;
        self.service.summed(feed)
    }
}
