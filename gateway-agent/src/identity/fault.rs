//! What can be wrong with a token, and with a key file.

use std::path::PathBuf;

use super::Algorithm;

/// Why a token was refused. The texts go to the client, so they tell what it may know: nothing
/// of the keys, and nothing that the token itself did not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenFault {
    /// More than one `Authorization` field, or one that is no bearer credential.
    #[error("the Authorization field is not one bearer token")]
    NotBearer,
    /// Longer than the limit.
    #[error("the token is too long")]
    TooLong,
    /// Not three base64url parts with JSON in the first two, or claims of the wrong type.
    #[error("the token is malformed")]
    Malformed,
    /// `alg` is not what is configured for the issuer, `none` among them.
    #[error("the token's algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// No key of that `kid`, or without a `kid` not exactly one that fits.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the token's signature does not verify")]
    BadSignature,
    /// No configured issuer goes by that `iss`.
    #[error("the token's issuer is not accepted")]
    WrongIssuer,
    /// `aud` does not name an accepted audience.
    #[error("the token is for another audience")]
    WrongAudience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// No `exp`: a token that never ends.
    #[error("the token has no expiry")]
    NoExpiry,
}

impl TokenFault {
    /// Every fault.
    pub const ALL: [Self; 11] = [
        Self::NotBearer,
        Self::TooLong,
        Self::Malformed,
        Self::AlgorithmNotAllowed,
        Self::UnknownKey,
        Self::BadSignature,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::Expired,
        Self::NotYetValid,
        Self::NoExpiry,
    ];

    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotBearer => "token-not-bearer",
            Self::TooLong => "token-too-long",
            Self::Malformed => "token-malformed",
            Self::AlgorithmNotAllowed => "token-algorithm-not-allowed",
            Self::UnknownKey => "token-unknown-key",
            Self::BadSignature => "token-bad-signature",
            Self::WrongIssuer => "token-wrong-issuer",
            Self::WrongAudience => "token-wrong-audience",
            Self::Expired => "token-expired",
            Self::NotYetValid => "token-not-yet-valid",
            Self::NoExpiry => "token-no-expiry",
        }
    }

    /// Whether somebody honest gets here too. Every client that holds a token until it is refused
    /// sends an expired one now and then, and a clock that runs ahead at the issuer makes tokens
    /// that are not valid yet; both carry a true signature, which no guesser of tokens has. Such
    /// a client must not be banned.
    #[must_use]
    pub const fn is_honest(self) -> bool {
        match self {
            Self::Expired | Self::NotYetValid => true,
            Self::NotBearer
            | Self::TooLong
            | Self::Malformed
            | Self::AlgorithmNotAllowed
            | Self::UnknownKey
            | Self::BadSignature
            | Self::WrongIssuer
            | Self::WrongAudience
            | Self::NoExpiry => false,
        }
    }
}

/// Why an issuer's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file cannot be read.
    #[error("key file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than a megabyte.
    #[error("key file {path} is larger than 1 MB")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is no JSON Web Key Set.
    #[error("key file {path} is no JSON Web Key Set (RFC 7517): {source}")]
    NotKeySet {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// Two keys for the same algorithm share one `kid`.
    #[error("key file {path} has two keys with kid {kid} for {algorithm}")]
    RepeatedKid {
        /// The file.
        path: PathBuf,
        /// The id.
        kid: String,
        /// The algorithm that both are for.
        algorithm: Algorithm,
    },
    /// No key fits any of the algorithms.
    #[error("key file {path} has no key for {}", names(algorithms))]
    NoKey {
        /// The file.
        path: PathBuf,
        /// The configured algorithms.
        algorithms: Vec<Algorithm>,
    },
    /// A secret that is shorter than the hash.
    #[error("the secret in {path} has {len} bytes; {algorithm} needs at least {least}")]
    ShortSecret {
        /// The file.
        path: PathBuf,
        /// Its length without the line end.
        len: usize,
        /// The algorithm.
        algorithm: Algorithm,
        /// The least length.
        least: usize,
    },
    /// HMAC and public keys in one issuer: whoever knows the public key could sign with it.
    #[error("issuer {issuer} mixes HMAC with public key algorithms")]
    MixedAlgorithms {
        /// The issuer.
        issuer: String,
    },
    /// A secret file for public key algorithms.
    #[error("issuer {issuer} has a secret file but {algorithm} needs public keys")]
    SecretForPublicKey {
        /// The issuer.
        issuer: String,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// No algorithm at all.
    #[error("issuer {issuer} allows no algorithm")]
    NoAlgorithm {
        /// The issuer.
        issuer: String,
    },
    /// No audience: tokens made for other services would be accepted.
    #[error("issuer {issuer} has no audience")]
    NoAudience {
        /// The issuer.
        issuer: String,
    },
    /// Two entries for one issuer.
    #[error("issuer {issuer} is configured twice")]
    RepeatedIssuer {
        /// The issuer.
        issuer: String,
    },
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms
        .iter()
        .map(|alg| alg.name())
        .collect::<Vec<_>>()
        .join(", ")
}
