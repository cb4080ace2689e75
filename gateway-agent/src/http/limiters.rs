//! The request limits of all clients, shared by the workers. They outlive a reload, so that a
//! new configuration does not give everybody a new budget.

use std::sync::Mutex;

use gateway_common::time::Nanos;
use gateway_policy::client::ClientKey;
use gateway_policy::grammar::Rate;
use gateway_policy::limits::{Counters, Quota, RateLimiter, Shards, Verdict};
use gateway_policy::zones::Zone;

use super::address::ClientAddr;
use super::settings::Quotas;

/// How many locks share the clients of one zone.
const SHARDS: usize = 16;

/// The limiters of both zones.
#[derive(Debug)]
pub(super) struct Limiters {
    trusted: Shards<Mutex<RateLimiter>>,
    untrusted: Shards<Mutex<RateLimiter>>,
}

impl Limiters {
    /// Limiters that remember `clients` clients in each zone.
    pub(super) fn new(quotas: Quotas, clients: usize) -> Self {
        let zone = |quota: Option<Quota>| {
            // A zone without a limit is never asked; its limiter waits for a reload.
            let quota = quota.unwrap_or_else(|| Quota::from_rate(Rate::per_second::<1>()));
            Shards::new(SHARDS, || {
                Mutex::new(RateLimiter::new(quota, clients / SHARDS))
            })
        };
        Self {
            trusted: zone(quotas.trusted),
            untrusted: zone(quotas.untrusted),
        }
    }

    /// Takes over other limits.
    pub(super) fn set(&self, quotas: Quotas) {
        for (shards, quota) in [
            (&self.trusted, quotas.trusted),
            (&self.untrusted, quotas.untrusted),
        ] {
            for limiter in shards.iter() {
                if let Some(quota) = quota {
                    lock(limiter).set_quota(quota);
                }
            }
        }
    }

    /// Judges one request.
    pub(super) fn check(&self, zone: &Zone, client: ClientAddr, now: Nanos) -> Verdict {
        let key = ClientKey::from(client.ip());
        let shards = if zone.is_trusted() {
            &self.trusted
        } else {
            &self.untrusted
        };
        lock(shards.of(key)).check(key, now)
    }

    /// What became of newcomers, in both zones.
    pub(super) fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for limiter in self.trusted.iter().chain(self.untrusted.iter()) {
            let counters = lock(limiter).counters();
            sum.clients += counters.clients;
            sum.reclaimed += counters.reclaimed;
            sum.overflowed += counters.overflowed;
        }
        sum
    }
}

/// A panic under the lock may have cost one client one count, which is no reason to refuse all.
fn lock(limiter: &Mutex<RateLimiter>) -> std::sync::MutexGuard<'_, RateLimiter> {
    limiter.lock().unwrap_or_else(|poison| poison.into_inner())
}
