//! The packet pipeline against the plain model.

use std::net::IpAddr;

use arbitrary::{Arbitrary, Result, Unstructured};
use gateway_common::{
    limiter::{Admission, TICK_NANOS, admit, identity4},
    lists::{Entry, MODE_ENFORCE, MODE_SHADOW},
    settings::Limit,
    tables::List,
    time::Nanos,
};
use gateway_policy::grammar::Prefix;

use crate::{
    model::{self, Client, Model},
    oracle::{Memory, NOW},
    packet::{Ipv4, Ipv6, Packet, Transport},
    setup::{FUTURE, Item, PAST, Setup, allow, ban, deny, shadow, zone},
};

/// Frames of one input, and changes to the lists.
const MOST: usize = 64;

/// The lists that [`frames`] are decided by: something of every kind, and many that overlap.
fn setup() -> Setup {
    Setup::of([
        deny("10.1.2.0/24", 1),
        deny("10.1.3.3", 2),
        shadow("10.1.3.4", 3),
        allow("10.1.4.0/22", 5),
        deny("10.1.5.0/25", 11),
        ban("10.9.0.0/16", 6),
        zone("10.8.0.0/16", 1),
        deny("2001:db8:1::/48", 7),
        deny("2001:db8:2::2", 8),
        allow("2001:db8:3::/64", 9),
        zone("2001:db8:4::/48", 1),
        shadow("2001:db8:5::5", 10),
    ])
}

/// Frames, each behind its length in two bytes.
pub(super) fn frames(data: &[u8]) {
    thread_local! {
        // Without limits no frame changes the tables.
        static TABLES: (Memory, Setup) = (Memory::with(&setup(), 1), setup());
    }
    TABLES.with(|(memory, setup)| {
        let mut model = Model::of(setup, NOW);
        for frame in split(data).take(MOST) {
            let expected = model.decide(frame);
            let got = memory.decide(frame);
            assert!(
                Model::agrees(expected, got),
                "{frame:02x?}: the model says {expected:?}, the pipeline {got:?}"
            );
        }
    });
}

/// The pieces of an input, each behind its length in two bytes; the last one may be cut.
fn split(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        data = rest;
        Some(piece)
    })
}

/// A change to the lists, and an address that is looked up after it.
#[derive(Debug)]
struct Change {
    remove: bool,
    list: u8,
    base: u8,
    /// What the address has in its last bytes instead of the base's.
    tail: u16,
    length: u8,
    expiry: u8,
    shadow: bool,
    rule: u16,
    origin: u8,
    class: u8,
}

/// Addresses around which prefixes lie, so that many of them overlap.
const BASES: [&str; 8] = [
    "10.1.2.0",
    "10.1.3.0",
    "192.0.2.0",
    "255.255.255.255",
    "2001:db8::",
    "2001:db8:0:1::",
    "2001:db9::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

impl<'a> Arbitrary<'a> for Change {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            remove: input.ratio(1, 4)?,
            list: input.arbitrary()?,
            base: input.arbitrary()?,
            tail: input.arbitrary()?,
            length: input.arbitrary()?,
            expiry: input.arbitrary()?,
            shadow: input.arbitrary()?,
            rule: input.arbitrary()?,
            origin: input.arbitrary()?,
            class: input.arbitrary()?,
        })
    }
}

impl Change {
    fn address(&self) -> IpAddr {
        let base: IpAddr = BASES[usize::from(self.base) % BASES.len()].parse().unwrap();
        let [high, low] = self.tail.to_be_bytes();
        match base {
            IpAddr::V4(base) => {
                let [a, b, c, d] = base.octets();
                [a, b, c ^ high, d ^ low].into()
            }
            IpAddr::V6(base) => {
                let mut octets = base.octets();
                // One byte in the part that networks differ in, one in the host's.
                octets[7] ^= high;
                octets[15] ^= low;
                octets.into()
            }
        }
    }

