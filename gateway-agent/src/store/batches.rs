//! Batches: many entries that come and go together.
//!
//! A batch is written in as many transactions as it takes, so that others get their turn between
//! them, and none of it counts until one row is changed: then all of it does. The same row takes
//! all of it back.

use gateway_policy::grammar::Prefix;
use rusqlite::{Row, params, params_from_iter};

use super::entries::{coded, lean, millis, places, prefix, rule, stored};
use super::record::{BatchId, Mode, RuleId, UnixMillis};
use super::{ListName, Live, Origin, Reader, StoreError, Writer, key};

/// How far a batch has come; the numbers stand in the schema's view too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchState {
    /// It is in force, and what it took away is gone.
    Done,
    /// It is being written and does not count yet.
    Writing,
    /// It does not count any more, and is being cleared away.
    Undone,
    /// It is in force until its deadline.
    Trial,
    /// It is in force, and what it took away is being cleared away.
    Settling,
}

impl BatchState {
    /// Those in which something remains to be done.
    pub const OPEN: [Self; 4] = [Self::Writing, Self::Undone, Self::Trial, Self::Settling];

    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Writing => 1,
            Self::Undone => 2,
            Self::Trial => 3,
            Self::Settling => 4,
        }
    }
}

/// One of the two things that a batch does to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// It puts it there.
    Put,
    /// It takes it away.
    Taken,
}

/// A batch to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
    /// The list that it changes.
    pub list: ListName,
    /// The origin of its entries.
    pub origin: Origin,
    /// What the entries of this source are called together.
    pub tag: String,
    /// Why, for all of its entries.
    pub reason: String,
    /// Now.
    pub created: UnixMillis,
    /// Who.
    pub created_by: String,
}

/// A batch that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub id: BatchId,
    /// The list that it changes.
    pub list: ListName,
    /// What its entries are called together.
    pub tag: String,
    /// When it is taken back, if it is on trial.
    pub deadline: Option<UnixMillis>,
    /// The ids of its entries are above this one.
    first: i64,
}

/// An entry of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The addresses it holds for.
    pub prefix: Prefix,
    /// Whether it acts.
    pub mode: Mode,
    /// When it ends by itself; `None` is never.
    pub expires: Option<UnixMillis>,
    /// The line it stood on.
    pub line: u32,
}

/// An entry of a tag as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What the kernel needs to know of it.
    pub live: Live,
    /// The line it stood on when it came.
    pub line: u32,
}

/// What is live under a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// The list.
    pub list: ListName,
    /// What its entries are called together.
    pub tag: String,
    /// How many there are.
    pub entries: u64,
    /// When the last batch with this tag came.
    pub changed: UnixMillis,
}

