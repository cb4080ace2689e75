//! What can be wrong with a request under a contract.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

use super::form::FormFault;
use super::json::JsonFault;

/// Why a request does not keep to its route's contract. Nothing in it repeats a value of the
/// request; names of fields are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A body without a usable `Content-Type`, where the type matters.
    TypeMissing {
        /// What would do, as `Accept` writes it.
        accept: String,
    },
    /// A body of another type.
    TypeRefused {
        /// What would do, as `Accept` writes it.
        accept: String,
    },
    /// JSON or a form in another encoding than UTF-8.
    Charset,
    /// No body, where one is needed.
    BodyMissing,
    /// A body, where none is described.
    BodyUnexpected,
    /// What should be JSON is none, or could be read in two ways.
    Json(JsonFault),
    /// What should be a form is none, or could be read in two ways.
    Form(FormFault),
    /// The body does not keep to its schema.
    Body(Vec<Breach>),
    /// Parameters do not keep to their schemas.
    Parameters(Vec<Breach>),
    /// No operation is described for this path.
    PathUnknown,
    /// No operation is described for this method on this path.
    MethodUnknown {
        /// The methods that are, in order.
        allow: Vec<&'static str>,
    },
}

/// One place and the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// In which part of the request.
    pub r#in: Part,
    /// The place in a body: a JSON pointer as a URI fragment (RFC 6901 section 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<Box<str>>,
    /// The parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// The rule, in words.
    pub detail: Cow<'static, str>,
}

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The body.
    Body,
    /// A segment of the path.
    Path,
    /// The query.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
}

/// The most places that are told of one request.
pub(super) const MAX_BREACHES: usize = 8;
/// The most bytes of a pointer, or of a parameter's name.
const MAX_NAME: usize = 200;

impl Breach {
    /// In the body, at a JSON pointer (RFC 6901 section 5).
    pub(super) fn at(pointer: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            r#in: Part::Body,
            pointer: Some(fragment(pointer).into()),
            name: None,
            detail: detail.into(),
        }
    }

    /// In a parameter.
    pub(super) fn of(part: Part, name: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            r#in: part,
            pointer: None,
            name: Some(cut(name).into()),
            detail: detail.into(),
        }
    }
}

impl Violation {
    /// The places, where it has any.
    #[must_use]
    pub fn breaches(&self) -> &[Breach] {
        match self {
            Self::Body(breaches) | Self::Parameters(breaches) => breaches,
            Self::TypeMissing { .. }
            | Self::TypeRefused { .. }
            | Self::Charset
            | Self::BodyMissing
            | Self::BodyUnexpected
            | Self::Json(_)
            | Self::Form(_)
            | Self::PathUnknown
            | Self::MethodUnknown { .. } => &[],
        }
    }
}

/// A JSON pointer as a fragment: what may not stand there is percent-encoded (RFC 3986
/// section 3.5), so nothing that a client wrote into a key is ever markup.
fn fragment(pointer: &str) -> String {
    let mut text = String::from("#");
    for byte in cut(pointer).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$()*+,;=:@/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_bounded_fragments() {
        let pointer = |text: &str| Breach::at(text, "x").pointer.unwrap();
        assert_eq!(&*pointer(""), "#");
        assert_eq!(&*pointer("/a~1b/0/c d"), "#/a~1b/0/c%20d");
        assert_eq!(&*pointer("/<b>\"\r\n&'é"), "#/%3Cb%3E%22%0D%0A%26%27%C3%A9");
        assert!(pointer(&"é".repeat(1000)).len() <= 1 + 3 * MAX_NAME);
    }

    #[test]
    fn breaches_say_where_and_what() {
        let json = |breach| serde_json::to_string(&breach).unwrap();
        assert_eq!(
            json(Breach::at("/age", "must be a number")),
            r##"{"in":"body","pointer":"#/age","detail":"must be a number"}"##
        );
        assert_eq!(
            json(Breach::of(Part::Query, "limit", "is required")),
            r#"{"in":"query","name":"limit","detail":"is required"}"#
        );
    }
}
