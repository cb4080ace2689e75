//! What goes into the ledger and what comes out: offences, rulings, bans, commands.

use std::fmt;
use std::net::IpAddr;

use gateway_common::time::Nanos;

use super::{Evidence, ImmuneReason, Mode, OffenceKind};
use crate::grammar::{Period, Prefix};

/// One thing that a client did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offence {
    /// Where it came from: the peer, or the client behind a trusted proxy.
    pub client: IpAddr,
    /// What it was.
    pub kind: OffenceKind,
    /// When it was.
    pub at: Nanos,
    /// Where to read more.
    pub evidence: Evidence,
}

/// A ban, as it is ordered, listed and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Who: an IPv4 address or an IPv6 /64.
    pub prefix: Prefix,
    /// Whether packets are dropped or only counted.
    pub mode: Mode,
    /// Since when.
    pub from: Nanos,
    /// The first instant at which it no longer holds; always later than `from`.
    pub until: Nanos,
    /// The client's how many-th ban this is, from 1.
    pub strike: u32,
    /// What for.
    pub offence: OffenceKind,
    /// The offence that made it due.
    pub evidence: Evidence,
}

/// What the agent must do to the kernel's deny list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Write the entry, over one of the same prefix if there is one.
    Ban(Ban),
    /// Remove the entry, if it is there.
    Lift {
        /// Whose.
        prefix: Prefix,
        /// Why.
        cause: LiftCause,
    },
}

/// Why a ban is lifted before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiftCause {
    /// An operator said so.
    Operator,
    /// The prefix covers an address that has become immune.
    Immune(ImmuneReason),
}

impl LiftCause {
    /// The stable name for logs and the store.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Immune(_) => "immune",
        }
    }
}

impl fmt::Display for LiftCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("lifted by the operator"),
            Self::Immune(reason) => write!(f, "lifted because {reason}"),
        }
    }
}

/// What the ledger says to an offence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It counts, and the client may go on.
    Noted {
        /// Offences of this kind within the window, this one included.
        count: u32,
        /// The count that means a ban.
        limit: u32,
    },
    /// The client is banned from now on. [`Command::Ban`] has to be carried out.
    Ban(Ban),
    /// The client is banned already; requests that were on the way do not count.
    AlreadyBanned {
        /// When that ban ends.
        until: Nanos,
    },
    /// The client, or somebody its ban would hit as well, is never banned. Nothing is counted.
    Spared(ImmuneReason),
    /// A ban is due, but as many run as the ledger may hold. The client stays as it is, and its
    /// next offence asks again.
    NoRoom {
        /// How many that is.
        capacity: usize,
    },
    /// There is no rule for this kind of offence.
    Off,
}

impl Ruling {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Noted { .. } => "noted",
            Self::Ban(_) => "ban",
            Self::AlreadyBanned { .. } => "already-banned",
            Self::Spared(_) => "spared",
            Self::NoRoom { .. } => "no-room",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noted { count, limit } => write!(f, "offence {count} of {limit}"),
            Self::Ban(ban) => {
                let span = Period::from_nanos(ban.until.since(ban.from));
                write!(f, "{} banned for {span}, strike {}", ban.prefix, ban.strike)
            }
            Self::AlreadyBanned { .. } => f.write_str("banned already"),
            Self::Spared(reason) => write!(f, "never banned: {reason}"),
            Self::NoRoom { capacity } => {
                write!(
                    f,
                    "a ban is due, but {capacity} clients are banned and no more fit"
                )
            }
            Self::Off => f.write_str("no rule for this kind of offence"),
        }
    }
}
