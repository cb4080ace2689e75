//! A serde deserializer over a tree, which notes faults where derived code would stop.

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::at::{AT, ONE_OR_MANY, OR_OFF, WORD_OR_MAP};
use super::error::Error;
use super::node::{Key, Node, Value};
use super::words;
use crate::config::report::Report;

/// Makes a `T` of the tree. Unknown keys and values that do not fit go to `report`; `None` only
/// when the root itself does not fit.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node, report: &Report) -> Option<T> {
    T::deserialize(Values { node, report })
        .map_err(|e| note(e, node, report))
        .ok()
}

fn note(error: Error, node: &Node, report: &Report) {
    let error = error.within("this place", node.place);
    let place = error.place.unwrap_or(node.place);
    report.fault(place, error.to_string());
}

fn one_of(variants: &[&str]) -> String {
    format!("one of {}", variants.join(", "))
}

#[derive(Clone, Copy)]
struct Values<'a> {
    node: &'a Node,
    report: &'a Report,
}

impl<'a> Values<'a> {
    fn at(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Unsigned(n) => visitor.visit_u64(*n),
            Value::Signed(n) => visitor.visit_i64(*n),
            Value::Float(n) => visitor.visit_f64(*n),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items {
                values: self,
                items: items.iter(),
            }),
            Value::Map(entries) => visitor.visit_map(Pairs::new(self, entries, None)),
        }
    }

    fn expected(self, what: &str) -> Error {
        let message = format!("found {}, expected {what}", words::found(self.node));
        Error::words(self.node.place, message)
    }
}

impl<'de> de::Deserializer<'de> for Values<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor).map_err(|e| e.at(self.node.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            Value::Bool(_)
            | Value::Unsigned(_)
            | Value::Signed(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match (name, &self.node.value) {
            (AT, _) => visitor.visit_seq(WithPlace {
                values: self,
                step: 0,
            }),
            (OR_OFF, Value::Text(text)) if text == "off" => visitor.visit_none(),
            (OR_OFF, Value::Text(_) | Value::Bool(_)) => Err(self.expected("a map, or `off`")),
            (OR_OFF, _) => visitor.visit_some(self),
            (WORD_OR_MAP, Value::Text(_)) => visitor.visit_newtype_struct(self),
            (WORD_OR_MAP, Value::Map(_)) => visitor.visit_some(self),
            (WORD_OR_MAP, _) => Err(self.expected("a word or a map")),
            (ONE_OR_MANY, Value::List(items)) => visitor.visit_seq(Items {
                values: self,
                items: items.iter(),
            }),
            (ONE_OR_MANY, _) => {
                let items = std::slice::from_ref(self.node).iter();
                visitor.visit_seq(Items {
                    values: self,
                    items,
                })
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value.list() {
            Some(_) => self.deserialize_any(visitor),
            None => Err(self.expected("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value.map() {
            Some(_) => self.deserialize_any(visitor),
            None => Err(self.expected("a map of names")),
        }
    }

    /// Notes keys that the struct does not have, and passes over them.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let spoken = words::spoken(name);
        let entries = match self.node.value.map() {
            Some(entries) => entries,
            None if self.node.value == Value::Null => &[],
            None => {
                let keys = keys.join(", ");
                return Err(self.expected(&format!("a map: {spoken}, with {keys}")));
            }
        };
        visitor
            .visit_map(Pairs::new(self, entries, Some((&spoken, keys))))
            .map_err(|e| e.within(&spoken, self.node.place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let node = self.node;
        let (name, place, value) = match (&node.value, node.value.map()) {
            (Value::Text(name), _) => (name, node.place, None),
            (_, Some([(key, value)])) => (&key.text, key.place, Some(value)),
            _ => return Err(self.expected(&one_of(variants))),
        };
        let variant = Variant {
            values: self,
            name,
            value,
        };
        visitor.visit_enum(variant).map_err(|e| e.at(place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// The place of a value, then the value, or nothing when the value does not fit.
struct WithPlace<'a> {
    values: Values<'a>,
    step: u8,
}

impl<'de> de::SeqAccess<'de> for WithPlace<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.step += 1;
        let node = self.values.node;
        match self.step {
            1 => {
                let place = [node.place.file, node.place.line, node.place.column];
                seed.deserialize(SeqDeserializer::new(place.into_iter()))
                    .map(Some)
            }
            2 => match seed.deserialize(self.values) {
                Ok(value) => Ok(Some(value)),
                Err(error) => {
                    note(error, node, self.values.report);
                    Ok(None)
                }
            },
            _ => Ok(None),
        }
    }
}

struct Items<'a> {
    values: Values<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let next = self.items.next();
        next.map(|item| seed.deserialize(self.values.at(item)))
            .transpose()
    }
}

/// The entries of a map; with the keys of a struct, only those that it has and that have a value.
struct Pairs<'a> {
    values: Values<'a>,
    entries: std::slice::Iter<'a, (Key, Node)>,
    current: Option<&'a Node>,
    known: Option<(&'a str, &'static [&'static str])>,
}

impl<'a> Pairs<'a> {
    fn new(
        values: Values<'a>,
        entries: &'a [(Key, Node)],
        known: Option<(&'a str, &'static [&'static str])>,
    ) -> Self {
        Self {
            values,
            entries: entries.iter(),
            current: None,
            known,
        }
    }

    fn wanted(&self, key: &Key, value: &Node) -> bool {
        let Some((owner, keys)) = self.known else {
            return true;
        };
        if keys.contains(&key.text.as_str()) {
            return value.value != Value::Null;
        }
        if self.values.report.is_full() {
            return false;
        }
        let message = format!(
            "found the unknown key {} in {owner}; {}",
            words::quoted(&key.text),
            words::suggestion(&key.text, keys)
        );
        self.values.report.fault(key.place, message);
        false
    }
}

impl<'de> de::MapAccess<'de> for Pairs<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        while let Some((key, value)) = self.entries.next() {
            if self.wanted(key, value) {
                self.current = Some(value);
                let node = Node {
                    place: key.place,
                    value: Value::Text(key.text.clone()),
                };
                return seed
                    .deserialize(Values {
                        node: &node,
                        report: self.values.report,
                    })
                    .map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        match self.current.take() {
            Some(node) => seed.deserialize(self.values.at(node)),
            None => Err(Error::words(
                self.values.node.place,
                "a value was asked for twice".into(),
            )),
        }
    }
}

/// A choice: a word, or a word with a value.
struct Variant<'a> {
    values: Values<'a>,
    name: &'a str,
    value: Option<&'a Node>,
}

impl<'de> de::EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.name.into_deserializer();
        seed.deserialize(name).map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.value {
            Some(node) if node.value != Value::Null => {
                let message = format!(
                    "found {}, expected nothing behind `{}`",
                    words::found(node),
                    self.name
                );
                Err(Error::words(node.place, message))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        match self.value {
            Some(node) => seed.deserialize(self.values.at(node)),
            None => Err(self.values.expected(&format!("`{}: …`", self.name))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        Err(de::Error::invalid_type(Unexpected::TupleVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Err(de::Error::invalid_type(Unexpected::StructVariant, &visitor))
    }
}
