//! Feeds: what others' lists say, each under the feed's name.
//!
//! A feed's entries are replaced as a batch of what changed: all of it, or nothing. What no feed
//! may say is left out, and one that loses most of its entries is not taken unless somebody
//! accepted it.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::PoisonError;

use gateway_common::time::Nanos;
use gateway_policy::feeds::{Screened, screen, shrinks_too_much};
use gateway_policy::grammar::{FeedName, Period, Prefix};
use gateway_policy::import::Entry;

use super::Service;
use super::import::{Delta, Wanted, delta};
use crate::config::CountryCode;
use crate::control::api::{FeedState, FeedStatus, Feeds, ImportDone, WouldDrop};
use crate::control::now::Now;
use crate::control::{Actor, Fault, ListsError};
use crate::store::{Durability, Held, ListName, Mode, NewBatch, Origin, RuleId, Tagged};

/// What feeds would have dropped, by list and name.
type FeedSums = HashMap<(ListName, String), WouldDrop>;

/// Rules that the store is asked about at once.
const RULES_AT_ONCE: usize = 512;

/// Batches of one feed that are kept though nothing is left of them.
const EMPTY_BATCHES: u32 = 64;

/// What a feed says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedOrder {
    /// The feed.
    pub name: FeedName,
    /// The list that it feeds.
    pub list: ListName,
    /// Whether its entries act.
    pub mode: Mode,
    /// Where it comes from, for those who ask why an entry is there.
    pub source: String,
    /// Its entries, by prefix, each prefix once.
    pub entries: Vec<Entry>,
    /// The country whose sources are held to the limit of countries, and put on no list.
    pub limits: Option<CountryCode>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedOutcome {
    /// It is in force.
    Taken(FeedTaken),
    /// It has lost too many of the entries that it held; nothing was changed.
    HeldBack {
        /// How many it holds.
        held: usize,
        /// What it says, without what no feed may say.
        offer: FeedOrder,
    },
}

/// What taking a feed did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedTaken {
    /// What was changed.
    pub done: ImportDone,
    /// Entries that it has now.
    pub entries: usize,
    /// Entries that no feed may bring.
    pub left_out: usize,
    /// The first of them, in words.
    pub told: Vec<String>,
}

impl Service {
    /// Makes the list hold what a feed says, under its name. When that is less than half of what
    /// it said before, it is held back, unless somebody has accepted it.
    ///
    /// # Errors
    /// When the store or the kernel refuses; then nothing has changed.
    pub fn update_feed(
        &self,
        order: FeedOrder,
        accepted: Option<&Actor>,
    ) -> Result<FeedOutcome, Fault> {
        self.lists.ready()?;
        let _one = self.bulk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(country) = order.limits {
            return self.limit_country(country, order, accepted.is_some());
        }
        // Also what was accepted: who is protected may be so only since it was offered.
        let screened = self.screened(order.list, order.entries)?;
        let offer = FeedOrder {
            entries: screened.kept,
            ..order
        };
        let now = self.now();
        let held = self.held((offer.list, Origin::Feed, offer.name.as_str()), now)?;
        if accepted.is_none() && shrinks_too_much(held.len(), offer.entries.len()) {
            return Ok(FeedOutcome::HeldBack {
                held: held.len(),
                offer,
            });
        }
        let done = self.feed(accepted.unwrap_or(&Actor::agent()), &offer, &held, now)?;
        Ok(FeedOutcome::Taken(FeedTaken {
            done,
            entries: offer.entries.len(),
            left_out: screened.left_out,
            told: screened.told.iter().map(ToString::to_string).collect(),
        }))
    }

    /// Makes the entries that a feed has act as it is configured, without asking the feed, and
    /// takes away those that no feed may bring by now. Says how many are left.
    ///
    /// # Errors
    /// When the store or the kernel refuses; then nothing has changed.
    pub fn settle_feed(
        &self,
        name: &FeedName,
        (list, mode): (ListName, Mode),
        source: &str,
    ) -> Result<usize, Fault> {
        self.lists.ready()?;
        let _one = self.bulk.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let held = self.held((list, Origin::Feed, name.as_str()), now)?;
        let entries = held.iter().map(|held| again(held, now)).collect();
        let screened = self.screened(list, entries)?;
        let same = held.iter().all(|held| held.live.mode == mode);
        if same && screened.left_out == 0 {
            return Ok(held.len());
        }
        let order = FeedOrder {
            name: name.clone(),
            list,
            mode,
            source: source.to_owned(),
            entries: screened.kept,
            limits: None,
        };
        self.feed(&Actor::agent(), &order, &held, now)?;
        Ok(order.entries.len())
    }

    /// Takes away the entries of every feed but those that `keeps` names. Says whose they were.
    ///
    /// # Errors
    /// When the store or the kernel refuses.
    pub fn drop_feeds(&self, keeps: impl Fn(ListName, &str) -> bool) -> Result<Vec<Tagged>, Fault> {
        let _one = self.bulk.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = self.feed_tags()?;
        gone.retain(|tagged| !keeps(tagged.list, &tagged.tag));
        for tagged in &gone {
            let now = self.now();
            let set = (tagged.list, Origin::Feed, tagged.tag.as_str());
            let held = self.held(set, now)?;
            let mut delta = Delta::default();
            delta.told.removed = held.len();
            delta.takes = held.into_iter().map(|held| held.live.rule).collect();
            let new = NewBatch {
                list: tagged.list,
                origin: Origin::Feed,
                tag: tagged.tag.clone(),
                reason: "the configuration names the feed no more".to_owned(),
                created: now.wall,
                created_by: Actor::agent().to_string(),
            };
            self.put_in_force(&Actor::agent(), &new, &delta, None)?;
            self.store()
                .write(Durability::Lazy, |w| w.forget_empty(set, 0))?;
            if tagged.list == ListName::Allow {
                self.hooks.safelist_changed();
            }
        }
        Ok(gone)
    }

