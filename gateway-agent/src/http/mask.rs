//! What must not stand in a log: secrets in paths, queries and header fields.

use http::header::{self, HeaderName, HeaderValue};

/// What stands in the place of a secret.
const MASK: &str = "***";

/// The longest path, query or header value kept, in bytes.
pub(super) const MAX_TEXT: usize = 1024;

/// Parts of names, in lower case, whose values are secrets.
const SECRET_NAMES: [&str; 16] = [
    "token",
    "secret",
    "passw",
    "pwd",
    "passphrase",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "auth",
    "session",
    "signature",
    "credential",
    "assertion",
    "jwt",
    "cookie",
];

/// Whole names, in lower case, whose values are secrets.
const SECRET_WORDS: [&str; 7] = ["key", "code", "sig", "sid", "pin", "otp", "pass"];

/// The path, bounded, with segments that look like tokens masked.
#[must_use]
pub(super) fn path(path: &str) -> Box<str> {
    let path = bounded(path);
    if !path.split('/').any(is_token) {
        return path.into();
    }
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| if is_token(segment) { MASK } else { segment })
        .collect();
    segments.join("/").into()
}

/// The query, bounded, with values masked that look like secrets by their name or themselves.
#[must_use]
pub(super) fn query(query: &str) -> Box<str> {
    let bounded = bounded(query);
    let mut masked = String::with_capacity(bounded.len());
    for (i, pair) in bounded.split('&').enumerate() {
        if i > 0 {
            masked.push('&');
        }
        match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() && (is_secret(name) || is_token(value)) => {
                masked.push_str(name);
                masked.push('=');
                masked.push_str(MASK);
            }
            Some(_) => masked.push_str(pair),
            None => masked.push_str(if is_token(pair) { MASK } else { pair }),
        }
    }
    masked.into()
}

/// The value of a header field, bounded and masked; bytes that are no UTF-8 are replaced.
#[must_use]
pub(super) fn header(name: &HeaderName, value: &HeaderValue) -> Box<str> {
    if value.is_sensitive() || is_secret(name.as_str()) {
        return MASK.into();
    }
    let text = String::from_utf8_lossy(value.as_bytes());
    let text = bounded(&text);
    if name == header::REFERER || name == header::LOCATION {
        return match text.split_once('?') {
            Some((page, tail)) => format!("{page}?{}", query(tail)).into(),
            None => text.into(),
        };
    }
    if text.split([' ', ',', ';', '=']).any(is_token) {
        MASK.into()
    } else {
        text.into()
    }
}

/// Cuts a text, on a character, to [`MAX_TEXT`] bytes.
#[must_use]
pub(super) fn bounded(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether a name says that its value is a secret, also when it is percent-encoded.
pub(super) fn is_secret(name: &str) -> bool {
    let name = decoded(name).to_ascii_lowercase();
    // `user[password]`, `auth.key`
    let last = name
        .trim_end_matches(']')
        .rsplit(['[', '.', ':'])
        .next()
        .unwrap_or_default();
    SECRET_NAMES.iter().any(|part| name.contains(part)) || SECRET_WORDS.contains(&last)
}

/// Whether a text looks like a JWT, or what is left of one that was cut: base64url of `{"`.
fn is_token(text: &str) -> bool {
    let decoded = decoded(text);
    let text = decoded.strip_prefix("Bearer ").unwrap_or(&decoded);
    text.starts_with("eyJ") && text.len() >= 8
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail
            .split_at_checked(2)
            .filter(|_| first == b'%')
            .and_then(|(digits, after)| Some((hex(digits)?, after)));
        match escape {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|text| !text.starts_with('+'))?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_that_look_like_secrets_are_masked() {
        for (raw, shown) in [
            ("", ""),
            ("page=2&sort=up", "page=2&sort=up"),
            ("access_token=abc&page=2", "access_token=***&page=2"),
            (
                "Password=x&PWD=y&api-key=z",
                "Password=***&PWD=***&api-key=***",
            ),
            ("user%5Bpassword%5D=x", "user%5Bpassword%5D=***"),
            ("p%61ssword=x", "p%61ssword=***"),
            ("code=abc&key=1&monkey=2", "code=***&key=***&monkey=2"),
            ("q=eyJhbGciOi.eyJpc3Mi.sig", "q=***"),
            ("q=Bearer+eyJhbGciOi.eyJpc3Mi.sig", "q=***"),
            ("eyJhbGciOi.eyJpc3Mi.sig", "***"),
            ("token=", "token="),
            ("a=%", "a=%"),
            ("a=%+1", "a=%+1"),
        ] {
            assert_eq!(&*query(raw), shown);
        }
    }

    #[test]
    fn paths_lose_tokens_and_length() {
        assert_eq!(&*path("/a/eyJhbGci.eyJp.sig/b"), "/a/***/b");
        assert_eq!(&*path("/a/b"), "/a/b");
        assert_eq!(path(&format!("/{}", "ü".repeat(2000))).len(), MAX_TEXT - 1);
    }

    #[test]
    fn header_values_are_masked_by_name_and_by_look() {
        for (name, value, shown) in [
            ("authorization", "Basic dTpw", "***"),
            ("cookie", "a=b", "***"),
            ("set-cookie", "a=b", "***"),
            ("proxy-authorization", "x", "***"),
            ("x-api-key", "x", "***"),
            ("x-csrf-token", "x", "***"),
            ("user-agent", "curl/8", "curl/8"),
            ("x-custom", "jwt=eyJh.eyJp.sig", "***"),
            (
                "referer",
                "https://a/b?token=x&c=d",
                "https://a/b?token=***&c=d",
            ),
        ] {
            let name = HeaderName::from_static(name);
            assert_eq!(
                &*header(&name, &HeaderValue::from_static(value)),
                shown,
                "{name}"
            );
        }
    }
}
