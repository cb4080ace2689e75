//! The deny list, the safelist and the zones: what an entry is and which one wins.
//!
//! The rule: the entry with the longest prefix that covers the source decides; where the
//! safelist and the deny list hold the same prefix, the safelist wins. Entries past their
//! expiry do not count. Deny entries in shadow mode are noted and then passed over.

pub mod cells;
mod entry;
mod find;
pub mod index4;
mod key;
mod lengths;
mod listing;

pub use entry::{
    Entry, MODE_ENFORCE, MODE_SHADOW, ORIGIN_BAN, ORIGIN_CONFIG, ORIGIN_FEED, ORIGIN_OPERATOR,
};
pub use find::{Lists, listed4, probe4, probe6, walk4, walk6};
pub(crate) use find::{exact4, find4, find6};
pub(crate) use key::halves;
pub use key::{Key4, Key6};
pub use lengths::Lengths;
pub(crate) use listing::Listing;
pub use listing::Packed;
