//! The shapes of the control API: what goes over the socket, and what `--json` prints. Fields
//! are added, never renamed. Times are milliseconds since the Unix epoch.

mod reconcile;

use std::net::IpAddr;

use gateway_policy::grammar::{Period, Prefix};
use gateway_policy::import;
use serde::{Deserialize, Serialize};

pub use reconcile::{ReconcileStatus, Repairs};

use super::now::Now;
use crate::store::{
    BanFacts, BatchId, Cursor, Import, ListName, Logged, Mode, Origin, Record, RuleId, UnixMillis,
};

/// Prefixes that one call may name.
pub const MAX_PREFIXES: usize = 10_000;
/// Entries that one page may hold.
pub const MAX_PAGE: u32 = 10_000;
/// Bytes of the longest tag.
pub const MAX_TAG: usize = 128;
/// Bytes of the longest reason.
pub const MAX_REASON: usize = 500;

/// Puts prefixes on a list: all of them, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddRequest {
    /// The prefixes, 1 to [`MAX_PREFIXES`].
    pub prefixes: Vec<Prefix>,
    /// For how long; for good when absent.
    #[serde(default)]
    pub ttl: Option<Period>,
    /// Why, for those who will ask; at most [`MAX_REASON`] bytes on one line.
    #[serde(default)]
    pub reason: String,
    /// Only count what would be dropped (deny list only).
    #[serde(default)]
    pub shadow: bool,
    /// Go ahead although it may lock somebody out.
    #[serde(default)]
    pub force: bool,
    /// Where the person at the keyboard comes from, if from elsewhere.
    #[serde(default)]
    pub session: Option<IpAddr>,
}

/// Takes prefixes off a list: all of them, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveRequest {
    /// The prefixes, 1 to [`MAX_PREFIXES`].
    pub prefixes: Vec<Prefix>,
}

/// Puts the entries of a file on a list, under a tag: all of them, or none. What else the tag has
/// stays, or goes if the file replaces it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// What the entries of this source are called together; at most [`MAX_TAG`] bytes.
    pub tag: String,
    /// Whether what is under the tag and not in the file goes.
    #[serde(default)]
    pub replace: bool,
    /// For how long, for entries that do not say so themselves; for good when absent.
    #[serde(default)]
    pub ttl: Option<Period>,
    /// Why; at most [`MAX_REASON`] bytes on one line.
    #[serde(default)]
    pub reason: String,
    /// Only count what would be dropped (deny list only).
    #[serde(default)]
    pub shadow: bool,
    /// Go ahead although it may lock somebody out.
    #[serde(default)]
    pub force: bool,
    /// Where the person at the keyboard comes from, if from elsewhere.
    #[serde(default)]
    pub session: Option<IpAddr>,
    /// Only tell what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Take it back after this time unless it is confirmed.
    #[serde(default)]
    pub confirm: Option<Period>,
    /// The entries, by prefix, each prefix once. They go over the socket line by line.
    #[serde(skip)]
    pub entries: Vec<import::Entry>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportDone {
    /// What its entries are called together.
    pub tag: String,
    /// Whether it was only asked what would change.
    pub dry_run: bool,
    /// Prefixes that the tag did not have.
    pub added: usize,
    /// Prefixes that it had and has no more.
    pub removed: usize,
    /// Prefixes whose mode or time is another now.
    pub changed: usize,
    /// Prefixes that stayed as they were.
    pub unchanged: usize,
    /// Bans that ended with it.
    pub lifted: usize,
    /// When it is taken back unless it is confirmed; null when it stays.
    pub trial_until_unix_ms: Option<UnixMillis>,
}

/// What was confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The tags whose imports stay now.
    pub tags: Vec<String>,
    /// The generation of the configuration that stays now; null when none was on trial.
    #[serde(default)]
    pub generation: Option<u64>,
}

/// Makes the agent read its configuration anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReloadRequest {
    /// Take it back after this time unless it is confirmed.
    #[serde(default)]
    pub confirm: Option<Period>,
}

/// Which part of a list to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Only entries of this origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Only what comes behind this place; the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Place>,
    /// At most so many entries, 1 to [`MAX_PAGE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// Its number.
    pub rule: RuleId,
    /// The list it is on.
    pub list: ListName,
    /// The addresses it holds for.
    pub prefix: Prefix,
    /// Who put it there.
    pub origin: Origin,
    /// Whether it acts.
    pub mode: Mode,
    /// When it ends by itself; null is never.
    pub expires_unix_ms: Option<UnixMillis>,
    /// How long that is from now; null is for ever.
    pub left_ms: Option<u64>,
    /// When it was put there; null when the store does not know.
    pub created_unix_ms: Option<UnixMillis>,
    /// By whom; null when the store does not know.
    pub created_by: Option<String>,
    /// Why, in the words of whoever put it there.
    pub reason: String,
    /// What led to it, when it is a ban.
    pub ban: Option<BanFacts>,
    /// The import it came with, if with one.
    #[serde(default)]
    pub import: Option<Import>,
    /// What it would have dropped, when it is in shadow mode and that is known.
    #[serde(default)]
    pub would_drop: Option<WouldDrop>,
}

