//! The clients that have offended but are not banned: a table of fixed size.
//!
//! The table is cut into sets of 16 places; a keyed hash of the client picks its set, so nobody
//! can aim at another's. Finding a place looks at one set only, whatever the size of the table.
//!
//! An attacker with many source addresses would like to fill the table and so make it forget
//! somebody, himself included, who is close to a ban. What a full set gives up is therefore
//! chosen in this order:
//!
//! 1. A client whose offences are all older than the longest window: nothing is lost.
//! 2. Where the newcomer's site (its IPv6 /48) has four places in the set already, one of those:
//!    **whoever holds one /48 can never push out a stranger**, only his own.
//! 3. Else, of the eight clients seen longest ago, the one with the fewest offences. So a client
//!    with n offences goes only when eight others of its set have offended since, and all older
//!    ones have n as well: flushing it out of a table of N places costs about n × N/2 offences
//!    from N/2 clients in N/8 sites, between two of its own. Eight younger ones are always safe,
//!    so the patient offender cannot keep newcomers from being counted either.

use std::hash::{BuildHasher, RandomState};

use gateway_common::time::Nanos;

use super::OffenceKind;
use super::window::{Shape, Window};
use crate::client::ClientKey;
use crate::grammar::Prefix;

/// Places in a set.
const WAYS: usize = 16;
/// Places of a set that one site may hold.
const WAYS_PER_SITE: usize = 4;
/// Clients of a set that are safe because they were seen last.
const YOUNG: usize = 8;

/// The counting windows of clients.
#[derive(Debug)]
pub(super) struct Tracked {
    sets: Box<[Vec<Entry>]>,
    hasher: RandomState,
    evicted: u64,
}

#[derive(Debug)]
struct Entry {
    client: ClientKey,
    seen: Nanos,
    failed_auth: Window,
    waf_block: Window,
    limit_exceeded: Window,
    invalid_request: Window,
}

impl Tracked {
    /// A table with room for at least `capacity` clients, rounded up to whole sets.
    pub(super) fn new(capacity: usize) -> Self {
        let sets = capacity.div_ceil(WAYS).max(1);
        Self {
            sets: (0..sets).map(|_| Vec::new()).collect(),
            hasher: RandomState::new(),
            evicted: 0,
        }
    }

    /// Counts one offence and returns the window's count with it. What is older than `stale`
    /// counts nowhere any more.
    pub(super) fn add(
        &mut self,
        client: ClientKey,
        kind: OffenceKind,
        now: Nanos,
        shape: Shape,
        stale: Nanos,
    ) -> u32 {
        let index = self.index(client);
        let Some(set) = self.sets.get_mut(index) else {
            return 0;
        };
        let at = match set.iter().position(|e| e.client == client) {
            Some(at) => at,
            None => {
                if let Some(victim) = victim(set, client.site(), now, stale) {
                    let gone = set.swap_remove(victim);
                    self.evicted += u64::from(!gone.is_stale(now, stale));
                }
                set.push(Entry::new(client, now));
                set.len() - 1
            }
        };
        let Some(entry) = set.get_mut(at) else {
            return 0;
        };
        entry.seen = now;
        entry.window(kind).add(now, shape)
    }

    /// Forgets the offences of one kind of one client.
    pub(super) fn clear(&mut self, client: ClientKey, kind: OffenceKind) {
        let index = self.index(client);
        let mut set = self.sets.get_mut(index).into_iter().flatten();
        if let Some(entry) = set.find(|e| e.client == client) {
            entry.window(kind).clear();
        }
    }

    /// Forgets the offences of one client.
    pub(super) fn forget(&mut self, client: ClientKey) {
        let index = self.index(client);
        if let Some(set) = self.sets.get_mut(index) {
            set.retain(|e| e.client != client);
        }
    }

    /// Forgets the offences of every client in `prefix`.
    pub(super) fn forget_within(&mut self, prefix: Prefix) {
        for set in &mut self.sets {
            set.retain(|e| !e.client.prefix().overlaps(prefix));
        }
    }

    /// The number of clients in the table.
    pub(super) fn len(&self) -> usize {
        self.sets.iter().map(Vec::len).sum()
    }

    /// How many clients were given up while their offences still counted.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn index(&self, client: ClientKey) -> usize {
        let hash = self.hasher.hash_one(client);
        // Multiply-shift: the high half of hash × sets is uniform below `sets`.
        let sets = self.sets.len() as u128;
        usize::try_from((u128::from(hash) * sets) >> 64).unwrap_or(0)
    }
}

/// The place that a newcomer of `site` takes from another, when the set has none left for it.
fn victim(set: &[Entry], site: Prefix, now: Nanos, stale: Nanos) -> Option<usize> {
    let same_site = |e: &Entry| e.client.site() == site;
    let crowded = set.iter().filter(|e| same_site(e)).count() >= WAYS_PER_SITE;
    if set.len() < WAYS && !crowded {
        return None;
    }
    let mut candidates: Vec<(usize, &Entry)> = set
        .iter()
        .enumerate()
        .filter(|(_, e)| !crowded || same_site(e))
        .collect();
    candidates.sort_by_key(|(_, e)| e.seen);
    if let Some((stale, _)) = candidates.iter().find(|(_, e)| e.is_stale(now, stale)) {
        return Some(*stale);
    }
    let old = candidates
        .len()
        .saturating_sub(if crowded { WAYS_PER_SITE / 2 } else { YOUNG });
    candidates
        .iter()
        .take(old)
        .min_by_key(|(_, e)| e.weight())
        .map(|(place, _)| *place)
}

