//! Sums over a capture.

use std::cmp::Reverse;
use std::collections::HashMap;

use gateway_common::{Action, Verdict};

use super::look::End;
use super::packet::{Outcome, Traced, Untold};

/// Sources that are counted one by one. A capture of a spoofed flood has more than fit in memory.
const SOURCES: usize = 1 << 20;

/// Sources that are shown.
const SHOWN: usize = 10;

/// What was counted.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) packets: u64,
    pub(super) dropped: u64,
    pub(super) passed: u64,
    pub(super) answered: u64,
    verdicts: HashMap<Verdict, u64>,
    untold: [u64; Untold::ALL.len()],
    sources: HashMap<End, OfSource>,
    /// Packets of sources that there was no room to count.
    pub(super) of_others: u64,
}

/// What one source sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OfSource {
    pub(super) dropped: u64,
    pub(super) packets: u64,
}

impl Tally {
    pub(super) fn add(&mut self, traced: &Traced) {
        self.packets += 1;
        let mut dropped = 0;
        match traced.outcome {
            Outcome::Told(verdict, _) => {
                *self.verdicts.entry(verdict).or_default() += 1;
                match verdict.action() {
                    Action::Pass => self.passed += 1,
                    Action::Drop => dropped = 1,
                    Action::Answer => self.answered += 1,
                }
            }
            Outcome::Untold(why) => {
                for (count, one) in self.untold.iter_mut().zip(Untold::ALL) {
                    *count += u64::from(one == why);
                }
            }
        }
        self.dropped += dropped;
        let source = match traced.look.source {
            End::Ip(address, _) => End::Ip(address, 0),
            End::Unknown => return,
            mac @ End::Mac(_) => mac,
        };
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) {
            self.of_others += 1;
            return;
        }
        let of = self.sources.entry(source).or_default();
        of.packets += 1;
        of.dropped += dropped;
    }

    /// Verdicts that fell, in their usual order.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = (Verdict, u64)> {
        let count = |verdict: &Verdict| Some((*verdict, *self.verdicts.get(verdict)?));
        Verdict::ALL.iter().filter_map(count)
    }

    /// Packets without a verdict, by reason.
    pub(super) fn untold(&self) -> impl Iterator<Item = (Untold, u64)> {
        let all = Untold::ALL.into_iter().zip(self.untold);
        all.filter(|(_, count)| *count > 0)
    }

    /// The sources that lost most, then those that sent most.
    pub(super) fn top(&self) -> Vec<(End, OfSource)> {
        let mut top: Vec<_> = self.sources.iter().map(|(end, of)| (*end, *of)).collect();
        let order = |(end, of): &(End, OfSource)| (Reverse(*of), *end);
        if top.len() > SHOWN {
            top.select_nth_unstable_by_key(SHOWN, order);
            top.truncate(SHOWN);
        }
        top.sort_unstable_by_key(order);
        top
    }
}
