//! List entries: put, take away, look up, walk.

use std::collections::HashMap;

use gateway_policy::grammar::Prefix;
use rusqlite::types::{Type, Value};
use rusqlite::{OptionalExtension, Row, named_params, params, params_from_iter};

use super::key;
use super::record::{
    BanFacts, BatchId, Import, ListName, Mode, NewRecord, Origin, Record, RuleId, UnixMillis,
    UnknownCode,
};
use super::{Reader, StoreError};

/// Which entries of a list a walk shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this origin.
    pub origin: Option<Origin>,
    /// Only those behind this place.
    pub after: Option<Cursor>,
}

/// A place in a list; lists are walked by prefix, then origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The prefix of the last entry seen.
    pub prefix: Prefix,
    /// Its origin.
    pub origin: Origin,
    /// The batch it came in, if in one.
    pub batch: Option<BatchId>,
}

/// What the kernel needs to know of an entry, without the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its number.
    pub rule: RuleId,
    /// The addresses it holds for.
    pub prefix: Prefix,
    /// Who put it there.
    pub origin: Origin,
    /// Whether it acts.
    pub mode: Mode,
    /// When it ends by itself; `None` is never.
    pub expires: Option<UnixMillis>,
}

/// Entries that may lie between two prefixes that are asked for, on average, before each is
/// looked up by itself.
const BETWEEN: usize = 4;

/// The entries of a table or view, with what led to those that are bans and the words of the
/// batches that others came in.
macro_rules! columns {
    ($table:literal) => {
        concat!(
            "SELECT entry.id, entry.list, entry.prefix, entry.origin, entry.mode, \
             entry.expires, iif(born = 0, entry.reason, batch.reason), \
             iif(born = 0, entry.created, batch.created), \
             iif(born = 0, entry.created_by, batch.created_by), \
             offence, count, strike, request, born, tag, line FROM ",
            $table,
            " AS entry LEFT JOIN ban \
             ON ban.client = entry.prefix AND ban.mode = entry.mode AND entry.origin = 2 \
             LEFT JOIN batch ON batch.id = born"
        )
    };
}

const COLUMNS: &str = columns!("seen");

// The number in the join above.
const _: () = assert!(Origin::Ban.code() == 2);

