//! Which of two entries decides: the longer prefix, and the safelist where both are as long.

use std::{
    cmp::Ordering,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use gateway_common::Verdict;
use gateway_policy::grammar::Prefix;

use super::{
    Row, Table,
    sources::{TO4, TO6},
};
use crate::{
    packet::{Ipv4, Ipv6, Packet, Transport},
    setup::{FUTURE, Item, Setup, allow, deny},
};

/// Around the lengths at which the summary changes its ways.
const LENGTHS4: [u8; 8] = [8, 16, 20, 23, 24, 25, 31, 32];
const LENGTHS6: [u8; 9] = [8, 16, 31, 32, 47, 48, 64, 127, 128];

const ALLOWED: u32 = 1;
const DENIED: u32 = 2;

pub(super) fn table() -> Table {
    let mut items = Vec::new();
    let mut rows = Vec::new();
    // Each pair in a block of its own.
    let mut block = 10;
    for allowed in LENGTHS4 {
        for denied in LENGTHS4 {
            block += 1;
            let source = Ipv4Addr::new(block, 0x55, 0xaa, 0x5a).into();
            pair(source, [allowed, denied], &mut items, &mut rows);
        }
    }
    let mut block = 0x2000;
    for allowed in LENGTHS6 {
        for denied in LENGTHS6 {
            block += 0x100;
            let source = Ipv6Addr::new(block, 0x5555, 0xaaaa, 0x5a5a, 0, 0x55, 0xaa, 0x5a).into();
            pair(source, [allowed, denied], &mut items, &mut rows);
        }
    }
    let (nested, layers) = nested();
    items.extend(nested);
    rows.extend(layers);
    Table {
        name: "precedence",
        setup: Setup::of(items),
        rows,
    }
}

/// A safelist and a deny entry around one source, and what that makes of it and of its neighbour
/// that only the shorter of the two covers.
fn pair(source: IpAddr, [allowed, denied]: [u8; 2], items: &mut Vec<Item>, rows: &mut Vec<Row>) {
    let around = |length| {
        Prefix::holding(source, length)
            .expect("a length")
            .to_string()
    };
    items.push(allow(&around(allowed), ALLOWED));
    items.push(deny(&around(denied), DENIED).until(FUTURE));
    let shorter_denies = denied < allowed;
    let name = format!("{source}: safelist /{allowed}, deny /{denied}");
    rows.push(row(name, source, (denied > allowed).then_some(denied)));
    if allowed.cmp(&denied) != Ordering::Equal {
        let outside = flip(source, allowed.max(denied) - 1);
        let name = format!("{outside}: beside the longer of safelist /{allowed}, deny /{denied}");
        rows.push(row(name, outside, shorter_denies.then_some(denied)));
    }
}

/// Four prefixes inside each other, turn and turn about.
fn nested() -> (Vec<Item>, Vec<Row>) {
    let items = vec![
        deny("100.0.0.0/9", DENIED).until(FUTURE),
        allow("100.1.0.0/16", ALLOWED),
        deny("100.1.2.0/24", DENIED).until(FUTURE),
        allow("100.1.2.3/32", ALLOWED),
    ];
    let rows = [
        ("100.2.2.3", Some(9)),
        ("100.1.3.3", None),
        ("100.1.2.4", Some(24)),
        ("100.1.2.3", None),
    ];
    let row = |(source, denied): (&str, Option<u8>)| {
        row(
            format!("{source}: four layers"),
            source.parse().expect(source),
            denied,
        )
    };
    (items, rows.map(row).into())
}

/// A row for a source that is denied by a prefix of this length, or else on the safelist.
fn row(name: String, source: IpAddr, denied: Option<u8>) -> Row {
    let (packet, bits): (Packet, u8) = match source {
        IpAddr::V4(source) => (Ipv4::new(source, TO4, Transport::syn()).into(), 32),
        IpAddr::V6(source) => (Ipv6::new(source, TO6, Transport::syn()).into(), 128),
    };
    match denied {
        Some(length) if length == bits => Row::new(name, packet, Verdict::DeniedExact).by(DENIED),
        Some(_) => Row::new(name, packet, Verdict::DeniedPrefix).by(DENIED),
        None => Row::new(name, packet, Verdict::Safelisted).by(ALLOWED),
    }
}

/// The address with one bit turned over; bit 0 is the first.
fn flip(address: IpAddr, bit: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => Ipv4Addr::from(u32::from(a) ^ (1 << (31 - bit))).into(),
        IpAddr::V6(a) => Ipv6Addr::from(u128::from(a) ^ (1 << (127 - bit))).into(),
    }
}
