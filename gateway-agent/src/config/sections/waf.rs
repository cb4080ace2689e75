//! The web application firewall.

use gateway_policy::grammar::{Period, Size};

use super::{Context, FilePath, LogTo, setting};
use crate::config::raw;
use crate::config::report::Location;
use crate::config::tree::{At, OneOrMany, OrOff};
use crate::config::values::{FailMode, RuleChoice, WafDecoder, WafMode};

/// The folder of further rule files, beside the main configuration file.
const CONF_D: &str = "conf.d";

/// The web application firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waf {
    /// Patterns of rule files, in the order of the file.
    pub rules: Vec<FilePath>,
    /// The folder of further rule files that is watched.
    pub conf_d: FilePath,
    /// Whether the configuration names that folder, so that it must be there.
    pub conf_d_named: bool,
    /// Rules that only watch.
    pub shadow: Vec<Shadowed>,
    /// Whether the rules that come with the gateway are read before them.
    pub default_rules: bool,
    /// What it does.
    pub mode: WafMode,
    /// What is looked for inside the values of a request.
    pub decode: Vec<WafDecoder>,
    /// The longest body, all of which is inspected; 1 KiB to 64 MiB.
    pub body_limit: Size,
    /// Where a line goes for each rule that matches.
    pub log: LogTo,
    /// How much of what it finds is kept; `None` for nothing.
    pub keep: Option<Keep>,
    /// What happens to requests when it fails itself.
    pub fail: FailMode,
}

/// Rules that only watch, and where the configuration names them. Two are equal when they mean
/// the same rules, wherever they are written.
#[derive(Clone, Debug)]
pub struct Shadowed {
    /// The rules.
    pub choice: RuleChoice,
    /// Where they are named.
    pub location: Location,
}

impl Shadowed {
    pub(super) fn check(raw: OneOrMany<RuleChoice>, cx: &Context<'_>) -> Vec<Self> {
        let choices = raw.0.into_iter().filter_map(|raw| {
            let location = cx.report.locate(raw.place());
            raw.take().map(|choice| Self { choice, location })
        });
        choices.collect()
    }
}

impl PartialEq for Shadowed {
    fn eq(&self, other: &Self) -> bool {
        self.choice == other.choice
    }
}

impl Eq for Shadowed {}

/// How much of what the firewall finds is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The most bytes; 1 MiB to 16 GiB.
    pub size: Size,
    /// How long; an hour to 90 days.
    pub age: Period,
    /// The longest body kept; at most 1 MiB.
    pub body: Size,
    /// Of so many ordinary requests one is kept too; 0 for none.
    pub one_in: u64,
}

impl Keep {
    fn check(raw: Option<At<OrOff<raw::Keep>>>, cx: &Context<'_>) -> Option<Self> {
        const HOUR: u64 = 3600;
        let raw = match raw.and_then(At::take) {
            Some(OrOff::Off) => return None,
            Some(OrOff::On(raw)) => raw,
            None => raw::Keep::default(),
        };
        Some(Self {
            size: cx.size(
                raw.size,
                Size::mib(64),
                (Size::mib(1), Size::mib(16 * 1024)),
            ),
            age: cx.period(
                raw.age,
                Period::from_secs(7 * 24 * HOUR),
                (Period::from_secs(HOUR), Period::from_secs(90 * 24 * HOUR)),
            ),
            body: cx.size(raw.body, Size::kib(16), (Size::bytes(0), Size::mib(1))),
            one_in: match raw.sample.and_then(At::take) {
                Some(OrOff::On(one_in)) => one_in.get().into(),
                Some(OrOff::Off) | None => 0,
            },
        })
    }
}

impl Waf {
    pub(super) fn check(raw: raw::Waf, cx: &Context<'_>) -> Self {
        let place = raw.mode.as_ref().map(At::place);
        let waf = Self {
            rules: raw
                .rules
                .0
                .iter()
                .filter_map(|rule| cx.file(rule))
                .collect(),
            conf_d_named: raw.conf_d.is_some(),
            conf_d: raw
                .conf_d
                .as_ref()
                .and_then(|folder| cx.file(folder))
                .unwrap_or_else(|| cx.base.join(CONF_D).into()),
            shadow: Shadowed::check(raw.shadow, cx),
            default_rules: setting(raw.default_rules, true),
            mode: setting(raw.mode, WafMode::default()),
            decode: raw.decode.0.into_iter().filter_map(At::take).collect(),
            body_limit: cx.size(
                raw.body_limit,
                Size::bytes(1_000_000),
                (Size::kib(1), Size::mib(64)),
            ),
            log: LogTo::check(raw.log, LogTo::Off, cx),
            keep: Keep::check(raw.keep, cx),
            fail: setting(raw.fail, FailMode::default()),
        };
        if let Some(place) = place
            && waf.mode != WafMode::Off
            && !waf.default_rules
            && raw.rules.0.is_empty()
            && !waf.conf_d_named
        {
            cx.report
                .warning(place, "the firewall has no rules: nothing is ever found");
        }
        waf
    }
}