impl Reader<'_> {
    /// The entry of exactly this list, prefix and origin that came in no batch, expired or not.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn get(
        &self,
        list: ListName,
        prefix: Prefix,
        origin: Origin,
    ) -> Result<Option<Record>, StoreError> {
        self.one(
            &format!(
                "{COLUMNS} WHERE entry.list = ? AND prefix = ? AND entry.origin = ? AND born = 0"
            ),
            params![list.code(), key::encode(prefix), origin.code()],
        )
    }

    /// The entry with this number, expired or not.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn by_rule(&self, rule: RuleId) -> Result<Option<Record>, StoreError> {
        self.one(
            &format!("{COLUMNS} WHERE entry.id = ?"),
            params![rule.get()],
        )
    }

    /// Every entry on exactly this prefix, whatever its origin, expired or not.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn on(&self, list: ListName, prefix: Prefix) -> Result<Vec<Record>, StoreError> {
        self.many(
            &format!("{COLUMNS} WHERE entry.list = ? AND prefix = ? ORDER BY entry.origin, born"),
            params![list.code(), key::encode(prefix)],
        )
    }

    /// Every live entry whose prefix holds all of `prefix`, the longest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn covering(
        &self,
        list: ListName,
        prefix: Prefix,
        now: UnixMillis,
    ) -> Result<Vec<Record>, StoreError> {
        let keys: Vec<Vec<u8>> = key::around(prefix).map(key::encode).collect();
        let sql = format!(
            "{COLUMNS} WHERE entry.list = ? AND (expires IS NULL OR expires > ?) AND prefix IN ({}) \
             ORDER BY prefix DESC, entry.origin, born",
            places(keys.len())
        );
        let head = [Value::from(list.code()), Value::from(stored(now.0))];
        let values = head.into_iter().chain(keys.into_iter().map(Value::from));
        let mut found = self.many(&sql, params_from_iter(values))?;
        found.sort_by_key(|r| std::cmp::Reverse(r.entry.prefix.len()));
        Ok(found)
    }

    /// Live entries of `origin` whose prefixes lie inside `prefix`, itself included; at most
    /// `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn inside(
        &self,
        list: ListName,
        prefix: Prefix,
        origin: Option<Origin>,
        now: UnixMillis,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let (first, last) = key::inside(prefix);
        self.many(
            &format!(
                "{COLUMNS} WHERE entry.list = ? AND prefix BETWEEN ? AND ? \
                 AND (?4 IS NULL OR entry.origin = ?4) AND (expires IS NULL OR expires > ?5) \
                 ORDER BY prefix, entry.origin, born LIMIT ?6"
            ),
            params![
                list.code(),
                first,
                last,
                origin.map(Origin::code),
                stored(now.0),
                limit
            ],
        )
    }

    /// The next live entries of a list, at most `limit`, by prefix and then origin.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn page(
        &self,
        list: ListName,
        filter: Filter,
        now: UnixMillis,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let sql = |place: &str| {
            format!(
                "{COLUMNS} WHERE entry.list = :list {place} \
                 AND (:only IS NULL OR entry.origin = :only) \
                 AND (expires IS NULL OR expires > :now) \
                 ORDER BY prefix, entry.origin, born LIMIT :limit"
            )
        };
        let only = filter.origin.map(Origin::code);
        let now = stored(now.0);
        match filter.after {
            None => self.many(
                &sql(""),
                named_params! {
                    ":list": list.code(), ":only": only, ":now": now, ":limit": limit
                },
            ),
            Some(Cursor {
                prefix,
                origin,
                batch,
            }) => self.many(
                &sql("AND (prefix, entry.origin, born) > (:prefix, :origin, :born)"),
                named_params! {
                    ":list": list.code(), ":only": only, ":now": now, ":limit": limit,
                    ":prefix": key::encode(prefix), ":origin": origin.code(),
                    ":born": batch.map_or(0, BatchId::get),
                },
            ),
        }
    }

    /// How many live entries a list has, of one origin or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count(
        &self,
        list: ListName,
        origin: Option<Origin>,
        now: UnixMillis,
    ) -> Result<u64, StoreError> {
        self.conn
            .prepare_cached(
                "SELECT count(*) FROM seen WHERE list = ?1 AND (?2 IS NULL OR origin = ?2) \
                 AND (expires IS NULL OR expires > ?3)",
            )
            .and_then(|mut s| {
                s.query_row(
                    params![list.code(), origin.map(Origin::code), stored(now.0)],
                    |r| r.get::<_, i64>(0),
                )
            })
            .map(i64::unsigned_abs)
            .map_err(|e| self.fault(e))
    }

    /// Hands every live entry of a list to `take`, by prefix and then origin.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn live(
        &self,
        list: ListName,
        now: UnixMillis,
        mut take: impl FnMut(Live),
    ) -> Result<(), StoreError> {
        let mut walk = || {
            let mut statement = self.conn.prepare_cached(
                "SELECT id, prefix, origin, mode, expires FROM seen WHERE list = ?1 \
                 AND (expires IS NULL OR expires > ?2) ORDER BY prefix, origin",
            )?;
            let mut rows = statement.query(params![list.code(), stored(now.0)])?;
            while let Some(row) = rows.next()? {
                take(lean(row)?);
            }
            Ok(())
        };
        walk().map_err(|e| self.fault(e))
    }

    /// The next live entries behind `after`, by prefix and then origin: at most `limit`, unless
    /// more stand on one prefix, for a prefix comes whole. Says whether there may be more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn live_behind(
        &self,
        list: ListName,
        after: Option<Prefix>,
        now: UnixMillis,
        limit: u32,
    ) -> Result<(Vec<Live>, bool), StoreError> {
        let after = after.map(key::encode).unwrap_or_default();
        let mut found = self
            .conn
            .prepare_cached(
                "SELECT id, prefix, origin, mode, expires FROM seen WHERE list = ?1 \
                 AND prefix > ?2 AND (expires IS NULL OR expires > ?3) \
                 ORDER BY prefix, origin LIMIT ?4",
            )
            .and_then(|mut s| {
                let range = params![list.code(), after, stored(now.0), limit];
                s.query_map(range, lean)?.collect::<Result<Vec<Live>, _>>()
            })
            .map_err(|e| self.fault(e))?;
        if found.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok((found, false));
        }
        if let Some(cut) = found.last().map(|live| live.prefix) {
            found.retain(|live| live.prefix != cut);
            if found.is_empty() {
                found = self.live_on(list, cut, now)?;
            }
        }
        Ok((found, true))
    }

    /// Every live entry on exactly this prefix, whatever its origin.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn live_on(
        &self,
        list: ListName,
        prefix: Prefix,
        now: UnixMillis,
    ) -> Result<Vec<Live>, StoreError> {
        self.conn
            .prepare_cached(
                "SELECT id, prefix, origin, mode, expires FROM seen WHERE list = ?1 \
                 AND prefix = ?2 AND (expires IS NULL OR expires > ?3) ORDER BY origin",
            )
            .and_then(|mut s| {
                let on = params![list.code(), key::encode(prefix), stored(now.0)];
                s.query_map(on, lean)?.collect()
            })
            .map_err(|e| self.fault(e))
    }

    /// The live entries on each of these prefixes, which are in one order or nearly so: one walk
    /// from the first to the last, unless too much else lies between.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn live_on_each(
        &self,
        list: ListName,
        prefixes: &[Prefix],
        now: UnixMillis,
    ) -> Result<HashMap<Prefix, Vec<Live>>, StoreError> {
        let mut found: HashMap<Prefix, Vec<Live>> = HashMap::with_capacity(prefixes.len());
        let (Some(first), Some(last)) = (prefixes.iter().min(), prefixes.iter().max()) else {
            return Ok(found);
        };
        let most = prefixes.len().saturating_mul(BETWEEN);
        let between = self
            .conn
            .prepare_cached(
                "SELECT id, prefix, origin, mode, expires FROM seen WHERE list = ?1 \
                 AND prefix BETWEEN ?2 AND ?3 AND (expires IS NULL OR expires > ?4) \
                 ORDER BY prefix, origin LIMIT ?5",
            )
            .and_then(|mut s| {
                let (first, last) = (key::encode(*first), key::encode(*last));
                let range = params![list.code(), first, last, stored(now.0), stored(most as u64)];
                s.query_map(range, lean)?.collect::<Result<Vec<Live>, _>>()
            })
            .map_err(|e| self.fault(e))?;
        if between.len() < most {
            for live in between {
                found.entry(live.prefix).or_default().push(live);
            }
            return Ok(found);
        }
        for prefix in prefixes {
            found.insert(*prefix, self.live_on(list, *prefix, now)?);
        }
        Ok(found)
    }

    /// Entries past their expiry, the oldest first; at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn expired(&self, now: UnixMillis, limit: u32) -> Result<Vec<Record>, StoreError> {
        self.many(
            concat!(
                columns!("entry"),
                " WHERE entry.expires <= ? ORDER BY entry.expires LIMIT ?"
            ),
            params![stored(now.0), limit],
        )
    }

    /// Whether no entry was ever put into this store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_untouched(&self) -> Result<bool, StoreError> {
        self.conn
            .query_row(
                "SELECT NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'entry')",
                [],
                |r| r.get(0),
            )
            .map_err(|e| self.fault(e))
    }

    fn one(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<Record>, StoreError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row(params, record).optional())
            .map_err(|e| self.fault(e))
    }

    fn many(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Record>, StoreError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_map(params, record)?.collect())
            .map_err(|e| self.fault(e))
    }
}

