//! Lists that grow and shrink.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gateway_common::{
    lists::{Entry, MODE_ENFORCE, MODE_SHADOW},
    tables::List,
    time::Nanos,
};
use gateway_policy::grammar::Prefix;
use proptest::{prelude::*, sample::Index};

use crate::{
    model::Lists,
    oracle::{Memory, NOW},
    setup::{FUTURE, Item, PAST},
};

/// A change to the lists.
#[derive(Clone, Debug)]
pub enum Op {
    /// Adds an entry, or replaces one.
    Insert(Item),
    /// Removes one of those that are there.
    Remove(Index),
}

/// Carries a change out on the pipeline's tables and on the model's lists.
pub fn apply(op: &Op, memory: &mut Memory, lists: &mut Lists) {
    match op {
        Op::Insert(item) => {
            memory.insert(item);
            lists.insert(*item);
        }
        Op::Remove(_) if lists.items().is_empty() => {}
        Op::Remove(index) => {
            let item = *index.get(lists.items());
            assert!(memory.remove(item.list, item.key()));
            lists.remove(item.list, item.prefix);
        }
    }
}

/// Up to `most` changes, three of four of them additions.
pub fn ops(most: usize, prefix: BoxedStrategy<Prefix>) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        3 => item(prefix).prop_map(Op::Insert),
        1 => any::<Index>().prop_map(Op::Remove),
    ];
    prop::collection::vec(op, 0..most)
}

/// An entry of any list. Rules are never 0, which means no rule.
pub fn item(prefix: BoxedStrategy<Prefix>) -> impl Strategy<Value = Item> {
    let list = prop_oneof![
        5 => Just(List::Deny),
        3 => Just(List::Allow),
        2 => Just(List::Zone),
    ];
    let mode = prop_oneof![3 => Just(MODE_ENFORCE), 1 => Just(MODE_SHADOW)];
    (list, prefix, expiry(), 1..1000_u32, mode, 0..4_u8, 1..5_u8).prop_map(
        |(list, prefix, expires, rule, mode, origin, class)| Item {
            list,
            prefix,
            entry: Entry {
                expires,
                rule,
                mode,
                origin,
                class: if list == List::Zone { class } else { 0 },
                reserved: 0,
            },
        },
    )
}

/// Never, long ago, now, and around now.
fn expiry() -> impl Strategy<Value = Nanos> {
    prop_oneof![
        6 => Just(Nanos::ZERO),
        1 => Just(PAST),
        1 => Just(Nanos(NOW.0 - 1)),
        1 => Just(NOW),
        1 => Just(Nanos(NOW.0 + 1)),
        2 => Just(FUTURE),
    ]
}

/// A prefix of at least eight bits around one of a few addresses, so that many overlap.
pub fn prefix() -> BoxedStrategy<Prefix> {
    around(address(), 8)
}

/// A prefix of any length, also of none: all addresses there are.
pub fn wide_prefix() -> BoxedStrategy<Prefix> {
    around(address(), 0)
}

fn around(address: impl Strategy<Value = IpAddr> + 'static, least: u8) -> BoxedStrategy<Prefix> {
    (address, any::<Index>())
        .prop_map(move |(address, index)| {
            let most: u8 = if address.is_ipv4() { 32 } else { 128 };
            let length = least + index.index(usize::from(most - least) + 1) as u8;
            Prefix::holding(address, length).expect("a length that fits")
        })
        .boxed()
}

/// An address near one of a few, or any.
pub fn address() -> BoxedStrategy<IpAddr> {
    let near4 = prop::sample::select(vec![
        Ipv4Addr::new(10, 1, 2, 3),
        Ipv4Addr::new(10, 1, 3, 0),
        Ipv4Addr::new(10, 128, 0, 0),
        Ipv4Addr::new(198, 51, 100, 7),
        Ipv4Addr::new(0, 0, 0, 0),
        Ipv4Addr::new(255, 255, 255, 255),
    ]);
    let near6 = prop::sample::select(vec![
        Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 3, 4, 5, 6),
        Ipv6Addr::new(0x2001, 0xdb8, 1, 0x8000, 0, 0, 0, 0),
        Ipv6Addr::new(0x2001, 0xdb9, 0, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0x211, 0x22ff, 0xfe33, 0x4455),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0),
    ]);
    prop_oneof![
        6 => (near4, 0..32_u32).prop_map(|(near, bit)| {
            IpAddr::from(Ipv4Addr::from(u32::from(near) ^ (1 << bit)))
        }),
        5 => (near6, 0..128_u32).prop_map(|(near, bit)| {
            IpAddr::from(Ipv6Addr::from(u128::from(near) ^ (1 << bit)))
        }),
        1 => any::<Ipv4Addr>().prop_map(IpAddr::from),
        1 => any::<Ipv6Addr>().prop_map(IpAddr::from),
    ]
    .boxed()
}
