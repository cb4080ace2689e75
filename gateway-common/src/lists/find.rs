//! Which entry decides about a source.

use super::{
    cells::{self, Cell, Marks},
    entry::{Entry, MODE_SHADOW, ORIGIN_BAN},
    index4::{self, Record},
    key::{Key4, Key6, halves},
    lengths::longest,
    listing::{Kind, Packed},
};
use crate::{
    rule,
    tables::{List, Tables},
};

/// Finds the entry that decides about an IPv4 source.
#[inline(always)]
pub(crate) fn find4<T: Tables>(tables: &T, address: &[u8; 4]) -> Packed {
    let region = cells::region4(*address);
    if region.bits(tables.cells4(region.word)) == 0 {
        return Packed::NOTHING;
    }
    let place = cells::place4(*address);
    match place.read(tables.cells4(place.word)) {
        Cell::Clear => Packed::NOTHING,
        Cell::Whole => Packed::new(Kind::DeniedPrefix, 0, rule::block(*address)),
        Cell::Deny => tables.listed4(u32::from_be_bytes(*address), false),
        Cell::Any => tables.listed4(u32::from_be_bytes(*address), true),
    }
}

/// As [`find4`], for an address in a block that has entries; `all` as for [`walk4`].
#[inline(always)]
pub fn listed4<T: Tables>(tables: &T, address: u32, all: bool) -> Packed {
    let record = indexed(tables, address);
    if record.is_none() {
        return Packed::NOTHING;
    }
    if !record.is_slow() {
        let length = record.length();
        if !record.asks() {
            let kind = if length == 32 {
                Kind::DeniedExact
            } else {
                Kind::DeniedPrefix
            };
            return Packed::new(kind, 0, rule::block(address.to_be_bytes()));
        }
        let here = tables.probe4(address, length, Lists::DENY);
        if here.decides() {
            return here;
        }
    }
    tables.walk4(address, all)
}

/// As [`find4`], past the index.
#[inline(always)]
pub(crate) fn exact4<T: Tables>(tables: &T, address: u32) -> Packed {
    let place = cells::place4(address.to_be_bytes());
    match place.read(tables.cells4(place.word)) {
        Cell::Clear => Packed::NOTHING,
        Cell::Whole => Packed::new(Kind::DeniedPrefix, 0, rule::block(address.to_be_bytes())),
        Cell::Deny => tables.walk4(address, false),
        Cell::Any => tables.walk4(address, true),
    }
}

/// What the index has on an address.
#[inline(always)]
fn indexed<T: Tables>(tables: &T, address: u32) -> Record {
    let shift = tables.settings().index_shift;
    let wide = cells::wide4(address.to_be_bytes());
    if shift == 0 || wide.bits(tables.cells4(wide.word)) != 0 {
        return Record::slow(address);
    }
    match tables.bucket4(index4::bucket4(address, shift)) {
        Some(bucket) => index4::decisive(bucket, address),
        None => Record::slow(address),
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
/// safelist and the zones. The summary says which lengths need not be asked.
#[inline(always)]
pub fn walk4<T: Tables>(tables: &T, address: u32, all: bool) -> Packed {
    let settings = tables.settings();
    let deny = settings.deny.v4;
    let (allow, zone) = if all {
        (settings.allow.v4, settings.zone.v4)
    } else {
        (0, 0)
    };
    let bytes = address.to_be_bytes();
    let short = cells::short4(bytes);
    let marks = Marks(tables.cells4(cells::marks4(bytes)));
    let candidates = short.bits(tables.cells4(short.word)) | marks.candidates(address);
    let mut lengths = (deny | allow | zone) & candidates;
    let mut found = Packed::NOTHING;
    for _ in 0..33 {
        if lengths == 0 {
            break;
        }
        let length = longest(lengths);
        let bit = 1u64 << length;
        let lists = Lists::holding(bit, allow, deny, zone);
        let here = tables.probe4(address, length, lists);
        if here.decides() {
            return here;
        }
        // Without these the verifier would follow each combination of lengths.
        found = Packed::from_raw(tables.forget(found.or(here).raw()));
        lengths = tables.forget(lengths & !bit);
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
            let lists = Lists::holding(bit, allow, deny, zone);
            let here = tables.probe6(high, low, word * 64 + offset, lists);
            if here.decides() {
                return here;
            }
            found = Packed::from_raw(tables.forget(found.or(here).raw()));
            lengths = tables.forget(lengths & !bit);
        }
    }
    found
}

/// What the given lists say of one IPv4 prefix.
#[inline(always)]
pub fn probe4<T: Tables>(tables: &T, address: u32, length: u32, lists: Lists) -> Packed {
    let key = Key4::of(address, length);
    judge(tables, lists, length == 32, |list| {
        tables.entry4(list, &key)
    })
}

/// What the given lists say of one IPv6 prefix.
#[inline(always)]
pub fn probe6<T: Tables>(tables: &T, high: u64, low: u64, length: u32, lists: Lists) -> Packed {
    let key = Key6::of(high, low, length);
    judge(tables, lists, length == 128, |list| {
        tables.entry6(list, &key)
    })
}

/// The rule for one prefix: the safelist, then deny, then the zone.
#[inline(always)]
fn judge<T: Tables>(
    tables: &T,
    lists: Lists,
    exact: bool,
    entry: impl Fn(List) -> Option<Entry>,
) -> Packed {
    let mut found = Packed::NOTHING;
    if lists.allow()
        && let Some(entry) = live(tables, entry(List::Allow))
    {
        return Packed::new(Kind::Allowed, 0, entry.rule);
    }
    if lists.deny()
        && let Some(entry) = live(tables, entry(List::Deny))
    {
        if entry.mode != MODE_SHADOW {
            return denied(&entry, exact);
        }
        found = Packed::new(Kind::Unlisted, 0, entry.rule);
    }
    if lists.zone()
        && let Some(entry) = live(tables, entry(List::Zone))
    {
        found = found.or(Packed::new(Kind::Unlisted, entry.class, 0));
    }
    found
}

/// Which lists hold a prefix of some length; a set of three in one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Lists(u32);

impl Lists {
    /// The deny list alone.
    const DENY: Self = Self(2);

    #[inline(always)]
    const fn holding(bit: u64, allow: u64, deny: u64, zone: u64) -> Self {
        Self(
            (allow & bit != 0) as u32
                | ((deny & bit != 0) as u32) << 1
                | ((zone & bit != 0) as u32) << 2,
        )
    }

    /// The set that [`Lists::raw`] made this of.
    #[inline(always)]
    #[must_use]
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The register.
    #[inline(always)]
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    const fn allow(self) -> bool {
        self.0 & 1 != 0
    }

    const fn deny(self) -> bool {
        self.0 & 2 != 0
    }

    const fn zone(self) -> bool {
        self.0 & 4 != 0
    }
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
