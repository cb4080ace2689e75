//! The log of changes: when, who, what. Rows are added and never edited; the schema itself sees
//! to it, and gives up only the oldest beyond the newest million.

use gateway_policy::grammar::Prefix;
use rusqlite::{Row, params, params_from_iter};

use super::entries::{coded, millis, places, stored};
use super::record::{ListName, RuleId, UnixMillis};
use super::schema::CHANGES_KEPT;
use super::{Reader, StoreError, Writer, key};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An entry was put on a list.
    Add,
    /// An entry was taken off a list.
    Remove,
    /// The agent banned a client.
    Ban,
    /// A ban was lifted before its time.
    Lift,
    /// A change was taken back, because the kernel refused it.
    Undo,
    /// An entry of the kernel's lists was taken into an empty store.
    Adopt,
    /// The configuration was read anew.
    Reload,
    /// Attack mode was ordered on or off.
    Attack,
    /// Many entries were put on a list and taken off it together.
    Import,
    /// An import on trial was confirmed.
    Confirm,
    /// An import on trial was taken back.
    RollBack,
}

impl Action {
    /// Its name in the file and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Ban => "ban",
            Self::Lift => "lift",
            Self::Undo => "undo",
            Self::Adopt => "adopt",
            Self::Reload => "reload",
            Self::Attack => "attack",
            Self::Import => "import",
            Self::Confirm => "confirm",
            Self::RollBack => "roll-back",
        }
    }
}

/// A change to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: UnixMillis,
    /// Who: `cli uid 0`, `agent`.
    pub actor: String,
    /// What was done.
    pub action: Action,
    /// On which list, if on one.
    pub list: Option<ListName>,
    /// To which prefix, if to one.
    pub prefix: Option<Prefix>,
    /// Under which number, if under one.
    pub rule: Option<RuleId>,
    /// The rest, in words.
    pub note: String,
}

/// A change as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place in the log, from 1.
    pub id: u64,
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// What was done; one of [`Action`]'s names, or that of a newer gateway.
    pub action: String,
    /// On which list, if on one.
    pub list: Option<ListName>,
    /// To which prefix, if to one.
    pub prefix: Option<Prefix>,
    /// Under which number, if under one.
    pub rule: Option<RuleId>,
    /// The rest, in words.
    pub note: String,
}

const COLUMNS: &str = "SELECT id, at, actor, action, list, prefix, rule, note FROM change";

impl Reader<'_> {
    /// The newest changes, the newest first; at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn changes(&self, limit: u32) -> Result<Vec<Logged>, StoreError> {
        self.logged(
            &format!("{COLUMNS} ORDER BY id DESC LIMIT ?"),
            params![limit],
        )
    }

    /// The newest changes to prefixes that hold all of `prefix`, the newest first; at most
    /// `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn changes_about(&self, prefix: Prefix, limit: u32) -> Result<Vec<Logged>, StoreError> {
        let keys: Vec<Vec<u8>> = key::around(prefix).map(key::encode).collect();
        let sql = format!(
            "{COLUMNS} WHERE prefix IN ({}) ORDER BY id DESC LIMIT {limit}",
            places(keys.len())
        );
        self.logged(&sql, params_from_iter(keys))
    }

    fn logged(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Logged>, StoreError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_map(params, logged)?.collect())
            .map_err(|e| self.fault(e))
    }
}

impl Writer<'_> {
    /// Adds a change to the log.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn log(&self, change: &Change) -> Result<(), StoreError> {
        let log = || {
            self.conn
                .prepare_cached(
                    "INSERT INTO change (at, actor, action, list, prefix, rule, note) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    stored(change.at.0),
                    change.actor,
                    change.action.name(),
                    change.list.map(ListName::code),
                    change.prefix.map(key::encode),
                    change.rule.map(RuleId::get),
                    change.note,
                ])?;
            // Ids are given out one by one, so at most one row is too many.
            self.conn
                .prepare_cached("DELETE FROM change WHERE id <= ?")?
                .execute([self.conn.last_insert_rowid() - CHANGES_KEPT])?;
            Ok(())
        };
        log().map_err(|e| self.fault(e))
    }
}

fn logged(row: &Row<'_>) -> rusqlite::Result<Logged> {
    let id: i64 = row.get(0)?;
    let list = match row.get::<_, Option<u8>>(4)? {
        Some(_) => Some(coded(row, 4)?),
        None => None,
    };
    let prefix: Option<Vec<u8>> = row.get(5)?;
    let rule: Option<u32> = row.get(6)?;
    Ok(Logged {
        id: id.unsigned_abs(),
        at: millis(row, 1)?.unwrap_or_default(),
        actor: row.get(2)?,
        action: row.get(3)?,
        list,
        prefix: prefix.as_deref().and_then(key::decode),
        rule: rule.and_then(RuleId::new),
        note: row.get(7)?,
    })
}
