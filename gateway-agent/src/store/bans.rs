//! The bans of each client, running and past, so that the next ban after a restart lasts as long
//! as it would have without.
//!
//! One row per client and mode is enough: it has the number of the last ban, and what was before
//! does not lengthen the next one. A ban's row outlives its list entry.

use gateway_policy::grammar::Prefix;
use rusqlite::{Row, params};

use super::entries::{coded, millis, prefix, stored};
use super::record::{BanFacts, Mode, Origin, UnixMillis};
use super::{ListName, Reader, StoreError, Writer, key};

/// The last ban of a client in one mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastBan {
    /// The client: an IPv4 address or an IPv6 /64.
    pub client: Prefix,
    /// Whether the ban acts or acted.
    pub mode: Mode,
    /// Since when.
    pub from: UnixMillis,
    /// When it ends or ended.
    pub until: UnixMillis,
    /// What led to it.
    pub facts: BanFacts,
    /// The words that its list entry has; empty once that is gone.
    pub reason: String,
}

const COLUMNS: &str = "SELECT client, ban.mode, since, until, offence, count, strike, request, \
     coalesce(reason, '') FROM ban LEFT JOIN entry ON entry.list = ?1 AND \
     entry.prefix = ban.client AND entry.origin = ?2 AND entry.mode = ban.mode";

impl Reader<'_> {
    /// The bans that end or ended after `since`, in the order in which they were ordered.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn past_bans(&self, since: UnixMillis) -> Result<Vec<PastBan>, StoreError> {
        self.past(
            &format!("{COLUMNS} WHERE until > ?3 ORDER BY since, client"),
            params![ListName::Deny.code(), Origin::Ban.code(), stored(since.0)],
        )
    }

    /// The bans of one client, the older first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bans_of(&self, client: Prefix) -> Result<Vec<PastBan>, StoreError> {
        self.past(
            &format!("{COLUMNS} WHERE client = ?3 ORDER BY since"),
            params![
                ListName::Deny.code(),
                Origin::Ban.code(),
                key::encode(client)
            ],
        )
    }

    fn past(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<PastBan>, StoreError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_map(params, past_ban)?.collect())
            .map_err(|e| self.fault(e))
    }
}

impl Writer<'_> {
    /// Writes down a ban, over the client's last one in the same mode.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_ban(&self, ban: &PastBan) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO ban \
                 (client, mode, since, until, offence, count, strike, request) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    key::encode(ban.client),
                    ban.mode.code(),
                    stored(ban.from.0),
                    stored(ban.until.0),
                    ban.facts.offence,
                    ban.facts.count,
                    ban.facts.strike,
                    ban.facts.request,
                ])
            })
            .map(drop)
            .map_err(|e| self.fault(e))
    }

    /// Forgets what a client was banned for; says how many bans that were.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_bans(&self, client: Prefix) -> Result<usize, StoreError> {
        self.conn
            .prepare_cached("DELETE FROM ban WHERE client = ?")
            .and_then(|mut s| s.execute([key::encode(client)]))
            .map_err(|e| self.fault(e))
    }

    /// Forgets bans that ended at `before` or earlier; says how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn drop_old_bans(&self, before: UnixMillis) -> Result<usize, StoreError> {
        self.conn
            .prepare_cached("DELETE FROM ban WHERE until <= ?")
            .and_then(|mut s| s.execute([stored(before.0)]))
            .map_err(|e| self.fault(e))
    }
}

fn past_ban(row: &Row<'_>) -> rusqlite::Result<PastBan> {
    Ok(PastBan {
        client: prefix(row, 0)?,
        mode: coded(row, 1)?,
        from: millis(row, 2)?.unwrap_or_default(),
        until: millis(row, 3)?.unwrap_or_default(),
        facts: BanFacts {
            offence: row.get(4)?,
            count: row.get(5)?,
            strike: row.get(6)?,
            request: row.get(7)?,
        },
        reason: row.get(8)?,
    })
}
