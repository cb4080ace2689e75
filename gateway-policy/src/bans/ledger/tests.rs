//! The ledger against a model that keeps everything and looks through all of it each time, and
//! the cases that the model leaves out: bounds, modes, restarts.

mod model;
mod restart;

use super::*;
use crate::bans::ImmuneReason;
use crate::grammar::{Factor, Period, Rate};

fn rule(limit: &str, ban: &str, max: &str) -> BanRule {
    let limit: Rate = limit.parse().unwrap();
    let ban: Period = ban.parse().unwrap();
    BanRule::new(limit, ban, Factor::DOUBLE, max.parse().unwrap()).unwrap()
}

/// `failed-auth` enforces 3 a minute, `waf-block` looks on at 2 a minute.
fn policy() -> BanPolicy {
    BanPolicy {
        failed_auth: Some(rule("3/minute", "10m", "1h")),
        waf_block: Some(rule("2/minute", "10m", "1h").with_mode(Mode::Shadow)),
        limit_exceeded: None,
        invalid_request: None,
    }
}

fn ledger() -> Ledger {
    Ledger::new(
        policy(),
        Immune::default(),
        Capacity {
            clients: 1024,
            bans: 64,
        },
    )
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn offence(client: &str, kind: OffenceKind, secs: u64) -> Offence {
    let evidence = Evidence::new(&format!("req-{secs}"), "detail");
    Offence {
        client: addr(client),
        kind,
        at: Nanos::from_secs(secs),
        evidence,
    }
}

fn failed(client: &str, secs: u64) -> Offence {
    offence(client, OffenceKind::FailedAuth, secs)
}

fn waf(client: &str, secs: u64) -> Offence {
    offence(client, OffenceKind::WafBlock, secs)
}

/// Three failed tokens at `secs`, and the ban that they get.
fn ban_at(ledger: &mut Ledger, client: &str, secs: u64) -> Ban {
    ledger.record(failed(client, secs));
    ledger.record(failed(client, secs));
    banned(ledger.record(failed(client, secs)))
}

fn banned(ruling: Ruling) -> Ban {
    let said = ruling.to_string();
    let Ruling::Ban(ban) = ruling else {
        panic!("no ban: {said}")
    };
    ban
}

fn span(ban: &Ban) -> String {
    Period::from_nanos(ban.until.since(ban.from)).to_string()
}

#[test]
fn the_offence_that_reaches_the_limit_is_the_ban() {
    let mut ledger = ledger();
    let noted = |count| Ruling::Noted { count, limit: 3 };
    assert_eq!(ledger.record(failed("192.0.2.1", 100)), noted(1));
    assert_eq!(ledger.record(failed("192.0.2.1", 110)), noted(2));
    assert_eq!(ledger.record(failed("192.0.2.2", 110)), noted(1));
    // The first one is a minute old and counts no more.
    assert_eq!(ledger.record(failed("192.0.2.1", 160)), noted(2));
    let ban = Ban {
        prefix: "192.0.2.1".parse().unwrap(),
        mode: Mode::Enforce,
        from: Nanos::from_secs(161),
        until: Nanos::from_secs(761),
        strike: 1,
        offence: OffenceKind::FailedAuth,
        evidence: Evidence::new("req-161", "detail"),
    };
    assert_eq!(
        ledger.record(failed("192.0.2.1", 161)),
        Ruling::Ban(ban.clone())
    );
    let until = ban.until;
    assert_eq!(
        ledger.record(failed("192.0.2.1", 162)),
        Ruling::AlreadyBanned { until }
    );
    assert!(ledger.is_banned(addr("::ffff:192.0.2.1"), Nanos::from_secs(760)));
    assert!(!ledger.is_banned(addr("192.0.2.1"), Nanos::from_secs(761)));
    assert_eq!(ledger.active(Nanos::from_secs(760)), [&ban]);
    assert_eq!(ledger.expire(Nanos::from_secs(760)), []);
    assert_eq!(ledger.expire(Nanos::from_secs(761)), [ban]);
    assert_eq!(ledger.expire(Nanos::from_secs(761)), []);
    assert_eq!(
        ledger.record(offence("192.0.2.3", OffenceKind::LimitExceeded, 9)),
        Ruling::Off
    );
}

#[test]
fn an_ipv6_client_is_its_64() {
    let mut ledger = ledger();
    ledger.record(failed("2001:db8::1", 1));
    ledger.record(failed("2001:db8::2", 1));
    let ban = banned(ledger.record(failed("2001:db8::3", 1)));
    assert_eq!(ban.prefix.to_string(), "2001:db8::/64");
    assert!(ledger.is_banned(addr("2001:db8::ffff"), Nanos::from_secs(2)));
    assert!(!ledger.is_banned(addr("2001:db8:0:1::1"), Nanos::from_secs(2)));
}

#[test]
fn bans_escalate_and_a_quiet_hour_is_a_clean_slate() {
    let mut ledger = ledger();
    let mut now = 0;
    let mut lasted = Vec::new();
    for strike in 1..=5 {
        let ban = ban_at(&mut ledger, "192.0.2.1", now);
        assert_eq!(ban.strike, strike);
        lasted.push(span(&ban));
        now = ban.until.0 / 1_000_000_000;
        // Whether the ended ban was taken out or not makes no difference.
        if strike % 2 == 0 {
            ledger.expire(Nanos::from_secs(now));
        }
    }
    assert_eq!(lasted, ["10m", "20m", "40m", "1h", "1h"]);
    assert_eq!(ban_at(&mut ledger, "192.0.2.1", now + 3599).strike, 6);
    now += 3599 + 3600;
    assert_eq!(ban_at(&mut ledger, "192.0.2.1", now + 3600).strike, 1);
}

#[test]
fn a_shadow_rule_changes_nothing_for_a_real_one() {
    let mut ledger = ledger();
    ledger.record(failed("192.0.2.1", 0));
    ledger.record(failed("192.0.2.1", 0));
    ledger.record(waf("192.0.2.1", 0));
    let shadow = banned(ledger.record(waf("192.0.2.1", 0)));
    assert_eq!((shadow.mode, shadow.strike), (Mode::Shadow, 1));
    assert!(!ledger.is_banned(addr("192.0.2.1"), Nanos::from_secs(1)));
    let until = shadow.until;
    assert_eq!(
        ledger.record(waf("192.0.2.1", 1)),
        Ruling::AlreadyBanned { until }
    );

    // The two failed tokens still count, the real ban is the first, and it takes the place.
    let real = banned(ledger.record(failed("192.0.2.1", 1)));
    assert_eq!((real.mode, real.strike), (Mode::Enforce, 1));
    let until = real.until;
    assert_eq!(
        ledger.record(waf("192.0.2.1", 2)),
        Ruling::AlreadyBanned { until }
    );
    assert_eq!(ledger.active(Nanos::from_secs(2)), [&real]);

    // The next shadow ban is as long as the third would have been.
    ledger.record(waf("192.0.2.1", 700));
    let shadow = banned(ledger.record(waf("192.0.2.1", 700)));
    assert_eq!((shadow.strike, span(&shadow).as_str()), (3, "40m"));
}

#[test]
fn the_immune_are_spared_with_the_reason() {
    let mut immune = Immune::default();
    immune.add("2001:db8::1".parse().unwrap(), ImmuneReason::Upstream);
    let mut ledger = Ledger::new(
        policy(),
        immune,
        Capacity {
            clients: 16,
            bans: 16,
        },
    );
    for client in ["127.0.0.1", "::1", "fe80::1", "2001:db8::bad"] {
        for _ in 0..5 {
            let ruling = ledger.record(failed(client, 1));
            assert!(matches!(ruling, Ruling::Spared(_)), "{client}: {ruling}");
        }
    }
    assert_eq!(ledger.counters().spared, 20);
    assert_eq!(ledger.counters().tracked, 0);
}

#[test]
fn becoming_immune_lifts_the_ban() {
    let mut ledger = ledger();
    let ban = ban_at(&mut ledger, "2001:db8::bad", 0);
    ban_at(&mut ledger, "192.0.2.9", 0);
    let mut immune = Immune::default();
    immune.add("2001:db8::1".parse().unwrap(), ImmuneReason::Safelist);
    let cause = LiftCause::Immune(ImmuneReason::Safelist);
    assert_eq!(
        ledger.set_immune(immune),
        [Command::Lift {
            prefix: ban.prefix,
            cause
        }]
    );
    assert_eq!(ledger.active(Nanos::from_secs(1)).len(), 1);
    assert!(matches!(
        ledger.record(failed("2001:db8::bad", 2)),
        Ruling::Spared(_)
    ));
}

#[test]
fn lifting_forgets_what_the_client_did() {
    let mut ledger = ledger();
    for client in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        ban_at(&mut ledger, client, 0);
    }
    let lifted = |commands: Vec<Command>| -> Vec<String> {
        let prefix = |command| {
            let Command::Lift { prefix, cause } = command else {
                panic!("a ban")
            };
            assert_eq!(cause, LiftCause::Operator);
            prefix.to_string()
        };
        commands.into_iter().map(prefix).collect()
    };
    assert_eq!(
        lifted(ledger.lift("2001:db8::7".parse().unwrap())),
        ["2001:db8::/64"]
    );
    assert_eq!(
        lifted(ledger.lift("192.0.2.0/24".parse().unwrap())),
        ["192.0.2.1", "192.0.2.2"]
    );
    assert_eq!(lifted(ledger.lift("192.0.2.1".parse().unwrap())), [""; 0]);
    assert_eq!(ban_at(&mut ledger, "192.0.2.1", 10).strike, 1);

    ledger.record(failed("192.0.2.5", 20));
    ledger.lift("192.0.2.5".parse().unwrap());
    assert_eq!(
        ledger.record(failed("192.0.2.5", 20)),
        Ruling::Noted { count: 1, limit: 3 }
    );
}

