//! Header fields of answers.

use std::str::FromStr;

use http::header::{HeaderName, HeaderValue};

use super::{quoted, text_serde};

/// The value of a header field, or `off` for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldValue {
    /// The field is not sent.
    Off,
    /// The field is sent with this value.
    Set(HeaderValue),
}

/// The longest value.
const LONGEST: usize = 4096;

impl FromStr for FieldValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "found {}, expected the value of a header field",
                quoted(text)
            )
        };
        let trimmed = text.trim();
        match trimmed {
            "off" => Ok(Self::Off),
            "" => Err(refused()),
            _ if trimmed.len() > LONGEST || !trimmed.is_ascii() => Err(refused()),
            value => value.parse().map(Self::Set).map_err(|_| refused()),
        }
    }
}

text_serde!(FieldValue, "the value of a header field, or off", numbers: false);

/// The name of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldName(pub(crate) HeaderName);

impl FromStr for FieldName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = HeaderName::from_bytes(text.as_bytes());
        name.map(Self).map_err(|_| {
            format!(
                "found {}, expected the name of a header field",
                quoted(text)
            )
        })
    }
}

text_serde!(FieldName, "the name of a header field", numbers: false);
