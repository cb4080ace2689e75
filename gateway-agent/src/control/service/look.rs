//! Lists, state and counters, to look at.

use gateway_common::rule::Rule;
use gateway_common::time::Nanos;
use gateway_common::verdict::Action as Fate;
use gateway_policy::grammar::Prefix;

use super::Service;
use crate::control::api::{
    BusyRule, EntryView, FilterStatus, InterfaceStats, InterfaceStatus, ListsStatus, MAX_PAGE,
    Page, PageQuery, Place, ReloadRequest, Reloaded, Stats, Status, Totals, VerdictStats,
    WouldDrop,
};
use crate::control::lists::{Interface, InterfaceCounters, VerdictCount};
use crate::control::now::Now;
use crate::control::{Actor, Fault, FaultKind, ListsError};
use crate::datapath::RuleHits;
use crate::store::{
    Action, Change, Cursor, Durability, Filter, ListName, Mode, Origin, RuleId, Store,
};

/// Entries of a page when the query does not say.
const PAGE: u32 = 1_000;

impl Service {
    pub(super) fn page(&self, list: ListName, query: &PageQuery) -> Result<Page, Fault> {
        let limit = query.limit.unwrap_or(PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Fault::new(
                FaultKind::Invalid,
                format!("a page has 1 to {MAX_PAGE} entries, not {limit}"),
            ));
        }
        let filter = Filter {
            origin: query.origin,
            after: query.after.map(|place| place.0),
        };
        let now = self.now();
        let records = self.store().read().page(list, filter, now.wall, limit)?;
        let full = records.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let next = records.last().filter(|_| full).map(|last| {
            Place(Cursor {
                prefix: last.entry.prefix,
                origin: last.entry.origin,
                batch: last.import.as_ref().map(|import| import.batch),
            })
        });
        let mut entries: Vec<EntryView> =
            records.into_iter().map(|r| EntryView::of(r, now)).collect();
        for entry in &mut entries {
            self.count(entry)?;
        }
        Ok(Page { entries, next })
    }

    /// Says what an entry in shadow mode would have dropped.
    pub(super) fn count(&self, entry: &mut EntryView) -> Result<(), Fault> {
        if entry.mode == Mode::Enforce {
            return Ok(());
        }
        // A list can be looked at without a filter; then nothing was counted.
        entry.would_drop = match self.lists.would_drop(entry.rule.get()) {
            Ok(counted) => counted.map(|(packets, bytes)| WouldDrop { packets, bytes }),
            Err(ListsError::Absent(_)) => None,
            Err(other @ (ListsError::Full { .. } | ListsError::Failed(_))) => {
                return Err(other.into());
            }
        };
        Ok(())
    }

    /// Forgets the counts of rules that are gone: their numbers are never used again, and the
    /// kernel's map has room for so many only. Says of how many.
    ///
    /// # Errors
    /// When the store cannot be read, or the kernel refuses.
    pub fn forget_counts(&self) -> Result<usize, Fault> {
        let mut forgotten = 0;
        for rule in self.lists.counted()? {
            // The store is let go between two of them: bans wait for it.
            let known = match (Rule::of(rule), RuleId::new(rule)) {
                (Rule::Entry(_), Some(rule)) => self.store().read().by_rule(rule)?.is_some(),
                // What changes the limits clears their counts away.
                (Rule::Limit(..), _) => true,
                (Rule::None | Rule::Entry(_) | Rule::Block(_), _) => false,
            };
            if !known {
                self.lists.forget_count(rule)?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }

    pub(super) fn status(&self) -> Result<Status, Fault> {
        let filter = match self.lists.ready().and_then(|()| self.lists.interfaces()) {
            Ok(interfaces) => FilterStatus {
                loaded: true,
                why: None,
                interfaces: with_unfiltered(interfaces, self.hooks.unfiltered())
                    .into_iter()
                    .map(|Interface { name, mode }| InterfaceStatus { name, mode })
                    .collect(),
            },
            Err(why) => FilterStatus {
                loaded: false,
                why: Some(match why {
                    ListsError::Absent(why) => why,
                    other @ (ListsError::Full { .. } | ListsError::Failed(_)) => other.to_string(),
                }),
                interfaces: Vec::new(),
            },
        };
        let mut agent = self.hooks.agent();
        if let Some(agent) = &mut agent {
            self.sum_feeds(&mut agent.feeds)?;
        }
        let attack = self.attack_status().ok();
        let reconciled = self.reconciled();
        let lists = self.lists_status()?;
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            agent,
            filter,
            lists,
            attack,
            reconciled,
        })
    }

    /// Counts the entries. A million take a second or two, so it is done over a connection of its
    /// own: no ban waits for it.
    fn lists_status(&self) -> Result<ListsStatus, Fault> {
        let again = self.store().again()?;
        let counted = |store: &Store| {
            let (now, reader) = (self.now().wall, store.read());
            Ok(ListsStatus {
                deny: reader.count(ListName::Deny, None, now)?,
                bans: reader.count(ListName::Deny, Some(Origin::Ban), now)?,
                allow: reader.count(ListName::Allow, None, now)?,
            })
        };
        match &again {
            Some(store) => counted(store),
            None => counted(&self.store()),
        }
    }

    pub(super) fn stats(&self) -> Result<Stats, Fault> {
        Ok(stats_of(&self.lists.counters()?))
    }

    pub(super) fn reload(&self, actor: &Actor, request: &ReloadRequest) -> Result<Reloaded, Fault> {
        let reloaded = self.hooks.reload(request.confirm)?;
        let on_trial = match request.confirm {
            Some(trial) => format!(", on trial for {trial}"),
            None => String::new(),
        };
        let note = format!("generation {}{on_trial}", reloaded.generation);
        self.log_configuration(actor, Action::Reload, note)?;
        Ok(reloaded)
    }

    /// Writes down that a configuration was taken back: the one before it is the `generation`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn log_roll_back(&self, generation: u64) -> Result<(), Fault> {
        let note = format!("the configuration, which nobody confirmed; generation {generation}");
        self.log_configuration(&Actor::agent(), Action::RollBack, note)
    }

    pub(super) fn log_configuration(
        &self,
        actor: &Actor,
        action: Action,
        note: String,
    ) -> Result<(), Fault> {
        let change = Change {
            at: self.now().wall,
            actor: actor.to_string(),
            action,
            list: None,
            prefix: None,
            rule: None,
            note,
        };
        let mut store = self.store();
        store.write(Durability::Synced, |writer| writer.log(&change))?;
        Ok(())
    }
}

