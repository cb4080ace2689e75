//! Roles, routes and upstreams.

mod roles;
mod routes;
mod upstreams;
mod validation;

use std::collections::BTreeMap;

use gateway_policy::access::{RoleSpec, Roles, Route, RouteTable};
use gateway_policy::grammar::{Excerpt, RoleName};

use super::{Context, Leaks, ResponseHeaders};
use crate::config::raw;
use crate::config::tree::{At, Entries, nearest};

pub use routes::RouteTarget;
pub use upstreams::{Upstream, UpstreamId};
pub use validation::Validation;

/// What other sections say that routes go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// Whether anybody's tokens are accepted.
    pub(super) tokens: bool,
    /// Header fields of answers.
    pub(super) headers: &'a ResponseHeaders,
    /// What responses must not tell.
    pub(super) leaks: &'a Leaks,
}

/// Who may do what, and where it goes.
#[derive(Clone, Debug)]
pub struct Access {
    specs: BTreeMap<RoleName, RoleSpec>,
    routes: Vec<Route<RouteTarget>>,
    upstreams: Vec<Upstream>,
    roles: Roles,
    table: RouteTable<RouteTarget>,
}

impl Access {
    /// The roles with all that they inherit.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The routes.
    #[must_use]
    pub fn table(&self) -> &RouteTable<RouteTarget> {
        &self.table
    }

    /// The routes in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route<RouteTarget>] {
        &self.routes
    }

    /// The upstreams in the order of the file; [`UpstreamId::index`] counts in it.
    #[must_use]
    pub fn upstreams(&self) -> &[Upstream] {
        &self.upstreams
    }

    pub(super) fn check(
        roles: Entries<raw::Role>,
        routes: Vec<At<raw::Route>>,
        upstreams: Entries<raw::Upstream>,
        around: Around<'_>,
        cx: &Context<'_>,
    ) -> Option<Self> {
        let (upstreams, names) = upstreams::check(upstreams, cx);
        let (specs, roles) = roles::check(roles, cx);
        let known = routes::Known {
            specs: &specs,
            roles: roles.as_ref(),
            upstreams: &names,
            around,
        };
        let (routes, table) = routes::check(routes, &known, cx);
        Some(Self {
            specs,
            routes,
            upstreams,
            roles: roles?,
            table: table?,
        })
    }
}

impl PartialEq for Access {
    fn eq(&self, other: &Self) -> bool {
        // The roles and the table follow from these.
        self.specs == other.specs
            && self.routes == other.routes
            && self.upstreams == other.upstreams
    }
}

/// What to say of a name that the file uses and does not define.
fn unknown_name<'a>(
    what: &str,
    name: &str,
    section: &str,
    known: impl Iterator<Item = &'a str>,
) -> String {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let found = Excerpt::of(name);
    match nearest(name, known.iter().copied()) {
        Some(guess) => format!(
            "found the {what} {found}, which is not in `{section}`; did you mean `{guess}`?"
        ),
        None if known.is_empty() => {
            format!("found the {what} {found}, but there are no `{section}`")
        }
        None => {
            let some: Vec<&str> = known.into_iter().take(10).collect();
            format!(
                "found the {what} {found}, which is not in `{section}`; there is {}",
                some.join(", ")
            )
        }
    }
}
