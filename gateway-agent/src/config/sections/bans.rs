//! What clients are banned for.

use gateway_policy::bans::{BanPolicy, BanRule, Mode};
use gateway_policy::grammar::{Factor, Period, Rate};

use super::Context;
use crate::config::raw;
use crate::config::tree::{At, OrOff};

/// The numbers of a rule that the file may change one by one.
struct Defaults {
    limit: Rate,
    ban: Period,
}

const FAILED_AUTH: Defaults =
    Defaults { limit: Rate::per_minute::<10>(), ban: Period::from_secs(600) };
const WAF_BLOCK: Defaults =
    Defaults { limit: Rate::per_minute::<5>(), ban: Period::from_secs(600) };
const LIMIT_EXCEEDED: Defaults =
    Defaults { limit: Rate::per_minute::<120>(), ban: Period::from_secs(300) };
const LONGEST: Period = Period::from_secs(24 * 3600);

pub(super) fn check(raw: raw::Bans, cx: &Context<'_>) -> BanPolicy {
    BanPolicy {
        failed_auth: rule(raw.failed_auth, &FAILED_AUTH, cx),
        waf_block: rule(raw.waf_block, &WAF_BLOCK, cx),
        limit_exceeded: rule(raw.limit_exceeded, &LIMIT_EXCEEDED, cx),
    }
}

fn rule(
    raw: Option<At<OrOff<raw::Ban>>>,
    defaults: &Defaults,
    cx: &Context<'_>,
) -> Option<BanRule> {
    let place = raw.as_ref().map(At::place);
    let raw = match raw.and_then(At::take) {
        Some(OrOff::Off) => return None,
        Some(OrOff::On(raw)) => raw,
        None => raw::Ban::default(),
    };
    let ban_place = raw.ban.as_ref().map(At::place);
    let ban = super::setting(raw.ban, defaults.ban);
    let max_place = raw.max.as_ref().map(At::place);
    // A first ban above the default for the longest is a longest ban, too.
    let max = super::setting(raw.max, LONGEST.max(ban));
    let rule = BanRule::new(
        super::setting(raw.limit, defaults.limit),
        ban,
        super::setting(raw.escalate, Factor::DOUBLE),
        max,
    );
    match rule {
        Ok(rule) => Some(rule.with_mode(super::setting(raw.mode, Mode::Enforce))),
        Err(error) => {
            if let Some(place) = max_place.or(ban_place).or(place) {
                cx.report.fault(place, error.to_string());
            }
            None
        }
    }
}