    fn item(&self) -> Item {
        let list = [List::Deny, List::Deny, List::Allow, List::Zone][usize::from(self.list) % 4];
        let address = self.address();
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = 8 + self.length % (longest - 7);
        let around_now = [
            Nanos::ZERO,
            PAST,
            Nanos(NOW.0 - 1),
            NOW,
            Nanos(NOW.0 + 1),
            FUTURE,
        ];
        Item {
            list,
            prefix: Prefix::holding(address, length).unwrap(),
            entry: Entry {
                expires: around_now[usize::from(self.expiry) % around_now.len()],
                rule: u32::from(self.rule) + 1,
                mode: if self.shadow {
                    MODE_SHADOW
                } else {
                    MODE_ENFORCE
                },
                origin: self.origin % 4,
                class: if list == List::Zone {
                    1 + self.class % 4
                } else {
                    0
                },
                reserved: 0,
            },
        }
    }
}

/// Changes to the lists, as [`Change`]s; every address is looked up after each.
pub(super) fn lists(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut memory = Memory::new(input.arbitrary().unwrap_or(1));
    let mut model = Model {
        now: NOW,
        ..Model::default()
    };
    let mut changes = Vec::new();
    while changes.len() < MOST && !input.is_empty() {
        let Ok(change) = Change::arbitrary(&mut input) else {
            break;
        };
        let item = change.item();
        if change.remove {
            let there = model.lists.remove(item.list, item.prefix);
            assert_eq!(memory.remove(item.list, item.key()), there, "{item:?}");
        } else {
            memory.insert(&item);
            model.lists.insert(item);
        }
        changes.push(change);
        for change in &changes {
            agree(&memory, &mut model, change.address());
        }
    }
    // Nothing is left of what is gone.
    for item in model.lists.items().to_vec() {
        assert!(memory.remove(item.list, item.key()), "{item:?}");
        model.lists.remove(item.list, item.prefix);
    }
    for change in &changes {
        agree(&memory, &mut model, change.address());
    }
}

fn agree(memory: &Memory, model: &mut Model, source: IpAddr) {
    let frame = match source {
        IpAddr::V4(source) => {
            Packet::from(Ipv4::new(source.octets(), [192, 0, 2, 1], Transport::syn())).bytes()
        }
        IpAddr::V6(source) => {
            let to = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
            Packet::from(Ipv6::new(source.octets(), to.octets(), Transport::syn())).bytes()
        }
    };
    let (expected, got) = (model.decide(&frame), memory.decide(&frame));
    assert!(
        Model::agrees(expected, got),
        "{source}: the model says {expected:?}, the pipeline {got:?}"
    );
}

/// A limit, and the ticks that pass before each packet of one source.
#[derive(Debug)]
struct Traffic {
    seed: u64,
    interval: u16,
    tolerance: u32,
    ticks: Vec<u16>,
}

impl<'a> Arbitrary<'a> for Traffic {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            seed: input.arbitrary()?,
            interval: input.arbitrary()?,
            tolerance: input.arbitrary()?,
            ticks: input.arbitrary()?,
        })
    }
}

/// One source against a limit: on whole ticks there is nothing to round.
pub(super) fn limiter(data: &[u8]) {
    const SOURCE: [u8; 4] = [198, 51, 100, 7];

    let Ok(traffic) = Traffic::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let limit = Limit {
        interval: u64::from(traffic.interval) + 1,
        tolerance: u64::from(traffic.tolerance) % 1_000_000,
        mode: MODE_ENFORCE.into(),
    };
    let memory = Memory::new(traffic.seed);
    let mut exact = model::Limiter::default();
    let mut now = NOW;
    for (packet, ticks) in traffic.ticks.iter().enumerate() {
        now = Nanos(now.0 + u64::from(*ticks) * TICK_NANOS);
        memory.set_now(now);
        let expected = exact.admit(Client::V4(SOURCE), &limit, now);
        let admitted = admit(&memory, identity4(SOURCE), &limit, 0) == Admission::Within;
        assert_eq!(admitted, expected, "packet {packet} under {limit:?}");
    }
}
