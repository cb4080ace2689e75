//! What the kernel finds by the summary, against what the lists say, while they change.

use gateway_common::{
    Tables,
    lists::{
        Packed,
        cells::{Table4, marks4, region4, short4, table4, wide4},
        index4::bucket4,
        listed4, walk4,
    },
    syncookie::Endpoint,
};

use super::*;

/// The kernel's maps as far as a look-up of an IPv4 source sees them.
struct Kernel {
    words: Vec<u64>,
    buckets: Vec<Bucket>,
    settings: Settings,
    entries: BTreeMap<(List, Key4), Entry>,
}

/// The maps, with a summary or with one that rules nothing out.
struct View<'a> {
    kernel: &'a Kernel,
    summary: bool,
}

impl Tables for View<'_> {
    fn settings(&self) -> &Settings {
        &self.kernel.settings
    }

    fn now(&self) -> Nanos {
        Nanos(1_000)
    }

    fn cells4(&self, index: u32) -> u64 {
        if self.summary {
            self.kernel.words[index as usize]
        } else {
            u64::MAX
        }
    }

    fn bucket4(&self, index: u32) -> Option<&Bucket> {
        self.kernel.buckets.get(index as usize)
    }

    fn entry4(&self, list: List, key: &Key4) -> Option<Entry> {
        self.kernel.entries.get(&(list, *key)).copied()
    }

    fn cells6(&self, _: u32) -> u64 {
        0
    }

    fn entry6(&self, _: List, _: &Key6) -> Option<Entry> {
        None
    }

    fn is_known(&self, _: u64) -> bool {
        false
    }

    fn listening(&self, _: &Endpoint) -> u16 {
        0
    }

    fn limiter(&self, _: u32) -> u64 {
        0
    }

    fn limiter_swap(&self, _: u32, _: u64, _: u64) -> bool {
        true
    }
}

/// What comes of a look-up, as far as it matters: a whole block has no rule.
#[derive(Debug, PartialEq)]
enum Found {
    Denied,
    Other(Packed),
}

impl Kernel {
    const fn view(&self, summary: bool) -> View<'_> {
        View {
            kernel: self,
            summary,
        }
    }

    /// As the pipeline does it.
    fn find(&self, address: u32) -> Found {
        let bytes = address.to_be_bytes();
        let region = region4(bytes);
        if region.bits(self.words[region.word as usize]) == 0 {
            return Found::Other(Packed::from_raw(0));
        }
        let place = place4(bytes);
        match place.read(self.words[place.word as usize]) {
            Cell::Clear => Found::Other(Packed::from_raw(0)),
            Cell::Whole => Found::Denied,
            Cell::Deny => found(listed4(&self.view(true), address, false)),
            Cell::Any => found(listed4(&self.view(true), address, true)),
        }
    }

    /// As it would be without a summary: every length of every list.
    fn search(&self, address: u32) -> Found {
        found(walk4(&self.view(false), address, true))
    }

    /// Writes `changed` record by record and word by word; before and after each, every look-up
    /// must come out as it did before the change or as it does after.
    fn write(&mut self, changed: &Changed, before: &[Found], addresses: &[u32]) {
        let after: Vec<_> = addresses.iter().map(|a| self.search(*a)).collect();
        if changed.index4.is_resized {
            self.settings.index_shift = 0;
        }
        for (index, bucket) in &changed.index4.buckets {
            // The kernel copies from the front; nobody promised it.
            let places = if index % 2 == 0 {
                [0, 1, 2, 3, 4, 5, 6, 7]
            } else {
                [7, 2, 3, 0, 1, 6, 5, 4]
            };
            for place in places {
                self.buckets[*index as usize][place] = bucket[place];
                for ((address, before), after) in addresses.iter().zip(before).zip(&after) {
                    if bucket4(*address, self.settings.index_shift) == *index {
                        let found = self.find(*address);
                        assert!(
                            found == *before || found == *after,
                            "{address:08x}: {found:?} in bucket {index}"
                        );
                    }
                }
            }
        }
        for (index, word) in &changed.words4 {
            self.words[*index as usize] = *word;
            for ((address, before), after) in addresses.iter().zip(before).zip(&after) {
                if asked(*address).contains(index) {
                    let found = self.find(*address);
                    assert!(
                        found == *before || found == *after,
                        "{address:08x}: {found:?} after word {index}"
                    );
                }
            }
        }
        for (address, after) in addresses.iter().zip(&after) {
            assert_eq!(self.find(*address), *after, "{address:08x}");
        }
    }
}

