//! The verification of a token, from the raw field to an [`Identity`].

use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;
use std::time::SystemTime;

use arc_swap::ArcSwap;

use super::claims::{Expected, Registered};
use super::keys::Keys;
use super::token::Parts;
use super::{Algorithm, Bearer, Identity, IssuerSettings, KeyFault, TokenFault};

/// The accepted issuers with their keys.
#[derive(Debug)]
pub struct Verifier {
    issuers: HashMap<String, Issuer>,
}

#[derive(Debug)]
struct Issuer {
    settings: IssuerSettings,
    keys: ArcSwap<Keys>,
    /// The stamp of the file that the keys are from.
    stamp: Mutex<Option<Stamp>>,
}

/// What tells two versions of a file apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    len: u64,
    /// A file renamed over another keeps neither.
    inode: u64,
}

/// What became of one look at the key files.
#[derive(Debug, Default)]
pub struct Refresh {
    /// Issuers whose keys were read anew.
    pub renewed: Vec<String>,
    /// Issuers whose file changed to something unusable; their old keys stay in use.
    pub kept: Vec<(String, KeyFault)>,
}

impl Verifier {
    /// Reads all key files.
    ///
    /// # Errors
    /// The first issuer that cannot be used.
    pub fn new(issuers: impl IntoIterator<Item = IssuerSettings>) -> Result<Self, KeyFault> {
        let mut known = HashMap::new();
        for settings in issuers {
            settings.check()?;
            // Stamped before reading: a change in between is found by the next look.
            let stamp = Mutex::new(stamp(&settings));
            let keys = ArcSwap::from_pointee(Keys::load(&settings)?);
            let name = settings.issuer.clone();
            let issuer = Issuer {
                settings,
                keys,
                stamp,
            };
            if known.insert(name.clone(), issuer).is_some() {
                return Err(KeyFault::RepeatedIssuer { issuer: name });
            }
        }
        Ok(Self { issuers: known })
    }

    /// Reads the key files that changed since they were read last. A file that became unusable
    /// changes nothing, so a half-written one locks nobody out. Blocks on file I/O.
    #[must_use]
    pub fn refresh(&self) -> Refresh {
        let mut refresh = Refresh::default();
        for (name, issuer) in &self.issuers {
            let now = stamp(&issuer.settings);
            let mut last = issuer
                .stamp
                .lock()
                .unwrap_or_else(|poison| poison.into_inner());
            if *last == now {
                continue;
            }
            *last = now;
            match Keys::load(&issuer.settings) {
                Ok(keys) => {
                    issuer.keys.store(keys.into());
                    refresh.renewed.push(name.clone());
                }
                Err(fault) => refresh.kept.push((name.clone(), fault)),
            }
        }
        refresh
    }

    /// Verifies a token at `now`, seconds since the Unix epoch.
    ///
    /// The signature is checked before any claim but `iss`, which only picks the keys: a fault
    /// such as [`TokenFault::Expired`] is told only of a token that is genuine.
    ///
    /// # Errors
    /// What is wrong with the token.
    pub fn verify(&self, token: Bearer<'_>, now: u64) -> Result<Identity, TokenFault> {
        let parts = Parts::of(token)?;
        let claims = Registered::parse(&parts.claims)?;
        let issuer = claims
            .issuer()
            .and_then(|name| self.issuers.get(name))
            .ok_or(TokenFault::WrongIssuer)?;
        let settings = &issuer.settings;
        let algorithm = parts
            .header
            .alg
            .parse::<Algorithm>()
            .ok()
            .filter(|alg| settings.algorithms.contains(alg))
            .ok_or(TokenFault::AlgorithmNotAllowed)?;
        let keys = issuer.keys.load();
        let key = keys.find(parts.header.kid.as_deref(), algorithm)?;
        let genuine =
            jsonwebtoken::crypto::verify(parts.signature, parts.signed, key, algorithm.as_jwt());
        if !matches!(genuine, Ok(true)) {
            return Err(TokenFault::BadSignature);
        }
        claims.check(
            &parts.claims,
            &Expected {
                audiences: &settings.audiences,
                roles: &settings.roles,
                leeway: settings.leeway.as_secs(),
                now,
            },
        )
    }
}

fn stamp(issuer: &IssuerSettings) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;

    let meta = fs::metadata(issuer.keys.path()).ok()?;
    Some(Stamp {
        modified: meta.modified().ok()?,
        len: meta.len(),
        inode: meta.ino(),
    })
}

#[cfg(test)]
mod tests;