/// What an entry in shadow mode would have dropped since the filter was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldDrop {
    /// Packets.
    pub packets: u64,
    /// Their bytes, Ethernet header included.
    pub bytes: u64,
}

impl EntryView {
    pub(super) fn of(record: Record, now: Now) -> Self {
        let entry = record.entry;
        Self {
            rule: record.rule,
            list: entry.list,
            prefix: entry.prefix,
            origin: entry.origin,
            mode: entry.mode,
            expires_unix_ms: entry.expires,
            left_ms: entry.expires.map(|at| at.0.saturating_sub(now.wall.0)),
            created_unix_ms: Some(entry.created),
            created_by: Some(entry.created_by),
            reason: entry.reason,
            ban: record.ban,
            import: record.import,
            would_drop: None,
        }
    }
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The entries that were added or taken away.
    pub entries: Vec<EntryView>,
    /// Bans that ended with it.
    pub lifted: Vec<EntryView>,
    /// What else one should know, a sentence each.
    pub notes: Vec<String>,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The entries, by prefix and then origin.
    pub entries: Vec<EntryView>,
    /// Where the next part begins; null at the end.
    pub next: Option<Place>,
}

/// A place in a list, as text: the prefix and the origin of the last entry seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place(pub Cursor);

impl From<Place> for String {
    fn from(place: Place) -> Self {
        let Cursor {
            prefix,
            origin,
            batch,
        } = place.0;
        match batch {
            None => format!("{prefix},{origin}"),
            Some(batch) => format!("{prefix},{origin},{}", batch.get()),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let cursor = || {
            let mut parts = text.split(',');
            let (prefix, origin, batch) = (parts.next()?, parts.next()?, parts.next());
            Some(Cursor {
                prefix: prefix.parse().ok()?,
                origin: Origin::ALL.iter().find(|o| o.name() == origin).copied()?,
                batch: match batch {
                    None => None,
                    Some(number) => Some(BatchId::new(number.parse().ok()?)?),
                },
            })
        };
        cursor()
            .map(Self)
            .ok_or_else(|| "`after` takes the `next` of the page before".to_owned())
    }
}

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

/// Attack mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackStatus {
    /// Whether it is on: sources that are not known are held to a lower packet rate.
    pub on: bool,
    /// What was ordered: `auto` (the agent decides by its configuration), `on`, or `off`.
    pub order: OrderName,
    /// Since when it is on, or off; null when that was never changed.
    pub since_unix_ms: Option<UnixMillis>,
    /// What begins it, why it is on, and who is known, as far as a running agent knows.
    pub agent: Option<AttackWatch>,
}

/// What the agent knows of attack mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackWatch {
    /// Why it is on, in words; null when it is off.
    pub cause: Option<String>,
    /// How many sources are known as good clients.
    pub known: u64,
    /// Sources that could not be made known, for there were too many.
    pub refused: u64,
}

/// An order about attack mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OrderName {
    /// The agent decides, by its configuration
    #[default]
    Auto,
    /// On, until another order
    On,
    /// Off, until another order
    Off,
}

impl OrderName {
    /// The name, as the API and the command line write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// An order about attack mode, as a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackOrder {
    /// The order.
    pub order: OrderName,
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

/// What the filter counted since it was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Per interface.
    pub interfaces: Vec<InterfaceStats>,
    /// All interfaces together.
    pub total: Totals,
}

/// What the filter counted on one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceStats {
    /// Its name.
    pub name: String,
    /// `native`, `generic` or `detached`.
    pub mode: String,
    /// One count per verdict, in a fixed order; verdicts that never fell are 0.
    pub verdicts: Vec<VerdictStats>,
    /// All verdicts together.
    pub total: Totals,
}

/// What was counted for one verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictStats {
    /// The verdict's name.
    pub verdict: String,
    /// `pass`, `drop` or `answer`.
    pub action: String,
    /// Packets.
    pub packets: u64,
    /// Their bytes, Ethernet header included.
    pub bytes: u64,
    /// Sampled events that found the ring buffer full.
    pub events_lost: u64,
}

