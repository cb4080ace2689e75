//! How many offences make a ban, and how long it lasts.

use std::fmt;
use std::str::FromStr;

use gateway_common::time::Nanos;

use super::OffenceKind;
use crate::grammar::{Excerpt, Factor, Period, Rate};

/// The most offences that a rule may wait for.
pub const MAX_LIMIT: u64 = 1_000_000;

/// Whether a ban drops packets or only counts what it would have dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// The kernel drops.
    #[default]
    Enforce,
    /// The kernel counts and passes.
    Shadow,
}

impl Mode {
    /// `enforce` or `shadow`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no mode; it is enforce or shadow")]
pub struct UnknownMode(pub Excerpt);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "enforce" => Ok(Self::Enforce),
            "shadow" => Ok(Self::Shadow),
            _ => Err(UnknownMode(Excerpt::of(text))),
        }
    }
}

crate::grammar::text::text_serde!(Mode, "enforce or shadow", numbers: false);

/// One rule: `limit` offences within its window are a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BanRule {
    limit: Rate,
    ban: Period,
    escalate: Factor,
    max: Period,
    forget: Period,
    mode: Mode,
}

/// Numbers that make no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BanRuleError {
    /// A ban of no time.
    #[error("a ban of no time bans nobody; to switch the rule off, leave it out")]
    ZeroBan,
    /// The longest ban is shorter than the first one.
    #[error("the longest ban (max: {max}) is shorter than the first one (ban: {ban})")]
    MaxBelowBan {
        /// The first ban.
        ban: Period,
        /// The longest ban.
        max: Period,
    },
    /// More offences than the ledger counts.
    #[error("a limit of {0} offences is more than the {MAX_LIMIT} that are counted")]
    LimitTooHigh(Rate),
}

impl BanRule {
    /// A rule that enforces: the offence that makes the count within `limit`'s period reach
    /// `limit`'s count is answered with a ban of `ban`, the n-th one of `ban` × `escalate`^(n-1),
    /// never more than `max`. A client that stays unbanned for `max` after its last ban starts
    /// over.
    ///
    /// # Errors
    /// When a ban would take no time, `max` is below `ban`, or the limit is above [`MAX_LIMIT`].
    pub fn new(
        limit: Rate,
        ban: Period,
        escalate: Factor,
        max: Period,
    ) -> Result<Self, BanRuleError> {
        if ban.is_zero() {
            return Err(BanRuleError::ZeroBan);
        }
        if max < ban {
            return Err(BanRuleError::MaxBelowBan { ban, max });
        }
        if limit.count().get() > MAX_LIMIT {
            return Err(BanRuleError::LimitTooHigh(limit));
        }
        Ok(Self {
            limit,
            ban,
            escalate,
            max,
            forget: max,
            mode: Mode::Enforce,
        })
    }

    /// The same rule in another mode.
    #[must_use]
    pub fn with_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The same rule, forgetting a client's strikes this long after its last ban ended.
    #[must_use]
    pub fn forgetting_after(self, forget: Period) -> Self {
        Self { forget, ..self }
    }

    /// How many offences within how much time are a ban.
    #[must_use]
    pub fn limit(&self) -> Rate {
        self.limit
    }

    /// Whether the ban drops or only counts.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How long after its last ban a client's strikes are remembered.
    #[must_use]
    pub fn forget(&self) -> Period {
        self.forget
    }

    /// How long the `strike`-th ban lasts; strikes count from 1.
    #[must_use]
    pub fn duration(&self, strike: u32) -> Period {
        let max = self.max.as_nanos();
        let mut span = self.ban.as_nanos();
        for _ in 1..strike {
            let grown = self.escalate.apply(span);
            if grown == span || span >= max {
                break;
            }
            span = grown;
        }
        Period::from_nanos(span.min(max))
    }

    /// The count at which a ban falls due.
    pub(super) fn threshold(&self) -> u32 {
        u32::try_from(self.limit.count().get()).unwrap_or(u32::MAX)
    }

