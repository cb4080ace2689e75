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
    if variable == REQUEST_COOKIES {
        return true;
    }
    is_secret_name(name)
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
