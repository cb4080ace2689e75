//! The claims of a token (RFC 7519 section 4.1), and what the rest of the gateway gets of them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

use super::TokenFault;

/// The most roles taken from one token, and the longest in bytes; a token beyond is malformed.
const MAX_ROLES: usize = 256;
const MAX_ROLE: usize = 256;
/// The longest subject in bytes.
const MAX_SUBJECT: usize = 1024;

/// A verified identity: somebody an accepted issuer vouches for, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `sub`; empty when the token has none.
    pub subject: String,
    /// `iss`.
    pub issuer: String,
    /// The roles the token gives, as written there.
    pub roles: Vec<String>,
    /// `exp`, seconds since the Unix epoch.
    pub expires: u64,
}

/// Where the roles stand: a claim, or a path of claims such as `realm_access.roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl Default for ClaimPath {
    fn default() -> Self {
        Self(vec!["roles".to_owned()])
    }
}

impl ClaimPath {
    fn find<'v>(&self, claims: &'v Value) -> Option<&'v Value> {
        // A claim name may hold dots itself, as URLs do; the whole path is tried first.
        claims.get(self.0.join(".")).or_else(|| {
            self.0
                .iter()
                .try_fold(claims, |value, name| value.get(name))
        })
    }
}

impl FromStr for ClaimPath {
    type Err = EmptyClaim;

    fn from_str(text: &str) -> Result<Self, EmptyClaim> {
        let names: Vec<String> = text.split('.').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) {
            Err(EmptyClaim)
        } else {
            Ok(Self(names))
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// A claim path with an empty name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a claim has a name, or names with dots between, such as roles or realm_access.roles")]
pub struct EmptyClaim;

/// The registered claims that decide.
#[derive(Debug, Deserialize)]
pub(super) struct Registered {
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    aud: Audience,
    #[serde(default)]
    exp: Option<NumericDate>,
    #[serde(default)]
    nbf: Option<NumericDate>,
}

/// One audience or several.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Audience {
    #[default]
    None,
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn any(&self, accepted: &[String]) -> bool {
        match self {
            Self::None => false,
            Self::One(name) => accepted.contains(name),
            Self::Several(names) => names.iter().any(|name| accepted.contains(name)),
        }
    }
}

/// Seconds since the Unix epoch, maybe with a fraction (RFC 7519 section 2), which is cut.
#[derive(Clone, Copy, Debug)]
struct NumericDate(u64);

impl<'de> Deserialize<'de> for NumericDate {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the range is checked, and the fraction is meant to be cut"
    )]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_u64().or_else(|| {
            number
                .as_f64()
                .filter(|n| (0.0..u64::MAX as f64).contains(n))
                .map(|n| n as u64)
        });
        whole
            .map(Self)
            .ok_or_else(|| D::Error::custom("not a date"))
    }
}

/// When and for whom a token must be valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'e> {
    pub(super) audiences: &'e [String],
    pub(super) roles: &'e ClaimPath,
    /// How far two clocks may be apart, seconds.
    pub(super) leeway: u64,
    /// Seconds since the Unix epoch.
    pub(super) now: u64,
}

impl Registered {
    /// Reads the registered claims.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`] when they are no JSON object, of other types than theirs, or
    /// one stands twice.
    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenFault> {
        serde_json::from_slice(json).map_err(|_| TokenFault::Malformed)
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.iss.as_deref()
    }

    /// Checks the claims of a token whose signature is true.
    ///
    /// # Errors
    /// The first check that fails.
    pub(super) fn check(
        self,
        json: &[u8],
        expected: &Expected<'_>,
    ) -> Result<Identity, TokenFault> {
        if !self.aud.any(expected.audiences) {
            return Err(TokenFault::WrongAudience);
        }
        let NumericDate(expires) = self.exp.ok_or(TokenFault::NoExpiry)?;
        // "on or after which the JWT MUST NOT be accepted" (RFC 7519 section 4.1.4)
        if expected.now >= expires.saturating_add(expected.leeway) {
            return Err(TokenFault::Expired);
        }
        let starts = self.nbf.map_or(0, |NumericDate(nbf)| nbf);
        if starts > expected.now.saturating_add(expected.leeway) {
            return Err(TokenFault::NotYetValid);
        }
        let subject = self.sub.unwrap_or_default();
        if subject.len() > MAX_SUBJECT {
            return Err(TokenFault::Malformed);
        }
        let all: Value = serde_json::from_slice(json).map_err(|_| TokenFault::Malformed)?;
        Ok(Identity {
            subject,
            issuer: self.iss.unwrap_or_default(),
            roles: roles(expected.roles.find(&all))?,
            expires,
        })
    }
}

