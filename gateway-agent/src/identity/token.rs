//! The parts of a signed token, JWS compact serialization (RFC 7515 section 7.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Bearer, TokenFault};

/// A token taken apart; nothing in it is verified.
#[derive(Debug)]
pub(super) struct Parts<'t> {
    /// What the signature is over: the first two parts with the dot between.
    pub(super) signed: &'t [u8],
    /// The signature, base64url.
    pub(super) signature: &'t str,
    pub(super) header: Header,
    /// The claims as JSON text.
    pub(super) claims: Vec<u8>,
}

/// What is read of the header. Fields that would tell where to get the key (`jku`, `jwk`, `x5u`,
/// `x5c`) are never looked at: keys come from the configuration only (RFC 8725 section 3.10).
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    #[serde(default)]
    pub(super) kid: Option<String>,
    /// Extensions that must be understood; none are (RFC 7515 section 4.1.11).
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

impl<'t> Parts<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`] when it is not three parts, or has a `crit` field.
    pub(super) fn of(token: Bearer<'t>) -> Result<Self, TokenFault> {
        let token = token.as_str();
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| TokenFault::Malformed)
        };
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| TokenFault::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenFault::Malformed);
        }
        Ok(Self {
            signed: signed.as_bytes(),
            signature,
            header,
            claims: decode(claims)?,
        })
    }
}