impl Reader<'_> {
    /// The next live entries under a tag behind `after`, by prefix, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tagged(
        &self,
        (list, origin, tag): (ListName, Origin, &str),
        after: Option<Prefix>,
        now: UnixMillis,
        limit: u32,
    ) -> Result<Vec<Held>, StoreError> {
        let after = after.map(key::encode).unwrap_or_default();
        self.conn
            .prepare_cached(
                "SELECT id, prefix, origin, mode, expires, line FROM seen WHERE list = ?1 \
                 AND prefix > ?2 AND origin = ?3 AND born IN \
                 (SELECT id FROM batch WHERE tag = ?4 AND list = ?1 AND origin = ?3) \
                 AND (expires IS NULL OR expires > ?5) ORDER BY prefix LIMIT ?6",
            )
            .and_then(|mut s| {
                let what = params![list.code(), after, origin.code(), tag, stored(now.0), limit];
                let held = |row: &Row<'_>| {
                    Ok(Held {
                        live: lean(row)?,
                        line: row.get(5)?,
                    })
                };
                s.query_map(what, held)?.collect()
            })
            .map_err(|e| self.fault(e))
    }

    /// The tags of an origin that have live entries, by list and name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tags(&self, origin: Origin, now: UnixMillis) -> Result<Vec<Tagged>, StoreError> {
        // Entries are not indexed by their batches: where there are none, none is looked for.
        let any: bool = self
            .conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM batch WHERE origin = ?)")
            .and_then(|mut s| s.query_row([origin.code()], |row| row.get(0)))
            .map_err(|e| self.fault(e))?;
        if !any {
            return Ok(Vec::new());
        }
        self.conn
            .prepare_cached(
                "SELECT batch.list, batch.tag, count(*), max(batch.created) \
                 FROM seen JOIN batch ON batch.id = seen.born \
                 WHERE seen.origin = ?1 AND (seen.expires IS NULL OR seen.expires > ?2) \
                 GROUP BY batch.list, batch.tag ORDER BY batch.list, batch.tag",
            )
            .and_then(|mut s| {
                let tagged = |row: &Row<'_>| {
                    Ok(Tagged {
                        list: coded(row, 0)?,
                        tag: row.get(1)?,
                        entries: row.get::<_, i64>(2)?.unsigned_abs(),
                        changed: millis(row, 3)?.unwrap_or_default(),
                    })
                };
                s.query_map(params![origin.code(), stored(now.0)], tagged)?
                    .collect()
            })
            .map_err(|e| self.fault(e))
    }

    /// Which of these entries came under a tag of this origin and are in `mode`, with the list and
    /// the tag.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tags_of(
        &self,
        rules: &[RuleId],
        (origin, mode): (Origin, Mode),
    ) -> Result<Vec<(RuleId, ListName, String)>, StoreError> {
        let sql = format!(
            "SELECT seen.id, batch.list, batch.tag FROM seen JOIN batch ON batch.id = seen.born \
             WHERE seen.origin = ? AND seen.mode = ? AND seen.id IN ({})",
            places(rules.len())
        );
        let head = [u32::from(origin.code()), u32::from(mode.code())];
        let values = head.into_iter().chain(rules.iter().map(|rule| rule.get()));
        self.conn
            .prepare_cached(&sql)
            .and_then(|mut s| {
                let tagged = |row: &Row<'_>| Ok((rule(row, 0)?, coded(row, 1)?, row.get(2)?));
                s.query_map(params_from_iter(values), tagged)?.collect()
            })
            .map_err(|e| self.fault(e))
    }

    /// The batches in a state, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn batches(&self, state: BatchState) -> Result<Vec<Batch>, StoreError> {
        self.conn
            .prepare_cached(
                "SELECT id, list, tag, deadline, first FROM batch \
                 WHERE state = ?1 AND state <> 0 ORDER BY id",
            )
            .and_then(|mut s| s.query_map([state.code()], batch)?.collect())
            .map_err(|e| self.fault(e))
    }

    /// The next prefixes that a batch put there, or that it took away, at most `limit`; `after` is
    /// the last number seen. Says the last number seen now, `None` at the end.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn touched(
        &self,
        batch: &Batch,
        what: Touched,
        after: u32,
        limit: u32,
    ) -> Result<(Vec<Prefix>, Option<u32>), StoreError> {
        let after = i64::from(after);
        let (sql, after) = match what {
            Touched::Put => (
                "SELECT id, prefix FROM entry WHERE born = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                after.max(batch.first),
            ),
            Touched::Taken => (
                "SELECT id, prefix FROM entry INDEXED BY entry_by_end \
                 WHERE gone = ?1 AND gone <> 0 AND id > ?2 ORDER BY id LIMIT ?3",
                after,
            ),
        };
        let look = || {
            let mut statement = self.conn.prepare_cached(sql)?;
            let mut rows = statement.query(params![batch.id.get(), after, limit])?;
            let (mut found, mut last) = (Vec::new(), None);
            while let Some(row) = rows.next()? {
                last = Some(row.get(0)?);
                found.push(prefix(row, 1)?);
            }
            Ok((found, last))
        };
        look().map_err(|e| self.fault(e))
    }
}

