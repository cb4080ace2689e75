//! How things stand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AttackStatus, FeedStatus, ReconcileStatus, WouldDrop};
use crate::store::{Mode, UnixMillis};

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the program that answers.
    pub version: String,
    /// The running agent; null when none runs.
    pub agent: Option<AgentStatus>,
    /// The filter in the kernel.
    pub filter: FilterStatus,
    /// What the lists hold.
    pub lists: ListsStatus,
    /// Whether the host is under attack; null when there is no filter.
    pub attack: Option<AttackStatus>,
    /// How the kernel's maps compared with it; null when no agent runs, or before its first round.
    #[serde(default)]
    pub reconciled: Option<ReconcileStatus>,
}

/// The running agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStatus {
    /// Its process id.
    pub pid: u32,
    /// When it started.
    pub started_unix_ms: UnixMillis,
    /// The configuration file it runs by.
    pub config: String,
    /// How often a configuration was taken up, from 1.
    pub generation: u64,
    /// When the present one was taken up.
    pub configured_unix_ms: UnixMillis,
    /// The trial it is on; null when it stays.
    #[serde(default)]
    pub trial: Option<TrialStatus>,
    /// Whether the files hold another one, which was tried and not confirmed.
    #[serde(default)]
    pub taken_back: bool,
    /// The addresses it listens on.
    pub listeners: Vec<String>,
    /// The upstreams it sends requests to.
    pub upstreams: Vec<UpstreamStatus>,
    /// The rules of the web application firewall; null without.
    #[serde(default)]
    pub waf: Option<WafStatus>,
    /// The limits in force, each with a name and in words.
    pub limits: Vec<LimitStatus>,
    /// The feeds, by name.
    #[serde(default)]
    pub feeds: Vec<FeedStatus>,
    /// The filter's SYN cookies; null when there is no filter.
    #[serde(default)]
    pub syn_cookies: Option<SynCookieStatus>,
}

/// The trial of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialStatus {
    /// When it is taken back unless it is confirmed.
    pub until_unix_ms: UnixMillis,
}

/// The rules of the web application firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WafStatus {
    /// How many are in force.
    pub rules: u64,
    /// How many of them only watch.
    pub shadow: u64,
    /// How many only watch on single routes, by the route; those of `shadow` are left out.
    pub shadow_routes: BTreeMap<String, u64>,
    /// The folder that is watched for further rules.
    pub conf_d: String,
    /// When they came into force.
    pub loaded_unix_ms: UnixMillis,
    /// Why the files in that folder are not what is in force; null when they are.
    pub fault: Option<String>,
}

/// An upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Its addresses.
    pub targets: Vec<String>,
}

/// A limit in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Its value as the configuration would write it.
    pub value: String,
    /// Whether it acts; null for what has no mode of its own.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// What it would have dropped since the limits were last changed; null unless it is in shadow
    /// mode.
    #[serde(default)]
    pub would_drop: Option<WouldDrop>,
}

/// The filter's answers to SYNs above the threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynCookieStatus {
    /// What is in force: `enforce`, `shadow` or `off`.
    pub mode: String,
    /// SYNs to one endpoint that the stack gets, as the configuration writes it; null before the
    /// agent listens.
    pub threshold: Option<String>,
    /// Whether the filter is ready to answer, or to count: always, or because there is a flood.
    pub ready: bool,
    /// Addresses with a port at which SYNs may be answered.
    pub endpoints: usize,
    /// Why it is off although the configuration wants it, in words.
    pub why: Option<String>,
}

/// The filter in the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterStatus {
    /// Whether it is there.
    pub loaded: bool,
    /// Why not, when it is not.
    pub why: Option<String>,
    /// The interfaces it filters.
    pub interfaces: Vec<InterfaceStatus>,
}

/// An interface that the filter is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// `native` or `generic`; where the program does not run: `detached`, and for interfaces of
    /// the configuration `absent` or `unfiltered`.
    pub mode: String,
}

/// How many live entries there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListsStatus {
    /// On the deny list, bans included.
    pub deny: u64,
    /// Of those, bans.
    pub bans: u64,
    /// On the safelist.
    pub allow: u64,
}