/// Roles as issuers write them: an array, or one text with spaces between, as `scope` has
/// (RFC 8693 section 4.2).
fn roles(claim: Option<&Value>) -> Result<Vec<String>, TokenFault> {
    let roles: Vec<String> = match claim {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or(TokenFault::Malformed)
            })
            .collect::<Result<_, _>>()?,
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            return Err(TokenFault::Malformed);
        }
    };
    let bounded = roles.len() <= MAX_ROLES && roles.iter().all(|role| role.len() <= MAX_ROLE);
    bounded.then_some(roles).ok_or(TokenFault::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(claims: Value) -> Result<Identity, TokenFault> {
        check_roles(claims, "roles")
    }

    fn check_roles(claims: Value, path: &str) -> Result<Identity, TokenFault> {
        let json = claims.to_string().into_bytes();
        let expected = Expected {
            audiences: &["api".to_owned()],
            roles: &path.parse().unwrap(),
            leeway: 10,
            now: 1000,
        };
        Registered::parse(&json)?.check(&json, &expected)
    }

    #[test]
    fn dates_hold_to_the_second() {
        let at = |exp: Value, nbf: Value| check(json!({"aud": "api", "exp": exp, "nbf": nbf}));
        assert!(at(json!(991), json!(1010)).is_ok());
        assert_eq!(at(json!(990), json!(null)), Err(TokenFault::Expired));
        assert_eq!(at(json!(2000), json!(1011)), Err(TokenFault::NotYetValid));
        assert!(at(json!(991.9), json!(0.5)).is_ok());
        assert_eq!(check(json!({"aud": "api"})), Err(TokenFault::NoExpiry));
        for junk in [json!("2000"), json!(-1), json!(1e300), json!({})] {
            assert_eq!(at(junk, json!(null)), Err(TokenFault::Malformed));
        }
        assert!(at(json!(u64::MAX), json!(null)).is_ok());
    }

    #[test]
    fn the_audience_must_be_named() {
        let with = |aud: Value| check(json!({"aud": aud, "exp": 2000}));
        assert!(with(json!("api")).is_ok());
        assert!(with(json!(["web", "api"])).is_ok());
        for other in [json!("web"), json!([]), json!(""), json!(["web"])] {
            assert_eq!(with(other), Err(TokenFault::WrongAudience));
        }
        assert_eq!(check(json!({"exp": 2000})), Err(TokenFault::WrongAudience));
        assert_eq!(with(json!(7)), Err(TokenFault::Malformed));
    }

    #[test]
    fn a_claim_that_stands_twice_is_malformed() {
        let json = br#"{"aud":"web","aud":"api","exp":2000}"#;
        assert_eq!(Registered::parse(json).unwrap_err(), TokenFault::Malformed);
    }

    #[test]
    fn roles_come_in_three_shapes_and_from_a_path() {
        let with = |claim: &str, path: &str| {
            let mut claims: Value = serde_json::from_str(claim).unwrap();
            claims["aud"] = json!("api");
            claims["exp"] = json!(2000);
            check_roles(claims, path).map(|identity| identity.roles.join("+"))
        };
        for (claim, path, roles) in [
            (r#"{"roles":["a","b"]}"#, "roles", "a+b"),
            (r#"{"scope":"a  b"}"#, "scope", "a+b"),
            (r#"{"role":"a"}"#, "role", "a"),
            (
                r#"{"realm_access":{"roles":["a"]}}"#,
                "realm_access.roles",
                "a",
            ),
            (
                r#"{"https://x.example/roles":["a"]}"#,
                "https://x.example/roles",
                "a",
            ),
            (r#"{}"#, "roles", ""),
            (r#"{"roles":null}"#, "roles", ""),
        ] {
            assert_eq!(with(claim, path).as_deref(), Ok(roles), "{claim}");
        }
        for claim in [
            r#"{"roles":[1]}"#,
            r#"{"roles":7}"#,
            r#"{"roles":{"a":true}}"#,
        ] {
            assert_eq!(with(claim, "roles"), Err(TokenFault::Malformed), "{claim}");
        }
        let many = json!({"roles": vec!["r"; MAX_ROLES + 1]}).to_string();
        assert_eq!(with(&many, "roles"), Err(TokenFault::Malformed));
    }
}
