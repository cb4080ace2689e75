//! The ledger itself: offences in, rulings and commands out.

mod restore;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use gateway_common::time::Nanos;

pub use restore::{RestoreFault, Restored};

use super::records::Records;
use super::tracked::Tracked;
use super::window::Shape;
use super::{
    Ban, BanPolicy, BanRule, Command, Evidence, Immune, LiftCause, Mode, Offence, OffenceKind,
    Ruling,
};
use crate::client::ClientKey;
use crate::grammar::Prefix;

/// How much the ledger may remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Clients with offences but no ban; rounded up to a multiple of 16. One costs about 250
    /// bytes, and at the worst 3.3 kB, when it is just short of three limits of 64 or more.
    pub clients: usize,
    /// Clients that are banned or have strikes; not more than the kernel's list has room for.
    /// One costs about 300 bytes and the evidence.
    pub bans: usize,
}

/// What the ledger holds and what it could not keep; the last four only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Clients with offences but no ban.
    pub tracked: u64,
    /// Clients that are banned or have strikes.
    pub records: u64,
    /// Clients given up for others while their offences still counted.
    pub evicted_clients: u64,
    /// Clients whose strikes were given up for others' bans.
    pub evicted_strikes: u64,
    /// Offences answered with [`Ruling::NoRoom`].
    pub no_room: u64,
    /// Offences answered with [`Ruling::Spared`].
    pub spared: u64,
}

/// The ban ledger.
#[derive(Debug)]
pub struct Ledger {
    policy: BanPolicy,
    immune: Immune,
    capacity: Capacity,
    tracked: Tracked,
    records: Records,
    latest: Nanos,
    no_room: u64,
    spared: u64,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new(policy: BanPolicy, immune: Immune, capacity: Capacity) -> Self {
        Self {
            policy,
            immune,
            capacity,
            tracked: Tracked::new(capacity.clients),
            records: Records::new(capacity.bans),
            latest: Nanos::ZERO,
            no_room: 0,
            spared: 0,
        }
    }

    /// Judges one offence. Workers may report a little out of order: an offence from before the
    /// latest one counts as if it had happened with that.
    ///
    /// The n-th ban of a client is as long as the n-th of the rule that it broke, whatever its
    /// earlier bans were for.
    pub fn record(&mut self, offence: Offence) -> Ruling {
        let Some(rule) = self.policy.rule(offence.kind).copied() else {
            return Ruling::Off;
        };
        if let Some(reason) = self.immune.reason(offence.client) {
            self.spared += 1;
            return Ruling::Spared(reason);
        }
        let client = ClientKey::from(offence.client);
        let now = self.latest.max(offence.at);
        self.latest = now;
        if let Some(ban) = self.records.ban(client, now) {
            // A real ban takes the place of a shadow one.
            if ban.mode == Mode::Enforce || rule.mode() == Mode::Shadow {
                return Ruling::AlreadyBanned { until: ban.until };
            }
        }
        let limit = rule.threshold();
        let shape = Shape::new(rule.window(), limit);
        let stale = self.policy.longest_window();
        let count = self.tracked.add(client, offence.kind, now, shape, stale);
        if count < limit {
            return Ruling::Noted { count, limit };
        }
        if !self.records.has_room(client) {
            self.no_room += 1;
            return Ruling::NoRoom {
                capacity: self.capacity.bans,
            };
        }
        self.ban(client, &rule, offence.kind, offence.evidence, now)
    }

    /// Ends the bans of every client that shares an address with `prefix` and forgets what they
    /// did: an operator who lifts a ban says that it was a mistake. The /64 around an address is
    /// meant by the address, and every client inside by a wider prefix.
    pub fn lift(&mut self, prefix: Prefix) -> Vec<Command> {
        match ClientKey::from_prefix(prefix) {
            Some(client) => self.tracked.forget(client),
            None => self.tracked.forget_within(prefix),
        }
        let lift = |ban: Ban| Command::Lift {
            prefix: ban.prefix,
            cause: LiftCause::Operator,
        };
        self.records.pardon(prefix).into_iter().map(lift).collect()
    }

    /// Puts other immune prefixes in the place of the present ones, and lifts the bans that cover
    /// one of them.
    pub fn set_immune(&mut self, immune: Immune) -> Vec<Command> {
        self.immune = immune;
        let immune = &self.immune;
        let pardoned = self
            .records
            .pardon_where(|c| immune.overlap(c.prefix()).is_some());
        let lift = |ban: Ban| {
            let cause = LiftCause::Immune(immune.overlap(ban.prefix)?);
            Some(Command::Lift {
                prefix: ban.prefix,
                cause,
            })
        };
        pardoned.into_iter().filter_map(lift).collect()
    }

    /// Puts other rules in the place of the present ones. Running bans run on.
    pub fn set_policy(&mut self, policy: BanPolicy) {
        self.policy = policy;
    }

    /// Takes out the bans that ended by `now` and returns them, so that their kernel entries,
    /// which no longer drop anything, can be removed. Also forgets old strikes. Call it every
    /// second or so: a ban takes its place in [`Capacity::bans`] until it is taken out here.
    pub fn expire(&mut self, now: Nanos) -> Vec<Ban> {
        self.latest = self.latest.max(now);
        self.records.expire(now)
    }

    /// The ban that holds for `addr` at `now`, be it a shadow one.
    #[must_use]
    pub fn ban_of(&self, addr: IpAddr, now: Nanos) -> Option<&Ban> {
        self.records.ban(addr.into(), now)
    }

    /// Whether the packets of `addr` are to be dropped at `now`.
    #[must_use]
    pub fn is_banned(&self, addr: IpAddr, now: Nanos) -> bool {
        self.ban_of(addr, now)
            .is_some_and(|ban| ban.mode == Mode::Enforce)
    }

    /// The bans that run at `now`, in the order of their prefixes.
    #[must_use]
    pub fn active(&self, now: Nanos) -> Vec<&Ban> {
        self.records.active(now)
    }

    /// What it holds and what it could not keep.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            tracked: self.tracked.len() as u64,
            records: self.records.len() as u64,
            evicted_clients: self.tracked.evicted(),
            evicted_strikes: self.records.evicted(),
            no_room: self.no_room,
            spared: self.spared,
        }
    }

    fn ban(
        &mut self,
        client: ClientKey,
        rule: &BanRule,
        offence: OffenceKind,
        evidence: Evidence,
        now: Nanos,
    ) -> Ruling {
        let strike = self.records.strikes(client, now).next(rule.mode());
        let until = now.saturating_add(rule.duration(strike).as_nanos());
        let ban = Ban {
            prefix: client.prefix(),
            mode: rule.mode(),
            from: now,
            until,
            strike,
            offence,
            evidence,
        };
        let forget_at = until.saturating_add(rule.forget().as_nanos());
        self.records.start(client, ban.clone(), forget_at, now);
        match rule.mode() {
            Mode::Enforce => self.tracked.forget(client),
            // What another rule has counted must not depend on one that only looks on.
            Mode::Shadow => self.tracked.clear(client, offence),
        }
        Ruling::Ban(ban)
    }
}
