//! Routes.

use std::collections::BTreeMap;

use gateway_policy::access::{
    MethodPattern, PathPattern, Requirement, RoleSpec, Roles, Route, RouteError, RouteMatch,
    RouteTable,
};
use gateway_policy::grammar::RoleName;

use super::upstreams::{Names, UpstreamId};
use super::validation::Validation;
use super::{Context, roles, unknown_name};
use crate::config::raw;
use crate::config::report::Place;
use crate::config::sections::{Leaks, ResponseHeaders, Shadowed};
use crate::config::tree::{At, WordOrMap};
use crate::config::values::WafMode;

/// The end of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTarget {
    /// Who answers.
    pub upstream: UpstreamId,
    /// What the firewall does with its requests, where the route says so.
    pub waf: Option<WafMode>,
    /// Rules of the firewall that only watch here.
    pub shadow: Vec<Shadowed>,
    /// What requests have to look like.
    pub validation: Option<Validation>,
    /// Header fields of its answers, where they are its own.
    pub headers: Option<ResponseHeaders>,
    /// What its responses must not tell.
    pub leaks: Leaks,
}

/// What routes may name.
pub(super) struct Known<'a> {
    pub(super) specs: &'a BTreeMap<RoleName, RoleSpec>,
    /// What the roles come to, unless there is a fault in them.
    pub(super) roles: Option<&'a Roles>,
    pub(super) upstreams: &'a Names,
    pub(super) around: super::Around<'a>,
}

/// The routes that could be read, and the table of them unless there is a fault.
pub(super) fn check(
    raw: Vec<At<raw::Route>>,
    known: &Known<'_>,
    cx: &Context<'_>,
) -> (Vec<Route<RouteTarget>>, Option<RouteTable<RouteTarget>>) {
    let mut places = Vec::new();
    let mut routes = Vec::new();
    for raw in raw {
        let place = raw.place();
        if let Some(route) = raw.take().and_then(|raw| check_route(raw, known, cx)) {
            places.push(place);
            routes.push(route);
        }
    }
    let table = known.roles.and_then(|roles| {
        let table = RouteTable::new(routes.clone(), roles);
        table
            .map_err(|errors| errors.iter().for_each(|e| tell(e, &places, cx)))
            .ok()
    });
    (routes, table)
}

fn check_route(raw: raw::Route, known: &Known<'_>, cx: &Context<'_>) -> Option<Route<RouteTarget>> {
    let matches = match raw.matches {
        Some(matches) => matches.take().and_then(check_match),
        None => check_match(raw::RouteMatch::default()),
    };
    let require = check_require(raw.require, known, cx);
    let upstream = raw.upstream.get().and_then(|name| {
        let id = known.upstreams.get(name);
        if id.is_none() {
            let names = known.upstreams.names();
            let message = unknown_name("upstream", name, "upstreams", names);
            cx.report.fault(raw.upstream.place(), message);
        }
        id
    });
    let validation = match raw.validate {
        Some(raw) => {
            let place = raw.place();
            Some(Validation::check(raw.take()?, place, cx)?)
        }
        None => None,
    };
    let headers = match raw.response_headers {
        Some(raw) => Some(ResponseHeaders::check(
            raw.take()?,
            known.around.headers.clone(),
            cx,
        )),
        None => None,
    };
    let leaks = match raw.leaks {
        Some(raw) => Leaks::check(raw.take()?, known.around.leaks.clone()),
        None => known.around.leaks.clone(),
    };
    let (waf, shadow) = match raw.waf {
        Some(raw) => check_waf(raw.take()?, cx),
        None => (None, Vec::new()),
    };
    Some(Route {
        matches: matches?,
        require: require?,
        target: RouteTarget {
            upstream: upstream?,
            waf,
            shadow,
            validation,
            headers,
            leaks,
        },
    })
}

fn check_waf(
    raw: WordOrMap<WafMode, raw::RouteWaf>,
    cx: &Context<'_>,
) -> (Option<WafMode>, Vec<Shadowed>) {
    let raw = match raw {
        WordOrMap::Word(mode) => return (Some(mode), Vec::new()),
        WordOrMap::Map(raw) => raw,
    };
    let place = raw.mode.as_ref().map(At::place);
    let mode = raw.mode.and_then(At::take);
    let shadow = Shadowed::check(raw.shadow, cx);
    if let Some(place) = place
        && mode == Some(WafMode::Off)
        && !shadow.is_empty()
    {
        let message = "no rule runs here, so none can be in shadow";
        cx.report.warning(place, message);
    }
    (mode, shadow)
}

fn check_match(raw: raw::RouteMatch) -> Option<RouteMatch> {
    let host = match raw.host {
        Some(host) => Some(host.take()?),
        None => None,
    };
    let path = match raw.path {
        Some(path) => path.take()?,
        // It is a pattern; no route is what it would be otherwise.
        None => "/**".parse::<PathPattern>().ok()?,
    };
    let methods = raw
        .methods
        .0
        .into_iter()
        .map(At::take)
        .collect::<Option<Vec<_>>>()?;
    Some(RouteMatch {
        host,
        path,
        methods: any_of(&methods)?,
    })
}

/// All that one of the patterns describes; everything when there is none.
fn any_of(patterns: &[MethodPattern]) -> Option<MethodPattern> {
    if patterns.is_empty() || patterns.iter().any(MethodPattern::is_any) {
        return Some(MethodPattern::ANY);
    }
    let names: Vec<&str> = patterns.iter().flat_map(MethodPattern::named).collect();
    names.join(",").parse().ok()
}

fn check_require(
    raw: At<raw::Require>,
    known: &Known<'_>,
    cx: &Context<'_>,
) -> Option<Requirement> {
    let place = raw.place();
    let require = match raw.take()? {
        raw::Require::None => return Some(Requirement::None),
        raw::Require::Token => Requirement::Token,
        raw::Require::Role(role) => {
            let place = role.place();
            let role = role.take()?;
            if !known.specs.contains_key(&role) {
                cx.report.fault(place, roles::unknown(&role, known.specs));
                return None;
            }
            Requirement::Role(role)
        }
    };
    if !known.around.tokens {
        let message = "this needs a token, and `identity` accepts nobody's";
        cx.report.warning(place, message);
    }
    Some(require)
}

fn tell(error: &RouteError, places: &[Place], cx: &Context<'_>) {
    let (RouteError::UnknownRole { index, .. } | RouteError::Unreachable { index, .. }) = error;
    if let Some(place) = places.get(*index) {
        cx.report.fault(*place, error.to_string());
    }
}
