//! Which route a request takes.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use super::{Host, HostPattern, MethodPattern, NormalPath, PathPattern, Requirement, Roles};
use crate::grammar::RoleName;

/// The requests that a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch {
    /// For which hosts; `None` for all.
    pub host: Option<HostPattern>,
    /// For which paths.
    pub path: PathPattern,
    /// For which methods.
    pub methods: MethodPattern,
}

impl RouteMatch {
    fn holds(&self, host: Option<&Host>, path: &NormalPath) -> bool {
        let host = self
            .host
            .as_ref()
            .is_none_or(|h| host.is_some_and(|host| h.matches(host)));
        host && self.path.matches(path)
    }

    /// The greater is the more specific: the host decides before the path.
    fn cmp_specificity(&self, other: &Self) -> Ordering {
        let host = match (&self.host, &other.host) {
            (Some(a), Some(b)) => a.cmp_specificity(b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        host.then_with(|| self.path.cmp_specificity(&other.path))
    }

    fn same_place(&self, other: &Self) -> bool {
        self.host == other.host && self.path == other.path
    }
}

impl fmt::Display for RouteMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.methods.is_any() {
            write!(f, "{} ", self.methods)?;
        }
        if let Some(host) = &self.host {
            write!(f, "{host}")?;
        }
        write!(f, "{}", self.path)
    }
}

/// One route: for which requests, what it asks of a caller, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<T> {
    /// For which requests.
    pub matches: RouteMatch,
    /// What it asks of a caller.
    pub require: Requirement,
    /// Where it leads; the table does not look at it.
    pub target: T,
}

/// The routes of a gateway.
///
/// Of the routes for a request's host and path the most specific one is meant: first the host
/// decides (a name before `*.…`, a longer `*.…` before a shorter, any before none), then the
/// path (see [`PathPattern::cmp_specificity`]). Only then the method: when the most specific
/// place has routes, but none for the method, the request is refused; it never falls through to
/// a wider route, which may ask less of the caller. Of two routes for the same place and method,
/// the one that is written first is taken.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    /// The more specific first, and of equals in the order of writing.
    routes: Vec<Route<T>>,
}

/// A fault in the configured routes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// A role that is not there.
    #[error("route {route} requires the role {role}, which does not exist")]
    UnknownRole {
        /// Its place among the routes as given, from 0.
        index: usize,
        /// The route, as text.
        route: String,
        /// The role that it names.
        role: RoleName,
    },
    /// A route that no request can take.
    #[error("route {route} is never taken: {earlier} is for the same requests and comes first")]
    Unreachable {
        /// Its place among the routes as given, from 0.
        index: usize,
        /// The route, as text.
        route: String,
        /// The route that is taken instead, as text.
        earlier: String,
    },
}

/// Why a request takes no route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// Nothing is there for this host and path: 404.
    #[error("no route leads there")]
    NotFound,
    /// Something is there, for other methods: 405 with `Allow`.
    #[error("this method has no route there; it is for {}", .allow.join(", "))]
    MethodNotAllowed {
        /// The methods that have one, in order.
        allow: Vec<String>,
    },
}

impl NoRoute {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "no-route",
            Self::MethodNotAllowed { .. } => "method-not-allowed",
        }
    }
}

impl<T> RouteTable<T> {
    /// Makes a table of routes, given in the order in which they are written.
    ///
    /// # Errors
    /// All faults at once: roles that do not exist, routes that are never taken.
    pub fn new(routes: Vec<Route<T>>, roles: &Roles) -> Result<Self, Vec<RouteError>> {
        let faults = faults(&routes, roles);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut routes = routes;
        // A stable sort: equals stay in their order.
        routes.sort_by(|a, b| b.matches.cmp_specificity(&a.matches));
        Ok(Self { routes })
    }

