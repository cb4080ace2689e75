//! From the end of the offending request to the first dropped packet.

use std::collections::HashMap;

use gateway_common::time::Nanos;
use gateway_policy::{
    bans::{Ban, Offence},
    grammar::Prefix,
};

use crate::datapath::Sampled;

/// Bans whose first drop may be awaited at once; the oldest makes room.
const CAPACITY: usize = 4096;

/// Bans that have dropped nothing yet, by rule.
#[derive(Default)]
pub(super) struct Awaiting(HashMap<u32, Expected>);

struct Expected {
    request_ended: Nanos,
    request: String,
    client: Prefix,
}

/// The first packet that a ban dropped.
pub(super) struct FirstDrop {
    pub(super) client: Prefix,
    pub(super) request: String,
    /// From the end of the offending request.
    pub(super) after: Nanos,
}

impl Awaiting {
    /// A ban is in force under `rule`.
    pub(super) fn expect_drop(&mut self, rule: u32, offence: &Offence, ban: &Ban) {
        if self.0.len() >= CAPACITY {
            let oldest = self
                .0
                .iter()
                .min_by_key(|(_, e)| e.request_ended)
                .map(|(rule, _)| *rule);
            if let Some(oldest) = oldest {
                self.0.remove(&oldest);
            }
        }
        let expected = Expected {
            request_ended: offence.at,
            request: offence.evidence.request_id().to_owned(),
            client: ban.prefix,
        };
        self.0.insert(rule, expected);
    }

    /// A packet was dropped by a ban; the first of each is told.
    pub(super) fn dropped(&mut self, event: &Sampled) -> Option<FirstDrop> {
        let expected = self.0.remove(&event.rule)?;
        Some(FirstDrop {
            client: expected.client,
            request: expected.request,
            after: event.at.since(expected.request_ended),
        })
    }

    /// A ban has ended.
    pub(super) fn forget(&mut self, client: Prefix) {
        self.0.retain(|_, expected| expected.client != client);
    }
}

#[cfg(test)]
mod tests {
    use gateway_common::Verdict;
    use gateway_policy::bans::{Evidence, Mode, OffenceKind};

    use super::*;

    fn offence(at: u64) -> Offence {
        Offence {
            client: [192, 0, 2, 1].into(),
            kind: OffenceKind::WafBlock,
            at: Nanos(at),
            evidence: Evidence::new("r1", ""),
        }
    }

    fn ban() -> Ban {
        Ban {
            prefix: "192.0.2.1".parse().unwrap(),
            mode: Mode::Enforce,
            from: Nanos(100),
            until: Nanos(200),
            strike: 1,
            offence: OffenceKind::WafBlock,
            evidence: Evidence::new("r1", ""),
        }
    }

    fn drop_by(rule: u32, at: u64) -> Sampled {
        Sampled {
            at: Nanos(at),
            verdict: Verdict::Banned,
            rule,
            source: None,
            destination: None,
            protocol: 6,
            length: 60,
            slot: 0,
        }
    }

    #[test]
    fn only_the_first_drop_counts() {
        let mut awaiting = Awaiting::default();
        awaiting.expect_drop(7, &offence(100), &ban());
        assert!(awaiting.dropped(&drop_by(8, 150)).is_none());
        assert_eq!(awaiting.dropped(&drop_by(7, 150)).unwrap().after, Nanos(50));
        assert!(awaiting.dropped(&drop_by(7, 160)).is_none());
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut awaiting = Awaiting::default();
        for rule in 0..=CAPACITY as u32 {
            awaiting.expect_drop(rule, &offence(rule.into()), &ban());
        }
        assert_eq!(awaiting.0.len(), CAPACITY);
        assert!(awaiting.dropped(&drop_by(0, 9)).is_none());
    }
}
