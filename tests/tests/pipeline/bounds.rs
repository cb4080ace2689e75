//! The bounds that docs/LIMITS.md states of the limiter, on runs that are short enough for every
//! day. `cargo xtask bench limiter` makes the whole ones.

use gateway_tests::bench::limiter::{
    Measured,
    alone::{self, RATES},
    crowd,
    flood::Flood,
};

fn assert_holds(measured: &Measured) {
    assert!(measured.holds(), "{measured:?}");
}

#[test]
fn one_source_is_held_to_its_rate_whatever_that_is() {
    for rate in RATES {
        let packets = 2_000 + 4 * rate.at_once();
        if packets < 100_000 {
            let greedy = alone::measure(rate, 1_000, packets);
            assert_holds(&greedy);
            assert!(greedy.short <= rate.most_short(), "{greedy:?}");
        }
    }
}

#[test]
fn a_source_never_has_more_accounts_than_places_to_keep_them() {
    for (load, demand, intervals) in [(10, 200, 8), (50, 50, 2), (100, 50, 2), (200, 50, 1)] {
        let measured = crowd::measure(load, demand, intervals);
        println!("{measured:?}");
        assert_holds(&measured);
    }
}

#[test]
fn honest_clients_keep_their_budgets_beside_forged_sources() {
    for flood in Flood::ALL {
        let measured = flood.measure(300_000);
        println!("{measured:?}");
        assert_holds(&measured);
    }
}
