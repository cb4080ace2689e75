//! One thing cut into parts by client.

use std::hash::{BuildHasher, RandomState};

use crate::client::ClientKey;

/// Several of a kind, each for its share of the clients; typically limiters behind a lock each.
///
/// The hash is keyed: nobody can choose addresses that all fall into one part.
#[derive(Debug)]
pub struct Shards<T> {
    first: T,
    others: Box<[T]>,
    hasher: RandomState,
}

impl<T> Shards<T> {
    /// Makes `count` parts, at least one.
    #[must_use]
    pub fn new(count: usize, mut make: impl FnMut() -> T) -> Self {
        Self {
            first: make(),
            others: (1..count).map(|_| make()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The part that `client` belongs to, always the same one.
    #[must_use]
    pub fn of(&self, client: ClientKey) -> &T {
        let parts = self.others.len() as u128 + 1;
        let hash = u128::from(self.hasher.hash_one(client));
        let part = usize::try_from((hash * parts) >> 64).unwrap_or(0);
        part.checked_sub(1)
            .and_then(|n| self.others.get(n))
            .unwrap_or(&self.first)
    }

    /// All parts.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn clients_spread_and_stay() {
        let shards = Shards::new(8, || Cell::new(0u32));
        let client = |n| ClientKey::from(IpAddr::from(Ipv4Addr::from_bits(n)));
        for n in 0..8000 {
            let shard = shards.of(client(n));
            shard.set(shard.get() + 1);
            assert!(std::ptr::eq(shard, shards.of(client(n))));
        }
        let counts: Vec<u32> = shards.iter().map(Cell::get).collect();
        assert_eq!(counts.len(), 8);
        assert!(counts.iter().all(|n| (700..1300).contains(n)), "{counts:?}");
        assert_eq!(Shards::new(0, || ()).iter().count(), 1);
    }
}
