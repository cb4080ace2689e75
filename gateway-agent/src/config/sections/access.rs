//! Roles, routes and upstreams.

use gateway_policy::grammar::{Period, RoleName};

use super::{Context, setting};
use crate::config::raw;
use crate::config::tree::{At, Entries, OneOrMany, nearest};
use crate::config::values::Target;

/// Who may do what, and where it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The roles.
    pub roles: Vec<Role>,
    /// The routes, in the order of the file: the first that matches decides.
    pub routes: Vec<Route>,
    /// The upstreams that routes name.
    pub upstreams: Vec<Upstream>,
}

/// What the holders of a role may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// Methods and paths.
    pub allow: Vec<String>,
    /// Roles whose rights it has too.
    pub inherits: Vec<RoleName>,
}

/// Requests that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which requests.
    pub matches: RouteMatch,
    /// What they need.
    pub require: Require,
    /// Who answers: a name in [`Access::upstreams`].
    pub upstream: String,
}

/// Which requests a route is for; what is `None` or empty matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMatch {
    /// The host.
    pub host: Option<String>,
    /// The path.
    pub path: Option<String>,
    /// The methods.
    pub methods: Vec<String>,
}

/// What a request needs to be let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Require {
    /// Nothing.
    None,
    /// A valid token.
    Token,
    /// A valid token with this role.
    Role(RoleName),
}

/// The servers that answer for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// The servers, at least one: asked in turn, passed over when they cannot be reached.
    pub targets: Vec<Target>,
    /// How long a connection may take to be made.
    pub connect_timeout: Period,
    /// How long the server may take to answer.
    pub timeout: Period,
}

impl Access {
    pub(super) fn check(
        roles: Entries<raw::Role>,
        routes: Vec<At<raw::Route>>,
        upstreams: Entries<raw::Upstream>,
        cx: &Context<'_>,
    ) -> Self {
        let _ = (&roles, &routes, nearest("", []), OneOrMany::<u8>::default());
        let upstreams = upstreams.0.into_iter().filter_map(|u| check_upstream(u, cx)).collect();
        Self { upstreams, ..Self::default() }
    }
}

fn check_upstream(
    (key, raw): (At<String>, At<raw::Upstream>),
    cx: &Context<'_>,
) -> Option<Upstream> {
    let name = cx.line(&key)?;
    let place = raw.place();
    let raw = raw.take()?;
    if raw.targets.0.is_empty() {
        cx.report.fault(place, "found no target, expected at least one in `targets`");
    }
    let bounds = (Period::from_millis(10), Period::from_secs(24 * 3600));
    let _ = setting::<u8>;
    Some(Upstream {
        name,
        targets: raw.targets.0.into_iter().filter_map(At::take).collect(),
        connect_timeout: cx.period(raw.connect_timeout, Period::from_secs(2), bounds),
        timeout: cx.period(raw.timeout, Period::from_secs(30), bounds),
    })
}
