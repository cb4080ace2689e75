//! What becomes of an address, and why.

use std::net::IpAddr;

use gateway_policy::grammar::Prefix;
use serde::{Deserialize, Serialize};

use super::EntryView;
use crate::store::{ListName, Logged, RuleId, UnixMillis};

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
    /// The limit that decided, as the configuration names it; null when none did.
    #[serde(default)]
    pub limit: Option<String>,
    /// The other live entries that cover the address, the longest prefix first.
    pub others: Vec<EntryView>,
    /// The trusted network it lies in, if in one.
    pub zone: Option<Prefix>,
    /// The country with a limit that it lies in, if in one and in no trusted network.
    #[serde(default)]
    pub country: Option<CountryView>,
    /// Until when it is known as a good client; null when it is not.
    pub known_until_unix_ms: Option<UnixMillis>,
    /// Whether attack mode is on, in which it matters whether it is known.
    pub attack: bool,
    /// The newest changes to prefixes that cover the address, the newest first.
    pub history: Vec<ChangeView>,
    /// What else one should know, a sentence each.
    pub notes: Vec<String>,
}

/// A network of a country that has a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountryView {
    /// The country's two letters (ISO 3166-1).
    pub code: String,
    /// The network.
    pub prefix: Prefix,
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