    /// The feeds that have live entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn feed_tags(&self) -> Result<Vec<Tagged>, Fault> {
        let now = self.now().wall;
        Ok(self.store().read().tags(Origin::Feed, now)?)
    }

    pub(super) fn feeds(&self) -> Result<Feeds, Fault> {
        if let Some(mut feeds) = self.hooks.feeds() {
            self.sum_feeds(&mut feeds)?;
            return Ok(Feeds { feeds });
        }
        let unattended = |tagged: Tagged| FeedStatus {
            name: tagged.tag,
            list: tagged.list.into(),
            state: FeedState::Unattended,
            entries: tagged.entries,
            changed_unix_ms: Some(tagged.changed),
            would_drop: None,
            agent: None,
        };
        let mut feeds: Vec<_> = self.feed_tags()?.into_iter().map(unattended).collect();
        self.sum_feeds(&mut feeds)?;
        Ok(Feeds { feeds })
    }

    /// Says of each feed in shadow mode what it would have dropped.
    ///
    /// # Errors
    /// When the store cannot be read, or the kernel refuses.
    pub fn sum_feeds(&self, feeds: &mut [FeedStatus]) -> Result<(), Fault> {
        let mode = |feed: &FeedStatus| feed.agent.as_ref().map(|agent| agent.mode);
        if feeds.iter().all(|feed| mode(feed) == Some(Mode::Enforce)) {
            return Ok(());
        }
        let Some(sums) = self.feeds_would_drop()? else {
            return Ok(());
        };
        for feed in feeds {
            let Some(list) = feed.list.list() else {
                continue;
            };
            let sum = sums.get(&(list, feed.name.clone())).copied();
            feed.would_drop = match mode(feed) {
                Some(Mode::Enforce) => None,
                Some(Mode::Shadow) => Some(sum.unwrap_or_default()),
                None => sum,
            };
        }
        Ok(())
    }

    /// The same of one feed.
    pub(super) fn summed(&self, mut feed: FeedStatus) -> Result<FeedStatus, Fault> {
        self.sum_feeds(std::slice::from_mut(&mut feed))?;
        Ok(feed)
    }

    /// What the entries of each feed in shadow mode would have dropped, by list and name; `None`
    /// without a filter. Takes some microseconds for each entry that has met a packet.
    fn feeds_would_drop(&self) -> Result<Option<FeedSums>, Fault> {
        let counted = match self.lists.counted() {
            Ok(counted) => counted,
            Err(ListsError::Absent(_)) => return Ok(None),
            Err(other @ (ListsError::Full { .. } | ListsError::Failed(_))) => {
                return Err(other.into());
            }
        };
        let rules: Vec<RuleId> = counted.into_iter().filter_map(RuleId::new).collect();
        let mut sums = FeedSums::new();
        for rules in rules.chunks(RULES_AT_ONCE) {
            // The store is let go between two parts: bans wait for it.
            let shadow = (Origin::Feed, Mode::Shadow);
            let tagged = self.store().read().tags_of(rules, shadow)?;
            for (rule, list, tag) in tagged {
                let (packets, bytes) = self.lists.would_drop(rule.get())?.unwrap_or_default();
                let sum = sums.entry((list, tag)).or_default();
                sum.packets = sum.packets.saturating_add(packets);
                sum.bytes = sum.bytes.saturating_add(bytes);
            }
        }
        Ok(Some(sums))
    }

    /// Writes what changed; one import at a time is under way.
    fn feed(
        &self,
        actor: &Actor,
        order: &FeedOrder,
        held: &[Held],
        now: Now,
    ) -> Result<ImportDone, Fault> {
        let wanted = Wanted {
            entries: &order.entries,
            replace: true,
            ttl: None,
            mode: order.mode,
        };
        let mut delta = delta(&wanted, held, now);
        delta.told.tag = order.name.to_string();
        if delta.puts.is_empty() && delta.takes.is_empty() {
            return Ok(delta.told);
        }
        let new = NewBatch {
            list: order.list,
            origin: Origin::Feed,
            tag: order.name.to_string(),
            reason: order.source.clone(),
            created: now.wall,
            created_by: actor.to_string(),
        };
        self.put_in_force(actor, &new, &delta, None)?;
        let set = (order.list, Origin::Feed, order.name.as_str());
        self.store()
            .write(Durability::Lazy, |w| w.forget_empty(set, EMPTY_BATCHES))?;
        if order.list == ListName::Allow {
            delta.told.lifted = self.lift_inside(actor, &order.entries, &order.source)?;
            self.hooks.safelist_changed();
        }
        Ok(delta.told)
    }

    /// The entries without those that no feed may bring. None denies those whom nobody should, nor
    /// the links of this host.
    fn screened(&self, list: ListName, entries: Vec<Entry>) -> Result<Screened, Fault> {
        if list == ListName::Allow {
            return Ok(screen(entries, &[]));
        }
        let mut protected = self.protected()?;
        let links = [
            Prefix::v4::<16>(Ipv4Addr::new(169, 254, 0, 0)),
            Prefix::v6::<10>(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)),
        ];
        protected.extend(links.map(|prefix| (prefix, "the links of this host".to_owned())));
        Ok(screen(entries, &protected))
    }
}

/// An entry that is there, as a feed would say it.
fn again(held: &Held, now: Now) -> Entry {
    let left = held
        .live
        .expires
        .map(|at| Period::from_nanos(Nanos::from_millis(at.0.saturating_sub(now.wall.0))));
    Entry {
        prefix: held.live.prefix,
        line: held.line,
        ttl: left,
    }
}