/// A number as SQLite holds it: signed, so the far end of time is cut to 292 million years.
pub(super) fn stored(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A list of `n` parameters.
pub(super) fn places(n: usize) -> String {
    vec!["?"; n].join(", ")
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let ban = match row.get::<_, Option<String>>(9)? {
        None => None,
        Some(offence) => Some(BanFacts {
            offence,
            count: row.get(10)?,
            strike: row.get(11)?,
            request: row.get(12)?,
        }),
    };
    Ok(Record {
        rule: rule(row, 0)?,
        entry: NewRecord {
            list: coded(row, 1)?,
            prefix: prefix(row, 2)?,
            origin: coded(row, 3)?,
            mode: coded(row, 4)?,
            expires: millis(row, 5)?,
            reason: row.get(6)?,
            created: millis(row, 7)?.unwrap_or_default(),
            created_by: row.get(8)?,
        },
        ban,
        import: match BatchId::new(row.get(13)?) {
            None => None,
            Some(batch) => Some(Import {
                batch,
                tag: row.get(14)?,
                line: row.get(15)?,
            }),
        },
    })
}

pub(super) fn lean(row: &Row<'_>) -> rusqlite::Result<Live> {
    Ok(Live {
        rule: rule(row, 0)?,
        prefix: prefix(row, 1)?,
        origin: coded(row, 2)?,
        mode: coded(row, 3)?,
        expires: millis(row, 4)?,
    })
}

pub(super) fn rule(row: &Row<'_>, index: usize) -> rusqlite::Result<RuleId> {
    let id: u32 = row.get(index)?;
    RuleId::new(id).ok_or_else(|| nonsense(index, Type::Integer, "a rule id of 0".into()))
}

pub(super) fn prefix(row: &Row<'_>, index: usize) -> rusqlite::Result<Prefix> {
    let blob = row.get_ref(index)?.as_blob()?;
    key::decode(blob).ok_or_else(|| nonsense(index, Type::Blob, format!("the prefix {blob:x?}")))
}

pub(super) fn coded<T: TryFrom<u8, Error = UnknownCode>>(
    row: &Row<'_>,
    index: usize,
) -> rusqlite::Result<T> {
    T::try_from(row.get(index)?).map_err(|e| nonsense(index, Type::Integer, e.to_string()))
}

pub(super) fn millis(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<UnixMillis>> {
    let at: Option<i64> = row.get(index)?;
    at.map(|at| {
        u64::try_from(at)
            .map(UnixMillis)
            .map_err(|_| nonsense(index, Type::Integer, format!("the time {at}")))
    })
    .transpose()
}

fn nonsense(index: usize, kind: Type, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, kind, what.into())
}
