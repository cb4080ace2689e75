//! Rates: `1000/minute`, `5000/s`, `3/hour`, `10/5m`.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use gateway_common::time::Nanos;

use super::number::split_digits;
use super::text::text_serde;
use super::{Excerpt, Period, unit};

/// So many events in so much time. Both numbers are kept: a window limit needs the pair, an
/// emission interval their quotient. Neither is zero, and the rate is at most one per nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU64,
    per: Period,
}

impl Rate {
    /// A rate of `count` events in `per`.
    ///
    /// # Errors
    /// When the period is zero, or holds less than one nanosecond per event.
    pub const fn new(count: NonZeroU64, per: Period) -> Result<Self, RateFault> {
        if per.is_zero() {
            return Err(RateFault::ZeroPeriod);
        }
        if count.get() > per.as_nanos().0 {
            return Err(RateFault::TooFast);
        }
        Ok(Self { count, per })
    }

    /// A rate of `N` events a second, checked at compile time.
    #[must_use]
    pub const fn per_second<const N: u32>() -> Self {
        Self::literal::<N>(1)
    }

    /// A rate of `N` events a minute, checked at compile time.
    #[must_use]
    pub const fn per_minute<const N: u32>() -> Self {
        Self::literal::<N>(60)
    }

    /// A rate of `N` events an hour, checked at compile time.
    #[must_use]
    pub const fn per_hour<const N: u32>() -> Self {
        Self::literal::<N>(3600)
    }

    const fn literal<const N: u32>(secs: u64) -> Self {
        const { assert!(N > 0 && N <= 1_000_000_000, "a rate is 1 to 1e9") };
        let count = match NonZeroU64::new(N as u64) {
            Some(count) => count,
            None => NonZeroU64::MIN,
        };
        Self {
            count,
            per: Period::from_secs(secs),
        }
    }

    /// How many events fit into one period.
    #[must_use]
    pub const fn count(self) -> NonZeroU64 {
        self.count
    }

    /// The period that the count is for.
    #[must_use]
    pub const fn per(self) -> Period {
        self.per
    }

    /// The time between two events at a steady pace, at least one nanosecond. It is rounded down,
    /// so a limiter built on it never gives less than the rate.
    #[must_use]
    pub const fn interval(self) -> Nanos {
        Nanos(self.per.as_nanos().0 / self.count.get())
    }

    /// Events in one second, for graphs and comparisons; not exact.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        reason = "an approximate figure for people"
    )]
    pub fn per_second_f64(self) -> f64 {
        self.count.get() as f64 / self.per.as_duration().as_secs_f64()
    }
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input} is not a rate: {fault}; write for example 5000/s, 1000/minute, 3/hour or 10/5m")]
pub struct RateError {
    /// What was written.
    pub input: Excerpt,
    /// What is wrong with it.
    pub fault: RateFault,
}

/// Why a text, or a pair of numbers, is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateFault {
    /// No slash: a count without its unit of time.
    #[error("the unit of time is missing")]
    NoUnit,
    /// The text before the slash is no whole number, or a larger one than 64 bits hold.
    #[error("a whole number was expected before the slash")]
    NoCount,
    /// No events at all: a limit that lets nothing through is a deny rule, not a rate.
    #[error("a rate of zero lets nothing through")]
    ZeroCount,
    /// The text behind the slash is neither a unit nor a duration.
    #[error("there is no unit {0} (units are s, minute, hour, day, or a duration)")]
    UnknownUnit(Excerpt),
    /// A period of no time.
    #[error("the period is zero")]
    ZeroPeriod,
    /// More than one event per nanosecond, which the clock cannot tell apart.
    #[error("it is faster than one per nanosecond")]
    TooFast,
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse(text.trim()).map_err(|fault| RateError {
            input: Excerpt::of(text),
            fault,
        })
    }
}

