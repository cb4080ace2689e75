//! What clients are banned for.

use gateway_policy::bans::{BanPolicy, BanRule, BanRuleError, Mode};
use gateway_policy::grammar::{Factor, Period, Rate};

use super::{Context, setting};
use crate::config::raw;
use crate::config::tree::{At, OrOff};

/// The numbers of a rule that the file may change one by one.
struct Defaults {
    limit: Rate,
    ban: Period,
}

const FAILED_AUTH: Defaults = Defaults {
    limit: Rate::per_minute::<10>(),
    ban: Period::from_secs(600),
};
const WAF_BLOCK: Defaults = Defaults {
    limit: Rate::per_minute::<5>(),
    ban: Period::from_secs(600),
};
const LIMIT_EXCEEDED: Defaults = Defaults {
    limit: Rate::per_minute::<120>(),
    ban: Period::from_secs(300),
};
const INVALID_REQUEST: Defaults = Defaults {
    limit: Rate::per_minute::<60>(),
    ban: Period::from_secs(600),
};
const LONGEST: Period = Period::from_secs(24 * 3600);

pub(super) fn check(raw: raw::Bans, cx: &Context<'_>) -> BanPolicy {
    BanPolicy {
        failed_auth: rule(raw.failed_auth, &FAILED_AUTH, cx),
        waf_block: rule(raw.waf_block, &WAF_BLOCK, cx),
        limit_exceeded: rule(raw.limit_exceeded, &LIMIT_EXCEEDED, cx),
        // A client with a fault would be banned over and over, and its users with it.
        invalid_request: raw
            .invalid_request
            .and_then(|raw| rule(Some(raw), &INVALID_REQUEST, cx)),
    }
}

fn rule(
    raw: Option<At<OrOff<raw::Ban>>>,
    defaults: &Defaults,
    cx: &Context<'_>,
) -> Option<BanRule> {
    let raw = match raw.and_then(At::take) {
        Some(OrOff::Off) => return None,
        Some(OrOff::On(raw)) => raw,
        None => raw::Ban::default(),
    };
    let limit_place = raw.limit.as_ref().map(At::place);
    let ban_place = raw.ban.as_ref().map(At::place);
    let max_place = raw.max.as_ref().map(At::place);
    let ban = setting(raw.ban, defaults.ban);
    let rule = BanRule::new(
        setting(raw.limit, defaults.limit),
        ban,
        setting(raw.escalate, Factor::DOUBLE),
        // A first ban above the default for the longest is the longest as well.
        setting(raw.max, LONGEST.max(ban)),
    );
    let (place, message) = match rule {
        Ok(rule) => return Some(rule.with_mode(setting(raw.mode, Mode::Enforce))),
        Err(BanRuleError::ZeroBan) => (
            ban_place,
            "found 0s, expected some time; for no bans of this kind write `off` for the whole rule"
                .to_owned(),
        ),
        Err(error @ BanRuleError::MaxBelowBan { .. }) => (max_place, error.to_string()),
        Err(error @ BanRuleError::LimitTooHigh(_)) => (limit_place, error.to_string()),
    };
    // The defaults make a rule, so what does not is written somewhere.
    if let Some(place) = place {
        cx.report.fault(place, message);
    }
    None
}
