//! The web application firewall.

use gateway_policy::grammar::Size;

use super::{Context, FilePath, LogTo, setting};
use crate::config::raw;
use crate::config::tree::At;
use crate::config::values::{FailMode, WafDecoder, WafMode};

/// The web application firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waf {
    /// Patterns of rule files, in the order of the file.
    pub rules: Vec<FilePath>,
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
    /// What happens to requests when it fails itself.
    pub fail: FailMode,
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
            default_rules: setting(raw.default_rules, true),
            mode: setting(raw.mode, WafMode::default()),
            decode: raw.decode.0.into_iter().filter_map(At::take).collect(),
            body_limit: cx.size(
                raw.body_limit,
                Size::bytes(1_000_000),
                (Size::kib(1), Size::mib(64)),
            ),
            log: LogTo::check(raw.log, LogTo::Off, cx),
            fail: setting(raw.fail, FailMode::default()),
        };
        if let Some(place) = place
            && waf.mode != WafMode::Off
            && !waf.default_rules
            && raw.rules.0.is_empty()
        {
            cx.report
                .warning(place, "the firewall has no rules: nothing is ever found");
        }
        waf
    }
}
