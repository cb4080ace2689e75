//! One packet against the limit of its source.

use super::{CELLS, TIME_BITS, ticks};
use crate::{
    lists::{cells::mix, halves},
    settings::Limit,
    tables::Tables,
};

/// Attempts to update a cell before the packet goes free. Each lost attempt means that another
/// CPU charged the same cell in the meantime.
const ATTEMPTS: u32 = 4;

/// Whether a packet keeps to its source's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Within the limit, and charged to it.
    Within,
    /// Over the limit; nothing is charged.
    Over,
}

/// Charges one packet of the source with this [identity](identity4) to `limit`.
#[inline(always)]
pub fn admit<T: Tables>(tables: &T, identity: u64, limit: &Limit) -> Admission {
    if limit.interval == 0 {
        return Admission::Within;
    }
    let hash = mix(tables.settings().seed, identity);
    let tag = hash >> TIME_BITS;
    let now = ticks(tables.now());
    for _ in 0..ATTEMPTS {
        let (slot, cell, owner) = choose(tables, hash, tag, now);
        let arrival = max(time(cell), now);
        let next = arrival + limit.interval;
        if next - now > limit.tolerance + limit.interval {
            return Admission::Over;
        }
        let charged = (owner << TIME_BITS) | (next & TIME_MASK);
        if tables.limiter_swap(slot, cell, charged) {
            break;
        }
    }
    Admission::Within
}

const TIME_MASK: u64 = (1 << TIME_BITS) - 1;

#[inline(always)]
const fn time(cell: u64) -> u64 {
    cell & TIME_MASK
}

#[inline(always)]
const fn max(a: u64, b: u64) -> u64 {
    if a > b { a } else { b }
}

/// The cell to charge: the source's own, else a free one, else the first, shared. Returns the
/// slot, what it holds, and the tag it shall carry.
#[inline(always)]
fn choose<T: Tables>(tables: &T, hash: u64, tag: u64, now: u64) -> (u32, u64, u64) {
    let first_slot = hash as u32 & (CELLS - 1);
    let first = tables.limiter(first_slot);
    if first >> TIME_BITS == tag {
        return (first_slot, first, tag);
    }
    let second_slot = (hash >> 20) as u32 & (CELLS - 1);
    let second = tables.limiter(second_slot);
    if second >> TIME_BITS == tag && time(second) > now {
        return (second_slot, second, tag);
    }
    if time(first) <= now {
        return (first_slot, first, tag);
    }
    if time(second) <= now {
        return (second_slot, second, tag);
    }
    (first_slot, first, first >> TIME_BITS)
}

/// What the limit of an IPv4 source is held against: its address, in the part of the IPv6 space
/// that is no source's (multicast), so that neither family can spend what the other has.
#[inline(always)]
#[must_use]
pub const fn identity4(address: [u8; 4]) -> u64 {
    0xff << 56 | u32::from_be_bytes(address) as u64
}

/// What the limit of an IPv6 source is held against: its /64. Everyone on a link shares
/// `fe80::/64`, so there it is the interface identifier, mixed into what the prefix leaves.
#[inline(always)]
#[must_use]
pub const fn identity6(address: [u8; 16]) -> u64 {
    let (high, low) = halves(address);
    if high >> 54 == 0xfe80 >> 6 {
        0xfe80 << 48 | mix(0, low) >> 16
    } else {
        high
    }
}
