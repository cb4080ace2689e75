//! The summary against its definition, block by block.

use gateway_common::lists::{
    ORIGIN_BAN,
    cells::{Cell, place4},
};
use gateway_common::time::Nanos;

use super::*;

mod looked_up;

fn k(text: &str) -> Key {
    key(text.parse().unwrap())
}

fn cell(mirror: &Mirror, address: [u8; 4]) -> Cell {
    let place = place4(address);
    place.read(mirror.words4()[place.word as usize])
}

fn permanent() -> Entry {
    Entry {
        rule: 1,
        ..Entry::default()
    }
}

#[test]
fn a_permanent_prefix_denies_whole_blocks() {
    let mut mirror = Mirror::new(1);
    let changed = mirror.insert(List::Deny, k("10.0.0.0/16"), permanent());
    // Eight words of cells, the one that says there is something in them, and the one that says
    // that it is too wide for the index.
    assert_eq!(changed.words4.len(), 10);
    assert!(changed.index4.buckets.is_empty());
    assert_eq!(cell(&mirror, [10, 0, 255, 1]), Cell::Whole);
    assert_eq!(cell(&mirror, [10, 1, 0, 1]), Cell::Clear);
    let (old, changed) = mirror.remove(List::Deny, k("10.0.0.0/16"));
    assert_eq!(old, Some(permanent()));
    assert_eq!(changed.words4.len(), 10);
    assert!(mirror.words4().iter().all(|word| *word == 0));
}

#[test]
fn what_expires_or_only_watches_is_looked_up() {
    let mut mirror = Mirror::new(1);
    mirror.insert(
        List::Deny,
        k("10.0.0.0/24"),
        Entry {
            expires: Nanos(9),
            ..permanent()
        },
    );
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Deny);
    mirror.insert(
        List::Deny,
        k("10.0.1.0/24"),
        Entry {
            mode: 1,
            ..permanent()
        },
    );
    assert_eq!(cell(&mirror, [10, 0, 1, 1]), Cell::Deny);
}

#[test]
fn a_ban_is_looked_up_whatever_covers_it() {
    let ban = Entry {
        origin: ORIGIN_BAN,
        ..permanent()
    };
    let mut mirror = Mirror::new(1);
    mirror.insert(List::Deny, k("10.0.0.0/24"), ban);
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Deny);
    mirror.insert(List::Deny, k("10.0.0.0/8"), permanent());
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Deny);
    mirror.remove(List::Deny, k("10.0.0.0/24"));
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Whole);
}

#[test]
fn entries_that_fill_a_block_deny_it_whole() {
    let mut mirror = Mirror::new(1);
    let host = |host: u32| k(&format!("10.0.0.{host}"));
    for last in 0..255 {
        mirror.insert(List::Deny, host(last), permanent());
    }
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Deny);
    mirror.insert(List::Deny, host(255), permanent());
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Whole);
    assert_eq!(cell(&mirror, [10, 0, 1, 1]), Cell::Clear);
    // One that ends, only watches, or is a ban leaves a hole.
    for other in [
        Entry {
            expires: Nanos(9),
            ..permanent()
        },
        Entry {
            mode: 1,
            ..permanent()
        },
        Entry {
            origin: ORIGIN_BAN,
            ..permanent()
        },
    ] {
        mirror.insert(List::Deny, host(77), other);
        assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Deny);
        mirror.insert(List::Deny, host(77), permanent());
        assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Whole);
    }
    mirror.remove(List::Deny, host(0));
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Deny);
    // What covers the hole fills it, however much it overlaps.
    mirror.insert(List::Deny, k("10.0.0.0/26"), permanent());
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Whole);
    mirror.insert(List::Allow, k("10.0.0.9"), permanent());
    assert_eq!(cell(&mirror, [10, 0, 0, 1]), Cell::Any);
}

#[test]
fn halves_fill_a_block_and_neighbours_do_not() {
    let mut mirror = Mirror::new(1);
    mirror.insert(List::Deny, k("10.0.0.128/25"), permanent());
    mirror.insert(List::Deny, k("10.0.1.0/25"), permanent());
    for address in [[10, 0, 0, 200], [10, 0, 1, 1]] {
        assert_eq!(cell(&mirror, address), Cell::Deny);
    }
    mirror.insert(List::Deny, k("10.0.0.0/25"), permanent());
    assert_eq!(cell(&mirror, [10, 0, 0, 200]), Cell::Whole);
    assert_eq!(cell(&mirror, [10, 0, 1, 1]), Cell::Deny);
}

#[test]
fn a_host_inside_a_denied_block_makes_it_mixed_and_back() {
    let mut mirror = Mirror::new(1);
    mirror.insert(List::Deny, k("10.0.0.0/8"), permanent());
    mirror.insert(List::Deny, k("10.7.7.7"), permanent());
    assert_eq!(cell(&mirror, [10, 7, 7, 1]), Cell::Deny);
    assert_eq!(cell(&mirror, [10, 7, 8, 1]), Cell::Whole);
    mirror.remove(List::Deny, k("10.7.7.7"));
    assert_eq!(cell(&mirror, [10, 7, 7, 1]), Cell::Whole);
    mirror.insert(List::Allow, k("10.7.7.0/28"), permanent());
    assert_eq!(cell(&mirror, [10, 7, 7, 1]), Cell::Any);
    mirror.remove(List::Deny, k("10.0.0.0/8"));
    assert_eq!(cell(&mirror, [10, 7, 7, 1]), Cell::Any);
    assert_eq!(cell(&mirror, [10, 7, 8, 1]), Cell::Clear);
}

