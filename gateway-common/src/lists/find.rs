//! Which entry decides about a source.

use super::{
    cells::{self, Cell},
    entry::{Entry, MODE_SHADOW, ORIGIN_BAN},
    key::{Key4, Key6, halves},
    lengths::longest,
    listing::{Kind, Packed},
};
use crate::tables::{List, Tables};

/// Finds the entry that decides about an IPv4 source.
#[inline(always)]
pub(crate) fn find4<T: Tables>(tables: &T, address: &[u8; 4]) -> Packed {
    let place = cells::place4(*address);
    match place.read(tables.cells4(place.word)) {
        Cell::Clear => Packed::NOTHING,
        Cell::Whole => Packed::new(Kind::DeniedPrefix, 0, 0),
        Cell::Deny => tables.walk4(u32::from_be_bytes(*address), false),
        Cell::Any => tables.walk4(u32::from_be_bytes(*address), true),
    }
}

/// Finds the entry that decides about an IPv6 source.
#[inline(always)]
pub(crate) fn find6<T: Tables>(tables: &T, address: &[u8; 16]) -> Packed {
    let (high, low) = halves(*address);
    let seed = tables.settings().seed;
    let net = cells::place6_16(high);
    let site = cells::place6_32(seed, high);
    let subnet = cells::place6_48(seed, high);
    let bits = tables.cells6(net.word) >> net.shift
        | tables.cells6(site.word) >> site.shift
        | tables.cells6(subnet.word) >> subnet.shift;
    match Cell::from_bits(bits) {
        Cell::Clear => Packed::NOTHING,
        Cell::Deny => tables.walk6(high, low, false),
        // No IPv6 cell is ever written as whole.
        Cell::Whole | Cell::Any => tables.walk6(high, low, true),
    }
}

/// Walks the prefix lengths present around an IPv4 address, longest first; `all` includes the
/// safelist and the zones.
#[inline(always)]
pub fn walk4<T: Tables>(tables: &T, address: u32, all: bool) -> Packed {
    let settings = tables.settings();
    let deny = settings.deny.v4;
    let (allow, zone) = if all {
        (settings.allow.v4, settings.zone.v4)
    } else {
        (0, 0)
    };
    let mut lengths = deny | allow | zone;
    let mut found = Packed::NOTHING;
    for _ in 0..33 {
        if lengths == 0 {
            break;
        }
        let length = longest(lengths);
        let bit = 1u64 << length;
        let key = Key4::of(address, length);
        if allow & bit != 0
            && let Some(entry) = live(tables, tables.entry4(List::Allow, &key))
        {
            return Packed::new(Kind::Allowed, 0, entry.rule);
        }
        if deny & bit != 0
            && let Some(entry) = live(tables, tables.entry4(List::Deny, &key))
        {
            if entry.mode != MODE_SHADOW {
                return denied(&entry, length == 32);
            }
            found = found.with_shadow(entry.rule);
        }
        if zone & bit != 0
            && let Some(entry) = tables.entry4(List::Zone, &key)
        {
            found = found.with_class(entry.class);
        }
        // Without these the verifier would follow each combination of lengths.
        lengths = tables.forget(lengths & !bit);
        found = found.forgotten(tables);
    }
    found
}

/// As [`walk4`] for the halves of an IPv6 address, over the three words of lengths.
#[inline(always)]
pub fn walk6<T: Tables>(tables: &T, high: u64, low: u64, all: bool) -> Packed {
    let settings = tables.settings();
    let mut found = Packed::NOTHING;
    for word in [2u32, 1, 0] {
        let deny = word_of(&settings.deny.v6, word);
        let (allow, zone) = if all {
            (
                word_of(&settings.allow.v6, word),
                word_of(&settings.zone.v6, word),
            )
        } else {
            (0, 0)
        };
        let mut lengths = deny | allow | zone;
        for _ in 0..64 {
            if lengths == 0 {
                break;
            }
            let offset = longest(lengths);
            let bit = 1u64 << offset;
            let length = word * 64 + offset;
            let key = Key6::of(high, low, length);
            if allow & bit != 0
                && let Some(entry) = live(tables, tables.entry6(List::Allow, &key))
            {
                return Packed::new(Kind::Allowed, 0, entry.rule);
            }
            if deny & bit != 0
                && let Some(entry) = live(tables, tables.entry6(List::Deny, &key))
            {
                if entry.mode != MODE_SHADOW {
                    return denied(&entry, length == 128);
                }
                found = found.with_shadow(entry.rule);
            }
            if zone & bit != 0
                && let Some(entry) = tables.entry6(List::Zone, &key)
            {
                found = found.with_class(entry.class);
            }
            lengths = tables.forget(lengths & !bit);
            found = found.forgotten(tables);
        }
    }
    found
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
    match entry {
        Some(entry) if entry.is_permanent() || entry.is_live(tables.now()) => Some(entry),
        _ => None,
    }
}

#[inline(always)]
const fn denied(entry: &Entry, exact: bool) -> Packed {
    let kind = if entry.origin == ORIGIN_BAN {
        Kind::Banned
    } else if exact {
        Kind::DeniedExact
    } else {
        Kind::DeniedPrefix
    };
    Packed::new(kind, 0, entry.rule)
}
