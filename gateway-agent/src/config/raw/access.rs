//! Who may do what, and where it goes.

use gateway_policy::access::{HostPattern, MethodPattern, PathPattern, Permission};
use gateway_policy::grammar::{Period, RoleName};
use serde::Deserialize;

use crate::config::tree::{At, OneOrMany};
use crate::config::values::{Target, WafMode};

/// What the holders of a role may do.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Role {
    /// Methods and paths, such as `GET /api/**` or `POST,PUT /api/*/items`; `* /**` is everything.
    pub(crate) allow: OneOrMany<Permission>,
    /// Roles whose rights this one has too.
    pub(crate) inherits: OneOrMany<RoleName>,
}

/// Requests that belong together. Of all routes that match a request the most specific one
/// decides: by its host, then by its path. Their order decides only between equals.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Route {
    /// Which requests. Default: all.
    #[serde(rename = "match")]
    pub(crate) matches: Option<At<RouteMatch>>,
    /// `none` for everyone, `token` for anyone with a valid token, or `role: reader` for tokens
    /// with that role, or one that inherits it, and a right to the request.
    pub(crate) require: At<Require>,
    /// The name of the upstream that answers.
    pub(crate) upstream: At<String>,
    /// What the firewall does with these requests: `block`, `detect` to log what would be
    /// blocked, or `off`. Default: `waf.mode`.
    pub(crate) waf: Option<At<WafMode>>,
}

/// Which requests a route is for; what is left out matches all.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct RouteMatch {
    /// The host that was asked for, such as `api.example.org`, or `*.example.org` for every name
    /// below `example.org`. Default: any.
    pub(crate) host: Option<At<HostPattern>>,
    /// The path, such as `/api/*/items`, or `/api/**` for `/api` and all below. Default: `/**`.
    pub(crate) path: Option<At<PathPattern>>,
    /// The methods, such as `[GET, POST]`. Default: any.
    pub(crate) methods: OneOrMany<MethodPattern>,
}

/// What a request needs to be let through.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Require {
    /// Nothing.
    None,
    /// A valid token.
    Token,
    /// A valid token whose owner has this role, and the role allows the request.
    Role(At<RoleName>),
}

/// The servers that answer for one name.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Upstream {
    /// The servers, such as `http://127.0.0.1:9000`. They are asked in turn; one that cannot be
    /// reached is passed over.
    pub(crate) targets: OneOrMany<Target>,
    /// How long a connection may take to be made. Default: `2s`.
    pub(crate) connect_timeout: Option<At<Period>>,
    /// How long the server may take to answer. Default: `30s`.
    pub(crate) timeout: Option<At<Period>>,
}