#[test]
fn a_covering_prefix_with_the_same_address_counts_once_and_everywhere() {
    let mut mirror = Mirror::new(1);
    mirror.insert(List::Zone, k("10.0.0.0/8"), permanent());
    mirror.insert(List::Deny, k("10.0.0.0/9"), permanent());
    assert_eq!(cell(&mirror, [10, 0, 0, 0]), Cell::Any);
    mirror.remove(List::Zone, k("10.0.0.0/8"));
    assert_eq!(cell(&mirror, [10, 0, 0, 0]), Cell::Whole);
    assert_eq!(cell(&mirror, [10, 128, 0, 0]), Cell::Clear);
}

#[test]
fn everything_can_be_denied() {
    let mut mirror = Mirror::new(1);
    mirror.insert(List::Deny, k("0.0.0.0/0"), permanent());
    assert_eq!(cell(&mirror, [0, 0, 0, 0]), Cell::Whole);
    assert_eq!(cell(&mirror, [255, 255, 255, 255]), Cell::Whole);
    mirror.remove(List::Deny, k("0.0.0.0/0"));
    assert!(mirror.words4().iter().all(|word| *word == 0));
}

#[test]
fn one_by_one_and_all_at_once_agree() {
    let prefixes = [
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.2.3",
        "192.0.2.0/25",
        "192.0.2.128/25",
    ];
    let mut one = Mirror::new(1);
    for prefix in prefixes {
        one.insert(List::Deny, k(prefix), permanent());
    }
    let mut all = Mirror::new(1);
    all.extend(prefixes.map(|prefix| (List::Deny, k(prefix), permanent())));
    assert_eq!(one.words4(), all.words4());
}

#[test]
fn shared_ipv6_cells_are_counted() {
    let mut mirror = Mirror::new(1);
    mirror.insert(List::Deny, k("2001:db8:1:1::/64"), permanent());
    mirror.insert(List::Deny, k("2001:db8:1:2::/64"), permanent());
    mirror.remove(List::Deny, k("2001:db8:1:1::/64"));
    assert!(mirror.words6().iter().any(|word| *word != 0));
    mirror.remove(List::Deny, k("2001:db8:1:2::/64"));
    assert!(mirror.words6().iter().all(|word| *word == 0));
    mirror.insert(List::Deny, k("2000::/3"), permanent());
    assert_eq!(
        mirror
            .words6()
            .iter()
            .map(|word| word.count_ones())
            .sum::<u32>(),
        8192
    );
}

/// Also where changes of others come in between, and entries go again.
#[test]
fn what_is_staged_and_derived_is_as_if_it_had_come_one_by_one() {
    let mut one = Mirror::new(1);
    let mut staged = Mirror::new(1);
    let host = |n: u32| k(&format!("10.{}.{}.{}", n % 7, n % 251, n % 256));
    let wide = ["10.0.0.0/8", "10.3.0.0/16", "10.4.4.0/24", "2001:db8::/32"].map(k);
    let all: Vec<Key> = (0..2_000).map(host).chain(wide).collect();
    for (round, key) in all.iter().enumerate() {
        one.insert(List::Deny, *key, permanent());
        staged.stage(List::Deny, *key, Some(permanent()));
        if round % 500 == 0 {
            one.insert(List::Allow, k("10.3.3.3"), permanent());
            staged.insert(List::Allow, k("10.3.3.3"), permanent());
        }
    }
    staged.derive();
    assert!(one.words4() == staged.words4() && one.words6() == staged.words6());
    for key in all.iter().skip(1) {
        one.remove(List::Deny, *key);
        staged.stage(List::Deny, *key, None);
    }
    staged.derive();
    assert!(one.words4() == staged.words4() && one.words6() == staged.words6());
}

/// A ban that comes while an import is staged is written by itself, and at once.
#[test]
fn one_entry_waits_for_none_that_are_staged() {
    let entries = || (0..6_000_u32).map(|n| Key::V4(Key4::of(0x0b00_0000 | n << 8 | 7, 32)));
    let mut mirror = Mirror::new(1);
    for key in entries() {
        mirror.stage(List::Deny, key, Some(permanent()));
    }
    let changed = mirror.insert(List::Deny, k("10.0.0.1"), permanent());
    assert!(!changed.index4.is_resized);
    assert_eq!(changed.index4.buckets.len(), 1);
    mirror.derive();

    let mut anew = Mirror::new(1);
    let all = entries().chain([k("10.0.0.1")]);
    anew.extend(all.map(|key| (List::Deny, key, permanent())));
    let sorted = |mirror: &Mirror| -> Vec<Bucket> {
        let mut buckets = mirror.buckets4().to_vec();
        buckets.iter_mut().for_each(|bucket| bucket.sort_unstable());
        buckets
    };
    assert!(sorted(&mirror) == sorted(&anew));
}
