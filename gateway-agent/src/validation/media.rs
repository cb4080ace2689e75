//! Media types: what a body says it is, and what a route takes.

use std::fmt;
use std::str::FromStr;

use gateway_policy::grammar::Excerpt;
use http::HeaderMap;
use http::header;

use super::form::FormKind;

/// The media type of a body without its parameters, in lower case (RFC 9110 section 8.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    kind: String,
    subtype: String,
}

impl MediaType {
    /// What the header fields say; `None` when there is no `Content-Type`, or one that is none.
    /// That there is no second one, the form of the request has shown.
    #[must_use]
    pub fn of(fields: &HeaderMap) -> Option<Self> {
        Self::parse(fields.get(header::CONTENT_TYPE)?.to_str().ok()?)
    }

    /// The media type at the beginning of the value of a `Content-Type`.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let name = value.split(';').next().unwrap_or_default().trim();
        let (kind, subtype) = name.split_once('/')?;
        (is_token(kind) && is_token(subtype)).then(|| Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
        })
    }

    /// How it is read, where it is a form.
    #[must_use]
    pub fn form(&self) -> Option<FormKind> {
        let mut kinds = FormKind::ALL.into_iter();
        kinds.find(|kind| kind.media().as_ref() == Some(self))
    }

    /// Whether it is JSON, or a format made of it (RFC 6839 section 3.1).
    #[must_use]
    pub fn is_json(&self) -> bool {
        (self.kind == "application" && self.subtype == "json") || self.subtype.ends_with("+json")
    }
}

/// Whether a body says of itself nothing but UTF-8, or nothing: JSON has no other encoding
/// (RFC 8259 section 8.1).
pub(super) fn is_utf8(fields: &HeaderMap) -> bool {
    let Some(Ok(value)) = fields.get(header::CONTENT_TYPE).map(|value| value.to_str()) else {
        return true;
    };
    is_utf8_value(value)
}

/// The same, of the value of a field.
pub(super) fn is_utf8_value(value: &str) -> bool {
    value.split(';').skip(1).all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches(['"', '\'']);
        !name.trim().eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| value.eq_ignore_ascii_case(known))
    })
}

/// Media types that a route takes: `application/json`, `image/*`, `application/*+json`, `*/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRange {
    kind: Option<String>,
    subtype: Option<String>,
    suffix: Option<String>,
}

impl MediaRange {
    /// JSON by its own name.
    pub(super) fn json() -> Self {
        Self {
            kind: Some("application".into()),
            subtype: Some("json".into()),
            suffix: None,
        }
    }

    /// The formats made of JSON, by their suffix.
    pub(super) fn json_suffix() -> Self {
        Self {
            kind: Some("application".into()),
            subtype: None,
            suffix: Some("+json".into()),
        }
    }

    /// Whether a media type is among them.
    #[must_use]
    pub fn holds(&self, media: &MediaType) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|w| w == found);
        let suffix = self.suffix.as_deref().unwrap_or_default();
        is(&self.kind, &media.kind)
            && is(&self.subtype, &media.subtype)
            && media.subtype.ends_with(suffix)
    }

    /// Whether all that it holds is JSON.
    pub(super) fn is_json(&self) -> bool {
        *self == Self::json() || self.suffix.as_deref() == Some("+json")
    }

    /// The greater is the more specific.
    pub(super) fn specificity(&self) -> u8 {
        u8::from(self.kind.is_some())
            + 2 * u8::from(self.suffix.is_some())
            + 4 * u8::from(self.subtype.is_some())
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".into());
        let suffix = self.suffix.as_deref().unwrap_or_default();
        write!(f, "{}/{}{suffix}", any(&self.kind), any(&self.subtype))
    }
}

/// A text that is no range of media types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no media type such as application/json, image/* or application/*+json")]
pub struct NoMediaRange(pub Excerpt);

impl FromStr for MediaRange {
    type Err = NoMediaRange;

    fn from_str(text: &str) -> Result<Self, NoMediaRange> {
        let refused = || NoMediaRange(Excerpt::of(text));
        let (kind, subtype) = text.split_once('/').ok_or_else(refused)?;
        let part = |name: &str| (name != "*").then(|| name.to_ascii_lowercase());
        let (subtype, suffix) = match subtype.strip_prefix('*') {
            Some(suffix) if suffix.len() > 1 && suffix.starts_with('+') => ("*", Some(suffix)),
            Some("") | None => (subtype, None),
            Some(_) => return Err(refused()),
        };
        let is_name = |name: &str| name == "*" || is_token(name);
        let fits = is_name(kind)
            && is_name(subtype)
            && suffix.is_none_or(is_token)
            && (kind != "*" || subtype == "*");
        fits.then(|| Self {
            kind: part(kind),
            subtype: part(subtype),
            suffix: suffix.map(str::to_ascii_lowercase),
        })
        .ok_or_else(refused)
    }
}

/// A token without `*` (RFC 9110 section 5.6.2); a star in a type would read as a range.
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(value: &str) -> Option<MediaType> {
        let mut fields = HeaderMap::new();
        fields.insert(header::CONTENT_TYPE, value.parse().unwrap());
        MediaType::of(&fields)
    }

    #[test]
    fn ranges_hold_what_they_say() {
        for (range, value, holds) in [
            ("application/json", "Application/JSON; charset=utf-8", true),
            ("application/json", "application/json", true),
            ("application/json", "application/problem+json", false),
            ("application/json", "application/jsonx", false),
            ("application/*+json", "application/problem+json", true),
            ("application/*+json", "application/json", false),
            ("image/*", "image/png", true),
            ("image/*", "text/png", false),
            ("*/*", "text/plain", true),
        ] {
            let range: MediaRange = range.parse().unwrap();
            assert_eq!(
                range.holds(&media(value).unwrap()),
                holds,
                "{range} {value}"
            );
        }
        for value in [
            "",
            "json",
            "*/*",
            "a/b, c/d",
            "/json",
            "application/",
            "a b/c",
        ] {
            assert_eq!(media(value), None, "{value}");
        }
    }

    #[test]
    fn json_is_utf8() {
        for (value, holds) in [
            ("application/json", true),
            ("application/json; charset=UTF-8", true),
            ("application/json;Charset=\"utf8\"; x=y", true),
            ("application/json; charset=utf-16", false),
            ("application/json; charset=utf-8; charset=utf-7", false),
            ("application/json; charset", false),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(header::CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(is_utf8(&fields), holds, "{value}");
        }
        assert!(is_utf8(&HeaderMap::new()));
    }

    #[test]
    fn ranges_read_back() {
        for text in ["application/json", "image/*", "application/*+json", "*/*"] {
            assert_eq!(text.parse::<MediaRange>().unwrap().to_string(), text);
        }
        for text in ["json", "*/json", "a/*b", "a/*+", "a/", "", "a/b;c=d"] {
            assert!(text.parse::<MediaRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn json_is_known_by_its_names() {
        assert!(media("application/json").unwrap().is_json());
        assert!(media("application/vnd.api+json").unwrap().is_json());
        assert!(!media("text/plain").unwrap().is_json());
    }
}
