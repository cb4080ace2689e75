//! Comparisons of integers, read from text as C's `atoi` does.

/// How a value must compare with the operator's argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    /// Whether `value` compares so with `argument`.
    pub(crate) fn holds(self, value: i64, argument: i64) -> bool {
        match self {
            Self::Equal => value == argument,
            Self::Greater => value > argument,
            Self::GreaterOrEqual => value >= argument,
            Self::Less => value < argument,
            Self::LessOrEqual => value <= argument,
        }
    }
}

/// The integer at the front of `text` after white space; 0 where there is none, saturating where
/// it is too large.
pub(crate) fn leading_integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0_i64, |v, b| {
            v.saturating_mul(10).saturating_add(i64::from(b - b'0'))
        });
    if negative { -magnitude } else { magnitude }
}
