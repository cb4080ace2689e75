//! The control of a running or resting gateway: its lists, its bans, its state.
//!
//! [`Service`] holds the logic, over the kernel's lists ([`Lists`]) and the store. There are two
//! ways to it: through the agent's Unix socket ([`server`], [`client`]), or straight, by a
//! command that runs while no agent does. Both are a [`Control`], so a command does not see the
//! difference.
//!
//! Only one process changes things at a time: it holds the [`lock`].

pub mod actor;
pub mod api;
pub mod client;
mod effective;
pub mod fault;
pub mod hooks;
pub mod kernel;
pub mod lists;
pub mod lock;
pub mod now;
mod problem;
pub mod server;
mod service;
mod wire;

#[cfg(test)]
pub(crate) mod fake;

use std::net::IpAddr;

use gateway_policy::grammar::Prefix;

pub use actor::Actor;
pub use fault::{Fault, FaultKind};
pub use hooks::{Hooks, NoAgent};
pub use kernel::Kernel;
pub use lists::{Lists, ListsError};
pub use service::{
    BanOrder, BanOutcome, FeedOrder, FeedOutcome, FeedTaken, Pace, Reconciled, Round, Service,
    Session, busiest_of, stats_of,
};

use crate::store::ListName;
use api::{
    AddRequest, AttackStatus, Changed, Confirmed, Explanation, FeedRequest, FeedStatus, Feeds,
    ImportDone, ImportRequest, OrderName, Page, PageQuery, ReloadRequest, Reloaded, RemoveRequest,
    Stats, Status,
};

/// Everything a person can ask of a gateway, whichever way the question goes.
pub trait Control {
    /// Puts prefixes on a list.
    ///
    /// # Errors
    /// When the request makes no sense, needs to be forced, or the store or the kernel refuses;
    /// then nothing has changed.
    fn add(&self, list: ListName, request: &AddRequest) -> Result<Changed, Fault>;

    /// Takes prefixes off a list.
    ///
    /// # Errors
    /// When one of them is not there or not an operator's, or the store or the kernel refuses;
    /// then nothing has changed.
    fn remove(&self, list: ListName, request: &RemoveRequest) -> Result<Changed, Fault>;

    /// Puts the entries of a file on a list, and takes off what the file replaces.
    ///
    /// # Errors
    /// As for [`Control::add`]; then nothing has changed.
    fn import(&self, list: ListName, request: &ImportRequest) -> Result<ImportDone, Fault>;

    /// Keeps every import that is on trial, and the configuration if it is.
    ///
    /// # Errors
    /// When there is none, or the store or the kernel refuses.
    fn confirm(&self) -> Result<Confirmed, Fault>;

    /// Shows a part of a list.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn page(&self, list: ListName, query: &PageQuery) -> Result<Page, Fault>;

    /// Lifts every ban that shares an address with `prefix`, and forgets what it was for.
    ///
    /// # Errors
    /// When there is none, or the store or the kernel refuses.
    fn lift(&self, prefix: Prefix) -> Result<Changed, Fault>;

    /// Tells how things stand.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn status(&self) -> Result<Status, Fault>;

    /// Reads the filter's counters.
    ///
    /// # Errors
    /// When there is no filter.
    fn stats(&self) -> Result<Stats, Fault>;

    /// Asks the loaded program about an address, and the store for the words.
    ///
    /// # Errors
    /// When there is no filter, or the store cannot be read.
    fn explain(&self, address: IpAddr) -> Result<Explanation, Fault>;

    /// Makes the agent read its configuration anew.
    ///
    /// # Errors
    /// When no agent runs, the configuration has faults, or one is on trial.
    fn reload(&self, request: &ReloadRequest) -> Result<Reloaded, Fault>;

    /// Tells whether attack mode is on, and why.
    ///
    /// # Errors
    /// When there is no filter.
    fn attack(&self) -> Result<AttackStatus, Fault>;

    /// Orders attack mode on or off, or leaves it to the agent.
    ///
    /// # Errors
    /// When there is no filter, or the store or the kernel refuses.
    fn order(&self, order: OrderName) -> Result<AttackStatus, Fault>;

    /// Tells how the feeds do.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn feeds(&self) -> Result<Feeds, Fault>;

    /// Asks for a feed anew, now, and waits for what comes of it.
    ///
    /// # Errors
    /// When no agent runs, there is no such feed, or it cannot be taken.
    fn refresh_feed(&self, request: &FeedRequest) -> Result<FeedStatus, Fault>;

    /// Takes what a feed offered and was held back.
    ///
    /// # Errors
    /// When no agent runs, there is no such feed, nothing is held back, or the store or the
    /// kernel refuses.
    fn accept_feed(&self, request: &FeedRequest) -> Result<FeedStatus, Fault>;
}
