//! Which variables hold what no log may show.

use crate::{
    operator::passes_luhn,
    variable::{REQUEST_COOKIES, Variable},
};

/// Parts of names that mark a secret.
const MARKS: &[&[u8]] = &[
    b"authorization",
    b"passwd",
    b"password",
    b"passphrase",
    b"secret",
    b"token",
    b"api-key",
    b"api_key",
    b"apikey",
    b"credential",
    b"private_key",
    b"session",
    b"cvv",
    b"card_number",
    b"cardnumber",
];

/// Names that mark a secret only as a whole.
const NAMES: &[&[u8]] = &[
    b"cookie",
    b"set-cookie",
    b"pwd",
    b"pass",
    b"pin",
    b"otp",
    b"jwt",
];

/// Whether the value of `variable`'s item `name` must be masked.
pub(super) fn is_secret(variable: Variable, name: &[u8]) -> bool {
    variable == REQUEST_COOKIES || is_secret_name(name)
}

/// Whether a name says that what it names is a secret; the names of a document's levels are
/// parted by dots.
pub(crate) fn is_secret_name(name: &[u8]) -> bool {
    let last = name.rsplit(|&b| b == b'.').next().unwrap_or(name);
    NAMES.iter().any(|known| last.eq_ignore_ascii_case(known))
        || MARKS.iter().any(|mark| {
            name.windows(mark.len())
                .any(|window| window.eq_ignore_ascii_case(mark))
        })
}

/// Whether the text names a secret anywhere: what stands beside it may be one.
pub(super) fn names_secret(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    MARKS
        .iter()
        .any(|mark| memchr::memmem::find(&text, mark).is_some())
}

/// Whether the text looks like a secret by itself: a JSON web token or a card number.
pub(super) fn looks_secret(text: &[u8]) -> bool {
    looks_like_token(text) || looks_like_card(text)
}

/// Whether a payment card's number stands in the text: 13 to 19 digits that pass the check
/// (ISO/IEC 7812-1), with at most a space or hyphen between any two.
fn looks_like_card(text: &[u8]) -> bool {
    let mut digits = Vec::new();
    let mut gap = 0;
    let mut found = false;
    for &byte in text.iter().chain(b"\0") {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte);
                gap = 0;
            }
            b' ' | b'-' if gap == 0 && !digits.is_empty() => gap = 1,
            _ => {
                found |= (13..=19).contains(&digits.len()) && passes_luhn(&digits);
                digits.clear();
                gap = 0;
            }
        }
    }
    found
}

/// Whether a JSON web token stands in the text: base64url of `{"`.
fn looks_like_token(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"eyJ").any(|at| {
        let rest = text.get(at..).unwrap_or_default();
        let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        rest.iter().take_while(|b| word(b)).count() >= 8
    })
}
