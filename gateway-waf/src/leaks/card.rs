//! Numbers of payment cards.
//!
//! So that order numbers, timestamps and identifiers are none, a number needs the length and the
//! first digits of an issuer, the check digit (ISO/IEC 7812-1 annex B), digits in one piece or in
//! the groups that are printed on cards, and nothing around it that would make it part of a
//! longer word or number. One in 40 of all numbers of sixteen digits still looks like one.

use std::ops::Range;

/// Most bytes of a number with its separators.
pub(super) const LONGEST: usize = 23;

/// The number of a card in the bytes at `range` of `text`, which may have a group more, such as
/// the check value from its back.
pub(super) fn number(text: &[u8], range: &Range<usize>) -> Option<Range<usize>> {
    let found = text.get(range.clone())?;
    let groups = found.iter().filter(|byte| !byte.is_ascii_digit()).count();
    let last = found.iter().rposition(|byte| !byte.is_ascii_digit());
    let shorter = last
        .filter(|_| groups == 4)
        .map(|at| range.start..range.start + at);
    let mut candidates = std::iter::once(range.clone()).chain(shorter);
    candidates.find(|range| is_card(text, range))
}

/// Whether the bytes at `range` of `text` are the number of a card.
fn is_card(text: &[u8], range: &Range<usize>) -> bool {
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    let mut behind = text.get(range.end..).unwrap_or_default().iter();
    let (next, second) = (behind.next(), behind.next());
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+/".contains(byte);
    if before.is_some_and(|byte| is_word(byte) || *byte == b'.') {
        return false;
    }
    let is_fraction = next == Some(&b'.') && second.is_some_and(u8::is_ascii_digit);
    if is_fraction || next.is_some_and(is_word) {
        return false;
    }
    let found = text.get(range.clone()).unwrap_or_default();
    let digits: Vec<u8> = found
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
        .collect();
    is_grouped(found, digits.len()) && is_issued(&digits) && has_check_digit(&digits)
}

/// Whether the digits stand in one piece, or in groups with one separator between them all.
fn is_grouped(found: &[u8], digits: usize) -> bool {
    let Some(separator) = found.iter().find(|byte| !byte.is_ascii_digit()) else {
        return true;
    };
    let groups: Vec<usize> = found
        .split(|byte| byte == separator)
        .map(<[u8]>::len)
        .collect();
    let all_digits = found
        .iter()
        .all(|byte| byte.is_ascii_digit() || byte == separator);
    let printed: &[usize] = match digits {
        14 => &[4, 6, 4],
        15 => &[4, 6, 5],
        16 => &[4, 4, 4, 4],
        19 => &[4, 4, 4, 4, 3],
        _ => return false,
    };
    all_digits && groups == printed
}

/// Whether an issuer has numbers of that length that begin so.
fn is_issued(digits: &[u8]) -> bool {
    let begin = |n: usize| {
        digits
            .iter()
            .take(n)
            .fold(0, |sum, digit| sum * 10 + u32::from(*digit))
    };
    // Three equal digits in a row and more are what test data and counters look like, and cards
    // too; but a number of one digit alone is none.
    if digits.iter().all(|digit| Some(digit) == digits.first()) {
        return false;
    }
    match digits.len() {
        14 => matches!(begin(3), 300..=305) || matches!(begin(2), 36 | 38 | 39),
        15 => matches!(begin(2), 34 | 37),
        16 => {
            begin(1) == 4
                || matches!(begin(2), 51..=55 | 62 | 65)
                || matches!(begin(3), 644..=649)
                || matches!(begin(4), 2221..=2720 | 3528..=3589 | 6011)
        }
        19 => begin(2) == 62,
        _ => false,
    }
}

fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match (place % 2, digit) {
                (0, digit) => digit,
                (_, digit) if digit > 4 => 2 * digit - 9,
                (_, digit) => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