/// Dead links of interfaces that shall be filtered are told by what became of the interface.
fn with_unfiltered(mut filtered: Vec<Interface>, unfiltered: Vec<Interface>) -> Vec<Interface> {
    filtered.retain(|one| unfiltered.iter().all(|other| other.name != one.name));
    filtered.extend(unfiltered);
    filtered
}

/// The counters in the shape of the API, with their sums.
#[must_use]
pub fn stats_of(counters: &[InterfaceCounters]) -> Stats {
    let interfaces: Vec<InterfaceStats> = counters
        .iter()
        .map(|counters| InterfaceStats {
            name: counters.interface.name.clone(),
            mode: counters.interface.mode.clone(),
            verdicts: counters.verdicts.iter().map(verdict_stats).collect(),
            total: counters.verdicts.iter().fold(Totals::default(), add),
        })
        .collect();
    let all = counters.iter().flat_map(|counters| &counters.verdicts);
    Stats {
        interfaces,
        total: all.fold(Totals::default(), add),
        busiest: None,
    }
}

/// The rules that have dropped most, at most `limit`, in the shape of the API.
#[must_use]
pub fn busiest_of(mut hits: Vec<RuleHits>, limit: usize, now: Now) -> Vec<BusyRule> {
    hits.sort_unstable_by_key(|hits| (std::cmp::Reverse(hits.packets), hits.rule));
    hits.truncate(limit);
    let in_words = |hits: RuleHits| {
        let (rule, block) = match hits.rule {
            Rule::Entry(number) => (RuleId::new(number), None),
            Rule::Block([a, b, c]) => (None, Prefix::holding([a, b, c, 0].into(), 24).ok()),
            Rule::None | Rule::Limit(..) => (None, None),
        };
        BusyRule {
            rule,
            block,
            at_least: hits.packets,
            since_unix_ms: now.to_wall(hits.since.max(Nanos(1))),
        }
    };
    hits.into_iter().map(in_words).collect()
}

fn verdict_stats(count: &VerdictCount) -> VerdictStats {
    VerdictStats {
        verdict: count.verdict.name().to_owned(),
        action: count.verdict.action().name().to_owned(),
        packets: count.packets,
        bytes: count.bytes,
        events_lost: count.events_lost,
    }
}

fn add(mut sum: Totals, count: &VerdictCount) -> Totals {
    let (packets, bytes) = match count.verdict.action() {
        Fate::Pass => (&mut sum.passed_packets, &mut sum.passed_bytes),
        Fate::Drop => (&mut sum.dropped_packets, &mut sum.dropped_bytes),
        Fate::Answer => (&mut sum.answered_packets, &mut sum.answered_bytes),
    };
    *packets = packets.saturating_add(count.packets);
    *bytes = bytes.saturating_add(count.bytes);
    sum.events_lost = sum.events_lost.saturating_add(count.events_lost);
    sum
}
