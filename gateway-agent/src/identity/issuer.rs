//! One accepted issuer of tokens.

use std::path::PathBuf;
use std::time::Duration;

use super::{Algorithm, ClaimPath, KeyFault};

/// What makes a token of this issuer acceptable.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// The exact `iss`.
    pub issuer: String,
    /// The accepted values of `aud`, at least one.
    pub audiences: Vec<String>,
    /// The accepted algorithms, at least one; a token only ever picks among these
    /// (RFC 8725 section 3.1).
    pub algorithms: Vec<Algorithm>,
    /// Where the keys are.
    pub keys: KeyFile,
    /// Where the roles are.
    pub roles: ClaimPath,
    /// How far its clock and ours may be apart.
    pub leeway: Duration,
}

/// A file with the keys of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// A JSON Web Key Set (RFC 7517 section 5).
    Jwks(PathBuf),
    /// A secret for HMAC: the bytes of the file without a line end at its end.
    Secret(PathBuf),
}

impl KeyFile {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &PathBuf {
        match self {
            Self::Jwks(path) | Self::Secret(path) => path,
        }
    }
}

impl IssuerSettings {
    /// Refuses combinations that would be unsafe.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub(super) fn check(&self) -> Result<(), KeyFault> {
        let issuer = || self.issuer.clone();
        let Some(first) = self.algorithms.first() else {
            return Err(KeyFault::NoAlgorithm { issuer: issuer() });
        };
        if self.audiences.is_empty() {
            return Err(KeyFault::NoAudience { issuer: issuer() });
        }
        let symmetric = first.secret_len().is_some();
        if self
            .algorithms
            .iter()
            .any(|alg| alg.secret_len().is_some() != symmetric)
        {
            return Err(KeyFault::MixedAlgorithms { issuer: issuer() });
        }
        match &self.keys {
            KeyFile::Secret(_) if !symmetric => Err(KeyFault::SecretForPublicKey {
                issuer: issuer(),
                algorithm: *first,
            }),
            KeyFile::Secret(_) | KeyFile::Jwks(_) => Ok(()),
        }
    }
}
