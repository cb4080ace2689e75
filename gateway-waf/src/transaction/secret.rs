//! Which variables hold what no log may show.

use crate::variable::{REQUEST_COOKIES, Variable};

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

/// Whether a value of this name is a secret, wherever it stands.
pub(super) fn is_secret_name(name: &[u8]) -> bool {
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

/// Whether a JSON web token stands in the text: base64url of `{"`.
pub(super) fn looks_like_token(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"eyJ").any(|at| {
        let rest = text.get(at..).unwrap_or_default();
        let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        rest.iter().take_while(|b| word(b)).count() >= 8
    })
}
