//! The banned, now and lately: the ban that is running, and the strikes that the next one
//! counts on from.

use std::collections::{BTreeSet, HashMap};

use gateway_common::time::Nanos;

use super::{Ban, Mode};
use crate::client::ClientKey;
use crate::grammar::Prefix;

/// How often a client was banned. A shadow ban must not lengthen a real one, but is itself as
/// long as it would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Strikes {
    enforced: u32,
    shadow: u32,
}

impl Strikes {
    /// The number of the next ban in `mode`.
    pub(super) fn next(self, mode: Mode) -> u32 {
        match mode {
            Mode::Enforce => self.enforced,
            Mode::Shadow => self.enforced.saturating_add(self.shadow),
        }
        .saturating_add(1)
    }

    /// These strikes and a ban in `mode` that was the `strike`-th.
    fn with(self, mode: Mode, strike: u32) -> Self {
        match mode {
            Mode::Enforce => Self {
                enforced: self.enforced.max(strike),
                ..self
            },
            Mode::Shadow => Self {
                shadow: self.shadow.max(strike.saturating_sub(self.enforced)),
                ..self
            },
        }
    }
}

#[derive(Debug)]
struct Record {
    strikes: Strikes,
    /// Until it is reported as ended; look at its end before believing in it.
    ban: Option<Ban>,
    forget_at: Nanos,
}

impl Record {
    /// When the record changes by itself: when its ban ends, else when it is forgotten.
    fn due(&self) -> Nanos {
        self.ban.as_ref().map_or(self.forget_at, |ban| ban.until)
    }
}

/// At most `capacity` clients, each either banned or with strikes to remember.
#[derive(Debug)]
pub(super) struct Records {
    capacity: usize,
    clients: HashMap<ClientKey, Record>,
    /// The clients with a ban, by its end.
    ending: BTreeSet<(Nanos, ClientKey)>,
    /// The clients without one, by when they are forgotten.
    forgetting: BTreeSet<(Nanos, ClientKey)>,
    evicted: u64,
}

impl Records {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            clients: HashMap::new(),
            ending: BTreeSet::new(),
            forgetting: BTreeSet::new(),
            evicted: 0,
        }
    }

    /// The ban of `client` that runs at `now`.
    pub(super) fn ban(&self, client: ClientKey, now: Nanos) -> Option<&Ban> {
        self.clients
            .get(&client)?
            .ban
            .as_ref()
            .filter(|ban| ban.until > now)
    }

    /// The strikes of `client` that are not forgotten at `now`.
    pub(super) fn strikes(&self, client: ClientKey, now: Nanos) -> Strikes {
        let known = self
            .clients
            .get(&client)
            .filter(|record| record.forget_at > now);
        known.map(|record| record.strikes).unwrap_or_default()
    }

    /// Whether a ban of `client` has a place: its own, a free one, or that of the strikes that
    /// are forgotten soonest.
    pub(super) fn has_room(&self, client: ClientKey) -> bool {
        self.clients.contains_key(&client)
            || self.clients.len() < self.capacity
            || !self.forgetting.is_empty()
    }

    /// Notes a ban that starts at `now`, in the place of the client's last one. The caller has
    /// seen that there is room.
    pub(super) fn start(&mut self, client: ClientKey, ban: Ban, forget_at: Nanos, now: Nanos) {
        let strikes = self.strikes(client, now).with(ban.mode, ban.strike);
        let old = self.remove(client).map_or(Nanos::ZERO, |old| old.forget_at);
        self.make_room();
        let forget_at = forget_at.max(old).max(ban.until);
        self.put(
            client,
            Record {
                strikes,
                ban: Some(ban),
                forget_at,
            },
        );
    }

    /// Takes out the bans that have ended by `now`, and forgets the strikes that are due.
    pub(super) fn expire(&mut self, now: Nanos) -> Vec<Ban> {
        let mut ended = Vec::new();
        while let Some((_, client)) = self.ending.first().copied().filter(|(at, _)| *at <= now) {
            let Some(mut record) = self.remove(client) else {
                break;
            };
            ended.extend(record.ban.take());
            self.put(client, record);
        }
        while let Some((_, client)) = self
            .forgetting
            .first()
            .copied()
            .filter(|(at, _)| *at <= now)
        {
            self.remove(client);
        }
        ended
    }

    /// Forgets every client that shares an address with `prefix`; returns the bans that were
    /// noted for them.
    pub(super) fn pardon(&mut self, prefix: Prefix) -> Vec<Ban> {
        self.pardon_where(|client| client.prefix().overlaps(prefix))
    }

    /// Forgets every client that is `pardoned`; returns the bans that were noted for them.
    pub(super) fn pardon_where(&mut self, pardoned: impl Fn(ClientKey) -> bool) -> Vec<Ban> {
        let mut clients: Vec<ClientKey> = self
            .clients
            .keys()
            .copied()
            .filter(|client| pardoned(*client))
            .collect();
        clients.sort_unstable();
        clients
            .into_iter()
            .filter_map(|client| self.remove(client)?.ban)
            .collect()
    }

    /// The bans that run at `now`, in the order of their prefixes.
    pub(super) fn active(&self, now: Nanos) -> Vec<&Ban> {
        let bans = self
            .clients
            .values()
            .filter_map(|record| record.ban.as_ref());
        let mut bans: Vec<&Ban> = bans.filter(|ban| ban.until > now).collect();
        bans.sort_unstable_by_key(|ban| ban.prefix);
        bans
    }

    /// The number of clients that are noted.
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// How many clients' strikes were given up before their time.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn make_room(&mut self) {
        if self.clients.len() < self.capacity {
            return;
        }
        if let Some((_, client)) = self.forgetting.first().copied() {
            self.remove(client);
            self.evicted += 1;
        }
    }

    fn put(&mut self, client: ClientKey, record: Record) {
        self.index_of(&record).insert((record.due(), client));
        self.clients.insert(client, record);
    }

    fn remove(&mut self, client: ClientKey) -> Option<Record> {
        let record = self.clients.remove(&client)?;
        self.index_of(&record).remove(&(record.due(), client));
        Some(record)
    }

    fn index_of(&mut self, record: &Record) -> &mut BTreeSet<(Nanos, ClientKey)> {
        if record.ban.is_some() {
            &mut self.ending
        } else {
            &mut self.forgetting
        }
    }
}
