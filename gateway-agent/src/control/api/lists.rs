//! Lists: what is asked of them, and what they hold.

use std::net::IpAddr;

use gateway_policy::grammar::{Period, Prefix};
use gateway_policy::import;
use serde::{Deserialize, Serialize};

use crate::control::now::Now;
use crate::store::{
    BanFacts, BatchId, Cursor, Import, ListName, Mode, Origin, Record, RuleId, UnixMillis,
};

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
    /// What it would have dropped since the filter was loaded, when it is in shadow mode and that
    /// is known.
    #[serde(default)]
    pub would_drop: Option<WouldDrop>,
    /// What it has dropped at least; only `explain` asks for it, of the entry that decides.
    #[serde(default)]
    pub hits: Option<HitsView>,
}

/// What an entry in force has dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitsView {
    /// Packets, at least: the count is never more than the truth.
    pub at_least: u64,
    /// Since when they are counted; null when nothing was.
    pub since_unix_ms: Option<UnixMillis>,
    /// The block whose packets are counted together, where that of the entry alone is not known.
    #[serde(default)]
    pub within: Option<Prefix>,
}

/// What an entry or a limit in shadow mode would have dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldDrop {
    /// Packets.
    pub packets: u64,
    /// Their bytes, Ethernet header included.
    pub bytes: u64,
}

impl EntryView {
    pub(in crate::control) fn of(record: Record, now: Now) -> Self {
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
            hits: None,
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
