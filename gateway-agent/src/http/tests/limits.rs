//! Request limits, bans and what is too much at once.

use std::net::IpAddr;
use std::sync::Arc;

use gateway_policy::bans::OffenceKind;
use gateway_policy::limits::Quota;
use gateway_policy::zones::Zones;

use super::client::Raw;
use super::until;
use super::world::{World, settings};
use crate::http::{Quotas, TrustedProxies};

fn quota(rate: &str) -> Option<Quota> {
    Some(Quota::from_rate(rate.parse().unwrap()))
}

#[test]
fn too_many_requests_get_429_with_all_that_the_client_needs() {
    let world = World::start(|setup| {
        setup.settings.quotas = Quotas {
            trusted: None,
            untrusted: quota("3/hour"),
        }
    });
    for _ in 0..3 {
        assert_eq!(world.get("/open/x").status, 200);
    }
    let reply = world.get("/open/x");
    assert_eq!(reply.status, 429);
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1100..=1200).contains(&wait), "{wait}");
    assert_eq!(reply.header("ratelimit-policy"), "\"untrusted\";q=3;w=3600");
    assert!(
        reply
            .header("ratelimit")
            .starts_with("\"untrusted\";r=0;t=3"),
        "{reply:?}"
    );
    let body = reply.json();
    assert_eq!(
        (&body["status"], &body["code"]),
        (&429.into(), &"rate-limited".into())
    );
    assert_eq!(
        (&body["title"], &body["retry_after"]),
        (&"Too Many Requests".into(), &wait.into())
    );
    assert_eq!(reply.header("content-type"), "application/problem+json");

    let offences = world.seen.offences();
    assert_eq!(offences.len(), 1);
    assert_eq!(offences[0].kind, OffenceKind::LimitExceeded);
    assert_eq!(
        offences[0].evidence.detail(),
        "3/hour, 3 at once (untrusted)"
    );
    // The limit comes before everything dear: a bad token is not even looked at.
    assert_eq!(
        world
            .get_with("/open/x", &[("authorization", "Bearer junk")])
            .status,
        429
    );
    assert_eq!(world.origin.counts.requests(), 3);
}

#[test]
fn zones_have_limits_of_their_own_and_a_reload_forgets_nothing() {
    let world = World::start(|setup| {
        let mut zones = Zones::default();
        zones
            .add(
                &"office".parse().unwrap(),
                "198.51.100.0/24".parse().unwrap(),
            )
            .unwrap();
        setup.settings.zones = zones;
        setup.settings.quotas = Quotas {
            trusted: quota("3/hour"),
            untrusted: quota("1/hour"),
        };
        setup.settings.proxies = TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
        setup.settings.answers.announce_limits = true;
    });
    let ask = |client: &str| world.get_with("/open/x", &[("x-forwarded-for", client)]);
    let allowed = |client: &str| (0..5).filter(|_| ask(client).status == 200).count();
    assert_eq!(
        ask("198.51.100.7").header("ratelimit"),
        "\"trusted\";r=2;t=1200"
    );
    assert_eq!(allowed("198.51.100.7"), 2);
    assert_eq!(allowed("203.0.113.7"), 1);
    assert_eq!(allowed("203.0.113.8"), 1, "another client");
    assert_eq!(allowed("2001:db8::1"), 1);
    assert_eq!(allowed("2001:db8::2"), 0, "the same /64");

    let mut next = settings(world.origin.addr, None);
    next.quotas = Quotas {
        trusted: None,
        untrusted: quota("2/hour"),
    };
    next.proxies = TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
    world.gate.replace(next);
    assert_eq!(allowed("203.0.113.7"), 0, "what was used is used");
    assert_eq!(allowed("203.0.113.9"), 2);
    assert_eq!(allowed("198.51.100.8"), 2, "no longer trusted");
}

#[test]
fn the_banned_behind_a_proxy_are_refused_here() {
    let world = World::start(|setup| {
        setup.settings.proxies = TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let banned: IpAddr = "203.0.113.66".parse().unwrap();
        setup.banned = Arc::new(move |client: IpAddr| client == banned || client.is_loopback());
    });
    let reply = world.get_with("/open/x", &[("x-forwarded-for", "203.0.113.66")]);
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (403, &"banned".into())
    );
    assert_eq!(
        world
            .get_with("/open/x", &[("x-forwarded-for", "203.0.113.65")])
            .status,
        200
    );
    assert_eq!(
        world.get("/open/x").status,
        200,
        "direct peers are the kernel's"
    );
    assert!(world.seen.offences().is_empty());
}

#[test]
fn more_requests_at_once_than_allowed_get_503() {
    let world = World::start(|setup| setup.settings.requests = 2);
    let mut slow: Vec<Raw> = (0..2).map(|_| world.raw()).collect();
    for raw in &mut slow {
        raw.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    until("both are under way", || world.gate.load().requests() == 2);
    let reply = world.get("/open/x");
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (503, "1")
    );
    drop(slow);
    until("both are gone", || world.gate.load().requests() == 0);
    assert_eq!(world.get("/open/x").status, 200);
}
