//! One value and its place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::config::report::Place;

/// A value and where it is written. Behind an alias that is where the anchor is: the line to edit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What YAML's core schema knows, with `off`, `yes` and their kin being text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file. A key may be there twice until [`super::read`] has refused it.
    Map(Vec<(Key, Node)>),
}

impl Value {
    /// The items, if it is a list.
    pub(super) fn list(&self) -> Option<&[Node]> {
        if let Self::List(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// The entries, if it is a map.
    pub(super) fn map(&self) -> Option<&[(Key, Node)]> {
        if let Self::Map(entries) = self {
            Some(entries)
        } else {
            None
        }
    }
}

/// The key of a map, and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// A value as the YAML reader gives it, before its file is known.
pub(super) enum Parsed {
    Scalar(Value),
    List(Vec<Spanned<Parsed>>),
    Map(Vec<(Spanned<String>, Spanned<Parsed>)>),
}

impl Node {
    /// Gives the places in `parsed` their file.
    pub(super) fn in_file(file: u32, parsed: Spanned<Parsed>) -> Self {
        let place = place_of(file, &parsed);
        let value = match parsed.value {
            Parsed::Scalar(value) => value,
            Parsed::List(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| Self::in_file(file, item))
                    .collect(),
            ),
            Parsed::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let place = place_of(file, &key);
                        (
                            Key {
                                place,
                                text: key.value,
                            },
                            Self::in_file(file, value),
                        )
                    })
                    .collect(),
            ),
        };
        Self { place, value }
    }
}

fn place_of<T>(file: u32, spanned: &Spanned<T>) -> Place {
    super::yaml::place(file, spanned.defined)
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, v: bool) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Bool(v)))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Unsigned(v)))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Signed(v)))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Float(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Text(v.to_owned())))
    }

    fn visit_string<E>(self, v: String) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Text(v)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Parsed, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Parsed::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Parsed::Map(entries))
    }
}
