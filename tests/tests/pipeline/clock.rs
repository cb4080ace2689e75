//! Expiry, to the nanosecond.

use gateway_common::{Verdict, lists::MODE_ENFORCE, settings::Limit, time::Nanos};
use gateway_tests::{
    oracle::{Memory, NOW},
    packet::{Ipv4, Packet, Transport},
    setup::{Setup, allow, deny, zone},
};

fn from(source: [u8; 4]) -> Vec<u8> {
    Packet::from(Ipv4::new(source, [192, 0, 2, 1], Transport::syn())).bytes()
}

#[test]
fn an_entry_counts_until_its_expiry_and_not_at_it() {
    let setup = Setup::of([deny("198.51.100.7", 1).until(NOW)]);
    let memory = Memory::with(&setup, 1);
    for (now, verdict) in [
        (Nanos::ZERO, Verdict::DeniedExact),
        (Nanos(NOW.0 - 1), Verdict::DeniedExact),
        (NOW, Verdict::Pass),
        (Nanos::MAX, Verdict::Pass),
    ] {
        memory.set_now(now);
        assert_eq!(
            memory.decide(&from([198, 51, 100, 7])).verdict,
            verdict,
            "{now:?}"
        );
    }
}

#[test]
fn what_an_entry_hid_comes_back_when_it_expires() {
    let setup = Setup::of([
        deny("198.51.0.0/16", 1),
        allow("198.51.100.0/24", 2).until(NOW),
    ]);
    let memory = Memory::with(&setup, 1);
    memory.set_now(Nanos(NOW.0 - 1));
    assert_eq!(
        memory.decide(&from([198, 51, 100, 7])).verdict,
        Verdict::Safelisted
    );
    memory.set_now(NOW);
    assert_eq!(
        memory.decide(&from([198, 51, 100, 7])).verdict,
        Verdict::DeniedPrefix
    );
}

/// Zones were honoured past their expiry.
#[test]
fn an_expired_zone_is_no_zone() {
    let one = Limit::new(1, Nanos::from_secs(1), Nanos::ZERO, MODE_ENFORCE);
    let setup = Setup::of([zone("198.51.100.0/24", 1).until(NOW)]);
    let memory = Memory::with(&setup.limits(&[one, Limit::default()]), 1);
    let second = |now| {
        memory.set_now(now);
        let frame = from([198, 51, 100, 7]);
        let _first = memory.decide(&frame);
        memory.decide(&frame).verdict
    };
    assert_eq!(second(Nanos(NOW.0 - 1)), Verdict::Pass);
    assert_eq!(second(NOW), Verdict::RateLimited);
}