/// Sums over verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Packets that were let in.
    pub passed_packets: u64,
    /// Their bytes.
    pub passed_bytes: u64,
    /// Packets that were dropped.
    pub dropped_packets: u64,
    /// Their bytes.
    pub dropped_bytes: u64,
    /// Packets that were answered by the filter itself.
    #[serde(default)]
    pub answered_packets: u64,
    /// Their bytes, before they became answers.
    #[serde(default)]
    pub answered_bytes: u64,
    /// Sampled events that found the ring buffer full.
    pub events_lost: u64,
}

/// What becomes of packets from an address, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The address asked about.
    pub address: IpAddr,
    /// The loaded program's verdict.
    pub verdict: String,
    /// `pass`, `drop` or `answer`.
    pub action: String,
    /// The verdict in a sentence.
    pub meaning: String,
    /// The entry that decided; null when no list did.
    pub decided_by: Option<EntryView>,
    /// The other live entries that cover the address, the longest prefix first.
    pub others: Vec<EntryView>,
    /// The trusted network it lies in, if in one.
    pub zone: Option<Prefix>,
    /// Until when it is known as a good client; null when it is not.
    pub known_until_unix_ms: Option<UnixMillis>,
    /// Whether attack mode is on, in which it matters whether it is known.
    pub attack: bool,
    /// The newest changes to prefixes that cover the address, the newest first.
    pub history: Vec<ChangeView>,
    /// What else one should know, a sentence each.
    pub notes: Vec<String>,
}

/// A change in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    /// When.
    pub at_unix_ms: UnixMillis,
    /// Who.
    pub actor: String,
    /// `add`, `remove`, `ban`, `lift`, `undo`, `adopt`, `reload` or `attack`.
    pub action: String,
    /// On which list, if on one.
    pub list: Option<ListName>,
    /// To which prefix, if to one.
    pub prefix: Option<Prefix>,
    /// Under which number, if under one.
    pub rule: Option<RuleId>,
    /// The rest, in words.
    pub note: String,
}

impl From<Logged> for ChangeView {
    fn from(logged: Logged) -> Self {
        Self {
            at_unix_ms: logged.at,
            actor: logged.actor,
            action: logged.action,
            list: logged.list,
            prefix: logged.prefix,
            rule: logged.rule,
            note: logged.note,
        }
    }
}

/// What came of reading the configuration anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The generation now in force.
    pub generation: u64,
    /// What needs a restart to take effect, and other remarks, a sentence each.
    pub notes: Vec<String>,
    /// When it is taken back unless it is confirmed; null when it stays.
    #[serde(default)]
    pub trial_until_unix_ms: Option<UnixMillis>,
}

/// Names a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedRequest {
    /// The feed's name in the configuration.
    pub name: String,
}

/// The feeds, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feeds {
    /// Each of them.
    pub feeds: Vec<FeedStatus>,
}

/// How a feed does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedStatus {
    /// Its name; lists of countries are called `country:KP`.
    pub name: String,
    /// The list that it feeds.
    pub list: ListName,
    /// What the agent does with it.
    pub state: FeedState,
    /// Entries of it that are on the list.
    pub entries: u64,
    /// When they last changed; null when the store has none.
    pub changed_unix_ms: Option<UnixMillis>,
    /// What the agent knows besides; null when none runs.
    pub agent: Option<FeedDetail>,
}

/// What the agent does with a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedState {
    /// It has not been read since the agent started.
    Waiting,
    /// It was read, and its entries are on the list.
    Fresh,
    /// It could not be read or taken; the entries it had stay.
    Failed,
    /// It lost most of its entries at once; those it had stay.
    HeldBack,
    /// No agent runs that would read it; the entries it had stay.
    Unattended,
}

impl FeedState {
    /// Its name in JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fresh => "fresh",
            Self::Failed => "failed",
            Self::HeldBack => "held-back",
            Self::Unattended => "unattended",
        }
    }
}

/// What the running agent knows of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedDetail {
    /// Where it comes from, without what may be secret in it.
    pub source: String,
    /// Whether its entries act.
    pub mode: Mode,
    /// How often it is read.
    pub interval_ms: u64,
    /// When it was last tried; null when not since the start.
    pub tried_unix_ms: Option<UnixMillis>,
    /// When it was last read well, changed or not; null when not since the start.
    pub success_unix_ms: Option<UnixMillis>,
    /// When it is tried next; null while it is under way.
    pub next_unix_ms: Option<UnixMillis>,
    /// Failures since the last success.
    pub failures: u32,
    /// What went wrong last; null when nothing did.
    pub error: Option<String>,
    /// How many entries it offers, when it is held back.
    pub offered: Option<u64>,
    /// Bad lines that were passed over.
    pub bad_lines: u64,
    /// Entries that no feed may bring and that were left out.
    pub left_out: u64,
    /// The first of both, in words.
    pub remarks: Vec<String>,
    /// What the last successful reading changed, in words; empty when nothing was read yet.
    pub last: String,
}