    /// The length of the sliding window.
    pub(super) fn window(&self) -> Nanos {
        self.limit.per().as_nanos()
    }
}

/// The rule of each kind of offence; a kind without one is not banned for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BanPolicy {
    /// For tokens that do not verify.
    pub failed_auth: Option<BanRule>,
    /// For requests that the WAF refuses.
    pub waf_block: Option<BanRule>,
    /// For requests over the rate limit.
    pub limit_exceeded: Option<BanRule>,
    /// For requests that their routes do not take.
    pub invalid_request: Option<BanRule>,
}

impl BanPolicy {
    /// The rule for one kind.
    #[must_use]
    pub fn rule(&self, kind: OffenceKind) -> Option<&BanRule> {
        match kind {
            OffenceKind::FailedAuth => self.failed_auth.as_ref(),
            OffenceKind::WafBlock => self.waf_block.as_ref(),
            OffenceKind::LimitExceeded => self.limit_exceeded.as_ref(),
            OffenceKind::InvalidRequest => self.invalid_request.as_ref(),
        }
    }

    /// The longest window of all rules: what is older counts nowhere.
    pub(super) fn longest_window(&self) -> Nanos {
        let windows = OffenceKind::ALL
            .into_iter()
            .filter_map(|k| self.rule(k))
            .map(BanRule::window);
        windows.max().unwrap_or(Nanos::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(limit: &str, ban: &str, escalate: &str, max: &str) -> Result<BanRule, BanRuleError> {
        BanRule::new(
            limit.parse().unwrap(),
            ban.parse().unwrap(),
            escalate.parse().unwrap(),
            max.parse().unwrap(),
        )
    }

    #[test]
    fn bans_grow_up_to_the_longest() {
        let r = rule("10/minute", "10m", "2x", "24h").unwrap();
        let shown: Vec<String> = (1..=10).map(|n| r.duration(n).to_string()).collect();
        assert_eq!(
            shown,
            [
                "10m", "20m", "40m", "1h20m", "2h40m", "5h20m", "10h40m", "21h20m", "1d", "1d"
            ]
        );
        assert_eq!(r.duration(0), r.duration(1));
        assert_eq!(r.forget().to_string(), "1d");
        let flat = rule("10/minute", "10m", "1x", "24h").unwrap();
        assert_eq!(flat.duration(u32::MAX).to_string(), "10m");
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        assert_eq!(
            rule("10/minute", "0s", "2x", "1h"),
            Err(BanRuleError::ZeroBan)
        );
        assert_eq!(
            rule("1000001/hour", "1m", "2x", "1h")
                .unwrap_err()
                .to_string(),
            "a limit of 1000001/hour offences is more than the 1000000 that are counted"
        );
        assert_eq!(
            rule("10/minute", "2h", "2x", "1h").unwrap_err().to_string(),
            "the longest ban (max: 1h) is shorter than the first one (ban: 2h)"
        );
    }

    #[test]
    fn modes_read_back() {
        for mode in [Mode::Enforce, Mode::Shadow] {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        assert!("off".parse::<Mode>().is_err());
    }

    proptest! {
        #[test]
        fn durations_never_shrink_and_never_pass_the_longest(
            ban in 1u64..1 << 50, extra in 0u64..1 << 55, thousandths in 1000u32..4000, strike in 1u32..3000,
        ) {
            let escalate = format!("{}.{:03}x", thousandths / 1000, thousandths % 1000);
            let (ban, max) = (Nanos(ban), Nanos(ban + extra));
            let r = BanRule::new(
                Rate::per_minute::<10>(),
                Period::from_nanos(ban),
                escalate.parse().unwrap(),
                Period::from_nanos(max),
            ).unwrap();
            prop_assert_eq!(r.duration(1).as_nanos(), ban);
            prop_assert!(r.duration(strike) <= r.duration(strike + 1));
            prop_assert!(r.duration(strike + 1).as_nanos() <= max);
        }
    }
}