impl Writer<'_> {
    /// Begins a batch, which does not count yet.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn begin(&self, new: &NewBatch) -> Result<Batch, StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO batch (list, origin, tag, state, first, reason, created, created_by) \
                 VALUES (?1, ?2, ?3, 1, \
                 coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'entry'), 0), ?4, ?5, ?6) \
                 RETURNING id, list, tag, deadline, first",
            )
            .and_then(|mut s| {
                let row = params![
                    new.list.code(),
                    new.origin.code(),
                    new.tag,
                    new.reason,
                    stored(new.created.0),
                    new.created_by,
                ];
                s.query_row(row, batch)
            })
            .map_err(|e| self.fault(e))
    }

    /// Puts an entry into a batch.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_into(
        &self,
        batch: &Batch,
        origin: Origin,
        entry: &NewEntry,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO entry (list, prefix, origin, mode, expires, reason, created, \
                 created_by, born, line) VALUES (?1, ?2, ?3, ?4, ?5, '', 0, '', ?6, ?7)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    batch.list.code(),
                    key::encode(entry.prefix),
                    origin.code(),
                    entry.mode.code(),
                    entry.expires.map(|at| stored(at.0)),
                    batch.id.get(),
                    entry.line,
                ])
            })
            .and_then(|_| self.refuse_reserved())
            .map_err(|e| self.put_fault(e))
    }

    /// Marks an entry as taken away by a batch.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn take_with(&self, batch: &Batch, rule: RuleId) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE entry SET gone = ?1 WHERE id = ?2 AND gone = 0")
            .and_then(|mut s| s.execute(params![batch.id.get(), rule.get()]))
            .map(drop)
            .map_err(|e| self.fault(e))
    }

    /// Moves a batch to another state, with all that this means for its entries.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_state(
        &self,
        batch: &Batch,
        state: BatchState,
        deadline: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE batch SET state = ?2, deadline = ?3 WHERE id = ?1")
            .and_then(|mut s| {
                let deadline = deadline.map(|at| stored(at.0));
                s.execute(params![batch.id.get(), state.code(), deadline])
            })
            .map(drop)
            .map_err(|e| self.fault(e))
    }

    /// Clears away what no longer counts of a batch, at most `limit` entries; says how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn clear(&self, batch: &Batch, state: BatchState, limit: u32) -> Result<usize, StoreError> {
        let taken = "SELECT id FROM entry INDEXED BY entry_by_end \
                     WHERE gone = ?1 AND gone <> 0 LIMIT ?2";
        let run = |sql: &str| {
            self.conn
                .prepare_cached(sql)
                .and_then(|mut s| s.execute(params![batch.id.get(), limit]))
        };
        let clear = || match state {
            BatchState::Undone | BatchState::Writing => {
                let kept = run(&format!("UPDATE entry SET gone = 0 WHERE id IN ({taken})"))?;
                let removed = run(&format!(
                    "DELETE FROM entry WHERE id IN (SELECT id FROM entry \
                     WHERE id > {} AND born = ?1 LIMIT ?2)",
                    batch.first
                ))?;
                Ok(kept + removed)
            }
            BatchState::Settling => run(&format!("DELETE FROM entry WHERE id IN ({taken})")),
            BatchState::Done | BatchState::Trial => Ok(0),
        };
        clear().map_err(|e| self.fault(e))
    }
}

impl Writer<'_> {
    /// Forgets the batches of a tag of which nothing is left, when there are more than `most`
    /// with that tag.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_empty(
        &self,
        (list, origin, tag): (ListName, Origin, &str),
        most: u32,
    ) -> Result<(), StoreError> {
        let forget = || {
            let which = params![list.code(), origin.code(), tag, BatchState::Done.code()];
            let many: i64 = self
                .conn
                .prepare_cached(
                    "SELECT count(*) FROM batch \
                     WHERE list = ?1 AND origin = ?2 AND tag = ?3 AND state = ?4",
                )?
                .query_row(which, |row| row.get(0))?;
            if many <= i64::from(most) {
                return Ok(());
            }
            self.conn
                .prepare_cached(
                    "DELETE FROM batch \
                     WHERE list = ?1 AND origin = ?2 AND tag = ?3 AND state = ?4 \
                     AND id NOT IN (SELECT born FROM entry WHERE origin = ?2)",
                )?
                .execute(which)
                .map(drop)
        };
        forget().map_err(|e| self.fault(e))
    }

    /// Forgets a batch of which nothing is left.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget(&self, batch: &Batch) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("DELETE FROM batch WHERE id = ?")
            .and_then(|mut s| s.execute([batch.id.get()]))
            .map(drop)
            .map_err(|e| self.fault(e))
    }
}

#[cfg(test)]
impl super::Store {
    /// How many batches there are with a tag, also those of which nothing is left.
    pub(crate) fn batches_of(&self, tag: &str) -> u32 {
        let sql = "SELECT count(*) FROM batch WHERE tag = ?";
        self.conn.query_row(sql, [tag], |row| row.get(0)).unwrap()
    }
}

fn batch(row: &Row<'_>) -> rusqlite::Result<Batch> {
    let id: u32 = row.get(0)?;
    Ok(Batch {
        id: BatchId::new(id).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, 0))?,
        list: coded(row, 1)?,
        tag: row.get(2)?,
        deadline: millis(row, 3)?,
        first: row.get(4)?,
    })
}
