//! Durations: `500ms`, `30s`, `10m`, `1h30m`, `7d`, and a bare `30` for seconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gateway_common::time::Nanos;

use super::number::{split_digits, split_word};
use super::text::text_serde;
use super::{Excerpt, unit};

/// A length of time as people write it, from zero to about 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(Nanos);

impl Period {
    /// No time at all.
    pub const ZERO: Self = Self(Nanos::ZERO);

    /// A period of `n` nanoseconds of the one clock.
    #[must_use]
    pub const fn from_nanos(n: Nanos) -> Self {
        Self(n)
    }

    /// A period of whole milliseconds, saturating.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(Nanos::from_millis(ms))
    }

    /// A period of whole seconds, saturating.
    #[must_use]
    pub const fn from_secs(s: u64) -> Self {
        Self(Nanos::from_secs(s))
    }

    /// The period as a span of the one clock.
    #[must_use]
    pub const fn as_nanos(self) -> Nanos {
        self.0
    }

    /// The period as the standard library's type, for timers.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        self.0.as_duration()
    }

    /// Whether this is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.0 == 0
    }
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input} is not a duration: {fault}; write for example 500ms, 30s, 10m, 1h30m or 7d")]
pub struct PeriodError {
    /// What was written.
    pub input: Excerpt,
    /// What is wrong with it.
    pub fault: PeriodFault,
}

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodFault {
    /// A number was expected and something else came.
    #[error("a whole number was expected")]
    NoNumber,
    /// A unit that does not exist.
    #[error("there is no unit {0} (units are ns, us, ms, s, m, h, d, w)")]
    UnknownUnit(Excerpt),
    /// A number without its unit behind one that has its own: `1h30`.
    #[error("the last number has no unit")]
    MissingUnit,
    /// A unit that is not smaller than the one before it: `30m1h`.
    #[error("units go from large to small, each once")]
    UnitOrder,
    /// More than the clock can count.
    #[error("it is longer than 584 years")]
    TooLong,
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        parse(text.trim()).map_err(|fault| PeriodError {
            input: Excerpt::of(text),
            fault,
        })
    }
}

fn parse(text: &str) -> Result<Period, PeriodFault> {
    let mut rest = text;
    let mut total = 0u64;
    let mut last_unit = None;
    while last_unit.is_none() || !rest.is_empty() {
        let (digits, tail) = split_digits(rest);
        if digits.is_empty() {
            return Err(PeriodFault::NoNumber);
        }
        let (word, tail) = split_word(tail);
        let unit = match (word.trim(), last_unit) {
            ("", None) if tail.is_empty() => unit::nanos_of("s"),
            ("", _) => return Err(PeriodFault::MissingUnit),
            // A fraction is no unknown unit; `90m` says `1.5h` exactly.
            (w, _) if w.starts_with('.') => return Err(PeriodFault::NoNumber),
            (w, _) => unit::nanos_of(w),
        }
        .ok_or_else(|| PeriodFault::UnknownUnit(Excerpt::of(word.trim())))?;
        if last_unit.is_some_and(|last| unit >= last) {
            return Err(PeriodFault::UnitOrder);
        }
        // A number of too many digits is too long whatever its unit.
        let number: u64 = digits.parse().map_err(|_| PeriodFault::TooLong)?;
        total = number
            .checked_mul(unit)
            .and_then(|part| total.checked_add(part))
            .ok_or(PeriodFault::TooLong)?;
        last_unit = Some(unit);
        rest = tail;
    }
    Ok(Period(Nanos(total)))
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0s");
        }
        let mut rest = self.0.0;
        for (name, nanos) in unit::written() {
            let count = rest / nanos;
            if count > 0 {
                write!(f, "{count}{name}")?;
                rest %= nanos;
            }
        }
        Ok(())
    }
}

text_serde!(Period, "a duration such as 30s, 10m or 1h30m", numbers: true);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::check;
    use super::*;

    fn secs(text: &str) -> u64 {
        let nanos = text.parse::<Period>().unwrap().as_nanos().0;
        assert_eq!(nanos % 1_000_000_000, 0, "{text}");
        nanos / 1_000_000_000
    }

    #[test]
    fn reads_what_guides_write() {
        assert_eq!("500ms".parse::<Period>().unwrap(), Period::from_millis(500));
        for (text, expected) in [
            ("30", 30),
            ("30s", 30),
            (" 30s ", 30),
            ("30 seconds", 30),
            ("10m", 600),
            ("10min", 600),
            ("1h", 3600),
            ("1h30m", 5400),
            ("24h", 86_400),
            ("7d", 604_800),
            ("1w", 604_800),
            ("1d12h", 129_600),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(secs(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        use PeriodFault::*;
        for (text, fault) in [
            ("", NoNumber),
            ("s", NoNumber),
            ("-5s", NoNumber),
            ("1.5h", NoNumber),
            ("1h30", MissingUnit),
            ("30m1h", UnitOrder),
            ("1h1h", UnitOrder),
            ("5y", UnknownUnit(Excerpt::of("y"))),
            ("5M", UnknownUnit(Excerpt::of("M"))),
            ("99999999999999999999s", TooLong),
            ("600w600d9999999h", TooLong),
            ("18446744074s", TooLong),
        ] {
            let e = text.parse::<Period>().unwrap_err();
            assert_eq!(e.fault, fault, "{text}");
        }
        assert_eq!(
            "5y".parse::<Period>().unwrap_err().to_string(),
            "`5y` is not a duration: there is no unit `y` (units are ns, us, ms, s, m, h, d, w); \
             write for example 500ms, 30s, 10m, 1h30m or 7d"
        );
    }

    #[test]
    fn is_written_from_large_to_small() {
        for (text, shown) in [
            ("90", "1m30s"),
            ("5400", "1h30m"),
            ("24h", "1d"),
            ("1w", "7d"),
            ("0ms", "0s"),
        ] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn serde_takes_text_and_bare_seconds() {
        assert_eq!(check::read::<Period>("10m"), Ok(Period::from_secs(600)));
        assert_eq!(check::read::<Period>(30u64), Ok(Period::from_secs(30)));
        assert_eq!(check::read::<Period>(30i64), Ok(Period::from_secs(30)));
        assert!(
            check::read::<Period>(-30i64)
                .unwrap_err()
                .contains("`-30` is not a duration")
        );
        assert!(
            check::read::<Period>(true)
                .unwrap_err()
                .contains("expected a duration such as")
        );
        assert_eq!(check::written(&Period::from_secs(5400)), "1h30m");
    }

    proptest! {
        #[test]
        fn text_and_back(n: u64) {
            let p = Period::from_nanos(Nanos(n));
            prop_assert_eq!(p.to_string().parse::<Period>(), Ok(p));
        }

        #[test]
        fn any_text_gets_an_answer(text: String) {
            let _ = text.parse::<Period>();
        }
    }
}
