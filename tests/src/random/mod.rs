//! Random lists and frames, biased toward where things go wrong: prefixes that overlap, sources
//! on and just beside them, headers that lie, and bytes that no builder would write.

mod frames;
mod lists;

pub use frames::{Frames, Recipe, recipe};
pub use lists::{Op, address, apply, item, ops, prefix, wide_prefix};

use proptest::test_runner::Config;

/// Numbers that look random and are the same for the same seed (SplitMix64, Steele and others,
/// OOPSLA 2014): for simulations too long for a property test's own.
#[derive(Clone, Debug)]
pub struct Mixer(u64);

impl Mixer {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        (((self.draw() >> 32) * u64::from(end)) >> 32) as u32
    }
}

/// How a property is run: with this many cases unless `PROPTEST_CASES` says otherwise, half a
/// minute to make a failing one small, and no files beside the sources, which need not be there.
#[must_use]
pub fn config(cases: u32) -> Config {
    let default = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if asked { default.cases } else { cases },
        failure_persistence: None,
        max_shrink_time: 30_000,
        ..default
    }
}
