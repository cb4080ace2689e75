//! From an offence at layer 7 to packets dropped in the kernel.

use std::time::Duration;

use gateway_lab::curl::NoAnswer;
use gateway_lab::{Host, probe, token, wait};
use serde_json::{Value, json};

use super::world::{INJECTION, SOON, World, at_once, entry};

const ATTACKER: &str = "10.77.1.3";

fn waf_ban(ban: &str) -> Value {
    json!({"bans": {"waf_block": at_once(ban)}})
}

#[test]
fn an_injection_is_answered_and_its_sender_is_dropped() {
    let world = World::running("ban", &waf_ban("5m"));
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    let why = world.until_verdict(ATTACKER, "banned");
    assert_eq!(why["action"], "drop");
    assert_eq!(why["decided_by"]["ban"]["offence"], "waf-block");
    // At least: the connection that the ban cut off goes on trying.
    assert!(world.counted(Host::Attacker.ip4().into(), 200, "banned") >= 200);
    let ask = world.https("/").within(Duration::from_millis(300));
    let error = ask.run(world.host(Host::Attacker)).unwrap_err();
    let code = error.downcast_ref::<NoAnswer>().map(|none| none.code);
    assert_eq!(code, Some(NoAnswer::TIMEOUT), "{error:#}");
    assert_eq!(
        world.client(&world.https("/")).status,
        200,
        "a neighbour is let in"
    );

    let bans = world.agent.json(["bans", "list"]).unwrap();
    let ban = entry(&bans, "10.77.1.3/32")
        .or_else(|| entry(&bans, ATTACKER))
        .expect("no ban");
    assert_eq!(ban["ban"]["strike"], 1);
    assert!(
        (1..=300_000).contains(&ban["left_ms"].as_u64().unwrap()),
        "{ban}"
    );
    let line = world
        .agent
        .logged(SOON, &["first packet dropped by this ban", ATTACKER])
        .unwrap();
    assert!(line.number("after_us").is_some(), "{}", line.text());
    let (_, metrics) = world.agent.admin("/metrics").unwrap();
    assert!(
        metrics.contains("gateway_ban_first_drop_seconds_count 1"),
        "{metrics}"
    );
}

#[test]
fn a_ban_ends_by_itself_and_the_next_one_is_longer() {
    let world = World::running("escalate", &waf_ban("2s"));
    let mut lasted = Vec::new();
    for strike in 1..=3 {
        assert_eq!(
            world.attacker(&world.https(INJECTION)).status,
            403,
            "strike {strike}"
        );
        let ban = world.until_verdict(ATTACKER, "banned")["decided_by"].clone();
        assert_eq!(ban["ban"]["strike"], strike, "{ban}");
        let time = |name: &str| ban[name].as_u64().unwrap();
        // Each end is rounded to a millisecond.
        lasted.push((time("expires_unix_ms") - time("created_unix_ms") + 1) / 10);
        if strike < 3 {
            world.until_verdict(ATTACKER, "pass");
        }
    }
    assert_eq!(lasted, [200, 400, 800], "hundredths of a second");
}

#[test]
fn false_tokens_lead_to_a_ban_and_expired_ones_do_not() {
    let mut tokens = (String::new(), String::new());
    let mut world = World::made("authban", |lab| {
        use gateway_lab::token::{Algorithm, Key};
        let key = Key::make(lab.state(), Algorithm::EdDsa, "k").unwrap();
        let jwks = lab.state().join("jwks.json");
        std::fs::write(&jwks, token::jwks(&[&key]).unwrap().to_string()).unwrap();
        let sign = |seconds| key.sign(&token::claims("i", "api", "s", seconds)).unwrap();
        tokens = (token::with_broken_signature(&sign(60)), sign(-600));
        json!({
            "identity": {"jwt": [
                {"issuer": "i", "audience": "api", "algorithms": ["EdDSA"], "jwks": jwks},
            ]},
            "bans": {"failed_auth": {"limit": "3/minute", "ban": "5m"}},
        })
    });
    world.agent.start().unwrap();
    let (forged, expired) = tokens;
    for _ in 0..5 {
        assert_eq!(
            world.attacker(&world.https("/").bearer(&expired)).status,
            401
        );
    }
    for _ in 0..3 {
        assert_eq!(world.explain(ATTACKER)["verdict"], "pass");
        assert_eq!(
            world.attacker(&world.https("/").bearer(&forged)).status,
            401
        );
    }
    let why = world.until_verdict(ATTACKER, "banned");
    assert_eq!(why["decided_by"]["ban"]["offence"], "failed-auth");
    assert_eq!(why["decided_by"]["ban"]["count"], 3);
}

