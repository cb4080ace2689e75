//! Countries with a limit: which zones they become.

use gateway_common::settings::CLASS_LIMITED;
use gateway_policy::import::Entry as Line;

use super::*;
use crate::config::CountryCode;

fn code(text: &str) -> CountryCode {
    text.parse().unwrap()
}

fn says(country: &str, prefixes: &[&str]) -> FeedOrder {
    let line = |text: &&str| Line {
        prefix: p(text),
        line: 0,
        ttl: None,
    };
    FeedOrder {
        name: format!("country:{country}").parse().unwrap(),
        list: ListName::Deny,
        mode: Mode::Enforce,
        source: format!("{country} in countries.mmdb"),
        entries: prefixes.iter().map(line).collect(),
        limits: Some(code(country)),
    }
}

impl Bench {
    /// The zones that are part of a country.
    fn limited(&self) -> Vec<String> {
        let state = self.lists.state();
        let zones = state.entries.iter().filter(|((list, _), entry)| {
            *list == List::Zone && usize::from(entry.class) == CLASS_LIMITED
        });
        zones
            .map(|((_, prefix), entry)| {
                let code = CountryCode::from_number(entry.rule).unwrap();
                format!("{prefix} {code}")
            })
            .collect()
    }

    fn trust(&self, prefix: &str) {
        let trusted = Entry {
            class: 1,
            ..Entry::default()
        };
        self.lists.insert(List::Zone, p(prefix), trusted).unwrap();
    }
}

fn taken(outcome: FeedOutcome) -> FeedTaken {
    match outcome {
        FeedOutcome::Taken(taken) => taken,
        FeedOutcome::HeldBack { held, .. } => panic!("held back with {held}"),
    }
}

#[test]
fn a_country_is_zones_and_on_no_list() {
    let bench = bench();
    bench.trust("10.0.0.0/8");
    bench.trust("198.51.100.0/24");
    let order = says(
        "ZZ",
        &[
            "10.1.0.0/16",
            "192.0.2.0/24",
            "198.51.100.0/24",
            "2001:db8::/32",
        ],
    );
    let first = taken(bench.service.update_feed(order, None).unwrap());
    assert_eq!((first.entries, first.left_out, first.done.added), (2, 2, 2));
    assert!(first.told[0].contains("10.1.0.0/16 lies in a trusted network"));
    assert_eq!(bench.limited(), ["192.0.2.0/24 ZZ", "2001:db8::/32 ZZ"]);
    assert_eq!(bench.entries(ListName::Deny), []);
    // One that holds a trusted network is taken: the longer prefix decides.
    let order = says("ZZ", &["198.51.0.0/16", "2001:db8::/32"]);
    let second = taken(bench.service.update_feed(order, None).unwrap());
    assert_eq!((second.done.added, second.done.removed), (1, 1));
    assert_eq!(bench.limited(), ["198.51.0.0/16 ZZ", "2001:db8::/32 ZZ"]);
    let trusted = bench.lists.entry(List::Zone, "198.51.100.0/24").unwrap();
    assert_eq!(trusted.class, 1);

    let other = says("YY", &["203.0.113.0/24"]);
    taken(bench.service.update_feed(other, None).unwrap());
    assert_eq!(bench.service.keep_limited(&[code("YY")]).unwrap(), 2);
    assert_eq!(bench.limited(), ["203.0.113.0/24 YY"]);
    assert!(bench.lists.entry(List::Zone, "10.0.0.0/8").is_some());
}

#[test]
fn what_is_limited_may_be_denied_and_is_explained() {
    let bench = bench();
    let order = says("ZZ", &["192.0.2.0/24"]);
    taken(bench.service.update_feed(order, None).unwrap());
    let asked = bench.session.explain("192.0.2.9".parse().unwrap()).unwrap();
    let country = asked.country.unwrap();
    assert_eq!(
        (country.code.as_str(), country.prefix),
        ("ZZ", p("192.0.2.0/24"))
    );
    assert_eq!(asked.zone, None);
    bench.deny(&["192.0.0.0/16"]).unwrap();
}

#[test]
fn a_country_that_shrinks_is_held_back() {
    let bench = bench();
    let all: Vec<String> = (0..40).map(|n| format!("198.51.{n}.0/24")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    taken(bench.service.update_feed(says("ZZ", &all), None).unwrap());
    let less = says("ZZ", &all[..3]);
    let FeedOutcome::HeldBack { held, offer } = bench.service.update_feed(less, None).unwrap()
    else {
        panic!("it was taken");
    };
    assert_eq!((held, bench.limited().len()), (40, 40));
    let accepted = bench
        .service
        .update_feed(offer, Some(&Actor::agent()))
        .unwrap();
    assert_eq!(taken(accepted).done.removed, 37);
    assert_eq!(bench.limited().len(), 3);
}