#[test]
fn a_full_list_of_bans_is_said_and_counted() {
    let mut ledger = Ledger::new(
        policy(),
        Immune::default(),
        Capacity {
            clients: 64,
            bans: 2,
        },
    );
    ban_at(&mut ledger, "192.0.2.1", 0);
    ban_at(&mut ledger, "192.0.2.2", 1);
    for _ in 0..2 {
        ledger.record(failed("192.0.2.3", 2));
    }
    for _ in 0..200 {
        assert_eq!(
            ledger.record(failed("192.0.2.3", 2)),
            Ruling::NoRoom { capacity: 2 }
        );
    }
    assert_eq!(ledger.counters().no_room, 200);
    assert_eq!(ledger.active(Nanos::from_secs(2)).len(), 2);

    // The first ban ends; its strikes make room for the next ban.
    assert_eq!(ledger.expire(Nanos::from_secs(600)).len(), 1);
    assert_eq!(ban_at(&mut ledger, "192.0.2.3", 600).strike, 1);
    assert_eq!(ledger.counters().evicted_strikes, 1);
    assert_eq!(ledger.counters().records, 2);
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut ledger = Ledger::new(
        policy(),
        Immune::default(),
        Capacity {
            clients: 256,
            bans: 32,
        },
    );
    for n in 0..100_000u32 {
        let client = IpAddr::from((n.wrapping_mul(0x9e37_79b9) | 0x8000_0000).to_be_bytes());
        for _ in 0..1 + n % 4 {
            let at = Nanos::from_millis(u64::from(n));
            let evidence = Evidence::default();
            ledger.record(Offence {
                client,
                kind: OffenceKind::FailedAuth,
                at,
                evidence,
            });
        }
        if n % 1000 == 0 {
            ledger.expire(Nanos::from_millis(u64::from(n)));
        }
    }
    let counters = ledger.counters();
    assert!(
        counters.tracked <= 256 && counters.records <= 32,
        "{counters:?}"
    );
    assert!(
        counters.evicted_clients > 0 && counters.no_room > 0,
        "{counters:?}"
    );
}

