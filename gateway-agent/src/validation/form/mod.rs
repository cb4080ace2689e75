//! Bodies of forms, as values that a schema can judge.
//!
//! A form is an object with a field for each name. A field whose schema is an array is one by
//! repetition, one whose schema is an object is JSON; a file is a text with one character for
//! each byte, so that `maxLength` bounds its size (OpenAPI 3.1.1 sections 4.8.14.5 and 4.8.15).

mod entries;
mod fields;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Map, Value};

pub use entries::{FormFault, FormKind};
pub(super) use fields::fields;

use super::document::escaped;
use super::json;
use super::media::{MediaRange, MediaType};
use super::schema::Schema;
use super::text::Types;
use super::violation::{Breach, MAX_BREACHES, Violation};
use entries::Sent;

/// How often fields that may be read in several ways are read anew.
const MAX_ROUNDS: usize = 4;

/// How the fields of a form are read.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    named: BTreeMap<String, Field>,
    /// Those that the schema does not name.
    other: Field,
}

#[derive(Clone, Debug)]
struct Field {
    item: Item,
    /// How the items of a list are parted; `None` where there is one value.
    list: Option<List>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    /// Each stands by itself, under the same name.
    Repeated,
    /// All stand in one, with commas between.
    Commas,
    /// As `Repeated`, but a single one is no list: nothing is known of the field.
    WhereSeveral,
}

/// A single value.
#[derive(Clone, Debug)]
struct Item {
    reading: Reading,
    file: FileRule,
    /// The media types that a part may have; none means any.
    types: Vec<MediaRange>,
}

#[derive(Clone, Copy, Debug)]
enum Reading {
    Text(Types),
    Json,
}

/// Whether a part is a file. Servers keep files and fields apart: one in the place of the other
/// is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileRule {
    Must,
    Never,
    Either,
}

impl Fields {
    /// Judges a body; `fields` are the request's.
    ///
    /// # Errors
    /// When it is no form, or does not keep to the schema, with the places.
    pub(super) fn judge(
        &self,
        kind: FormKind,
        schema: &Schema,
        fields: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Violation> {
        let entries = entries::read(kind, fields, body).map_err(Violation::Form)?;
        let mut sent: BTreeMap<String, Vec<Sent<'_>>> = BTreeMap::new();
        for (name, value) in entries {
            sent.entry(name).or_default().push(value);
        }
        let mut object = Map::new();
        // The plainer readings of fields that have two.
        let mut plainer = BTreeMap::new();
        let mut breaches = Vec::new();
        let mut values = 1;
        for (name, sent) in sent {
            let field = self.named.get(&name).unwrap_or(&self.other);
            match field.read(&sent) {
                Ok(read) => {
                    values += read.values;
                    if let Some(last) = read.last {
                        plainer.insert(name.clone(), last);
                    }
                    object.insert(name, read.first);
                }
                Err(detail) if breaches.len() < MAX_BREACHES => {
                    let place = format!("/{}", escaped(&name));
                    breaches.push(Breach::at(&place, detail));
                }
                Err(_) => {}
            }
        }
        if breaches.is_empty() {
            breaches = settle(schema, object, plainer, values);
        }
        match breaches.is_empty() {
            true => Ok(()),
            false => Err(Violation::Body(breaches)),
        }
    }
}

/// Reads those fields in the plainer way that do not keep to the schema otherwise, and says what
/// is wrong in the end.
fn settle(
    schema: &Schema,
    object: Map<String, Value>,
    mut plainer: BTreeMap<String, Value>,
    values: usize,
) -> Vec<Breach> {
    let mut value = Value::Object(object);
    for round in 0..MAX_ROUNDS {
        if plainer.is_empty() {
            break;
        }
        let wrong = match schema.wrong_fields(&value, values) {
            None => return Vec::new(),
            Some(wrong) => wrong,
        };
        let mut named: Vec<String> = wrong
            .into_iter()
            .filter(|name| plainer.contains_key(name))
            .collect();
        // What is wrong may be told of the whole alone.
        if named.is_empty() || round + 1 == MAX_ROUNDS {
            named = plainer.keys().cloned().collect();
        }
        for name in named {
            if let (Some(last), Value::Object(object)) = (plainer.remove(&name), &mut value) {
                object.insert(name, last);
            }
        }
    }
    schema.breaches(&value, values)
}

/// A field that was read.
struct Read {
    /// What it most likely means.
    first: Value,
    /// The plainest that it may mean, where that is something else.
    last: Option<Value>,
    /// How many values it consists of.
    values: usize,
}

impl Field {
    /// Text as it is.
    fn text() -> Self {
        Self {
            item: Item {
                reading: Reading::Text(Types {
                    text: true,
                    ..Types::default()
                }),
                file: FileRule::Either,
                types: Vec::new(),
            },
            list: Some(List::WhereSeveral),
        }
    }

