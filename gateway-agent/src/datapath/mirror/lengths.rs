//! How many entries a list has of each prefix length.

use gateway_common::lists::Lengths;

use super::Key;

/// Entry counts per length.
pub(super) struct LengthCounts {
    v4: [u32; 33],
    v6: [u32; 129],
}

impl Default for LengthCounts {
    fn default() -> Self {
        Self {
            v4: [0; 33],
            v6: [0; 129],
        }
    }
}

impl LengthCounts {
    pub(super) fn insert(&mut self, key: Key) {
        if let Some(count) = self.count(key) {
            *count += 1;
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        if let Some(count) = self.count(key) {
            *count = count.saturating_sub(1);
        }
    }

    /// The lengths with at least one entry.
    pub(super) fn present(&self) -> Lengths {
        let mut lengths = Lengths::default();
        for (length, _) in (0..).zip(&self.v4).filter(|(_, count)| **count > 0) {
            lengths.insert4(length);
        }
        for (length, _) in (0..).zip(&self.v6).filter(|(_, count)| **count > 0) {
            lengths.insert6(length);
        }
        lengths
    }

    fn count(&mut self, key: Key) -> Option<&mut u32> {
        match key {
            Key::V4(key) => self.v4.get_mut(key.length as usize),
            Key::V6(key) => self.v6.get_mut(key.length as usize),
        }
    }
}
