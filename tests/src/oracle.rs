//! The pipeline's tables in memory: what the kernel's maps hold, on the host and with a clock
//! that can be set.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    net::IpAddr,
};

use gateway_agent::datapath::{
    Mirror, identity,
    mirror::{Changed, Key},
};
use gateway_common::{
    Outcome, Tables,
    abi::ABI_VERSION,
    decide,
    limiter::CELLS,
    lists::{
        Entry, Key4, Key6,
        cells::{WORDS4, WORDS6},
        index4::Bucket,
    },
    pipeline::named,
    rule::without_blocks,
    settings::{Limit, Settings},
    syncookie::Endpoint,
    tables::List,
    time::Nanos,
};

use crate::setup::{Item, Setup};

/// Where the clock of new tables stands: after [`crate::setup::PAST`], before
/// [`crate::setup::FUTURE`], and far from both ends.
pub const NOW: Nanos = Nanos(1 << 50);

/// The tables.
///
/// The summary is kept apart from the [`Mirror`] that derives it and fed by its changes alone, as
/// the kernel's is: a word that it fails to report stays wrong here too.
pub struct Memory {
    settings: Settings,
    mirror: Mirror,
    words4: Vec<u64>,
    words6: Vec<u64>,
    buckets4: Vec<Bucket>,
    v4: HashMap<(List, Key4), Entry>,
    v6: HashMap<(List, Key6), Entry>,
    listening: HashMap<Endpoint, u16>,
    limiter: RefCell<Vec<u64>>,
    known: HashMap<u64, Nanos>,
    openings: Cell<u64>,
    now: Cell<Nanos>,
}

impl Memory {
    /// Empty tables whose hashes are keyed with `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            settings: Settings {
                abi: ABI_VERSION,
                seed,
                ..Settings::default()
            },
            mirror: Mirror::new(seed),
            words4: vec![0; WORDS4 as usize],
            words6: vec![0; WORDS6 as usize],
            buckets4: Vec::new(),
            v4: HashMap::new(),
            v6: HashMap::new(),
            listening: HashMap::new(),
            limiter: RefCell::new(vec![0; CELLS as usize]),
            known: HashMap::new(),
            openings: Cell::new(0),
            now: Cell::new(NOW),
        }
    }

    /// Tables with the lists and limits of a test.
    #[must_use]
    pub fn with(setup: &Setup, seed: u64) -> Self {
        let mut memory = Self::new(seed);
        memory.apply(setup);
        memory
    }

    /// Adds the entries of a test, and puts its limits in force.
    pub fn apply(&mut self, setup: &Setup) {
        for item in &setup.items {
            self.insert(item);
        }
        self.set_limits(&setup.limits);
        self.settings.further = setup.further.settled();
        if setup.attack {
            self.set_attack(&setup.known);
        }
        self.settings.cookies = setup.cookies;
        self.listening = setup.listening.iter().copied().collect();
    }

    /// Puts limits in force, by class.
    pub fn set_limits(&mut self, limits: &[Limit]) {
        self.settings.limits = Default::default();
        for (slot, limit) in self.settings.limits.iter_mut().zip(limits) {
            *slot = *limit;
        }
    }

    /// Puts attack mode in force, in which these are known until then.
    pub fn set_attack(&mut self, known: &[(IpAddr, Nanos)]) {
        self.settings.attack.on = 1;
        let known = known.iter();
        self.known = known
            .map(|(source, until)| (identity(*source), *until))
            .collect();
    }

    /// Packets that opened a connection so far.
    #[must_use]
    pub fn openings(&self) -> u64 {
        self.openings.get()
    }

    /// Adds or replaces an entry.
    pub fn insert(&mut self, item: &Item) {
        match item.key() {
            Key::V4(key) => self.v4.insert((item.list, key), item.entry),
            Key::V6(key) => self.v6.insert((item.list, key), item.entry),
        };
        let changed = self.mirror.insert(item.list, item.key(), item.entry);
        self.write(&changed);
    }

    /// Removes the entry of `list` for `key`; says whether there was one.
    pub fn remove(&mut self, list: List, key: Key) -> bool {
        let there = match key {
            Key::V4(key) => self.v4.remove(&(list, key)),
            Key::V6(key) => self.v6.remove(&(list, key)),
        };
        let (mirrored, changed) = self.mirror.remove(list, key);
        assert_eq!(there, mirrored, "the mirror lost an entry");
        self.write(&changed);
        there.is_some()
    }

    /// What becomes of a frame now, and by which rule; blocks that are denied as a whole name none.
    #[must_use]
    pub fn decide(&self, frame: &[u8]) -> Outcome {
        let outcome = decide(frame, self);
        Outcome {
            rule: without_blocks(named(frame, self, outcome.rule)),
            ..outcome
        }
    }

    /// Sets the clock.
    pub fn set_now(&self, now: Nanos) {
        self.now.set(now);
    }

    /// Both halves of the summary: the words of IPv4 and those of IPv6.
    #[must_use]
    pub fn words(&self) -> (&[u64], &[u64]) {
        (&self.words4, &self.words6)
    }

    fn write(&mut self, changed: &Changed) {
        let buckets = self.mirror.buckets4().len();
        if self.buckets4.len() < buckets {
            self.buckets4.resize(buckets, Bucket::default());
        }
        for (index, bucket) in &changed.index4.buckets {
            self.buckets4[*index as usize] = *bucket;
        }
        for (index, word) in &changed.words4 {
            self.words4[*index as usize] = *word;
        }
        for (index, word) in &changed.words6 {
            self.words6[*index as usize] = *word;
        }
        self.mirror.describe(&mut self.settings);
        self.settings.index_shift = self.mirror.index_shift();
    }
}

impl Tables for Memory {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn now(&self) -> Nanos {
        self.now.get()
    }

    fn cells4(&self, index: u32) -> u64 {
        self.words4.get(index as usize).copied().unwrap_or(0)
    }

    fn bucket4(&self, index: u32) -> Option<&Bucket> {
        self.buckets4.get(index as usize)
    }

    fn cells6(&self, index: u32) -> u64 {
        self.words6.get(index as usize).copied().unwrap_or(0)
    }

    fn entry4(&self, list: List, key: &Key4) -> Option<Entry> {
        self.v4.get(&(list, *key)).copied()
    }

    fn entry6(&self, list: List, key: &Key6) -> Option<Entry> {
        self.v6.get(&(list, *key)).copied()
    }

    fn is_known(&self, identity: u64) -> bool {
        self.known
            .get(&identity)
            .is_some_and(|until| self.now.get() < *until)
    }

    fn count_opening(&self) {
        self.openings.set(self.openings.get() + 1);
    }

    fn listening(&self, endpoint: &Endpoint) -> u16 {
        self.listening.get(endpoint).copied().unwrap_or(0)
    }

    fn limiter(&self, slot: u32) -> u64 {
        self.limiter
            .borrow()
            .get(slot as usize)
            .copied()
            .unwrap_or(0)
    }

    fn limiter_swap(&self, slot: u32, old: u64, new: u64) -> bool {
        match self.limiter.borrow_mut().get_mut(slot as usize) {
            Some(cell) if *cell == old => {
                *cell = new;
                true
            }
            _ => false,
        }
    }
}
