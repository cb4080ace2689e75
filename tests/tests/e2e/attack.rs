//! Attack mode: who has proven to be a good client keeps the packet rate of peace.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use gateway_lab::token::{self, Algorithm, Key};
use gateway_lab::{Flood, Host, Sources, wait};
use serde_json::{Value, json};

use super::world::{INJECTION, SOON, World, at_once};

const CLIENT: &str = "10.77.1.2";
const ATTACKER: &str = "10.77.1.3";

/// A gateway that knows an issuer of tokens, and the issuer's key.
fn world(name: &str, over: &Value) -> (World, Key) {
    let mut key = None;
    let mut world = World::made(name, |lab| {
        let directory = lab.state();
        let made = Key::make(directory, Algorithm::Es256, "issuer").unwrap();
        let jwks = token::jwks(&[&made]).unwrap().to_string();
        fs::write(directory.join("issuer.jwks"), jwks).unwrap();
        key = Some(made);
        gateway_lab::agent::merge(
            json!({
                "identity": {"jwt": {
                    "issuer": "issuer", "audience": "api", "algorithms": ["ES256"],
                    "jwks": directory.join("issuer.jwks"),
                }},
                "packet_limits": {"untrusted": "2000/s", "burst": "500ms"},
            }),
            over,
        )
    });
    world.agent.start().unwrap();
    (world, key.unwrap())
}

fn token(key: &Key) -> String {
    key.sign(&token::claims("issuer", "api", "alice", 600))
        .unwrap()
}

/// Sends packets from one address of the host's own at less than its rate; returns how many of
/// them were dropped with this verdict.
fn dropped(world: &World, host: Host, verdict: &str) -> u64 {
    let before = world.agent.stats().unwrap().packets(verdict);
    let flood = Flood::syn((Host::Gateway.ip4(), 444).into())
        .from(Sources::only(IpAddr::from(host.ip4())))
        .packets(1_000)
        .per_second(1_000);
    flood.run(world.host(host)).unwrap();
    world.agent.stats().unwrap().packets(verdict) - before
}

fn attack(world: &World) -> Value {
    world.agent.json(["attack"]).unwrap()
}

fn until(world: &World, on: bool) -> Value {
    wait::until(SOON, "attack mode", || {
        Some(attack(world)).filter(|status| status["on"] == on)
    })
    .unwrap_or_else(|error| panic!("{error}: {}\n{}", attack(world), world.agent.log_tail()))
}

#[test]
fn under_attack_the_known_keep_their_rate_and_strangers_do_not() {
    let (world, key) = world(
        "attack",
        &json!({"attack_mode": {"dropped": "3000/s", "hold": "2s", "unknown": "50/s"}}),
    );
    assert_eq!(attack(&world)["agent"]["known"], 0);
    // A request without a token proves nothing, nor does a token that is refused.
    assert_eq!(world.attacker(&world.https("/")).status, 200);
    assert_eq!(
        world.attacker(&world.https("/").bearer("no.to.ken")).status,
        401
    );
    assert_eq!(
        world.client(&world.https("/").bearer(&token(&key))).status,
        200
    );
    let known = wait::until(SOON, "a known client", || {
        Some(world.explain(CLIENT)).filter(|why| !why["known_until_unix_ms"].is_null())
    });
    known.unwrap();
    assert!(world.explain(ATTACKER)["known_until_unix_ms"].is_null());
    assert_eq!(attack(&world)["agent"]["known"], 1);
    assert_eq!(dropped(&world, Host::Attacker, "unknown-limited"), 0);

    // Eight sources, each far above its limit.
    Flood::syn((Host::Gateway.ip4(), 443).into())
        .from(Sources::spread4(8).unwrap())
        .packets(60_000)
        .per_second(30_000)
        .run(world.host(Host::Attacker))
        .unwrap();
    let on = until(&world, true);
    let cause = on["agent"]["cause"].as_str().unwrap();
    assert!(cause.ends_with("above 3000"), "{cause}");
    world.agent.logged(SOON, &["attack mode begins"]).unwrap();
    // The mode may end while this runs, so it is ordered.
    world.agent.json(["attack", "on"]).unwrap();
    assert_eq!(world.explain(ATTACKER)["attack"], true);
    assert_eq!(dropped(&world, Host::Client, "unknown-limited"), 0);
    let strangers = dropped(&world, Host::Attacker, "unknown-limited");
    // A second at 50, and half a second of burst.
    assert!((850..=950).contains(&strangers), "{strangers} of 1000");
    assert_eq!(world.client(&world.https("/")).status, 200);

    world.agent.json(["attack", "auto"]).unwrap();
    let off = until(&world, false);
    assert_eq!(off["order"], "auto");
    world.agent.logged(SOON, &["attack mode ends"]).unwrap();
    let (_, metrics) = world.agent.admin("/metrics").unwrap();
    for line in ["gateway_attack_mode 0", "gateway_known_sources 1"] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn an_order_and_the_known_outlive_the_agent() {
    let (mut world, key) = world("attacklife", &json!({}));
    assert_eq!(
        world.client(&world.https("/").bearer(&token(&key))).status,
        200
    );
    wait::until(SOON, "a known client", || {
        (attack(&world)["agent"]["known"] == 1).then_some(())
    })
    .unwrap();
    world.agent.kill().unwrap();
    let ordered = world.agent.json(["attack", "on"]).unwrap();
    assert_eq!(
        (&ordered["on"], &ordered["agent"]),
        (&json!(true), &Value::Null)
    );
    assert!(!world.explain(CLIENT)["known_until_unix_ms"].is_null());
    world.agent.start().unwrap();
    let status = attack(&world);
    assert_eq!(
        (&status["on"], &status["order"]),
        (&json!(true), &json!("on"))
    );
    assert_eq!(status["agent"]["known"], 1);
    assert_eq!(status["agent"]["cause"], "an operator ordered it");
    world.agent.json(["reload"]).unwrap();
    assert_eq!(attack(&world)["on"], true);
    world.agent.json(["attack", "off"]).unwrap();
    until(&world, false);
}

#[test]
fn whoever_is_banned_is_known_no_longer() {
    let (world, key) = world("attackban", &json!({"bans": {"waf_block": at_once("1s")}}));
    assert_eq!(
        world
            .attacker(&world.https("/").bearer(&token(&key)))
            .status,
        200
    );
    wait::until(SOON, "a known client", || {
        Some(world.explain(ATTACKER)).filter(|why| !why["known_until_unix_ms"].is_null())
    })
    .unwrap();
    let injection = world
        .https(INJECTION)
        .bearer(&token(&key))
        .within(Duration::from_secs(5));
    assert_eq!(world.attacker(&injection).status, 403);
    let gone = wait::until(SOON, "a client that is forgotten", || {
        Some(world.explain(ATTACKER)).filter(|why| why["known_until_unix_ms"].is_null())
    });
    gone.unwrap();
    assert_eq!(attack(&world)["agent"]["known"], 0);
}
