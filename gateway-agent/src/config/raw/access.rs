//! Who may do what, and where it goes.

use gateway_policy::access::{HostPattern, MethodPattern, PathPattern, Permission};
use gateway_policy::bans::Mode;
use gateway_policy::grammar::{Period, RoleName};
use serde::Deserialize;

use super::{Leaks, ResponseHeaders};
use crate::config::tree::{At, OneOrMany, WordOrMap};
use crate::config::values::{FileName, RuleChoice, Target, WafMode};
use crate::validation::{MediaRange, Unknown};

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
    /// blocked, or `off`; or a map, to put single rules in shadow here. Default: `waf.mode`.
    pub(crate) waf: Option<At<WordOrMap<WafMode, RouteWaf>>>,
    /// What requests have to look like. Default: anything goes.
    pub(crate) validate: Option<At<Validate>>,
    /// Header fields of its answers. What is left out is as in `response_headers` for all routes.
    pub(crate) response_headers: Option<At<ResponseHeaders>>,
    /// What its responses must not tell. What is left out is as in `leaks` for all routes.
    pub(crate) leaks: Option<At<Leaks>>,
}

/// The firewall on one route.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct RouteWaf {
    /// `block`, `detect` to log what would be blocked, or `off`. Default: `waf.mode`.
    pub(crate) mode: Option<At<WafMode>>,
    /// Rules that only watch on this route, besides those of `waf.shadow`; written as there.
    pub(crate) shadow: OneOrMany<RuleChoice>,
}

/// What the requests of a route have to look like.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Validate {
    /// The media types that a body may have, such as `application/json`, `image/*` or
    /// `application/*+json`. Default: JSON and formats made of it with `schema`, those of the
    /// operation with `openapi`, else any.
    pub(crate) content_type: OneOrMany<MediaRange>,
    /// A file with a JSON Schema (draft 2020-12 unless it names another), as JSON or YAML, that
    /// bodies keep to; `POST`, `PUT` and `PATCH` need one.
    pub(crate) schema: Option<At<FileName>>,
    /// An OpenAPI document, of version 3.1 or 3.0, instead of `schema`.
    pub(crate) openapi: Option<At<OpenApi>>,
    /// Fields of bodies that the schema does not name, where it does not say itself:
    /// `allow` or `refuse`. Default: `allow`.
    pub(crate) unknown_fields: Option<At<Unknown>>,
    /// `enforce`, or `shadow` to log what would be refused. Default: `enforce`.
    pub(crate) mode: Option<At<Mode>>,
}

/// An OpenAPI document.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OpenApi {
    /// The file, as JSON or YAML. References to other files are not followed.
    pub(crate) file: At<FileName>,
    /// What stands in front of the document's paths, such as `/api/v1`. Default: the paths in its
    /// `servers`.
    pub(crate) base_path: Option<At<String>>,
    /// Paths and methods that the document does not have: `refuse` with 404 and 405, or `allow`.
    /// Default: `refuse`.
    pub(crate) undocumented: Option<At<Unknown>>,
    /// Query parameters that the operation does not have: `allow` or `refuse`. Default: `allow`.
    pub(crate) unknown_parameters: Option<At<Unknown>>,
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