#[test]
fn a_report_that_comes_late_counts_with_the_latest() {
    let mut ledger = ledger();
    ledger.record(failed("192.0.2.1", 100));
    ledger.record(failed("192.0.2.1", 99));
    let ban = banned(ledger.record(failed("192.0.2.1", 98)));
    assert_eq!(ban.from, Nanos::from_secs(100));
}

#[test]
fn other_rules_take_effect_with_the_next_offence() {
    let mut ledger = ledger();
    let ban = ban_at(&mut ledger, "192.0.2.1", 0);
    ledger.record(failed("192.0.2.2", 0));
    ledger.set_policy(BanPolicy {
        failed_auth: Some(rule("2/minute", "1s", "1s")),
        ..policy()
    });
    assert_eq!(ledger.active(Nanos::from_secs(1)), [&ban]);
    let ban = banned(ledger.record(failed("192.0.2.2", 0)));
    assert_eq!(span(&ban), "1s");
    ledger.set_policy(BanPolicy::default());
    assert_eq!(ledger.record(failed("192.0.2.3", 0)), Ruling::Off);
}

#[test]
fn rulings_have_names_and_sentences() {
    let mut ledger = ledger();
    let ruling = ledger.record(failed("192.0.2.1", 0));
    assert_eq!(
        (ruling.name(), ruling.to_string().as_str()),
        ("noted", "offence 1 of 3")
    );
    let ban = ban_at(&mut ledger, "192.0.2.2", 0);
    assert_eq!(
        Ruling::Ban(ban).to_string(),
        "192.0.2.2 banned for 10m, strike 1"
    );
    let ruling = ledger.record(failed("127.0.0.1", 0));
    assert_eq!(
        (ruling.name(), ruling.to_string().as_str()),
        ("spared", "never banned: it is this host")
    );
}
