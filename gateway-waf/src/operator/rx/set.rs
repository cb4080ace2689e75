//! A set of bytes.

/// 256 bits, one per byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) const EMPTY: Self = Self([0; 4]);
    pub(crate) const FULL: Self = Self([u64::MAX; 4]);

    pub(crate) fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self::EMPTY;
        bytes.into_iter().for_each(|b| set.insert(b));
        set
    }

    pub(crate) fn insert(&mut self, b: u8) {
        if let Some(word) = self.0.get_mut(usize::from(b >> 6)) {
            *word |= 1 << (b & 63);
        }
    }

    pub(crate) fn contains(&self, b: u8) -> bool {
        self.0
            .get(usize::from(b >> 6))
            .is_some_and(|word| word >> (b & 63) & 1 == 1)
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut set = *self;
        set.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
        set
    }

    pub(crate) fn complement(&self) -> Self {
        Self(self.0.map(|word| !word))
    }

    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| a & b == 0)
    }

    /// The set with the other case of every ASCII letter in it.
    pub(crate) fn fold_case(&self) -> Self {
        let mut set = *self;
        for lower in b'a'..=b'z' {
            let upper = lower.to_ascii_uppercase();
            if self.contains(lower) || self.contains(upper) {
                set.insert(lower);
                set.insert(upper);
            }
        }
        set
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|b| self.contains(*b))
    }

    /// The set's bytes as inclusive ranges in order.
    pub(crate) fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for b in self.iter() {
            match ranges.last_mut() {
                Some((_, end)) if u16::from(*end) + 1 == u16::from(b) => *end = b,
                _ => ranges.push((b, b)),
            }
        }
        ranges
    }
}