impl Entry {
    fn new(client: ClientKey, seen: Nanos) -> Self {
        Self {
            client,
            seen,
            failed_auth: Window::default(),
            waf_block: Window::default(),
            limit_exceeded: Window::default(),
            invalid_request: Window::default(),
        }
    }

    fn window(&mut self, kind: OffenceKind) -> &mut Window {
        match kind {
            OffenceKind::FailedAuth => &mut self.failed_auth,
            OffenceKind::WafBlock => &mut self.waf_block,
            OffenceKind::LimitExceeded => &mut self.limit_exceeded,
            OffenceKind::InvalidRequest => &mut self.invalid_request,
        }
    }

    fn weight(&self) -> u64 {
        [
            &self.failed_auth,
            &self.waf_block,
            &self.limit_exceeded,
            &self.invalid_request,
        ]
        .iter()
        .map(|w| u64::from(w.total()))
        .sum()
    }

    fn is_stale(&self, now: Nanos, stale: Nanos) -> bool {
        self.seen.saturating_add(stale) <= now
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use super::*;

    const LONG: Nanos = Nanos::from_secs(3600);

    fn v6(site: u32, subnet: u16) -> ClientKey {
        let [hi, lo] = [(site >> 16) as u16, site as u16];
        IpAddr::from(Ipv6Addr::new(0x2001, hi, lo, subnet, 0, 0, 0, 1)).into()
    }

    fn add(table: &mut Tracked, client: ClientKey, now: u64) -> u32 {
        table.add(
            client,
            OffenceKind::FailedAuth,
            Nanos(now),
            Shape::new(LONG, 64),
            LONG,
        )
    }

    #[test]
    fn a_whole_48_cannot_push_out_a_stranger() {
        let mut table = Tracked::new(1024);
        let strangers: Vec<ClientKey> = (1..60).map(|site| v6(site, 0)).collect();
        for (i, stranger) in strangers.iter().enumerate() {
            add(&mut table, *stranger, i as u64);
        }
        for subnet in 0..=u16::MAX {
            for offence in 0..3 {
                add(
                    &mut table,
                    v6(0, subnet),
                    1000 + u64::from(subnet) * 3 + offence,
                );
            }
        }
        for stranger in strangers {
            assert_eq!(
                add(&mut table, stranger, 10_000_000),
                2,
                "{stranger} was forgotten"
            );
        }
        assert!(table.evicted() > 60_000);
        assert!(table.len() <= 1024 / 4 + 60);
    }

    #[test]
    fn a_flood_from_everywhere_pushes_out_its_own_kind_first() {
        let mut table = Tracked::new(1024);
        let (patient, mut now) = (v6(0, 0), 0);
        add(&mut table, patient, 0);
        for count in 2..=20 {
            assert_eq!(add(&mut table, patient, now), count);
            for site in 0..20_000 {
                now += 1;
                add(&mut table, v6(1 + site, 0), now);
            }
            assert!(table.len() <= 1024);
        }
    }

    #[test]
    fn newcomers_are_counted_in_a_table_full_of_worse_ones() {
        let mut table = Tracked::new(WAYS);
        for client in 0..WAYS as u32 {
            for now in 0..50 {
                add(&mut table, v6(client, 0), now);
            }
        }
        for client in 100..100 + YOUNG as u32 {
            assert_eq!(add(&mut table, v6(client, 0), 100 + u64::from(client)), 1);
        }
        for client in 100..100 + YOUNG as u32 {
            assert_eq!(add(&mut table, v6(client, 0), 1000 + u64::from(client)), 2);
        }
    }

    #[test]
    fn the_stale_go_first_and_are_no_loss() {
        let mut table = Tracked::new(WAYS);
        for client in 0..WAYS as u32 {
            add(&mut table, v6(client, 0), u64::from(client));
        }
        let later = LONG.0 + 3;
        for client in 100..104 {
            add(&mut table, v6(client, 0), later);
        }
        assert_eq!((table.evicted(), table.len()), (0, WAYS));
        add(&mut table, v6(104, 0), later);
        assert_eq!((table.evicted(), table.len()), (1, WAYS));
    }

    #[test]
    fn forgets_one_or_a_whole_prefix() {
        let mut table = Tracked::new(64);
        for subnet in 0..3 {
            add(&mut table, v6(1, subnet), 0);
        }
        add(&mut table, v6(2, 0), 0);
        table.forget(v6(1, 0));
        assert_eq!(table.len(), 3);
        table.forget_within(v6(1, 0).site());
        assert_eq!(table.len(), 1);
        assert_eq!(add(&mut table, v6(2, 0), 1), 2);
    }
}
