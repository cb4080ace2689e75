//! Which entry decides about a source.

use super::{
    cells::{self, Cell},
    entry::{Entry, MODE_SHADOW, ORIGIN_BAN},
    key::{Key4, Key6, halves},
    lengths::longest,
};
use crate::{
    packet::Source,
    tables::{List, Tables},
};

/// What the lists say of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// No list decides; the packet goes on.
    Unlisted {
        /// Rate class of the zone it lies in; 0 outside every zone.
        class: u8,
        /// The shadow entry that would have denied it; 0 when there is none.
        shadow: Option<u32>,
    },
    /// On the safelist, by the rule with this id.
    Allowed(u32),
    /// Denied as this very address, by the rule with this id.
    DeniedExact(u32),
    /// Denied as part of a prefix, by the rule with this id (0 when the whole block is denied).
    DeniedPrefix(u32),
    /// Banned by the agent, by the rule with this id.
    Banned(u32),
}

impl Listing {
    const NOTHING: Self = Self::Unlisted {
        class: 0,
        shadow: None,
    };
}

/// Finds the entry that decides about `source`.
#[inline(always)]
pub fn find<T: Tables>(tables: &T, source: &Source) -> Listing {
    match *source {
        Source::V4(address) => {
            let place = cells::place4(address);
            match place.read(tables.cells4(place.word)) {
                Cell::Clear => Listing::NOTHING,
                Cell::Whole => Listing::DeniedPrefix(0),
                Cell::Deny => walk4(tables, address, false),
                Cell::Any => walk4(tables, address, true),
            }
        }
        Source::V6(address) => {
            let (high, _) = halves(address);
            let seed = tables.settings().seed;
            let mut bits = 0;
            for place in [
                cells::place6_16(high),
                cells::place6_32(seed, high),
                cells::place6_48(seed, high),
            ] {
                bits |= place.read(tables.cells6(place.word)) as u64;
            }
            match Cell::from_bits(bits) {
                Cell::Clear => Listing::NOTHING,
                Cell::Deny => walk6(tables, address, false),
                Cell::Whole | Cell::Any => walk6(tables, address, true),
            }
        }
    }
}

/// Walks the prefix lengths present, longest first; `all` includes the safelist and the zones.
///
/// Not inlined: the kernel gives a call 512 bytes of stack, and this is the path of the few.
#[inline(never)]
fn walk4<T: Tables>(tables: &T, address: [u8; 4], all: bool) -> Listing {
    let settings = tables.settings();
    let deny = settings.deny.v4;
    let allow = if all { settings.allow.v4 } else { 0 };
    let mut lengths = deny | allow;
    let mut shadow = None;
    for _ in 0..33 {
        if lengths == 0 {
            break;
        }
        let length = longest(lengths);
        let bit = 1 << length;
        lengths &= !bit;
        let key = Key4::new(address, length);
        if allow & bit != 0
            && let Some(entry) = live(tables, tables.entry4(List::Allow, &key))
        {
            return Listing::Allowed(entry.rule);
        }
        if deny & bit != 0
            && let Some(entry) = live(tables, tables.entry4(List::Deny, &key))
        {
            if entry.mode != MODE_SHADOW {
                return denied(&entry, length == 32);
            }
            shadow = Some(entry.rule);
        }
    }
    let class = if all { zone4(tables, address) } else { 0 };
    Listing::Unlisted { class, shadow }
}

/// The class of the longest zone around `address`.
#[inline(always)]
fn zone4<T: Tables>(tables: &T, address: [u8; 4]) -> u8 {
    let mut lengths = tables.settings().zone.v4;
    for _ in 0..33 {
        if lengths == 0 {
            break;
        }
        let length = longest(lengths);
        lengths &= !(1 << length);
        if let Some(entry) = tables.entry4(List::Zone, &Key4::new(address, length)) {
            return entry.class;
        }
    }
    0
}

/// As [`walk4`], over the three words of IPv6 lengths.
#[inline(never)]
fn walk6<T: Tables>(tables: &T, address: [u8; 16], all: bool) -> Listing {
    let settings = tables.settings();
    let mut shadow = None;
    for word in [2u32, 1, 0] {
        let deny = word_of(&settings.deny.v6, word);
        let allow = if all {
            word_of(&settings.allow.v6, word)
        } else {
            0
        };
        let mut lengths = deny | allow;
        for _ in 0..64 {
            if lengths == 0 {
                break;
            }
            let offset = longest(lengths);
            let bit = 1 << offset;
            lengths &= !bit;
            let length = word * 64 + offset;
            let key = Key6::new(address, length);
            if allow & bit != 0
                && let Some(entry) = live(tables, tables.entry6(List::Allow, &key))
            {
                return Listing::Allowed(entry.rule);
            }
            if deny & bit != 0
                && let Some(entry) = live(tables, tables.entry6(List::Deny, &key))
            {
                if entry.mode != MODE_SHADOW {
                    return denied(&entry, length == 128);
                }
                shadow = Some(entry.rule);
            }
        }
    }
    let class = if all { zone6(tables, address) } else { 0 };
    Listing::Unlisted { class, shadow }
}

#[inline(always)]
fn zone6<T: Tables>(tables: &T, address: [u8; 16]) -> u8 {
    for word in [2u32, 1, 0] {
        let mut lengths = word_of(&tables.settings().zone.v6, word);
        for _ in 0..64 {
            if lengths == 0 {
                break;
            }
            let offset = longest(lengths);
            lengths &= !(1 << offset);
            let key = Key6::new(address, word * 64 + offset);
            if let Some(entry) = tables.entry6(List::Zone, &key) {
                return entry.class;
            }
        }
    }
    0
}

#[inline(always)]
const fn word_of(words: &[u64; 3], index: u32) -> u64 {
    let [short, long, full] = *words;
    match index {
        0 => short,
        1 => long,
        _ => full,
    }
}

/// The entry, unless it is past its expiry. The clock is read only for one that has an expiry.
#[inline(always)]
fn live<T: Tables>(tables: &T, entry: Option<Entry>) -> Option<Entry> {
    let entry = entry?;
    (entry.is_permanent() || entry.is_live(tables.now())).then_some(entry)
}

#[inline(always)]
const fn denied(entry: &Entry, exact: bool) -> Listing {
    if entry.origin == ORIGIN_BAN {
        Listing::Banned(entry.rule)
    } else if exact {
        Listing::DeniedExact(entry.rule)
    } else {
        Listing::DeniedPrefix(entry.rule)
    }
}
