//! Serde for the grammars: always through their text.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// What the deserializer must know of a grammar beside its `FromStr`.
pub(crate) trait Text: FromStr<Err: Display> {
    /// Completes "expected …" when the value is of another type altogether.
    const EXPECTING: &'static str;
    /// Whether a bare number is a way to write it (`queue_timeout: 30`).
    const NUMBERS: bool;
}

/// Reads a `T` from a string, or from a number when its grammar has bare numbers.
pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    if T::NUMBERS {
        d.deserialize_any(FromText(PhantomData))
    } else {
        d.deserialize_str(FromText(PhantomData))
    }
}

struct FromText<T>(PhantomData<T>);

impl<T: Text> FromText<T> {
    fn number<E: Error>(
        written: impl Display,
        unexpected: serde::de::Unexpected<'_>,
    ) -> Result<T, E> {
        if T::NUMBERS {
            written.to_string().parse().map_err(E::custom)
        } else {
            Err(E::invalid_type(unexpected, &T::EXPECTING))
        }
    }
}

impl<T: Text> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTING)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<T, E> {
        v.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<T, E> {
        Self::number(v, serde::de::Unexpected::Unsigned(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<T, E> {
        Self::number(v, serde::de::Unexpected::Signed(v))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<T, E> {
        Self::number(v, serde::de::Unexpected::Float(v))
    }
}

/// Implements serde for a grammar: `text_serde!(Type, expecting, numbers)`.
macro_rules! text_serde {
    ($type:ty, $expecting:literal, numbers: $numbers:literal) => {
        impl $crate::grammar::text::Text for $type {
            const EXPECTING: &'static str = $expecting;
            const NUMBERS: bool = $numbers;
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                $crate::grammar::text::deserialize(d)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
    };
}
pub(crate) use text_serde;

#[cfg(test)]
pub(crate) mod check {
    //! What every grammar's tests ask of its serde.

    use std::fmt::Display;

    use serde::de::IntoDeserializer;
    use serde::de::value::Error;
    use serde::{Deserialize, Serialize};

    /// Reads `value` as serde would from a document.
    pub(crate) fn read<'de, T: Deserialize<'de>>(
        value: impl IntoDeserializer<'de, Error>,
    ) -> Result<T, String> {
        T::deserialize(value.into_deserializer()).map_err(|e| e.to_string())
    }

    /// The text that serde writes for `value`.
    pub(crate) fn written<T: Serialize>(value: &T) -> String {
        struct Shown<'a, T>(&'a T);
        impl<T: Serialize> Display for Shown<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.serialize(f)
            }
        }
        Shown(value).to_string()
    }
}
