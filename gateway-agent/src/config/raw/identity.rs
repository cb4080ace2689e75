//! Whose tokens are accepted.

use gateway_policy::grammar::Period;
use serde::Deserialize;

use crate::config::tree::{At, OneOrMany};
use crate::config::values::FileName;

/// Whose tokens are accepted.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Identity {
    /// The issuers of JSON web tokens (RFC 7519).
    pub(crate) jwt: OneOrMany<Jwt>,
}

/// One issuer of tokens. Either `jwks` or `secret_file` must be given.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Jwt {
    /// What the token's `iss` must be.
    pub(crate) issuer: At<String>,
    /// What the token's `aud` must hold one of.
    pub(crate) audience: OneOrMany<String>,
    /// The algorithms that tokens may be signed with, of `HS256`, `HS384`, `HS512`, `RS256`,
    /// `PS256`, `ES256`, `ES384` and `EdDSA`; either HMAC ones (`HS…`) or public-key ones.
    pub(crate) algorithms: OneOrMany<String>,
    /// The file with the issuer's public keys, a JSON Web Key Set (RFC 7517, section 5).
    pub(crate) jwks: Option<At<FileName>>,
    /// The file with the secret that is shared with the issuer, for `HS256` and its kin; at least
    /// as long as the hash: 32, 48 or 64 bytes. A line end behind it is not part of it.
    pub(crate) secret_file: Option<At<FileName>>,
    /// The claim that holds the roles of the token's owner; a dot leads into an object, as in
    /// `realm_access.roles`. Default: `roles`.
    pub(crate) roles_claim: Option<At<String>>,
    /// How far the issuer's clock may be off, up to `5m`. Default: `30s`.
    pub(crate) leeway: Option<At<Period>>,
}
