//! Who is never banned, whatever comes from there.

use std::time::Duration;

use gateway_lab::net::GATEWAY_LAN4;
use gateway_lab::{Curl, Host, probe};
use serde_json::{Value, json};

use super::world::{INJECTION, SOON, World, at_once};

fn banning(over: &Value) -> Value {
    let mut all = json!({"bans": {"waf_block": at_once("5m")}});
    all.as_object_mut()
        .unwrap()
        .extend(over.as_object().unwrap().clone());
    all
}

/// Injections from `host` are refused one by one, and nobody is banned for them.
fn spared(world: &World, host: Host, request: &Curl, reason: &str) {
    for _ in 0..3 {
        assert_eq!(request.run(world.host(host)).unwrap().status, 403);
    }
    world.agent.logged(SOON, &["not banned", reason]).unwrap();
    let bans = world.agent.json(["bans", "list"]).unwrap();
    assert_eq!(bans["entries"], json!([]), "{bans}");
    assert_eq!(world.agent.stats().unwrap().packets("banned"), 0);
}

#[test]
fn trusted_networks_proxies_and_management_are_spared() {
    for (name, over, reason) in [
        (
            "trusted",
            json!({"trusted_networks": {"office": ["10.77.1.3/32"]}}),
            "office",
        ),
        ("proxy", json!({"trusted_proxies": ["10.77.1.3"]}), "proxy"),
        (
            "management",
            json!({"management": ["10.77.1.3"]}),
            "management",
        ),
    ] {
        let world = World::running(name, &banning(&over));
        spared(&world, Host::Attacker, &world.https(INJECTION), reason);
    }
}

#[test]
fn the_safelist_is_spared_from_the_moment_it_holds() {
    let world = World::running("safelist", &banning(&json!({})));
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    world.until_verdict("10.77.1.3", "banned");
    // A ban inside is lifted with it.
    world
        .agent
        .gateway(["allow", "add", "10.77.1.0/24"])
        .unwrap()
        .done()
        .unwrap();
    assert_eq!(world.explain("10.77.1.3")["verdict"], "safelisted");
    for _ in 0..3 {
        assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    }
    world
        .agent
        .logged(SOON, &["not banned", "safelist"])
        .unwrap();
    let bans = world.agent.json(["bans", "list"]).unwrap();
    assert_eq!(bans["entries"], json!([]), "{bans}");
}

#[test]
fn this_host_is_spared() {
    let world = World::running("loopback", &banning(&json!({})));
    for to in ["127.0.0.1", "[::1]"] {
        let request = Curl::get(format!("http://{to}{INJECTION}"));
        spared(&world, Host::Gateway, &request, "this host");
    }
}

#[test]
fn an_upstream_is_spared() {
    let world = World::running("upstreamban", &banning(&json!({})));
    let request = Curl::get(format!("http://{GATEWAY_LAN4}{INJECTION}"));
    spared(&world, Host::Upstream, &request, "upstream");
}

#[test]
fn behind_a_trusted_proxy_the_client_is_banned_and_the_proxy_is_not() {
    let over = json!({"trusted_proxies": ["10.77.1.2"]});
    let world = World::running("forwarded", &banning(&over));
    let behind = |client: &str, target: &str| {
        world.client(&world.https(target).header("X-Forwarded-For", client))
    };
    assert_eq!(behind("203.0.113.50", "/").status, 200);
    assert_eq!(behind("203.0.113.50", INJECTION).status, 403);
    world.until_verdict("203.0.113.50", "banned");
    let again = behind("203.0.113.50", "/");
    assert_eq!(again.status, 403, "{}", again.text());
    assert_eq!(again.json().unwrap()["code"], "banned");
    // Who writes further to the left of the list than the proxy does is not believed.
    assert_eq!(behind("198.51.100.1, 203.0.113.50", "/").status, 403);
    assert_eq!(
        behind("203.0.113.51", "/").status,
        200,
        "others behind the proxy are served"
    );
    assert_eq!(world.client(&world.https("/")).status, 200);
    let to = Host::Gateway.ip4().into();
    let pings = probe::ping_within(world.host(Host::Client), to, 3, Duration::from_secs(1));
    assert_eq!(
        pings.unwrap().received,
        3,
        "the proxy's packets are dropped"
    );
    // And who is no proxy is not believed at all.
    let forged = world
        .https(INJECTION)
        .header("X-Forwarded-For", "203.0.113.99");
    assert_eq!(world.attacker(&forged).status, 403);
    world.until_verdict("10.77.1.3", "banned");
    assert_eq!(world.explain("203.0.113.99")["verdict"], "pass");
}
