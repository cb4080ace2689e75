//! What can go wrong with the store, in one sentence each.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A fault of the store, with the file it concerns.
#[derive(Debug, thiserror::Error)]
#[error("the store {}: {fault}", path.display())]
pub struct StoreError {
    /// The database file.
    pub path: PathBuf,
    /// What is wrong.
    #[source]
    pub fault: StoreFault,
}

/// What is wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The file or its directory could not be made or opened.
    #[error("cannot be opened: {0}; check the path and its permissions")]
    Open(#[source] io::Error),
    /// SQLite could not open it.
    #[error("cannot be opened: {0}; check the path and its permissions")]
    CannotOpen(#[source] rusqlite::Error),
    /// The content is no database, or a damaged one.
    #[error(
        "is damaged ({0}); move the file aside: the next start keeps what the kernel's lists hold"
    )]
    Corrupt(#[source] rusqlite::Error),
    /// Another process held it for longer than the busy timeout.
    #[error("is locked by another process; try again when that one is done")]
    Busy,
    /// It cannot be written.
    #[error("is read-only; check the mount and the file's permissions")]
    ReadOnly,
    /// The disk is full.
    #[error("cannot grow: the disk is full")]
    DiskFull,
    /// A newer gateway wrote it.
    #[error("has schema {found}, this gateway knows {known}; start the newer gateway again")]
    Newer {
        /// The version in the file.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// A database that some other program made.
    #[error("is a database of another program (application id {0:#x}); choose another path")]
    Foreign(i64),
    /// All 2^32 - 1 rule ids were given out.
    #[error("has given out its last rule id; move the file aside to start anew")]
    RulesExhausted,
    /// A value in the file that this program never writes.
    #[error("holds a value that makes no sense: {0}")]
    Nonsense(String),
    /// Anything else SQLite says.
    #[error("failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    /// Names what SQLite reported.
    pub(super) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let code = source.sqlite_error_code();
        let is = |known: &[ErrorCode]| code.is_some_and(|code| known.contains(&code));
        let fault = if is(&[ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked]) {
            StoreFault::Busy
        } else if is(&[ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase]) {
            StoreFault::Corrupt(source)
        } else if is(&[ErrorCode::ReadOnly]) {
            StoreFault::ReadOnly
        } else if is(&[ErrorCode::DiskFull]) {
            StoreFault::DiskFull
        } else if is(&[ErrorCode::CannotOpen, ErrorCode::PermissionDenied]) {
            StoreFault::CannotOpen(source)
        } else if let rusqlite::Error::FromSqlConversionFailure(_, _, why) = &source {
            StoreFault::Nonsense(why.to_string())
        } else {
            StoreFault::Sqlite(source)
        };
        Self::new(path, fault)
    }

    pub(super) fn new(path: &Path, fault: StoreFault) -> Self {
        Self {
            path: path.to_owned(),
            fault,
        }
    }

    /// Whether to try again later may help.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.fault, StoreFault::Busy)
    }
}
