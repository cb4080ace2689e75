//! Header fields of answers.

use std::sync::Arc;

use gateway_policy::access::{Requirement, RouteTable};
use http::header::{HeaderName, HeaderValue};

use super::world::{World, route, times, upstream};
use crate::http::{Destination, Hardening};

#[test]
fn answers_of_upstreams_and_of_the_gateway_make_browsers_careful() {
    let world = World::start(|_| {});
    for path in ["/open/x", "/nowhere", "/token/x", "/reset"] {
        let reply = world.get(path);
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("x-frame-options"), "SAMEORIGIN", "{path}");
        let policy = reply.header("referrer-policy");
        assert_eq!(policy, "strict-origin-when-cross-origin", "{path}");
        assert_eq!(reply.header("server"), "", "{path}");
    }
}

#[test]
fn a_route_may_have_its_own() {
    let world = World::start(|setup| {
        let app = upstream("app", &[setup.origin()], times());
        let csp = HeaderName::from_static("content-security-policy");
        let own = Hardening::new(
            [(csp, HeaderValue::from_static("default-src 'none'"))],
            vec![HeaderName::from_static("content-type")],
            true,
        );
        let mut docs = route("/docs/**", Requirement::None, &app);
        docs.target = Arc::new(Destination {
            hardening: Some(Arc::new(own)),
            ..Destination::to("/**", Arc::clone(&app))
        });
        let routes = vec![docs, route("/open/**", Requirement::None, &app)];
        setup.settings.routes = RouteTable::new(routes, &setup.settings.roles).unwrap();
    });
    let docs = world.get("/docs/x");
    assert_eq!(docs.header("content-security-policy"), "default-src 'none'");
    assert_eq!(docs.header("x-frame-options"), "");
    assert_eq!(docs.header("content-type"), "", "as it was told");
    assert_eq!(
        docs.header("server"),
        "origin/1.0",
        "its own list stands for the other"
    );
    let open = world.get("/open/x");
    assert_eq!(open.header("content-security-policy"), "");
    assert_eq!(open.header("content-type"), "application/json");
}
