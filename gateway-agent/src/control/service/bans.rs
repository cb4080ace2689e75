//! What the agent bans, and what operators lift.

use gateway_common::time::Nanos;
use gateway_policy::grammar::Prefix;

use super::Service;
use super::apply::{Op, Plan, Step};
use super::change::{lift_steps, views};
use crate::control::api::Changed;
use crate::control::{Actor, Fault, FaultKind};
use crate::store::{
    Action, BanFacts, Durability, ListName, Mode, NewRecord, Origin, PastBan, Reader, Record,
    RuleId, StoreError, UnixMillis,
};

/// Bans that are lifted in one go; more are lifted in several.
const CHUNK: u32 = 1_000;
/// Lifted bans that the answer shows.
const SHOWN: usize = 10_000;

/// A ban as the ledger orders it, and as the store gives it back after a restart; times are of
/// the kernel's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanOrder {
    /// Who: an IPv4 address or an IPv6 /64.
    pub client: Prefix,
    /// Whether packets are dropped or only counted.
    pub mode: Mode,
    /// Since when.
    pub from: Nanos,
    /// Until when.
    pub until: Nanos,
    /// What led to it.
    pub facts: BanFacts,
    /// The same in words; may be empty.
    pub reason: String,
}

/// What became of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanOutcome {
    /// The kernel has it, under this number.
    InForce(RuleId),
    /// An entry of the safelist covers the client: it is not banned.
    Spared(Prefix),
}

impl Service {
    /// Bans a client. A client that the safelist covers is spared: the ledger may not have heard
    /// of that entry yet.
    ///
    /// # Errors
    /// When the store or the kernel refuses; then the client is not banned.
    pub fn ban(&self, order: &BanOrder) -> Result<BanOutcome, Fault> {
        let now = self.now();
        let mut store = self.store();
        let safe = store
            .read()
            .covering(ListName::Allow, order.client, now.wall)?;
        if let Some(safe) = safe.first() {
            return Ok(BanOutcome::Spared(safe.entry.prefix));
        }
        let actor = Actor::agent();
        let until = now.to_wall(order.until).unwrap_or(now.wall);
        let from = now.to_wall(order.from).unwrap_or(now.wall);
        let entry = NewRecord {
            list: ListName::Deny,
            prefix: order.client,
            origin: Origin::Ban,
            mode: order.mode,
            expires: Some(until),
            reason: order.reason.clone(),
            created: from,
            created_by: actor.to_string(),
        };
        let ban = PastBan {
            client: order.client,
            mode: order.mode,
            from,
            until,
            facts: order.facts.clone(),
            reason: String::new(),
        };
        let steps = vec![
            Step {
                op: Op::SetBan(ban),
                logged: None,
            },
            Step {
                op: Op::Put(entry),
                logged: Some(Action::Ban),
            },
        ];
        let note = format!(
            "{} x{}, strike {}{}{}",
            order.facts.offence,
            order.facts.count,
            order.facts.strike,
            match &order.facts.request {
                Some(id) => format!(", request {id}"),
                None => String::new(),
            },
            match order.mode {
                Mode::Enforce => "",
                Mode::Shadow => ", shadow",
            }
        );
        let rules = self.apply(
            &mut store,
            &Plan {
                steps,
                actor: &actor,
                note: &note,
                durability: Durability::Lazy,
                now,
            },
        )?;
        rules
            .first()
            .copied()
            .map(BanOutcome::InForce)
            .ok_or_else(|| Fault::new(FaultKind::Store, "the store gave the ban no number"))
    }

    /// Takes back a ban because the ledger says so; says whether there was one.
    ///
    /// # Errors
    /// When the store or the kernel refuses.
    pub fn unban(&self, client: Prefix, why: &str) -> Result<bool, Fault> {
        let now = self.now();
        let mut store = self.store();
        let ban = store.read().get(ListName::Deny, client, Origin::Ban)?;
        let Some(ban) = ban else { return Ok(false) };
        self.apply(
            &mut store,
            &Plan {
                steps: lift_steps(ban).into(),
                actor: &Actor::agent(),
                note: why,
                durability: Durability::Lazy,
                now,
            },
        )?;
        Ok(true)
    }

    /// The bans that run or ended less than `memory` ago, in the order in which they were
    /// ordered: what the ledger is restored from.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn past_bans(&self, memory: Nanos) -> Result<Vec<BanOrder>, Fault> {
        let now = self.now();
        let past = self.store().read().past_bans(now.before(memory))?;
        Ok(past
            .into_iter()
            .map(|ban| BanOrder {
                client: ban.client,
                mode: ban.mode,
                from: now.to_kernel(Some(ban.from)),
                until: now.to_kernel(Some(ban.until)),
                facts: ban.facts,
                reason: ban.reason,
            })
            .collect())
    }

    pub(super) fn lift(&self, actor: &Actor, prefix: Prefix) -> Result<Changed, Fault> {
        let now = self.now();
        let mut changed = Changed::default();
        let mut lifted = 0;
        loop {
            let mut store = self.store();
            let bans = overlapping(&store.read(), prefix, now.wall)?;
            if bans.is_empty() {
                break;
            }
            self.apply(
                &mut store,
                &Plan {
                    steps: bans.iter().cloned().flat_map(lift_steps).collect(),
                    actor,
                    note: "",
                    durability: Durability::Synced,
                    now,
                },
            )?;
            lifted += bans.len();
            let room = SHOWN.saturating_sub(changed.entries.len());
            changed
                .entries
                .extend(views(bans, now).into_iter().take(room));
        }
        if lifted == 0 {
            return Err(Fault::new(
                FaultKind::NotFound,
                format!("nobody in {prefix} is banned; nothing was changed"),
            ));
        }
        if lifted > changed.entries.len() {
            changed.notes.push(format!(
                "{lifted} bans were lifted, of which {} are shown",
                changed.entries.len()
            ));
        }
        self.hooks.lifted(prefix);
        Ok(changed)
    }
}

/// The next bans that share an address with `prefix`.
fn overlapping(
    reader: &Reader<'_>,
    prefix: Prefix,
    now: UnixMillis,
) -> Result<Vec<Record>, StoreError> {
    let mut bans = reader.inside(ListName::Deny, prefix, Some(Origin::Ban), now, CHUNK)?;
    let around = reader.covering(ListName::Deny, prefix, now)?;
    let around = around
        .into_iter()
        .filter(|r| r.entry.origin == Origin::Ban && r.entry.prefix != prefix);
    bans.extend(around);
    Ok(bans)
}