    /// Finds the route of a request. `host` is `None` when the request names none (HTTP/1.0).
    ///
    /// # Errors
    /// When there is none for this host and path, or none there for this method.
    pub fn find(
        &self,
        host: Option<&Host>,
        method: &str,
        path: &NormalPath,
    ) -> Result<&Route<T>, NoRoute> {
        let mut holding = self
            .routes
            .iter()
            .filter(|route| route.matches.holds(host, path));
        let first = holding.next().ok_or(NoRoute::NotFound)?;
        // Equally specific patterns that both match are the same pattern, so they come in a row.
        let here = std::iter::once(first)
            .chain(holding.take_while(|route| route.matches.same_place(&first.matches)));
        let mut allow = BTreeSet::new();
        for route in here {
            if route.matches.methods.matches(method) {
                return Ok(route);
            }
            allow.extend(route.matches.methods.named().map(str::to_owned));
        }
        if allow.contains("GET") {
            allow.insert("HEAD".to_owned());
        }
        Err(NoRoute::MethodNotAllowed {
            allow: allow.into_iter().collect(),
        })
    }

    /// All routes, the more specific first.
    pub fn iter(&self) -> impl Iterator<Item = &Route<T>> {
        self.routes.iter()
    }
}

fn faults<T>(routes: &[Route<T>], roles: &Roles) -> Vec<RouteError> {
    let mut faults = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let text = || route.matches.to_string();
        if let Requirement::Role(role) = &route.require
            && !roles.exists(role)
        {
            faults.push(RouteError::UnknownRole {
                index,
                route: text(),
                role: role.clone(),
            });
        }
        let earlier = routes.iter().take(index).find(|earlier| {
            earlier.matches.same_place(&route.matches)
                && covers(&earlier.matches.methods, &route.matches.methods)
        });
        if let Some(earlier) = earlier {
            let earlier = earlier.matches.to_string();
            faults.push(RouteError::Unreachable {
                index,
                route: text(),
                earlier,
            });
        }
    }
    faults
}

