//! Whose tokens are accepted.

use gateway_policy::grammar::Period;

use super::{Context, FilePath};
use crate::config::raw;
use crate::config::report::Place;
use crate::config::tree::At;
use crate::config::values::Algorithm;

/// Whose tokens are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The issuers, in the order of the file.
    pub issuers: Vec<Issuer>,
}

/// One issuer of JSON web tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its name in logs.
    pub name: String,
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must hold one of; never empty.
    pub audience: Vec<String>,
    /// The algorithms that are accepted; never empty, and never HMAC and public-key ones mixed:
    /// then a public key could be taken for a secret (RFC 8725 section 2.1).
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are; a secret if and only if the algorithms are HMAC ones.
    pub keys: KeySource,
    /// The claim with the roles; dots lead into objects.
    pub roles_claim: String,
    /// How far the issuer's clock may be off.
    pub leeway: Period,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A set of public keys (RFC 7517 section 5).
    Jwks(FilePath),
    /// A shared secret.
    Secret(FilePath),
    /// One public key in PEM.
    PublicKey(FilePath),
}

impl KeySource {
    /// The file.
    #[must_use]
    pub fn file(&self) -> &FilePath {
        match self {
            Self::Jwks(file) | Self::Secret(file) | Self::PublicKey(file) => file,
        }
    }
}

impl Identity {
    /// The least length in bytes that the secret of `issuer` must have.
    pub(super) fn check(raw: raw::Identity, cx: &Context<'_>) -> Self {
        let mut issuers: Vec<Issuer> = Vec::new();
        for raw in raw.jwt {
            let place = raw.place();
            let Some(raw) = raw.take() else {
                continue;
            };
            let name_place = raw.name.as_ref().map_or(raw.issuer.place(), At::place);
            let Some(issuer) = check_issuer(raw, place, cx) else {
                continue;
            };
            if issuers.iter().any(|known| known.name == issuer.name) {
                let message = format!(
                    "found the issuer `{}` again, expected another `name` for it",
                    issuer.name
                );
                cx.report.fault(name_place, message);
            }
            issuers.push(issuer);
        }
        Self { issuers }
    }
}

impl Issuer {
    /// The least length of a shared secret in bytes, for the longest hash that it is used with.
    #[must_use]
    pub fn least_secret(&self) -> usize {
        self.algorithms.iter().filter_map(|a| a.secret_bytes()).max().unwrap_or(0)
    }
}

fn check_issuer(raw: raw::Jwt, place: Place, cx: &Context<'_>) -> Option<Issuer> {
    let issuer = cx.line(&raw.issuer);
    let audience = raw.audience.0.iter().filter_map(|a| cx.line(a)).collect::<Vec<_>>();
    if raw.audience.0.is_empty() {
        cx.report.fault(place, "found no audience, expected at least one");
    }
    let algorithms = check_algorithms(raw.algorithms.0, place, cx);
    let keys = key_source(raw.jwks, raw.secret_file, raw.public_key_file, place, cx);
    if let (Some((source, at)), Some(algorithms)) = (&keys, &algorithms) {
        check_fit(source, algorithms, *at, cx);
    }
    let name = match &raw.name {
        Some(name) => cx.line(name),
        None => issuer.clone(),
    };
    let roles_claim = match &raw.roles_claim {
        Some(claim) => cx.line(claim),
        None => Some("roles".to_owned()),
    };
    Some(Issuer {
        name: name?,
        issuer: issuer?,
        audience,
        algorithms: algorithms?,
        keys: keys?.0,
        roles_claim: roles_claim?,
        leeway: cx.period(
            raw.leeway,
            Period::from_secs(30),
            (Period::ZERO, Period::from_secs(300)),
        ),
    })
}

fn check_algorithms(
    raw: Vec<At<Algorithm>>,
    place: Place,
    cx: &Context<'_>,
) -> Option<Vec<Algorithm>> {
    if raw.is_empty() {
        cx.report.fault(place, "found no algorithm, expected at least one in `algorithms`");
        return None;
    }
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for raw in raw {
        let place = raw.place();
        let algorithm = raw.take()?;
        let first = algorithms.first();
        match first {
            Some(first) if first.secret_bytes().is_some() != algorithm.secret_bytes().is_some() => {
                let message = format!(
                    "found {algorithm} beside {first}, expected only algorithms with a secret or \
                     only ones with public keys: else a public key could be used as a secret"
                );
                cx.report.fault(place, message);
                return None;
            }
            Some(_) | None if algorithms.contains(&algorithm) => {}
            Some(_) | None => algorithms.push(algorithm),
        }
    }
    Some(algorithms)
}

fn key_source(
    jwks: Option<At<String>>,
    secret: Option<At<String>>,
    public: Option<At<String>>,
    place: Place,
    cx: &Context<'_>,
) -> Option<(KeySource, Place)> {
    if let Some(jwks) = &jwks
        && let Some(text) = jwks.get()
        && text.contains("://")
    {
        cx.report.fault(
            jwks.place(),
            "found a URL, expected a file: this version does not fetch key sets; \
             download it and name the file",
        );
        return None;
    }
    let given = [
        jwks.map(|raw| (KeySource::Jwks as fn(FilePath) -> KeySource, raw)),
        secret.map(|raw| (KeySource::Secret as fn(FilePath) -> KeySource, raw)),
        public.map(|raw| (KeySource::PublicKey as fn(FilePath) -> KeySource, raw)),
    ];
    let mut given = given.into_iter().flatten();
    let Some((make, raw)) = given.next() else {
        cx.report.fault(
            place,
            "found no key, expected one of `jwks`, `secret_file` and `public_key_file`",
        );
        return None;
    };
    if let Some((_, second)) = given.next() {
        cx.report.fault(
            second.place(),
            "found a second source of keys, expected one of `jwks`, `secret_file` and \
             `public_key_file`",
        );
    }
    Some((make(cx.file(&raw)?), raw.place()))
}

/// A secret is for HMAC and HMAC is for a secret.
fn check_fit(source: &KeySource, algorithms: &[Algorithm], place: Place, cx: &Context<'_>) {
    let Some(first) = algorithms.first() else {
        return;
    };
    match (source, first.secret_bytes()) {
        (KeySource::Secret(_), None) => cx.report.fault(
            place,
            format!("found a secret for {first}, expected `jwks` or `public_key_file`"),
        ),
        (KeySource::Jwks(_) | KeySource::PublicKey(_), Some(_)) => cx.report.fault(
            place,
            format!("found public keys for {first}, expected `secret_file`"),
        ),
        (KeySource::PublicKey(_), None) if algorithms.iter().any(|a| a.family() != first.family()) => {
            cx.report.fault(
                place,
                "found one public key for algorithms of several kinds, expected a `jwks` or \
                 algorithms of one kind",
            );
        }
        (KeySource::Secret(_), Some(_)) | (KeySource::Jwks(_) | KeySource::PublicKey(_), None) => {}
    }
}
