//! How often each client was banned, so that the next ban after a restart lasts as long as it
//! would have without.

use gateway_policy::grammar::Prefix;
use rusqlite::params;

use super::entries::{millis, prefix, stored};
use super::key;
use super::record::UnixMillis;
use super::{Reader, StoreError, Writer};

/// The record of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strikes {
    /// The client: an IPv4 address or an IPv6 /64.
    pub client: Prefix,
    /// Its bans so far.
    pub count: u32,
    /// When the last of them ends or ended.
    pub last_until: UnixMillis,
}

impl Reader<'_> {
    /// Every client whose last ban ended at `since` or later.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn strikes(&self, since: UnixMillis) -> Result<Vec<Strikes>, StoreError> {
        let read = || {
            self.conn
                .prepare_cached(
                    "SELECT client, strikes, last_until FROM strike WHERE last_until >= ? \
                     ORDER BY client",
                )?
                .query_map([stored(since.0)], |row| {
                    Ok(Strikes {
                        client: prefix(row, 0)?,
                        count: row.get(1)?,
                        last_until: millis(row, 2)?.unwrap_or_default(),
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|e| self.fault(e))
    }
}

impl Writer<'_> {
    /// Writes down how often a client was banned.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_strikes(&self, strikes: &Strikes) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO strike (client, strikes, last_until) VALUES (?, ?, ?)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    key::encode(strikes.client),
                    strikes.count,
                    stored(strikes.last_until.0)
                ])
            })
            .map(drop)
            .map_err(|e| self.fault(e))
    }

    /// Forgives a client; says whether there was anything to forgive.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_strikes(&self, client: Prefix) -> Result<bool, StoreError> {
        self.conn
            .prepare_cached("DELETE FROM strike WHERE client = ?")
            .and_then(|mut s| s.execute([key::encode(client)]))
            .map(|rows| rows > 0)
            .map_err(|e| self.fault(e))
    }

    /// Forgets clients whose last ban ended before `before`; says how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn drop_old_strikes(&self, before: UnixMillis) -> Result<usize, StoreError> {
        self.conn
            .prepare_cached("DELETE FROM strike WHERE last_until < ?")
            .and_then(|mut s| s.execute([stored(before.0)]))
            .map_err(|e| self.fault(e))
    }
}