/// Whether every method of `inner` is one of `outer`.
fn covers(outer: &MethodPattern, inner: &MethodPattern) -> bool {
    outer.is_any() || (!inner.is_any() && inner.named().all(|method| outer.matches(method)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pattern::tests::{small_path, small_pattern};
    use super::super::roles::tests::specs;
    use super::*;

    /// A route from `METHODS host/path`, both but the path optional.
    fn route<T>(text: &str, target: T) -> Route<T> {
        let (methods, place) = text.split_once(' ').unwrap_or(("*", text));
        let (host, path) = place.split_at(place.find('/').unwrap());
        let matches = RouteMatch {
            host: (!host.is_empty()).then(|| host.parse().unwrap()),
            path: path.parse().unwrap(),
            methods: methods.parse().unwrap(),
        };
        assert_eq!(matches.to_string(), text);
        Route {
            matches,
            require: Requirement::None,
            target,
        }
    }

    fn table(routes: &[&str]) -> RouteTable<String> {
        let routes = routes
            .iter()
            .map(|text| route(text, (*text).to_owned()))
            .collect();
        RouteTable::new(routes, &Roles::default()).unwrap()
    }

    fn find(table: &RouteTable<String>, host: &str, method: &str, path: &str) -> String {
        let host = (!host.is_empty()).then(|| Host::parse(host).unwrap());
        match table.find(host.as_ref(), method, &NormalPath::parse(path).unwrap()) {
            Ok(route) => route.target.clone(),
            Err(none) => format!("{}: {none}", none.name()),
        }
    }

    #[test]
    fn the_most_specific_route_is_taken_whatever_the_order() {
        let table = table(&[
            "/**",
            "/api/**",
            "/api/*/items",
            "/api/v1/**",
            "*.example/**",
            "*.b.example/**",
            "a.b.example/api/**",
        ]);
        for (host, path, expected) in [
            ("", "/", "/**"),
            ("", "/api", "/api/**"),
            ("", "/api/v2/items", "/api/*/items"),
            ("", "/api/v1/items", "/api/v1/**"),
            ("other", "/api/v1", "/api/v1/**"),
            ("x.example", "/api/v1", "*.example/**"),
            ("x.b.example", "/api/v1", "*.b.example/**"),
            ("A.B.example:8443", "/api/v1", "a.b.example/api/**"),
            ("a.b.example", "/other", "*.b.example/**"),
        ] {
            assert_eq!(find(&table, host, "GET", path), expected, "{host} {path}");
        }
    }

    #[test]
    fn a_method_without_a_route_does_not_fall_through_to_a_wider_one() {
        let table = table(&["/**", "GET /admin", "POST,PUT /admin"]);
        assert_eq!(find(&table, "", "GET", "/admin"), "GET /admin");
        assert_eq!(find(&table, "", "HEAD", "/admin/"), "GET /admin");
        assert_eq!(find(&table, "", "PUT", "/admin"), "POST,PUT /admin");
        assert_eq!(
            find(&table, "", "DELETE", "/admin"),
            "method-not-allowed: this method has no route there; it is for GET, HEAD, POST, PUT"
        );
        assert_eq!(find(&table, "", "DELETE", "/admin/x"), "/**");
    }

    #[test]
    fn no_route_is_told() {
        let table = table(&["a.example/api/**"]);
        assert_eq!(
            find(&table, "a.example", "GET", "/"),
            "no-route: no route leads there"
        );
        assert_eq!(
            find(&table, "b.example", "GET", "/api"),
            "no-route: no route leads there"
        );
        assert_eq!(
            find(&table, "", "GET", "/api"),
            "no-route: no route leads there"
        );
    }

    #[test]
    fn of_equals_the_first_is_taken_and_what_it_hides_is_a_fault() {
        let table = table(&["GET,POST /a", "POST,PUT /a", "/a"]);
        assert_eq!(find(&table, "", "POST", "/a"), "GET,POST /a");
        assert_eq!(find(&table, "", "PUT", "/a"), "POST,PUT /a");
        assert_eq!(find(&table, "", "DELETE", "/a"), "/a");

        let mut routes = vec![
            route("/a", ()),
            route("GET /a", ()),
            route("GET /b", ()),
            route("GET,HEAD /b", ()),
            route("/c", ()),
        ];
        routes[4].require = Requirement::Role("nobody".parse().unwrap());
        let roles = Roles::resolve(&specs(&[("reader", &[], &["* /**"])])).unwrap();
        let faults = RouteTable::new(routes, &roles).unwrap_err();
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "route GET /a is never taken: /a is for the same requests and comes first",
                "route GET,HEAD /b is never taken: GET /b is for the same requests and comes first",
                "route /c requires the role nobody, which does not exist",
            ]
        );
    }

    proptest! {
        /// The route that is found matches, and of all that match none is more specific.
        #[test]
        fn nothing_more_specific_is_passed_over(
            patterns in prop::collection::vec(
                (small_pattern(), prop::sample::select(&["", "*.example", "a.example"][..])), 1..12),
            path in small_path(),
            host in prop::sample::select(&["a.example", "b.example", "other"][..]),
        ) {
            let mut routes: Vec<Route<usize>> = Vec::new();
            for (n, (pattern, host)) in patterns.into_iter().enumerate() {
                let host = (!host.is_empty()).then(|| host.parse().unwrap());
                let matches = RouteMatch { host, path: pattern, methods: MethodPattern::ANY };
                if !routes.iter().any(|r| r.matches == matches) {
                    routes.push(Route { matches, require: Requirement::None, target: n });
                }
            }
            let table = RouteTable::new(routes.clone(), &Roles::default()).unwrap();
            let host = Host::parse(host).unwrap();
            let matching: Vec<&Route<usize>> =
                routes.iter().filter(|r| r.matches.holds(Some(&host), &path)).collect();
            match table.find(Some(&host), "GET", &path) {
                Ok(found) => {
                    prop_assert!(matching.contains(&found));
                    for other in matching {
                        let order = found.matches.cmp_specificity(&other.matches);
                        prop_assert!(order == Ordering::Greater || other == found);
                    }
                }
                Err(none) => {
                    prop_assert_eq!(none, NoRoute::NotFound);
                    prop_assert!(matching.is_empty());
                }
            }
        }
    }
}
