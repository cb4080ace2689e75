//! The `Authorization` field (RFC 9110 section 11.6.2, RFC 6750 section 2.1).

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::TokenFault;

/// A bearer token as it came: bounded, of the characters tokens have, not verified. Never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bearer<'h>(&'h str);

impl<'h> Bearer<'h> {
    pub(super) fn as_str(self) -> &'h str {
        self.0
    }
}

impl fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(***)")
    }
}

/// The bearer token of a request; `None` when it has no `Authorization` field.
///
/// # Errors
/// [`TokenFault::NotBearer`] for several fields, another scheme or characters outside the
/// grammar, [`TokenFault::TooLong`] for a token of more than `max` bytes.
pub fn bearer(headers: &HeaderMap, max: usize) -> Result<Option<Bearer<'_>>, TokenFault> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(TokenFault::NotBearer);
    }
    let text = value.to_str().map_err(|_| TokenFault::NotBearer)?;
    let (scheme, token) = text.split_once(' ').ok_or(TokenFault::NotBearer)?;
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(TokenFault::NotBearer);
    }
    if token.len() > max {
        return Err(TokenFault::TooLong);
    }
    if !token.bytes().all(is_token68) {
        return Err(TokenFault::NotBearer);
    }
    Ok(Some(Bearer(token)))
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse(values: &[&'static str]) -> Result<Option<String>, TokenFault> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers, 10).map(|found| found.map(|token| token.as_str().to_owned()))
    }

    #[test]
    fn one_bearer_credential_is_read() {
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&["Bearer a.b.c"]), Ok(Some("a.b.c".into())));
        assert_eq!(parse(&["bEARER  a.b.c "]), Ok(Some("a.b.c".into())));
    }

    #[test]
    fn everything_else_is_refused() {
        for values in [
            &["Basic dTpw"][..],
            &["Bearer"],
            &["Bearer "],
            &["a.b.c"],
            &["Bearer a b"],
            &["Bearer a,b"],
            &["Bearer a.b.c", "Bearer a.b.c"],
            &[""],
        ] {
            assert_eq!(parse(values), Err(TokenFault::NotBearer), "{values:?}");
        }
        assert_eq!(parse(&["Bearer 12345678901"]), Err(TokenFault::TooLong));
    }

    #[test]
    fn debug_hides_the_token() {
        assert!(!format!("{:?}", Bearer("secret")).contains("secret"));
    }
}
