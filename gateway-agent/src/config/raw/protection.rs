//! The web application firewall, and bans.

use std::num::NonZeroU32;

use gateway_policy::bans::Mode;
use gateway_policy::grammar::{Factor, Period, Rate, Size};
use serde::Deserialize;

use crate::config::tree::{At, OneOrMany, OrOff};
use crate::config::values::{FailMode, FileName, LogTarget, RuleChoice, WafDecoder, WafMode};

/// The web application firewall.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Waf {
    /// Files with SecLang rules; `*` and `?` stand for parts of a file's name. They are read in
    /// the order of the list, and those of one pattern in the order of their names.
    pub(crate) rules: OneOrMany<FileName>,
    /// A folder of further rule files. A `.conf` file that is put there, changed or taken away is
    /// in force within a second, without a reload. Files that end in `.before.conf` are read
    /// before all other rules, the rest behind them, each in the order of their names. Default:
    /// `conf.d` beside the main file, where that is there.
    pub(crate) conf_d: Option<At<FileName>>,
    /// Rules that only watch: their matches are logged, and they neither block nor add to a score.
    /// Each is an id, a range of ids such as `942100-942199`, or `tag:` or `msg:` with a pattern.
    pub(crate) shadow: OneOrMany<RuleChoice>,
    /// Whether the rules that come with the gateway are read before them. Default: `true`.
    pub(crate) default_rules: Option<At<bool>>,
    /// `block`, `detect` to log what would be blocked, or `off`. Default: `block`.
    pub(crate) mode: Option<At<WafMode>>,
    /// What is looked for inside arguments, cookies, header fields, the path and XML, so that rules
    /// see what they hold, under the same names: `base64` (text in Base64 or base64url), `url`
    /// (percent-encoding that is left), `json` (objects and arrays), `jwt` (header and claims of
    /// tokens). Rules that count, measure or exclude are not misled by it. Default: nothing.
    pub(crate) decode: OneOrMany<WafDecoder>,
    /// The longest body of a request while the firewall is on, from `1KiB` to `64MiB`; all of it
    /// is inspected. A request with a longer one is answered with 413. Holds for bodies that a
    /// route validates too, also when the firewall is off. Default: `1MB`.
    pub(crate) body_limit: Option<At<Size>>,
    /// Where the matches of rules are logged, one line for each in the form of ModSecurity's
    /// error log, written before the request is answered: a file, `stderr` or `off`. Like the
    /// access log, the file is opened anew on SIGHUP. Default: `off`.
    pub(crate) log: Option<At<LogTarget>>,
    /// Requests in which rules found something, kept for `gateway waf explain`, `replay` and
    /// `suggest`, with secrets masked. `off` keeps none.
    pub(crate) keep: Option<At<OrOff<Keep>>>,
    /// What happens to a request when the firewall itself fails: `closed` refuses it, `open` lets
    /// it through. Default: `closed`.
    pub(crate) fail: Option<At<FailMode>>,
}

/// How much of what the firewall finds is kept, in a folder beside the store.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Keep {
    /// The most that is kept, from `1MiB` to `16GiB`; the oldest goes first. Default: `64MiB`.
    pub(crate) size: Option<At<Size>>,
    /// How long it is kept, from `1h` to `90d`. Default: `7d`.
    pub(crate) age: Option<At<Period>>,
    /// The longest body of a request that is kept with it, up to `1MiB`. Default: `16KiB`.
    pub(crate) body: Option<At<Size>>,
    /// Of so many requests in which nothing was found one is kept too, for `replay`. Default:
    /// `off`.
    pub(crate) sample: Option<At<OrOff<NonZeroU32>>>,
}

/// What clients are banned for. Each may be `off`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Bans {
    /// Tokens that do not verify. Default: `{ limit: 10/minute, ban: 10m, escalate: 2x, max: 24h,
    /// mode: enforce }`.
    pub(crate) failed_auth: Option<At<OrOff<Ban>>>,
    /// Requests that the WAF refuses. Default: `{ limit: 5/minute, ban: 10m, escalate: 2x, max:
    /// 24h, mode: enforce }`.
    pub(crate) waf_block: Option<At<OrOff<Ban>>>,
    /// Requests over the client's rate limit. Default: `{ limit: 120/minute, ban: 5m, escalate:
    /// 2x, max: 24h, mode: enforce }`.
    pub(crate) limit_exceeded: Option<At<OrOff<Ban>>>,
    /// Requests that do not keep to what `validate` asks of them: mostly clients with a fault,
    /// seldom attacks. Default: `off`; with a rule `{ limit: 60/minute, ban: 10m, escalate: 2x,
    /// max: 24h, mode: enforce }`.
    pub(crate) invalid_request: Option<At<OrOff<Ban>>>,
}

/// How many offences make a ban, and how long it lasts. What is left out is as in the default
/// of the kind of offence.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Ban {
    /// The number of offences in the time that make a ban.
    pub(crate) limit: Option<At<Rate>>,
    /// How long the first ban lasts.
    pub(crate) ban: Option<At<Period>>,
    /// By how much each further ban is longer than the one before.
    pub(crate) escalate: Option<At<Factor>>,
    /// The longest ban, and how long a client must stay unbanned to start over.
    pub(crate) max: Option<At<Period>>,
    /// `enforce`, or `shadow` to count what would be dropped.
    pub(crate) mode: Option<At<Mode>>,
}
