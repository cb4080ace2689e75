//! JSON web tokens (RFC 7519), true and forged, for those who ask the gateway for something.

mod der;
mod key;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub use key::{Algorithm, Key, jwks};

/// The claims of a token for `subject` that is valid from now for `seconds`; a negative number
/// makes one that ended so long ago.
pub fn claims(issuer: &str, audience: &str, subject: &str, seconds: i64) -> Value {
    let now = unix_seconds();
    json!({
        "iss": issuer, "aud": audience, "sub": subject,
        "iat": now.min(now + seconds), "exp": now + seconds,
    })
}

/// A token without a signature (RFC 7518, section 3.6), which nobody should accept.
pub fn unsigned(claims: &Value) -> String {
    format!(
        "{}.",
        unsigned_part(&json!({"alg": "none", "typ": "JWT"}), claims)
    )
}

/// `token` with the last character of its signature's first half changed.
pub fn with_broken_signature(token: &str) -> String {
    let Some((signed, signature)) = token.rsplit_once('.') else {
        return token.to_owned();
    };
    let at = signature.len() / 2;
    let flip = |c: char| if c == 'A' { 'B' } else { 'A' };
    let broken: String = signature
        .chars()
        .enumerate()
        .map(|(i, c)| if i == at { flip(c) } else { c })
        .collect();
    format!("{signed}.{broken}")
}

/// Seconds since the Unix epoch.
pub fn unix_seconds() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn unsigned_part(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        base64url(header.to_string()),
        base64url(claims.to_string())
    )
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_signature_differs_in_one_place_of_the_signature() {
        assert_eq!(with_broken_signature("a.b.AAAA"), "a.b.AABA");
        assert_eq!(with_broken_signature("a.b.CCCC"), "a.b.CCAC");
    }

    #[test]
    fn an_unsigned_token_says_so_and_ends_in_a_dot() {
        let token = unsigned(&claims("i", "a", "s", 60));
        assert!(token.starts_with("eyJhbGciOiJub25lIi"), "{token}");
        assert!(token.ends_with('.'));
        assert_eq!(token.matches('.').count(), 2);
    }
}
