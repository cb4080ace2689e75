//! Growth factors: `2x`, `1.5x`.

use std::fmt;
use std::str::FromStr;

use gateway_common::time::Nanos;

use super::Excerpt;
use super::number::split_digits;
use super::text::text_serde;

/// By how much something grows each time: 1 to 1000, in steps of a thousandth. What shrinks is
/// no factor here, so that whatever is multiplied by one never gets less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor {
    thousandths: u32,
}

const ONE: u32 = 1000;
const MAX: u32 = 1000 * ONE;

impl Factor {
    /// No growth.
    pub const ONE: Self = Self { thousandths: ONE };
    /// Doubling.
    pub const DOUBLE: Self = Self {
        thousandths: 2 * ONE,
    };

    /// `span` grown once, rounded down, saturating.
    #[must_use]
    pub fn apply(self, span: Nanos) -> Nanos {
        let grown = u128::from(span.0) * u128::from(self.thousandths) / u128::from(ONE);
        Nanos(u64::try_from(grown).unwrap_or(u64::MAX))
    }
}

/// A text that is no factor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input} is not a factor: {fault}; write for example 2x or 1.5x")]
pub struct FactorError {
    /// What was written.
    pub input: Excerpt,
    /// What is wrong with it.
    pub fault: FactorFault,
}

/// Why a text is no factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactorFault {
    /// A number was expected and something else came.
    #[error("a number was expected")]
    NoNumber,
    /// More than three digits behind the point.
    #[error("at most three decimals are kept")]
    TooFine,
    /// Less than one, or more than a thousand.
    #[error("it must be from 1x to 1000x")]
    OutOfRange,
}

impl FromStr for Factor {
    type Err = FactorError;

    fn from_str(text: &str) -> Result<Self, FactorError> {
        parse(text.trim()).map_err(|fault| FactorError {
            input: Excerpt::of(text),
            fault,
        })
    }
}

fn parse(text: &str) -> Result<Factor, FactorFault> {
    let number = text.strip_suffix(['x', 'X']).unwrap_or(text).trim_end();
    let (whole, rest) = split_digits(number);
    let decimals = match rest.strip_prefix('.') {
        Some(decimals) if !decimals.is_empty() => decimals,
        None if rest.is_empty() => "",
        Some(_) | None => return Err(FactorFault::NoNumber),
    };
    if whole.is_empty() || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return Err(FactorFault::NoNumber);
    }
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > 3 {
        return Err(FactorFault::TooFine);
    }
    // Three digits always parse; a whole part that does not is far out of range.
    let fraction: u32 = format!("{decimals:0<3}")
        .parse()
        .map_err(|_| FactorFault::NoNumber)?;
    let whole: u32 = whole.parse().map_err(|_| FactorFault::OutOfRange)?;
    whole
        .checked_mul(ONE)
        .and_then(|w| w.checked_add(fraction))
        .filter(|t| (ONE..=MAX).contains(t))
        .map(|thousandths| Factor { thousandths })
        .ok_or(FactorFault::OutOfRange)
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.thousandths / ONE, self.thousandths % ONE);
        if fraction == 0 {
            return write!(f, "{whole}x");
        }
        let digits = format!("{fraction:03}");
        write!(f, "{whole}.{}x", digits.trim_end_matches('0'))
    }
}

text_serde!(Factor, "a factor such as 2x or 1.5x", numbers: true);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::check;
    use super::*;

    #[test]
    fn reads_what_guides_write() {
        for (text, shown) in [
            ("2x", "2x"),
            ("2X", "2x"),
            ("2", "2x"),
            ("1.5x", "1.5x"),
            ("1.500x", "1.5x"),
            ("1.0000x", "1x"),
            ("1.025x", "1.025x"),
            ("1000x", "1000x"),
        ] {
            assert_eq!(text.parse::<Factor>().unwrap().to_string(), shown, "{text}");
        }
        assert_eq!("2x".parse(), Ok(Factor::DOUBLE));
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        use FactorFault::*;
        for (text, fault) in [
            ("", NoNumber),
            ("x", NoNumber),
            (".5x", NoNumber),
            ("1.x", NoNumber),
            ("1.5.5x", NoNumber),
            ("-2x", NoNumber),
            ("2xx", NoNumber),
            ("1.0001x", TooFine),
            ("0x", OutOfRange),
            ("0.5x", OutOfRange),
            ("1000.001x", OutOfRange),
            ("99999999999x", OutOfRange),
        ] {
            assert_eq!(text.parse::<Factor>().unwrap_err().fault, fault, "{text}");
        }
    }

    #[test]
    fn grows_and_saturates() {
        let half_more: Factor = "1.5x".parse().unwrap();
        assert_eq!(half_more.apply(Nanos::from_secs(10)), Nanos::from_secs(15));
        assert_eq!(Factor::ONE.apply(Nanos(7)), Nanos(7));
        assert_eq!(Factor::DOUBLE.apply(Nanos::MAX), Nanos::MAX);
    }

    #[test]
    fn serde_takes_text_and_numbers() {
        assert_eq!(check::read::<Factor>("2x"), Ok(Factor::DOUBLE));
        assert_eq!(check::read::<Factor>(2u64), Ok(Factor::DOUBLE));
        assert_eq!(
            check::read::<Factor>(1.5f64),
            "1.5x".parse().map_err(|_| String::new())
        );
        assert_eq!(check::written(&Factor::DOUBLE), "2x");
    }

    proptest! {
        #[test]
        fn text_and_back(thousandths in ONE..=MAX) {
            let factor = Factor { thousandths };
            prop_assert_eq!(factor.to_string().parse::<Factor>(), Ok(factor));
        }

        #[test]
        fn never_shrinks(thousandths in ONE..=MAX, span: u64) {
            let grown = Factor { thousandths }.apply(Nanos(span));
            prop_assert!(grown >= Nanos(span));
        }

        #[test]
        fn any_text_gets_an_answer(text: String) {
            let _ = text.parse::<Factor>();
        }
    }
}
