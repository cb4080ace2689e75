//! JSON web tokens in their compact form, not verified: what an application reads in one before
//! or without verifying it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Leaf, TooMany};

/// The values of a token's header and of its claims; `None` where `value` is no token.
///
/// # Errors
/// When one of both has more than `most` values.
pub(super) fn leaves(value: &[u8], most: usize) -> Result<Option<Vec<Leaf>>, TooMany> {
    let Some([header, claims]) = parts(value) else {
        return Ok(None);
    };
    let (header, claims) = (super::leaves(&header, most)?, super::leaves(&claims, most)?);
    Ok(header.zip(claims).map(|(mut header, claims)| {
        header.extend(claims);
        header
    }))
}

/// The texts of header and claims. RFC 7515, section 4.1.1: every header names its algorithm.
fn parts(value: &[u8]) -> Option<[Vec<u8>; 2]> {
    let token = without_scheme(value.trim_ascii());
    // The Base64 of a brace and of what may follow it there.
    if !token.starts_with(b"e") {
        return None;
    }
    let mut parts = token.split(|&b| b == b'.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if parts.next().is_some() || !signature.iter().all(is_digit) {
        return None;
    }
    let header = URL_SAFE_NO_PAD.decode(header).ok()?;
    memchr::memmem::find(&header, b"\"alg\"")?;
    Some([header, URL_SAFE_NO_PAD.decode(claims).ok()?])
}

fn without_scheme(value: &[u8]) -> &[u8] {
    const SCHEME: &[u8] = b"bearer ";
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => token.trim_ascii_start(),
        _ => value,
    }
}
