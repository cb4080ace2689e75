//! Taking up the bans of an earlier run.

use gateway_common::time::Nanos;

use super::Ledger;
use crate::bans::{Ban, Command, ImmuneReason, LiftCause};
use crate::client::ClientKey;

/// What came of the bans that were handed back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// What the kernel must be told: the bans that run on (a reboot has lost them; writing one
    /// that is still there changes nothing), and lifts of those that cover an immune address.
    pub commands: Vec<Command>,
    /// The bans that were not taken up.
    pub refused: Vec<(Ban, RestoreFault)>,
}

/// Why a ban of an earlier run is not taken up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreFault {
    /// Its prefix is no client's.
    #[error("its prefix is neither an IPv4 address nor an IPv6 /64")]
    NotAClient,
    /// It covers an address that is immune now.
    #[error("it may not be banned now: {0}")]
    Immune(ImmuneReason),
    /// As many bans run as the ledger may hold.
    #[error("{0} clients are banned and no more fit")]
    NoRoom(usize),
}

impl RestoreFault {
    /// The stable name for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotAClient => "not-a-client",
            Self::Immune(_) => "immune",
            Self::NoRoom(_) => "no-room",
        }
    }
}

impl Ledger {
    /// Takes up the bans of an earlier run, given in the order in which they were ordered: those
    /// that still run at `now` run on, and those that ended lately count as strikes. Of one client
    /// only the last can run, since it took the place of those before it. Their times are of the
    /// present clock; what lies before its start, by a reboot, is its start.
    pub fn restore(&mut self, bans: impl IntoIterator<Item = Ban>, now: Nanos) -> Restored {
        self.latest = self.latest.max(now);
        let mut restored = Restored::default();
        for ban in bans {
            if let Err(fault) = self.take_up(&ban, now) {
                if let (RestoreFault::Immune(reason), true) = (&fault, ban.until > now) {
                    let cause = LiftCause::Immune(reason.clone());
                    restored.commands.push(Command::Lift {
                        prefix: ban.prefix,
                        cause,
                    });
                }
                restored.refused.push((ban, fault));
            }
        }
        self.records.expire(now);
        restored
            .commands
            .extend(self.active(now).into_iter().cloned().map(Command::Ban));
        restored
    }

    fn take_up(&mut self, ban: &Ban, now: Nanos) -> Result<(), RestoreFault> {
        let client = ClientKey::from_prefix(ban.prefix).ok_or(RestoreFault::NotAClient)?;
        if let Some(reason) = self.immune.overlap(ban.prefix) {
            return Err(RestoreFault::Immune(reason));
        }
        // A rule that is gone has nothing to escalate.
        let forget = self
            .policy
            .rule(ban.offence)
            .map(|rule| rule.forget().as_nanos());
        let forget_at = ban.until.saturating_add(forget.unwrap_or_default());
        // Time passes as it did then, so that strikes add up and are forgotten as they were.
        self.records.expire(ban.from.min(now));
        if !self.records.has_room(client) {
            return Err(RestoreFault::NoRoom(self.capacity.bans));
        }
        self.records.start(client, ban.clone(), forget_at, ban.from);
        Ok(())
    }
}
