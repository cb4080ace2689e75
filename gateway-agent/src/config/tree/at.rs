//! What the structs in `raw` are made of beside plain serde.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::config::report::Place;

/// The names under which [`super::values`] knows these types when it meets them.
pub(super) const AT: &str = "$at";
pub(super) const ONE_OR_MANY: &str = "$one-or-many";
pub(super) const OR_OFF: &str = "$or-off";
pub(super) const WORD_OR_MAP: &str = "$word-or-map";

/// A value and its place, or only its place when what stands there is no `T`; then the report
/// has the fault, and the rest of the file goes on being read.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    place: Place,
    value: Option<T>,
}

impl<T> At<T> {
    /// Where it is written.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The value, if it could be read.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The value, if it could be read.
    pub(crate) fn take(self) -> Option<T> {
        self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(AT, AtVisitor(PhantomData))
    }
}

struct AtVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
    type Value = At<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<At<T>, A::Error> {
        let place = seq.next_element::<[u32; 3]>()?;
        let [file, line, column] = place.ok_or_else(|| A::Error::custom("a value has no place"))?;
        let place = Place { file, line, column };
        Ok(At {
            place,
            value: seq.next_element()?,
        })
    }
}

/// A map whose keys are names the operator chose, in the order of the files.
#[derive(Clone, Debug)]
pub(crate) struct Entries<T>(pub(crate) Vec<(At<String>, At<T>)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

/// A list that may be written without its brackets when it has one item.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<At<T>>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ManyVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value or a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(OneOrMany(items))
            }
        }

        deserializer.deserialize_newtype_struct(ONE_OR_MANY, ManyVisitor(PhantomData))
    }
}

/// Something, or the word `off`.
#[derive(Clone, Debug)]
pub(crate) enum OrOff<T> {
    Off,
    On(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrOff<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OrOffVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OrOffVisitor<T> {
            type Value = OrOff<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or `off`")
            }

            fn visit_none<E>(self) -> Result<OrOff<T>, E> {
                Ok(OrOff::Off)
            }

            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<OrOff<T>, D::Error> {
                T::deserialize(d).map(OrOff::On)
            }
        }

        deserializer.deserialize_newtype_struct(OR_OFF, OrOffVisitor(PhantomData))
    }
}

/// A word that says all there is to say, or a map that says more.
#[derive(Clone, Debug)]
pub(crate) enum WordOrMap<W, M> {
    Word(W),
    Map(M),
}

impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Deserialize<'de> for WordOrMap<W, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMapVisitor<W, M>(PhantomData<(W, M)>);

        impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Visitor<'de> for WordOrMapVisitor<W, M> {
            type Value = WordOrMap<W, M>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a map")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                d: D,
            ) -> Result<Self::Value, D::Error> {
                W::deserialize(d).map(WordOrMap::Word)
            }

            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
                M::deserialize(d).map(WordOrMap::Map)
            }
        }

        deserializer.deserialize_newtype_struct(WORD_OR_MAP, WordOrMapVisitor(PhantomData))
    }
}
