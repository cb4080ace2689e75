//! Making and opening the file.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::schema::{self, Refusal};
use super::{Store, StoreError, StoreFault};

/// What stands for the path of a store without a file.
const MEMORY: &str = ":memory:";

/// How to open a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long to wait for another writer.
    pub busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
        }
    }
}

impl Store {
    /// Opens the store at `path`, makes it when there is none, and brings an older one up to
    /// date. The file gets mode 0600; a parent directory that is missing is made with 0700.
    ///
    /// # Errors
    /// When the file cannot be made or opened, is damaged, locked for too long, read-only, of
    /// another program or of a newer gateway.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        make(path).map_err(|e| StoreError::new(path, StoreFault::Open(e)))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(|e| StoreError::of(path, e))?;
        prepare(conn, path, options)
    }

    /// As [`Store::open`], but for reading: a store that does not exist yet is not made, and an
    /// empty one in memory takes its place.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_if_there(path: &Path, options: Options) -> Result<Self, StoreError> {
        match path.try_exists() {
            Ok(true) => Self::open(path, options),
            Ok(false) => Self::in_memory(),
            Err(e) => Err(StoreError::new(path, StoreFault::Open(e))),
        }
    }

    /// The same store over a connection of its own: what takes long to read keeps nobody from
    /// writing then. `None` for a store without a file.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn again(&self) -> Result<Option<Self>, StoreError> {
        if self.path == Path::new(MEMORY) {
            return Ok(None);
        }
        Self::open_if_there(&self.path, Options::default()).map(Some)
    }

    /// An empty store without a file.
    ///
    /// # Errors
    /// When SQLite gets no memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let path = Path::new(MEMORY);
        let conn = Connection::open_in_memory().map_err(|e| StoreError::of(path, e))?;
        prepare(conn, path, Options::default())
    }
}

/// Makes the file before SQLite does, so that it never has wider permissions than it should.
fn make(path: &Path) -> io::Result<()> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    // SQLite gives its write-ahead log the mode of the database.
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn prepare(mut conn: Connection, path: &Path, options: Options) -> Result<Store, StoreError> {
    let fault = |e| StoreError::of(path, e);
    conn.busy_timeout(options.busy_timeout).map_err(fault)?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .map_err(fault)?;
    // Else SQLite plans anew whenever a value that it has peeked at changes: for each row.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(fault)?;
    conn.pragma_update(None, "foreign_keys", true)
        .map_err(fault)?;
    conn.pragma_update(None, "temp_store", "MEMORY")
        .map_err(fault)?;
    // A long page walk by one process must not let the log grow without end.
    conn.pragma_update(None, "journal_size_limit", 64 << 20)
        .map_err(fault)?;
    schema::migrate(&mut conn).map_err(|refusal| match refusal {
        Refusal::Fault(f) => StoreError::new(path, f),
        Refusal::Sqlite(e) => fault(e),
    })?;
    Ok(Store {
        conn,
        path: path.to_owned(),
    })
}
