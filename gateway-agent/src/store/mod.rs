//! What must outlive the agent and the kernel's memory: list entries and the words that go with
//! them, what clients were banned for, and the log of changes. SQLite, one file.
//!
//! The store holds wall time (milliseconds since the Unix epoch), because the monotonic clock
//! starts anew at every boot. It decides nothing: which entry the kernel gets is `control`'s
//! business.
//!
//! An entry is known by its list, its prefix and its origin. So an operator's entry, a feed's
//! and a ban can stand on one prefix without one wiping out another, and each can be taken away
//! by whoever put it there. Putting an entry that is there already replaces what it says and
//! keeps its rule id: events and log lines that carry the id stay explainable. Ids of removed
//! entries are never given out again.

mod bans;
mod batches;
mod changes;
mod entries;
mod error;
mod key;
mod open;
mod put;
mod record;
mod schema;
#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

pub use bans::PastBan;
pub use batches::{Batch, BatchState, Held, NewBatch, NewEntry, Tagged, Touched};
pub use changes::{Action, Change, Logged};
pub use entries::{Cursor, Filter, Live};
pub use error::{StoreError, StoreFault};
pub use open::Options;
pub use record::{
    BanFacts, BatchId, Import, ListName, Mode, NewRecord, Origin, Record, RuleId, UnixMillis,
    UnknownCode,
};

/// The open store. One writer at a time; a second one waits for the busy timeout.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
}

/// How surely a change has reached the disk when the call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives a power cut: for what a person asked for.
    Synced,
    /// It survives the death of the agent, and a power cut unless it came within the last
    /// moments: for bans, of which thousands may come in a second.
    Lazy,
}

/// Read access to the tables.
#[derive(Debug)]
pub struct Reader<'c> {
    conn: &'c Connection,
    path: &'c Path,
}

/// Write access to the tables, inside one transaction.
#[derive(Debug)]
pub struct Writer<'c> {
    reader: Reader<'c>,
}

impl Store {
    /// The file it lives in; `:memory:` for one without a file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks into the tables.
    #[must_use]
    pub fn read(&self) -> Reader<'_> {
        Reader {
            conn: &self.conn,
            path: &self.path,
        }
    }

    /// Looks into the tables as they are at one moment; many looks are faster so.
    ///
    /// # Errors
    /// What `look` returns, or the fault of the transaction itself.
    pub fn snapshot<T, E: From<StoreError>>(
        &self,
        look: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = self
            .conn
            .unchecked_transaction()
            .map_err(|e| StoreError::of(&self.path, e))?;
        look(&Reader {
            conn: &tx,
            path: &self.path,
        })
    }

    /// Runs `change` in one transaction: all of it is kept when it returns `Ok`, nothing when
    /// it returns `Err`.
    ///
    /// # Errors
    /// What `change` returns, or the fault of the transaction itself.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        durability: Durability,
        change: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let path = &self.path;
        let fault = |e| StoreError::of(path, e);
        let level = match durability {
            Durability::Synced => "FULL",
            Durability::Lazy => "NORMAL",
        };
        self.conn
            .pragma_update(None, "synchronous", level)
            .map_err(fault)?;
        // Immediate: a reader that becomes a writer half way could fail with no way to wait.
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        let writer = Writer {
            reader: Reader { conn: &tx, path },
        };
        let done = change(&writer)?;
        tx.commit().map_err(fault)?;
        Ok(done)
    }
}

impl Reader<'_> {
    fn fault(&self, source: rusqlite::Error) -> StoreError {
        StoreError::of(self.path, source)
    }
}

impl<'c> Deref for Writer<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}
