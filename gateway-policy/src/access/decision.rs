//! Whether a caller may go where a route leads.

use std::fmt;

use super::{NormalPath, Roles};
use crate::grammar::RoleName;

/// What a route asks of a caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    #[default]
    None,
    /// A token that verified, whatever its roles.
    Token,
    /// A token with this role, or one that inherits from it, and a permission for the method and
    /// the path from any of the caller's roles.
    Role(RoleName),
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nothing"),
            Self::Token => f.write_str("a token"),
            Self::Role(role) => write!(f, "the role {role}"),
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller<'a> {
    /// No token was sent. One that did not verify is refused before it gets here.
    Anonymous,
    /// A token verified, and these are the roles that it names.
    Known {
        /// The roles, as the token has them; names of no known role count for nothing.
        roles: &'a [String],
    },
}

/// Why a caller may not go there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The route needs a token and none was sent: 401.
    #[error("this needs a token")]
    TokenRequired,
    /// The token does not name the role that the route needs: 403.
    #[error("this needs the role {0}")]
    RoleRequired(RoleName),
    /// The caller has the role, but none of its roles allows this method on this path: 403.
    #[error("none of the caller's roles allows this method on this path")]
    NotPermitted,
}

impl Refusal {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TokenRequired => "token-required",
            Self::RoleRequired(_) => "role-required",
            Self::NotPermitted => "not-permitted",
        }
    }

    /// Whether a token, or another one, would help: the difference between 401 and 403.
    #[must_use]
    pub const fn is_unauthenticated(&self) -> bool {
        matches!(self, Self::TokenRequired)
    }
}

/// Says whether `caller` fulfils `requirement` for `method` on `path`.
///
/// # Errors
/// When it does not, with what is missing.
pub fn decide(
    requirement: &Requirement,
    roles: &Roles,
    caller: Caller<'_>,
    method: &str,
    path: &NormalPath,
) -> Result<(), Refusal> {
    let held = match (requirement, caller) {
        (Requirement::None, _) => return Ok(()),
        (Requirement::Token | Requirement::Role(_), Caller::Anonymous) => {
            return Err(Refusal::TokenRequired);
        }
        (Requirement::Token, Caller::Known { .. }) => return Ok(()),
        (Requirement::Role(_), Caller::Known { roles }) => roles,
    };
    if let Requirement::Role(wanted) = requirement
        && !roles.include(held, wanted)
    {
        return Err(Refusal::RoleRequired(wanted.clone()));
    }
    if roles.permit(held, method, path) {
        Ok(())
    } else {
        Err(Refusal::NotPermitted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::roles::tests::specs;
    use super::*;

    #[test]
    fn each_requirement_and_each_caller() {
        let roles = Roles::resolve(&specs(&[
            ("reader", &[], &["GET /api/**"]),
            ("admin", &["reader"], &["* /**"]),
            ("printer", &[], &["POST /print"]),
        ]))
        .unwrap();
        let role = |name: &str| Requirement::Role(name.parse().unwrap());
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let missing = |name: &str| Err(Refusal::RoleRequired(name.parse().unwrap()));
        for (requirement, held, method, path, expected) in [
            (Requirement::None, None, "GET", "/", Ok(())),
            (Requirement::None, Some(&[][..]), "GET", "/", Ok(())),
            (
                Requirement::Token,
                None,
                "GET",
                "/",
                Err(Refusal::TokenRequired),
            ),
            (Requirement::Token, Some(&[]), "DELETE", "/", Ok(())),
            (
                role("reader"),
                None,
                "GET",
                "/api",
                Err(Refusal::TokenRequired),
            ),
            (role("reader"), Some(&[]), "GET", "/api", missing("reader")),
            (
                role("reader"),
                Some(&["stranger"]),
                "GET",
                "/api",
                missing("reader"),
            ),
            (role("reader"), Some(&["reader"]), "GET", "/api/x", Ok(())),
            (
                role("reader"),
                Some(&["reader"]),
                "POST",
                "/api/x",
                Err(Refusal::NotPermitted),
            ),
            (
                role("reader"),
                Some(&["reader"]),
                "GET",
                "/other",
                Err(Refusal::NotPermitted),
            ),
            (role("reader"), Some(&["admin"]), "POST", "/other", Ok(())),
            (
                role("admin"),
                Some(&["reader"]),
                "GET",
                "/api",
                missing("admin"),
            ),
            (
                role("reader"),
                Some(&["printer"]),
                "POST",
                "/print",
                missing("reader"),
            ),
            (
                role("reader"),
                Some(&["printer", "reader"]),
                "POST",
                "/print",
                Ok(()),
            ),
        ] {
            let held = held.map(names);
            let caller = match &held {
                None => Caller::Anonymous,
                Some(roles) => Caller::Known { roles },
            };
            let path = NormalPath::parse(path).unwrap();
            let decision = decide(&requirement, &roles, caller, method, &path);
            assert_eq!(decision, expected, "{requirement} {held:?} {method} {path}");
        }
    }

    #[test]
    fn refusals_have_names_and_sentences() {
        let refusal = Refusal::RoleRequired("admin".parse().unwrap());
        assert_eq!(
            (refusal.name(), refusal.to_string().as_str()),
            ("role-required", "this needs the role admin")
        );
        assert!(Refusal::TokenRequired.is_unauthenticated() && !refusal.is_unauthenticated());
    }
}