    fn read(&self, sent: &[Sent<'_>]) -> Result<Read, String> {
        let one = || match sent {
            [one] => Ok(one),
            // The upstream may take any of them.
            _ => Err("is given several times".to_owned()),
        };
        let items = match self.list {
            None => return self.item.read(one()?),
            Some(List::WhereSeveral) if sent.len() == 1 => return self.item.read(one()?),
            Some(List::Repeated | List::WhereSeveral) => {
                sent.iter().map(|one| self.item.read(one)).collect()
            }
            Some(List::Commas) => self.item.parted(one()?),
        };
        let items: Vec<Read> = items?;
        let values = items.iter().map(|item| item.values).sum::<usize>() + 1;
        let plainer = items.iter().any(|item| item.last.is_some());
        let last = plainer.then(|| {
            let last = |item: &Read| item.last.as_ref().unwrap_or(&item.first).clone();
            items.iter().map(last).collect()
        });
        Ok(Read {
            first: items.into_iter().map(|item| item.first).collect(),
            last,
            values,
        })
    }
}

impl Item {
    fn read(&self, sent: &Sent<'_>) -> Result<Read, String> {
        let (bytes, is_file) = match sent {
            Sent::Pair { text, .. } => (text.as_bytes(), false),
            Sent::Part {
                content,
                is_file,
                media,
            } => {
                self.expect_file(*is_file)?;
                self.expect_type(media.as_ref(), *is_file)?;
                (*content, *is_file)
            }
        };
        match self.reading {
            Reading::Json => {
                let (value, values) = json::parse(bytes)
                    .map_err(|_| "must be JSON that is read in one way".to_owned())?;
                Ok(Read {
                    first: value,
                    last: None,
                    values,
                })
            }
            // As many characters as there are bytes.
            Reading::Text(_) if is_file => {
                let text: String = bytes.iter().copied().map(char::from).collect();
                Ok(Read {
                    first: Value::String(text),
                    last: None,
                    values: 1,
                })
            }
            Reading::Text(types) => {
                let text = std::str::from_utf8(bytes).map_err(|_| "must be UTF-8".to_owned())?;
                Ok(plain(types, text))
            }
        }
    }

    /// The items of a list with commas between.
    fn parted(&self, sent: &Sent<'_>) -> Result<Vec<Read>, String> {
        let text = match sent {
            Sent::Pair {
                text,
                commas: false,
            } => Some(text.as_str()),
            Sent::Part {
                content,
                is_file: false,
                ..
            } => std::str::from_utf8(content).ok(),
            Sent::Pair { commas: true, .. } | Sent::Part { is_file: true, .. } => None,
        };
        let (Some(text), Reading::Text(types)) = (text, self.reading) else {
            return Err("must be a list with commas that are not encoded".into());
        };
        let texts = text.split(',').filter(|_| !text.is_empty());
        Ok(texts.map(|text| plain(types, text)).collect())
    }

    fn expect_file(&self, is_file: bool) -> Result<(), String> {
        match (self.file, is_file) {
            (FileRule::Must, false) => Err("must be a file".into()),
            (FileRule::Never, true) => Err("must be no file".into()),
            (FileRule::Must | FileRule::Either, true)
            | (FileRule::Never | FileRule::Either, false) => Ok(()),
        }
    }

    /// What says nothing of itself is plain text, or a file of any kind (RFC 7578 section 4.4).
    fn expect_type(&self, media: Option<&MediaType>, is_file: bool) -> Result<(), String> {
        let usual = match is_file {
            true => "application/octet-stream",
            false => "text/plain",
        };
        let usual = MediaType::parse(usual);
        let Some(media) = media.or(usual.as_ref()) else {
            return Ok(());
        };
        if self.types.is_empty() || self.types.iter().any(|range| range.holds(media)) {
            return Ok(());
        }
        let names: Vec<String> = self.types.iter().map(ToString::to_string).collect();
        Err(format!("must be of the type {}", names.join(" or ")))
    }
}

fn plain(types: Types, text: &str) -> Read {
    let mut readings = types.readings(text).into_iter();
    let first = readings.next().unwrap_or_default();
    Read {
        first,
        last: readings.next_back(),
        values: 1,
    }
}