#[test]
fn who_goes_on_over_the_limit_is_banned() {
    let world = World::running(
        "limitban",
        &json!({
            "rate_limits": {"untrusted": "60/minute", "burst": 3},
            "bans": {"limit_exceeded": {"limit": "3/minute", "ban": "5m"}},
        }),
    );
    let ask = world.https("/").within(Duration::from_secs(1));
    let attacker = world.host(Host::Attacker);
    // The last requests may find the door shut already.
    let gone = wait::until(SOON, "the ban", || ask.run(attacker).is_err().then_some(()));
    assert!(gone.is_ok(), "{}", world.agent.log_tail());
    let why = world.until_verdict(ATTACKER, "banned");
    assert_eq!(why["decided_by"]["ban"]["offence"], "limit-exceeded");
}

#[test]
fn an_ipv6_attacker_is_banned_with_its_64_and_no_more() {
    let world = World::running("ban6", &waf_ban("5m"));
    let gateway = Host::Gateway.ip6().into();
    let from = |source: &str, target: &str| {
        let request = world
            .https_at(gateway, target)
            .from_address(source.parse().unwrap());
        request
            .within(Duration::from_secs(1))
            .run(world.host(Host::Attacker))
    };
    assert_eq!(from("2001:2:0:7::bad", INJECTION).unwrap().status, 403);
    world.until_verdict("2001:2:0:7::bad", "banned");
    world.until_verdict("2001:2:0:7:ffff::1", "banned");
    assert!(
        from("2001:2:0:7:ffff::1", "/").is_err(),
        "a neighbour in the /64 gets in"
    );
    assert!(world.counted("2001:2:0:7::2".parse().unwrap(), 100, "banned") >= 100);
    assert_eq!(
        from("2001:2:0:8::1", "/").unwrap().status,
        200,
        "another /64 is let in"
    );
    let bans = world.agent.json(["bans", "list"]).unwrap();
    assert!(entry(&bans, "2001:2:0:7::/64").is_some(), "{bans}");
}

#[test]
fn in_shadow_mode_a_ban_only_counts() {
    let mut over = waf_ban("5m");
    over["bans"]["waf_block"]["mode"] = json!("shadow");
    let world = World::running("banshadow", &over);
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    world.until_verdict(ATTACKER, "would-deny");
    assert_eq!(world.attacker(&world.https("/")).status, 200);
    // What passes is answered, and the attacker's kernel answers that.
    let counted = world.counted(Host::Attacker.ip4().into(), 50, "would-deny");
    assert!(counted >= 50, "{counted}");
    assert_eq!(world.agent.stats().unwrap().packets("banned"), 0);
}

#[test]
fn a_lifted_ban_is_forgiven_with_the_agent_and_without() {
    let mut world = World::running("lift", &waf_ban("5m"));
    for agent_runs in [true, false] {
        assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
        world.until_verdict(ATTACKER, "banned");
        if !agent_runs {
            world.agent.kill().unwrap();
        }
        let pings = || {
            let to = Host::Gateway.ip4().into();
            probe::ping_within(
                world.host(Host::Attacker),
                to,
                1,
                Duration::from_millis(200),
            )
        };
        assert_eq!(pings().unwrap().received, 0);
        world
            .agent
            .gateway(["bans", "lift", ATTACKER])
            .unwrap()
            .done()
            .unwrap();
        assert_eq!(pings().unwrap().received, 1, "agent runs: {agent_runs}");
        let again = world.agent.gateway(["bans", "lift", ATTACKER]).unwrap();
        assert_eq!(again.code, 1, "nobody was banned: {again:?}");
        let bans = world.agent.json(["bans", "list"]).unwrap();
        assert_eq!(bans["entries"], json!([]), "{bans}");
    }
    world.agent.start().unwrap();
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    let why = world.until_verdict(ATTACKER, "banned");
    assert_eq!(
        why["decided_by"]["ban"]["strike"], 1,
        "what was lifted was a mistake"
    );
}

#[test]
fn bans_and_strikes_outlive_the_agent() {
    let mut world = World::running("banrestart", &waf_ban("3s"));
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    world.until_verdict(ATTACKER, "banned");
    world.agent.kill().unwrap();
    assert_eq!(world.explain(ATTACKER)["verdict"], "banned");
    world.agent.start().unwrap();
    world.until_verdict(ATTACKER, "pass");
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    let why = world.until_verdict(ATTACKER, "banned");
    assert_eq!(why["decided_by"]["ban"]["strike"], 2, "{why}");
}

#[test]
fn a_ban_ends_on_time_with_no_agent() {
    let mut world = World::running("banalone", &waf_ban("4s"));
    assert_eq!(world.attacker(&world.https(INJECTION)).status, 403);
    let why = world.until_verdict(ATTACKER, "banned");
    let until = why["decided_by"]["expires_unix_ms"].as_u64().unwrap();
    world.agent.kill().unwrap();
    let attacker = world.host(Host::Attacker);
    let passed = wait::until(SOON, "the ban to end", || {
        let to = Host::Gateway.ip4().into();
        let pings = probe::ping_within(attacker, to, 1, Duration::from_millis(10)).unwrap();
        (pings.received == 1).then(unix_ms)
    });
    let off = i128::from(passed.unwrap()) - i128::from(until);
    assert!((-20..=1_000).contains(&off), "{off} ms after its time");
}

fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
