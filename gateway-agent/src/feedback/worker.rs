//! The thread that asks the ledger and carries out what it says.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use gateway_policy::bans::{Ban, Mode, Offence, Ruling};

use super::{Shared, lock, memory_of, order};
use crate::{
    clock,
    control::{BanOutcome, Service},
    reputation,
};

/// How often ended bans are cleared away.
const SWEEP: Duration = Duration::from_secs(1);

/// How often the thread looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(100);

/// Entries that one sweep takes out at most; then it is called again.
const SWEPT: usize = 1_000;

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) service: Arc<Service>,
    /// Who is known as a good client: not those who are banned.
    pub(super) reputation: Option<reputation::Handle>,
    pub(super) offences: Receiver<Offence>,
}

impl Worker {
    /// Works until the agent stops and nothing waits any more.
    pub(super) fn run(self) {
        let mut next_sweep = Instant::now() + SWEEP;
        loop {
            let wait = next_sweep.saturating_duration_since(Instant::now());
            match self.offences.recv_timeout(wait.min(LOOK)) {
                Ok(offence) => self.judge(offence),
                Err(RecvTimeoutError::Timeout) if self.shared.stopping.load(Ordering::Acquire) => {
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Also under a stream of offences, which leaves no pause.
            if Instant::now() >= next_sweep {
                self.sweep();
                next_sweep = Instant::now() + SWEEP;
            }
        }
    }

    fn judge(&self, offence: Offence) {
        let ruling = self.shared.ledger().record(offence.clone());
        self.shared.metrics.ruling(&ruling);
        match ruling {
            Ruling::Ban(ban) => self.ban(&offence, &ban),
            Ruling::Noted { count, limit } => {
                tracing::debug!(client = %offence.client, offence = %offence.kind, count, limit,
                    "offence noted");
            }
            Ruling::Spared(reason) => {
                tracing::info!(client = %offence.client, offence = %offence.kind,
                    request = offence.evidence.request_id(), "not banned: {reason}");
            }
            Ruling::NoRoom { capacity } => {
                tracing::error!(client = %offence.client, offence = %offence.kind,
                    "not banned: {capacity} clients are banned, which is the most");
            }
            Ruling::AlreadyBanned { .. } | Ruling::Off => {}
        }
    }

    fn ban(&self, offence: &Offence, ban: &Ban) {
        let count = self.shared.limit_of(ban.offence);
        match self.service.ban(&order(ban, count)) {
            Ok(BanOutcome::InForce(rule)) => {
                let took = clock::monotonic().since(offence.at);
                self.shared.metrics.banned(took);
                lock(&self.shared.awaiting).expect_drop(rule.get(), offence, ban);
                self.forget(ban);
                tracing::warn!(
                    client = %ban.prefix,
                    offence = %ban.offence,
                    detail = ban.evidence.detail(),
                    request = ban.evidence.request_id(),
                    rule = rule.get(),
                    strike = ban.strike,
                    seconds = ban.until.since(ban.from).as_duration().as_secs(),
                    shadow = matches!(ban.mode, gateway_policy::bans::Mode::Shadow),
                    in_force_after_us = took.0 / 1_000,
                    "banned",
                );
            }
            Ok(BanOutcome::Spared(prefix)) => {
                let _ = self.shared.ledger().lift(ban.prefix);
                tracing::info!(client = %ban.prefix, "not banned: {prefix} is on the safelist");
            }
            Err(fault) => {
                // The ledger must not believe in a ban that nobody enforces.
                let _ = self.shared.ledger().lift(ban.prefix);
                self.shared.metrics.failed();
                tracing::error!(client = %ban.prefix, "the ban is not in force: {fault}");
            }
        }
    }

    /// Whoever is banned must prove itself anew. A ban that only watches takes nothing away.
    fn forget(&self, ban: &Ban) {
        let (Some(reputation), Mode::Enforce) = (&self.reputation, ban.mode) else {
            return;
        };
        if let Err(fault) = reputation.forget(ban.prefix.network()) {
            tracing::error!(client = %ban.prefix, "still known as a good client: {fault}");
        }
    }

    fn sweep(&self) {
        let now = clock::monotonic();
        for ban in self.shared.ledger().expire(now) {
            lock(&self.shared.awaiting).forget(ban.prefix);
            tracing::info!(client = %ban.prefix, strike = ban.strike, "ban ended");
        }
        let memory = memory_of(&lock(&self.shared.policy));
        loop {
            match self.service.sweep(memory) {
                Ok(swept) if swept >= SWEPT => {}
                Ok(_) => break,
                Err(fault) => {
                    tracing::error!("clearing away expired entries: {fault}");
                    break;
                }
            }
        }
    }
}
