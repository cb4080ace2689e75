//! The ban ledger: from offences to bans.
//!
//! The agent reports each offence with its time; the ledger answers with a [`Ruling`], and when
//! that is a ban, the agent writes it to the kernel's deny list and to the store. The ledger
//! itself does nothing but remember:
//!
//! - in `tracked.rs`, per client and kind of offence a sliding window;
//! - in `records.rs`, per banned client its strikes and the ban that is running.
//!
//! Both memories have a fixed size, and a counter for each thing they could not keep.

mod evidence;
mod immune;
mod ledger;
mod offence;
mod records;
mod rule;
mod ruling;
mod tracked;
mod window;

pub use evidence::Evidence;
pub use immune::{Immune, ImmuneReason};
pub use ledger::{Capacity, Counters, Ledger, RestoreFault, Restored};
pub use offence::{OffenceKind, UnknownOffence};
pub use rule::{BanPolicy, BanRule, BanRuleError, MAX_LIMIT, Mode, UnknownMode};
pub use ruling::{Ban, Command, LiftCause, Offence, Ruling};