fn parse(text: &str) -> Result<Rate, RateFault> {
    let (count, per) = text.split_once('/').ok_or(RateFault::NoUnit)?;
    let (count, per) = (count.trim(), per.trim());
    let (digits, rest) = split_digits(count);
    if !rest.is_empty() {
        return Err(RateFault::NoCount);
    }
    let count: u64 = digits.parse().map_err(|_| RateFault::NoCount)?;
    let count = NonZeroU64::new(count).ok_or(RateFault::ZeroCount)?;
    if per.is_empty() {
        return Err(RateFault::NoUnit);
    }
    let period = match unit::nanos_of(per) {
        Some(nanos) => Period::from_nanos(Nanos(nanos)),
        // A bare number is no unit here: in `10/60` nobody can tell which was meant.
        None if split_digits(per).1.is_empty() => {
            return Err(RateFault::UnknownUnit(Excerpt::of(per)));
        }
        None => per
            .parse()
            .map_err(|_| RateFault::UnknownUnit(Excerpt::of(per)))?,
    };
    Rate::new(count, period)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.count)?;
        let secs = |n| Period::from_secs(n);
        match self.per {
            p if p == secs(1) => f.write_str("s"),
            p if p == secs(60) => f.write_str("minute"),
            p if p == secs(3600) => f.write_str("hour"),
            p if p == secs(86_400) => f.write_str("day"),
            p => write!(f, "{p}"),
        }
    }
}

text_serde!(Rate, "a rate such as 1000/minute or 5000/s", numbers: false);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::check;
    use super::*;

    #[test]
    fn reads_what_guides_write() {
        for (text, count, secs, shown) in [
            ("1000/minute", 1000, 60, "1000/minute"),
            ("5000/s", 5000, 1, "5000/s"),
            ("5000/sec", 5000, 1, "5000/s"),
            ("10/min", 10, 60, "10/minute"),
            ("10 / m", 10, 60, "10/minute"),
            ("3/hour", 3, 3600, "3/hour"),
            ("5000/day", 5000, 86_400, "5000/day"),
            ("10/5m", 10, 300, "10/5m"),
            ("1/1h30m", 1, 5400, "1/1h30m"),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.count().get(), count, "{text}");
            assert_eq!(rate.per(), Period::from_secs(secs), "{text}");
            assert_eq!(rate.to_string(), shown);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        use RateFault::*;
        for (text, fault) in [
            ("", NoUnit),
            ("10", NoUnit),
            ("10/", NoUnit),
            ("/s", NoCount),
            ("ten/s", NoCount),
            ("-1/s", NoCount),
            ("+1/s", NoCount),
            ("1.5/s", NoCount),
            ("99999999999999999999/s", NoCount),
            ("0/s", ZeroCount),
            ("10/60", UnknownUnit(Excerpt::of("60"))),
            ("10/fortnight", UnknownUnit(Excerpt::of("fortnight"))),
            ("10/0s", ZeroPeriod),
            ("2000000000/s", TooFast),
        ] {
            assert_eq!(text.parse::<Rate>().unwrap_err().fault, fault, "{text}");
        }
        assert!(
            "10".parse::<Rate>()
                .unwrap_err()
                .to_string()
                .contains("1000/minute")
        );
    }

    #[test]
    fn gives_an_emission_interval() {
        assert_eq!(Rate::per_second::<5000>().interval(), Nanos(200_000));
        assert_eq!(Rate::per_minute::<10>().interval(), Nanos::from_secs(6));
        assert_eq!(Rate::per_hour::<3>().interval(), Nanos::from_secs(1200));
    }

    #[test]
    fn serde_takes_text_only() {
        assert_eq!(
            check::read::<Rate>("10/minute"),
            Ok(Rate::per_minute::<10>())
        );
        assert!(
            check::read::<Rate>(10u64)
                .unwrap_err()
                .contains("expected a rate such as")
        );
        assert_eq!(check::written(&Rate::per_second::<5>()), "5/s");
    }

    proptest! {
        #[test]
        fn text_and_back(count in 1u64.., per in 1u64..) {
            let count = NonZeroU64::new(count).unwrap();
            if let Ok(rate) = Rate::new(count, Period::from_nanos(Nanos(per))) {
                prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
                prop_assert!(rate.interval().0 >= 1);
            }
        }

        #[test]
        fn any_text_gets_an_answer(text: String) {
            let _ = text.parse::<Rate>();
        }
    }
}
