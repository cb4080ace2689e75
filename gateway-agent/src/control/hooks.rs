//! What the running agent adds to the service: its own status, reload, and the parts that must
//! hear of a change.

use gateway_policy::grammar::{Period, Prefix};

use super::Actor;
use super::api::{AgentStatus, AttackWatch, FeedStatus, Reloaded};
use super::fault::{Fault, FaultKind};
use super::lists::Interface;

/// The agent behind the service. Called without any lock of the service held; may block.
pub trait Hooks: Send + Sync {
    /// How the agent does; `None` when there is none.
    fn agent(&self) -> Option<AgentStatus>;

    /// What the agent knows of attack mode; `None` when there is no agent.
    fn attack(&self) -> Option<AttackWatch> {
        None
    }

    /// Reads the configuration anew and takes it up; unless it is confirmed it is taken back
    /// after `trial`, if that is given.
    ///
    /// # Errors
    /// When it has faults, or one is on trial; the old one stays.
    fn reload(&self, trial: Option<Period>) -> Result<Reloaded, Fault>;

    /// Keeps the configuration that is on trial; says its generation, or `None` if none is.
    fn confirm(&self) -> Option<u64> {
        None
    }

    /// The limit of the packet filter with this number, as the configuration names it; `None`
    /// when no agent runs, or it has none of that number.
    fn limit_name(&self, _rule: u32) -> Option<String> {
        None
    }

    /// The interfaces that shall be filtered and are not: `absent`, or `unfiltered`.
    fn unfiltered(&self) -> Vec<Interface> {
        Vec::new()
    }

    /// Prefixes that nobody should deny by mistake, each with what it is: "the management
    /// network". The trusted networks in the kernel's zone list are known already.
    fn protected(&self) -> Vec<(Prefix, String)>;

    /// An operator has lifted every ban that shares an address with `prefix`: the ledger must
    /// forget what those clients did.
    fn lifted(&self, prefix: Prefix);

    /// The safelist has changed: no ban may touch what is on it. [`super::Service::safelist`]
    /// has it.
    fn safelist_changed(&self);

    /// How the configured feeds do, by name; `None` when no agent runs.
    fn feeds(&self) -> Option<Vec<FeedStatus>> {
        None
    }

    /// Asks for a feed anew and waits for what comes of it.
    ///
    /// # Errors
    /// When there is no agent or no such feed, or the feed cannot be taken.
    fn refresh_feed(&self, _name: &str) -> Result<FeedStatus, Fault> {
        Err(no_feeds())
    }

    /// Takes what a feed offered and was held back.
    ///
    /// # Errors
    /// When there is no agent or no such feed, nothing is held back, or it cannot be taken.
    fn accept_feed(&self, _actor: &Actor, _name: &str) -> Result<FeedStatus, Fault> {
        Err(no_feeds())
    }
}

fn no_feeds() -> Fault {
    Fault::new(
        FaultKind::NoAgent,
        "no agent runs that would read feeds; start it with `gateway run`",
    )
}

/// No agent runs: the command line works on the maps and the store by itself.
#[derive(Clone, Copy, Debug)]
pub struct NoAgent;

impl Hooks for NoAgent {
    fn agent(&self) -> Option<AgentStatus> {
        None
    }

    fn reload(&self, _: Option<Period>) -> Result<Reloaded, Fault> {
        Err(Fault::new(
            FaultKind::NoAgent,
            "no agent runs, so there is nothing to reload; start it with `gateway run`",
        ))
    }

    fn protected(&self) -> Vec<(Prefix, String)> {
        Vec::new()
    }

    fn lifted(&self, _: Prefix) {}

    fn safelist_changed(&self) {}
}
