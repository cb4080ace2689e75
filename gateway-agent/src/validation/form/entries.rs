//! The names and values of a form, out of its bytes.

use std::fmt;

use gateway_waf::form;
use http::HeaderMap;
use http::header;

use crate::validation::media::{MediaType, is_utf8_value};
use crate::validation::openapi::query;

/// The most names with values that a form may have.
const MAX_ENTRIES: usize = 10_000;

/// How a form is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// `application/x-www-form-urlencoded`.
    UrlEncoded,
    /// `multipart/form-data` (RFC 7578).
    Multipart,
}

impl FormKind {
    /// Both.
    pub(in crate::validation) const ALL: [Self; 2] = [Self::UrlEncoded, Self::Multipart];

    /// Its media type.
    pub(in crate::validation) fn media(self) -> Option<MediaType> {
        MediaType::parse(match self {
            Self::UrlEncoded => "application/x-www-form-urlencoded",
            Self::Multipart => "multipart/form-data",
        })
    }
}

/// Why a body is not taken as a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormFault {
    /// A percent sign without two digits, or what is no UTF-8.
    Encoding,
    /// There are too many fields.
    TooMany,
    /// A part whose content is in an encoding that some undo and some do not, or in another
    /// character encoding than UTF-8.
    PartEncoding,
    /// Its parts cannot be told apart for certain.
    Multipart(&'static str),
}

impl fmt::Display for FormFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("it is not encoded right"),
            Self::TooMany => write!(f, "it has more than {MAX_ENTRIES} fields"),
            Self::PartEncoding => f.write_str("a part is in an encoding other than UTF-8"),
            Self::Multipart(message) => f.write_str(message),
        }
    }
}

/// A value as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent<'b> {
    /// Of a pair, decoded.
    Pair {
        text: String,
        /// Whether it has commas that were encoded.
        commas: bool,
    },
    /// A part.
    Part {
        content: &'b [u8],
        is_file: bool,
        media: Option<MediaType>,
    },
}

/// Reads a form; `fields` are those of the request.
pub(super) fn read<'b>(
    kind: FormKind,
    fields: &HeaderMap,
    body: &'b [u8],
) -> Result<Vec<(String, Sent<'b>)>, FormFault> {
    match kind {
        FormKind::UrlEncoded => pairs(body),
        FormKind::Multipart => parts(fields, body),
    }
}

fn pairs(body: &[u8]) -> Result<Vec<(String, Sent<'_>)>, FormFault> {
    let text = std::str::from_utf8(body).map_err(|_| FormFault::Encoding)?;
    let mut entries = Vec::new();
    for (name, value) in query::pairs(text) {
        if entries.len() >= MAX_ENTRIES {
            return Err(FormFault::TooMany);
        }
        let name = query::decoded(name).ok_or(FormFault::Encoding)?;
        let text = query::decoded(value).ok_or(FormFault::Encoding)?;
        let commas = value.matches(',').count() != text.matches(',').count();
        entries.push((name, Sent::Pair { text, commas }));
    }
    Ok(entries)
}

fn parts<'b>(fields: &HeaderMap, body: &'b [u8]) -> Result<Vec<(String, Sent<'b>)>, FormFault> {
    let media = fields.get(header::CONTENT_TYPE);
    let media = media.map(|value| value.as_bytes()).unwrap_or_default();
    let parts = form::multipart(media, body, MAX_ENTRIES).map_err(FormFault::Multipart)?;
    let mut entries = Vec::with_capacity(parts.len());
    for part in parts {
        let as_it_is = [&b"7bit"[..], b"8bit", b"binary"];
        let encoded = part.transfer_encoding.as_deref().is_some_and(|encoding| {
            !as_it_is
                .iter()
                .any(|known| encoding.eq_ignore_ascii_case(known))
        });
        let media = part.content_type.as_deref().map(String::from_utf8_lossy);
        // A field of this name tells the encoding of all others (RFC 7578 section 4.6).
        let tells = part.name == b"_charset_" && !part.content.eq_ignore_ascii_case(b"utf-8");
        if encoded || tells || !media.as_deref().is_none_or(is_utf8_value) {
            return Err(FormFault::PartEncoding);
        }
        let name = String::from_utf8(part.name).map_err(|_| FormFault::Encoding)?;
        let sent = Sent::Part {
            content: part.content,
            is_file: part.filename.is_some(),
            media: media.as_deref().and_then(MediaType::parse),
        };
        entries.push((name, sent));
    }
    Ok(entries)
}
