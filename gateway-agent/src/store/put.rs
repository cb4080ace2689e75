//! List entries are put there and taken away.

use gateway_common::rule::LAST_ENTRY;
use gateway_policy::grammar::Prefix;
use rusqlite::{OptionalExtension, params};

use super::entries::{rule, stored};
use super::record::{ListName, NewRecord, Origin, Record, RuleId};
use super::{StoreError, StoreFault, Writer, key};

impl Writer<'_> {
    /// Puts an entry there; one of the same list, prefix and origin is replaced and keeps its
    /// number. What a ban is for is written by [`Writer::set_ban`], not here.
    ///
    /// # Errors
    /// When the store cannot be written, or has given out its last rule id.
    pub fn put(&self, new: &NewRecord) -> Result<RuleId, StoreError> {
        let put = || {
            // Not an upsert: that would ask for a new number first, and there is a last one.
            let replaced = self
                .conn
                .prepare_cached(
                    "UPDATE entry SET mode = ?4, expires = ?5, reason = ?6, created = ?7, \
                     created_by = ?8 WHERE list = ?1 AND prefix = ?2 AND origin = ?3 \
                     AND born = 0 RETURNING id",
                )?
                .query_row(
                    params![
                        new.list.code(),
                        key::encode(new.prefix),
                        new.origin.code(),
                        new.mode.code(),
                        new.expires.map(|at| stored(at.0)),
                        new.reason,
                        stored(new.created.0),
                        new.created_by,
                    ],
                    |row| rule(row, 0),
                )
                .optional()?;
            let rule = match replaced {
                Some(rule) => rule,
                None => self.insert(None, new)?,
            };
            Ok(rule)
        };
        put().map_err(|e| self.put_fault(e))
    }

    /// Puts back an entry that was removed or replaced, with the number it had.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn restore(&self, record: &Record) -> Result<(), StoreError> {
        let entry = &record.entry;
        if record.import.is_none() {
            self.remove(entry.list, entry.prefix, entry.origin)?;
        }
        let restore = || {
            self.insert(Some(record.rule), entry)?;
            let Some(import) = &record.import else {
                return Ok(());
            };
            self.conn
                .prepare_cached("UPDATE entry SET born = ?2, line = ?3 WHERE id = ?1")?
                .execute(params![record.rule.get(), import.batch.get(), import.line])?;
            Ok(())
        };
        restore().map_err(|e| self.fault(e))
    }

    /// Takes away the entry with this number.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove_rule(&self, rule: RuleId) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("DELETE FROM entry WHERE id = ?")
            .and_then(|mut s| s.execute([rule.get()]))
            .map(drop)
            .map_err(|e| self.fault(e))
    }

    /// Takes away an entry that came in no batch; says whether it was there.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove(
        &self,
        list: ListName,
        prefix: Prefix,
        origin: Origin,
    ) -> Result<bool, StoreError> {
        self.conn
            .prepare_cached(
                "DELETE FROM entry WHERE list = ? AND prefix = ? AND origin = ? AND born = 0",
            )
            .and_then(|mut s| s.execute(params![list.code(), key::encode(prefix), origin.code()]))
            .map(|rows| rows > 0)
            .map_err(|e| self.fault(e))
    }

    fn insert(&self, rule_id: Option<RuleId>, new: &NewRecord) -> rusqlite::Result<RuleId> {
        let rule = self
            .conn
            .prepare_cached(
                "INSERT INTO entry \
                 (id, list, prefix, origin, mode, expires, reason, created, created_by) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
            )?
            .query_row(
                params![
                    rule_id.map(RuleId::get),
                    new.list.code(),
                    key::encode(new.prefix),
                    new.origin.code(),
                    new.mode.code(),
                    new.expires.map(|at| stored(at.0)),
                    new.reason,
                    stored(new.created.0),
                    new.created_by,
                ],
                |row| rule(row, 0),
            )?;
        self.refuse_reserved()?;
        Ok(rule)
    }

    /// Refuses the number that was given out last when the packet filter has another use for it.
    pub(super) fn refuse_reserved(&self) -> rusqlite::Result<()> {
        if self.conn.last_insert_rowid() <= i64::from(LAST_ENTRY) {
            return Ok(());
        }
        let constraint = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CONSTRAINT);
        Err(rusqlite::Error::SqliteFailure(constraint, None))
    }

    /// The only constraint that a checked entry can still break is the range of the ids.
    pub(super) fn put_fault(&self, source: rusqlite::Error) -> StoreError {
        if source.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            StoreError::new(self.path, StoreFault::RulesExhausted)
        } else {
            self.fault(source)
        }
    }
}
