//! What the WAF found, kept on disk for those who ask later: which rules, why, and in which
//! request.
//!
//! A folder of files with one JSON document a line, each file bounded, the oldest removed when
//! together they grow too large or too old. Anybody with the right to read them can do so, agent
//! or no agent. What comes in here is masked already.

mod archive;
mod record;
mod ring;
mod text;

#[cfg(test)]
pub(crate) mod tests;

use std::path::{Path, PathBuf};

pub use archive::{Archive, Kept};
pub use record::{Hit, Look, Part, Record, Request, Step};
pub use ring::{Bounds, Ring, RingCounts};
pub use text::Text;

/// The folder of the records, beside the store.
#[must_use]
pub fn folder(store: &Path) -> PathBuf {
    store.with_extension("waf")
}
