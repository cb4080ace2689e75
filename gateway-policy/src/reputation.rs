//! Who has proven to be a good client, and when that begins to matter.
//!
//! A source is *known* for a time after it has presented a valid token over TLS: neither can be
//! done with a forged address. In [attack mode](attack) the packet filter holds sources that are
//! not known to a far lower rate.

pub mod attack;
pub mod known;

pub use attack::{AttackMode, AttackPolicy, Cause, Change, Order, Seen, Trigger};
pub use known::{Known, KnownSources, Learned};
