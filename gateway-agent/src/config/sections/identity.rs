//! Whose tokens are accepted.

use gateway_policy::grammar::{Excerpt, Period};

use super::{Context, FilePath};
use crate::config::raw;
use crate::config::report::Place;
use crate::config::tree::{At, nearest};
use crate::config::values::FileName;
use crate::identity::{Algorithm, ClaimPath, IssuerSettings, KeyFile};

/// Whose tokens are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The issuers, in the order of the file; no two have the same `iss`.
    pub issuers: Vec<Issuer>,
}

/// One issuer of JSON web tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must hold one of; never empty.
    pub audiences: Vec<String>,
    /// The algorithms that are accepted; never empty, and never HMAC and public-key ones mixed:
    /// then a public key could be taken for a secret (RFC 8725 section 2.1).
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are; a secret if and only if the algorithms are HMAC ones.
    pub keys: KeySource,
    /// The claim with the roles.
    pub roles: ClaimPath,
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
}

impl KeySource {
    /// The file.
    #[must_use]
    pub fn file(&self) -> &FilePath {
        match self {
            Self::Jwks(file) | Self::Secret(file) => file,
        }
    }
}

impl Issuer {
    /// What the verifier wants to know.
    #[must_use]
    pub fn settings(&self) -> IssuerSettings {
        IssuerSettings {
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            algorithms: self.algorithms.clone(),
            keys: match &self.keys {
                KeySource::Jwks(file) => KeyFile::Jwks(file.path().to_owned()),
                KeySource::Secret(file) => KeyFile::Secret(file.path().to_owned()),
            },
            roles: self.roles.clone(),
            leeway: self.leeway.as_duration(),
        }
    }
}

impl Identity {
    /// What the verifier wants to know of all issuers.
    #[must_use]
    pub fn settings(&self) -> Vec<IssuerSettings> {
        self.issuers.iter().map(Issuer::settings).collect()
    }

    pub(super) fn check(raw: raw::Identity, cx: &Context<'_>) -> Self {
        let mut issuers: Vec<Issuer> = Vec::new();
        for raw in raw.jwt.0 {
            let place = raw.place();
            let Some(raw) = raw.take() else {
                continue;
            };
            let name_place = raw.issuer.place();
            let Some(issuer) = check_issuer(raw, place, cx) else {
                continue;
            };
            if issuers.iter().any(|known| known.issuer == issuer.issuer) {
                let found = Excerpt::of(&issuer.issuer);
                cx.report
                    .fault(name_place, format!("found the issuer {found} again"));
            } else {
                issuers.push(issuer);
            }
        }
        Self { issuers }
    }
}

fn check_issuer(raw: raw::Jwt, place: Place, cx: &Context<'_>) -> Option<Issuer> {
    let issuer = cx.line(&raw.issuer);
    let audiences = raw
        .audience
        .0
        .iter()
        .filter_map(|a| cx.line(a))
        .collect::<Vec<_>>();
    if raw.audience.0.is_empty() {
        cx.report.fault(
            place,
            "found no audience, expected at least one: else tokens made for \
             other services would be accepted",
        );
    }
    let algorithms = check_algorithms(raw.algorithms.0, place, cx);
    let keys = key_source(raw.jwks, raw.secret_file, place, cx);
    if let (Some((source, at)), Some(algorithms)) = (&keys, &algorithms) {
        check_fit(source, algorithms, *at, cx);
    }
    let roles = match &raw.roles_claim {
        Some(claim) => cx
            .report
            .take(claim.place(), cx.line(claim)?.parse::<ClaimPath>()),
        None => Some(ClaimPath::default()),
    };
    let leeway = cx.period(
        raw.leeway,
        Period::from_secs(30),
        (Period::ZERO, Period::from_secs(300)),
    );
    Some(Issuer {
        issuer: issuer?,
        audiences,
        algorithms: algorithms?,
        keys: keys?.0,
        roles: roles?,
        leeway,
    })
}

fn check_algorithms(
    raw: Vec<At<String>>,
    place: Place,
    cx: &Context<'_>,
) -> Option<Vec<Algorithm>> {
    if raw.is_empty() {
        cx.report.fault(
            place,
            "found no algorithm, expected at least one in `algorithms`",
        );
        return None;
    }
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for raw in raw {
        let algorithm = check_algorithm(&raw, cx)?;
        if let Some(first) = algorithms.first()
            && first.secret_len().is_some() != algorithm.secret_len().is_some()
        {
            let message = format!(
                "found {algorithm} beside {first}, expected only algorithms with a secret or only \
                 ones with public keys: else a public key could be used as a secret"
            );
            cx.report.fault(raw.place(), message);
            return None;
        }
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    Some(algorithms)
}

fn check_algorithm(raw: &At<String>, cx: &Context<'_>) -> Option<Algorithm> {
    let text = raw.get()?;
    let algorithm = text.parse().ok();
    if algorithm.is_none() {
        let names = Algorithm::ALL.map(Algorithm::name);
        let guess =
            nearest(text, names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        let message = format!(
            "found {}, which is no signature algorithm{guess} (known: {})",
            Excerpt::of(text),
            names.join(", ")
        );
        cx.report.fault(raw.place(), message);
    }
    algorithm
}

fn key_source(
    jwks: Option<At<FileName>>,
    secret: Option<At<FileName>>,
    place: Place,
    cx: &Context<'_>,
) -> Option<(KeySource, Place)> {
    match (jwks, secret) {
        (None, None) => {
            cx.report
                .fault(place, "found no key, expected `jwks` or `secret_file`");
            None
        }
        (Some(_), Some(secret)) => {
            let message = "found `secret_file` beside `jwks`, expected one of them";
            cx.report.fault(secret.place(), message);
            None
        }
        (Some(jwks), None) if jwks.get().is_some_and(|name| name.as_str().contains("://")) => {
            cx.report.fault(
                jwks.place(),
                "found a URL, expected a file: this version does not fetch key sets; download \
                 the set and name its file",
            );
            None
        }
        (Some(jwks), None) => Some((KeySource::Jwks(cx.file(&jwks)?), jwks.place())),
        (None, Some(secret)) => Some((KeySource::Secret(cx.file(&secret)?), secret.place())),
    }
}

/// A secret is for HMAC and HMAC is for a secret.
fn check_fit(source: &KeySource, algorithms: &[Algorithm], place: Place, cx: &Context<'_>) {
    let Some(first) = algorithms.first() else {
        return;
    };
    let message = match (source, first.secret_len()) {
        (KeySource::Secret(_), None) => format!("found a secret for {first}, expected `jwks`"),
        (KeySource::Jwks(_), Some(_)) => {
            format!("found public keys for {first}, expected `secret_file`")
        }
        (KeySource::Secret(_), Some(_)) | (KeySource::Jwks(_), None) => return,
    };
    cx.report.fault(place, message);
}
