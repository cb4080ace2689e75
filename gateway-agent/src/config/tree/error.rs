//! Why a value did not become what it should.

use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

use super::words;
use crate::config::report::Place;

/// A fault on its way to the report; it gets its place from the value it was raised in.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) place: Option<Place>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A key that must be there is not. Who misses it is known one level up.
    Missing(&'static str),
    /// Anything else, in words.
    Words(String),
}

impl Error {
    pub(super) fn words(place: Place, message: String) -> Self {
        Self {
            place: Some(place),
            kind: Kind::Words(message),
        }
    }

    /// The error, standing at `place` if it stood nowhere.
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// Names who misses a missing key.
    pub(super) fn within(mut self, owner: &str, place: Place) -> Self {
        if let Kind::Missing(key) = self.kind {
            self.kind = Kind::Words(format!("found no `{key}`, expected it in {owner}"));
        }
        self.at(place)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Missing(key) => write!(f, "found no `{key}`"),
            Kind::Words(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self {
            place: None,
            kind: Kind::Words(message.to_string()),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let number = matches!(
            found,
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_)
        );
        // The names that serde's own implementations have for these.
        let expected = match expected.to_string().as_str() {
            "a string" if number => "text; put it in quotes".to_owned(),
            "a string" => "text".to_owned(),
            "a boolean" => "true or false".to_owned(),
            "a nonzero u32" => format!("a whole number from 1 to {}", u32::MAX),
            other => other.to_owned(),
        };
        Self::custom(format_args!(
            "found {}, expected {expected}",
            words::unexpected(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("found {found} values, expected {expected}"))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format_args!(
            "found {}, which is not known here; {}",
            words::quoted(found),
            words::suggestion(found, known)
        ))
    }

    fn missing_field(key: &'static str) -> Self {
        Self {
            place: None,
            kind: Kind::Missing(key),
        }
    }
}
