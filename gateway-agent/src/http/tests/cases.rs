//! What is told of requests in which rules found something, and what a route makes of the WAF.

use std::sync::{Arc, Mutex};

use super::world::{World, waf};
use crate::http::{Case, Guard, Keep, Observer, Written};

const RULES: &str = r#"
SecRuleEngine On
SecRule ARGS "@contains attack" "id:100,phase:2,deny,status:403,log,msg:'An attack',t:lowercase"
SecRule ARGS:password "@contains 1" "id:101,phase:2,pass,log,msg:'A digit'"
"#;

/// The cases that observers were told.
#[derive(Default)]
struct Cases(Mutex<Vec<Arc<Case>>>);

impl Observer for Cases {
    fn case(&self, case: &Arc<Case>) -> Option<Written> {
        self.0.lock().unwrap().push(Arc::clone(case));
        None
    }
}

fn world(one_in: u64) -> (World, Arc<Cases>) {
    let cases = Arc::new(Cases::default());
    let observer = Arc::clone(&cases);
    let world = World::start(|setup| {
        setup.settings.waf = Some(waf(RULES)).into();
        setup.settings.keep = Some(Keep { body: 1024, one_in });
        setup.observers.push(observer);
    });
    (world, cases)
}

#[test]
fn a_case_has_the_request_without_its_secrets_and_says_why() {
    let (world, cases) = world(0);
    assert_eq!(world.get("/open/x?q=fine").status, 200);
    let path = "/open/x?q=AttacK&password=hunter21&sid=abc";
    let reply = world.get_with(path, &[("cookie", "id=7"), ("x-api-key", "k1")]);
    assert_eq!(reply.status, 403);
    let cases = cases.0.lock().unwrap();
    let [case] = cases.as_slice() else {
        panic!("{cases:?}")
    };
    assert_eq!(case.request.to_string(), reply.header("x-request-id"));
    assert_eq!(case.route.as_deref(), Some("/open/**"));
    assert_eq!(case.guard, Guard::Block);
    assert_eq!(case.decision.rule_id(), Some(100));
    assert_eq!(case.status, 403);
    assert_eq!(
        String::from_utf8_lossy(&case.copy.target),
        "/open/x?q=AttacK&password=***&sid=***"
    );
    let told = format!("{case:?}");
    let as_bytes = |text: &str| {
        let bytes = format!("{:?}", text.as_bytes());
        bytes.trim_matches(['[', ']']).to_owned()
    };
    for secret in ["hunter21", "id=7"] {
        assert!(!told.contains(&as_bytes(secret)), "{told}");
    }
    let explained = &case.explanations[0].inspected[0];
    assert_eq!(explained.matched, Some(0..6));
    let (raw, steps) = explained.shown.as_ref().unwrap();
    assert_eq!(raw.bytes, b"AttacK");
    assert_eq!(steps[0].transform, "lowercase");
}

#[test]
fn of_ordinary_requests_samples_are_told() {
    let (world, cases) = world(3);
    for _ in 0..7 {
        assert_eq!(world.get("/open/x").status, 200);
    }
    let cases = cases.0.lock().unwrap();
    assert_eq!(cases.len(), 3);
    assert!(cases.iter().all(|case| case.matches.is_empty()));
}

#[test]
fn a_route_may_only_watch_or_not_look_at_all() {
    for (default, route, status, found) in [
        (Guard::Block, None, 403, 1),
        (Guard::Block, Some(Guard::Detect), 200, 1),
        (Guard::Block, Some(Guard::Off), 200, 0),
        (Guard::Off, Some(Guard::Block), 403, 1),
        (Guard::Detect, Some(Guard::Block), 403, 1),
        (Guard::Off, None, 200, 0),
    ] {
        let cases = Arc::new(Cases::default());
        let observer = Arc::clone(&cases);
        let world = World::start(|setup| {
            setup.settings.waf = Some(waf(RULES)).into();
            setup.settings.guard = default;
            setup.settings.routes = guarded(&setup.settings, route);
            setup.settings.keep = Some(Keep { body: 0, one_in: 0 });
            setup.observers.push(observer);
        });
        let reply = world.get("/open/x?q=attack");
        assert_eq!(reply.status, status, "{default:?} {route:?}");
        let cases = cases.0.lock().unwrap();
        assert_eq!(cases.len(), found, "{default:?} {route:?}");
    }
}

#[test]
fn rules_that_are_in_shadow_on_a_route_block_on_others() {
    let cases = Arc::new(Cases::default());
    let observer = Arc::clone(&cases);
    let world = World::start(|setup| {
        let mut waf = Arc::into_inner(waf(RULES)).unwrap();
        let mut routes = setup.settings.routes.iter();
        let open = routes.find(|route| route.matches.path.to_string().starts_with("/open"));
        waf.shadow_on(&open.unwrap().target.route, "100").unwrap();
        setup.settings.waf = Some(Arc::new(waf)).into();
        setup.settings.keep = Some(Keep { body: 0, one_in: 0 });
        setup.observers.push(observer);
    });
    assert_eq!(world.get("/open/x?q=attack").status, 200);
    let cases = cases.0.lock().unwrap();
    let [case] = cases.as_slice() else {
        panic!("{cases:?}")
    };
    assert_eq!(case.matches[0].shadow, Some(gateway_waf::Shadow::Route));
    assert_eq!(case.decision.rule_id(), None);
}

/// The same routes, with what the WAF does there.
fn guarded(
    settings: &crate::http::Settings,
    guard: Option<Guard>,
) -> gateway_policy::access::RouteTable<Arc<crate::http::Destination>> {
    let routes = settings.routes.iter().map(|route| {
        let mut route = route.clone();
        Arc::make_mut(&mut route.target).guard = guard;
        route
    });
    gateway_policy::access::RouteTable::new(routes.collect(), &settings.roles).unwrap()
}

#[test]
fn other_rules_take_the_place_of_those_in_force() {
    let (world, _) = world(0);
    assert_eq!(world.get("/open/x?q=attack").status, 403);
    let settings = world.gate.settings();
    settings.waf.store(Some(waf("SecRuleEngine On")));
    assert_eq!(world.get("/open/x?q=attack").status, 200);
}