/// The words that a look-up may ask for.
fn asked(address: u32) -> [u32; 5] {
    let bytes = address.to_be_bytes();
    [
        region4(bytes).word,
        short4(bytes).word,
        place4(bytes).word,
        marks4(bytes),
        wide4(bytes).word,
    ]
}

/// Kinds 2 and 3 of a packed answer are an enforced deny entry's.
fn found(packed: Packed) -> Found {
    match packed.raw() as u8 {
        2 | 3 => Found::Denied,
        _ => Found::Other(packed),
    }
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = *state;
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Few addresses, so that prefixes nest, and three first bytes whose blocks share marks.
fn address(state: &mut u64) -> u32 {
    let random = random(state);
    let first = [10, 18, 2][random as usize % 3];
    let bytes = [
        first,
        (random >> 8) as u8 & 1,
        (random >> 16) as u8 & 3,
        (random >> 24) as u8 & 0x9b,
    ];
    u32::from_be_bytes(bytes)
}

#[test]
fn every_look_up_finds_what_the_lists_say_at_every_instant() {
    let mut state = 42;
    let mut mirror = Mirror::new(1);
    let mut kernel = Kernel {
        words: vec![0; mirror.words4().len()],
        buckets: mirror.buckets4().to_vec(),
        settings: Settings {
            index_shift: mirror.index_shift(),
            ..Settings::default()
        },
        entries: BTreeMap::new(),
    };
    for step in 0..2_000 {
        let length = match step {
            // The index alone at first, for where wide prefixes are it is passed by.
            0..1_000 => [20, 22, 23, 24, 24, 25, 26, 28, 29, 30, 31, 32, 32, 32],
            _ => [8, 9, 15, 16, 17, 20, 22, 23, 24, 25, 28, 29, 31, 32],
        };
        let length = length[random(&mut state) as usize % length.len()];
        let key = Key4::of(address(&mut state), length);
        let list = [List::Deny, List::Deny, List::Allow, List::Zone];
        let list = list[random(&mut state) as usize % list.len()];
        let addresses: Vec<_> = (0..24).map(|_| address(&mut state)).collect();
        let before: Vec<_> = addresses.iter().map(|a| kernel.find(*a)).collect();
        let dice = random(&mut state);
        // In the order of the agent: lengths and entry before the summary, or after the entry
        // is gone. Lengths only ever grow here, as they do before a removal is through.
        if dice % 5 < 2 && !kernel.entries.is_empty() {
            let nth = dice as usize % kernel.entries.len();
            let (list, key) = *kernel.entries.keys().nth(nth).unwrap();
            kernel.entries.remove(&(list, key));
            let (_, changed) = mirror.remove(list, Key::V4(key));
            kernel.write(&changed, &before, &addresses);
        } else {
            let entry = Entry {
                rule: step + 1,
                expires: Nanos([0, 0, 5, 5_000][(dice >> 8) as usize % 4]),
                mode: u8::from(dice >> 16 & 7 == 0),
                origin: if dice >> 24 & 3 == 0 { ORIGIN_BAN } else { 0 },
                class: if list == List::Zone { 3 } else { 0 },
                ..Entry::default()
            };
            kernel.entries.insert((list, key), entry);
            let changed = mirror.insert(list, Key::V4(key), entry);
            mirror.describe(&mut kernel.settings);
            kernel.write(&changed, &before, &addresses);
        }
    }
    let mut anew = Mirror::new(1);
    anew.extend(
        kernel
            .entries
            .iter()
            .map(|((list, key), entry)| (*list, Key::V4(*key), *entry)),
    );
    for (index, (word, anew)) in mirror.words4().iter().zip(anew.words4()).enumerate() {
        assert_eq!(word, anew, "word {index} depends on more than the entries");
    }
    assert_eq!(kernel.words, mirror.words4());
    assert_eq!(kernel.buckets, mirror.buckets4());
    let sorted = |bucket: &Bucket| {
        let mut bucket = *bucket;
        bucket.sort_unstable();
        bucket
    };
    for (bucket, anew) in mirror.buckets4().iter().zip(anew.buckets4()) {
        assert_eq!(sorted(bucket), sorted(anew));
    }
    let marked = |table| {
        let words = (0..).zip(&kernel.words);
        words
            .filter(|(index, word)| table4(*index) == table && **word != 0)
            .count()
    };
    for table in [
        Table4::Regions,
        Table4::Short,
        Table4::Cells,
        Table4::Marks,
        Table4::Wide,
    ] {
        assert!(marked(table) > 0, "{table:?}");
    }
}
