//! The keys of one issuer, read from its file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyOperations, PublicKeyUse};
use serde::Deserialize;

use super::{Algorithm, IssuerSettings, KeyFault, KeyFile, TokenFault};

/// The largest key file read, bytes.
const MAX_FILE: u64 = 1_000_000;

/// The usable keys: each with the one algorithm it is for, so that no key is ever used with
/// another (RFC 8725 section 3.1).
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Keys {
    /// Reads the issuer's key file.
    ///
    /// # Errors
    /// When it cannot be read, is no key file, or has no key for the issuer's algorithms.
    pub(super) fn load(issuer: &IssuerSettings) -> Result<Self, KeyFault> {
        let path = issuer.keys.path();
        let bytes = read(path)?;
        match &issuer.keys {
            KeyFile::Secret(_) => secret(&bytes, path, &issuer.algorithms),
            KeyFile::Jwks(_) => set(&bytes, path, &issuer.algorithms),
        }
    }

    /// The key that a token's header asks for: the one of its `kid`; without a `kid` the only one
    /// for the algorithm. A secret file has one key without id, which serves every `kid`.
    ///
    /// # Errors
    /// [`TokenFault::UnknownKey`] when there is no such key.
    pub(super) fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&DecodingKey, TokenFault> {
        let mut fitting = self.0.iter().filter(|key| {
            key.algorithm == algorithm
                && (kid.is_none() || key.kid.is_none() || key.kid.as_deref() == kid)
        });
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(&key.key),
            // A key of that very id comes before keys that have none.
            (Some(_), Some(_)) if kid.is_some() => self
                .0
                .iter()
                .find(|key| key.algorithm == algorithm && key.kid.as_deref() == kid)
                .map(|key| &key.key)
                .ok_or(TokenFault::UnknownKey),
            _ => Err(TokenFault::UnknownKey),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyFault> {
    let unreadable = |source| KeyFault::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(KeyFault::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

fn secret(bytes: &[u8], path: &Path, algorithms: &[Algorithm]) -> Result<Keys, KeyFault> {
    let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    let keys = algorithms.iter().map(|&algorithm| {
        let least = algorithm.secret_len().unwrap_or(0);
        if secret.len() < least {
            let path = path.to_owned();
            return Err(KeyFault::ShortSecret {
                path,
                len: secret.len(),
                algorithm,
                least,
            });
        }
        Ok(Key {
            kid: None,
            algorithm,
            key: DecodingKey::from_secret(secret),
        })
    });
    keys.collect::<Result<_, _>>().map(Keys)
}

/// Each key is read by itself, so that one of a kind we do not know hides no other
/// (RFC 7517 section 5).
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

fn set(bytes: &[u8], path: &Path, algorithms: &[Algorithm]) -> Result<Keys, KeyFault> {
    let set: KeySet = serde_json::from_slice(bytes).map_err(|source| KeyFault::NotKeySet {
        path: path.to_owned(),
        source,
    })?;
    let mut keys: Vec<Key> = Vec::new();
    for value in set.keys {
        let Ok(jwk) = serde_json::from_value::<Jwk>(value) else {
            continue;
        };
        for &algorithm in algorithms.iter().filter(|alg| fits(&jwk, **alg)) {
            let Ok(key) = DecodingKey::from_jwk(&jwk) else {
                continue;
            };
            let kid = jwk.common.key_id.clone();
            let same = |key: &&Key| key.algorithm == algorithm && key.kid == kid;
            if let Some(kid) = kid.clone().filter(|_| keys.iter().any(|key| same(&key))) {
                return Err(KeyFault::RepeatedKid {
                    path: path.to_owned(),
                    kid,
                    algorithm,
                });
            }
            keys.push(Key {
                kid,
                algorithm,
                key,
            });
        }
    }
    if keys.is_empty() {
        let algorithms = algorithms.to_vec();
        return Err(KeyFault::NoKey {
            path: path.to_owned(),
            algorithms,
        });
    }
    Ok(Keys(keys))
}

/// Whether the key is for `algorithm`: by its own `alg`, by its type, by its purpose.
fn fits(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let common = &jwk.common;
    let named = common
        .key_algorithm
        .is_none_or(|alg| alg.to_string() == algorithm.name());
    let purpose = common
        .public_key_use
        .as_ref()
        .is_none_or(|u| *u == PublicKeyUse::Signature);
    let operations = common
        .key_operations
        .as_ref()
        .is_none_or(|ops| ops.contains(&KeyOperations::Verify));
    named && purpose && operations && of_type(jwk, algorithm)
}

fn of_type(jwk: &Jwk, algorithm: Algorithm) -> bool {
    use jsonwebtoken::AlgorithmFamily as Family;

    let family = algorithm.family();
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => family == Family::Rsa,
        AlgorithmParameters::EllipticCurve(key) => {
            family == Family::Ec && Some(&key.curve) == algorithm.curve().as_ref()
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            family == Family::Ed && Some(&key.curve) == algorithm.curve().as_ref()
        }
        AlgorithmParameters::OctetKey(key) => {
            // base64url: four characters for three bytes
            algorithm
                .secret_len()
                .is_some_and(|least| key.value.len() * 3 / 4 >= least)
        }
        // The enum may grow; a type unknown here fits nothing.
        AlgorithmParameters::Other(_) | _ => false,
    }
}
