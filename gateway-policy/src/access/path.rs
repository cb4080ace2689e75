//! Request paths with one spelling only.

use std::fmt;

/// The longest path that is looked at, in bytes as sent.
pub const MAX_PATH: usize = 16_384;

/// A request's path, percent-decoded, in which no two texts can mean the same resource.
///
/// Rules for a path are worth nothing when the path can be written so that the rule misses it
/// and the upstream still understands. Upstreams differ in what they make of a dot segment, an
/// encoded slash or a doubled one (RFC 3986 sections 3.3, 5.2.4 and 6.2.2 leave room), so
/// nothing of that kind is resolved here: it is refused, see [`PathFault`]. Left are
///
/// - percent escapes of ordinary characters: decoded, once, and valid UTF-8 behind it;
/// - a slash at the end: dropped, `/admin/` is `/admin`;
/// - letters in upper and lower case: different. Where the upstream takes `/ADMIN` for `/admin`,
///   as on file systems without case, close the rest of it too: `"* /**"` for an admin role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NormalPath(Box<str>);

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathFault {
    /// It does not begin with a slash.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// It is longer than [`MAX_PATH`].
    #[error("the path is longer than {MAX_PATH} bytes")]
    TooLong,
    /// A percent sign without two hexadecimal digits.
    #[error("the path has a percent sign that is no escape")]
    BadEscape,
    /// A percent escape of a percent escape: who decodes twice sees another path.
    #[error("the path is percent-encoded twice")]
    DoubleEncoded,
    /// A slash inside a segment.
    #[error("the path has an encoded slash")]
    EncodedSlash,
    /// A backslash, which some take for a slash.
    #[error("the path has a backslash")]
    Backslash,
    /// A control character, NUL among them, which cuts a path short elsewhere.
    #[error("the path has a control character")]
    Control,
    /// Bytes that are no UTF-8; overlong forms of slash and dot are such bytes.
    #[error("the path is not UTF-8")]
    NotUtf8,
    /// A segment `.` or `..`.
    #[error("the path has a dot segment")]
    DotSegment,
    /// Two slashes in a row, which some take for one.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// A semicolon: what follows it is a parameter to some and part of the name to others.
    #[error("the path has a semicolon")]
    Parameter,
    /// A question mark, number sign or space that is not encoded; it ends the path elsewhere.
    #[error("the path has a delimiter that is not encoded")]
    Delimiter,
}

impl PathFault {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAbsolute => "path-not-absolute",
            Self::TooLong => "path-too-long",
            Self::BadEscape => "path-bad-escape",
            Self::DoubleEncoded => "path-double-encoded",
            Self::EncodedSlash => "path-encoded-slash",
            Self::Backslash => "path-backslash",
            Self::Control => "path-control",
            Self::NotUtf8 => "path-not-utf8",
            Self::DotSegment => "path-dot-segment",
            Self::EmptySegment => "path-empty-segment",
            Self::Parameter => "path-parameter",
            Self::Delimiter => "path-delimiter",
        }
    }
}

impl NormalPath {
    /// Reads the path of a request target as it was sent, without the query.
    ///
    /// # Errors
    /// When the path has another spelling, or something that upstreams read differently.
    pub fn parse(raw: &str) -> Result<Self, PathFault> {
        if raw.len() > MAX_PATH {
            return Err(PathFault::TooLong);
        }
        let Some(relative) = raw.strip_prefix('/') else {
            return Err(PathFault::NotAbsolute);
        };
        if relative.contains(['?', '#', ' ']) {
            return Err(PathFault::Delimiter);
        }
        let relative = relative.strip_suffix('/').unwrap_or(relative);
        let decoded = decode(relative)?;
        check_characters(&decoded)?;
        if !decoded.is_empty() || raw.len() > 1 {
            decoded.split('/').try_for_each(check_segment)?;
        }
        Ok(Self(format!("/{decoded}").into_boxed_str()))
    }

    /// The path, decoded, without a slash at its end; the root is `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments from left to right; the root has none.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

impl fmt::Display for NormalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Decodes percent escapes, once.
fn decode(text: &str) -> Result<String, PathFault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let escaped = hex(bytes.next())
            .zip(hex(bytes.next()))
            .map(|(high, low)| high << 4 | low);
        match escaped.ok_or(PathFault::BadEscape)? {
            b'/' => return Err(PathFault::EncodedSlash),
            byte => decoded.push(byte),
        }
    }
    let decoded = String::from_utf8(decoded).map_err(|_| PathFault::NotUtf8)?;
    // A percent sign here was escaped itself.
    let twice = decoded.split('%').skip(1).any(|rest| {
        let mut bytes = rest.bytes();
        hex(bytes.next()).and(hex(bytes.next())).is_some()
    });
    if twice || decoded.contains("%%") {
        Err(PathFault::DoubleEncoded)
    } else {
        Ok(decoded)
    }
}

fn hex(digit: Option<u8>) -> Option<u8> {
    let value = char::from(digit?).to_digit(16)?;
    u8::try_from(value).ok()
}

/// What may stand in no segment.
pub(super) fn check_characters(decoded: &str) -> Result<(), PathFault> {
    for c in decoded.chars() {
        match c {
            '\\' => return Err(PathFault::Backslash),
            ';' => return Err(PathFault::Parameter),
            c if c.is_control() => return Err(PathFault::Control),
            _ => {}
        }
    }
    Ok(())
}

/// What no segment may be.
pub(super) fn check_segment(segment: &str) -> Result<(), PathFault> {
    match segment {
        "" => Err(PathFault::EmptySegment),
        "." | ".." => Err(PathFault::DotSegment),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_paths_are_decoded_once() {
        for (raw, path) in [
            ("/", "/"),
            ("/api/v1/items", "/api/v1/items"),
            ("/api/", "/api"),
            ("/caf%C3%A9", "/café"),
            ("/café", "/café"),
            ("/%61dmin", "/admin"),
            ("/a%20b", "/a b"),
            ("/wiki/What%3F", "/wiki/What?"),
            ("/100%25", "/100%"),
            ("/100%25zz", "/100%zz"),
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("/a..b/.c./", "/a..b/.c."),
            ("/a:b@c,d=e&f+g!$'()*~", "/a:b@c,d=e&f+g!$'()*~"),
            ("/ADMIN", "/ADMIN"),
        ] {
            assert_eq!(NormalPath::parse(raw).unwrap().as_str(), path, "{raw}");
        }
    }

    #[test]
    fn every_known_way_round_is_refused() {
        use PathFault::*;
        for (raw, fault) in [
            ("", NotAbsolute),
            ("*", NotAbsolute),
            ("admin", NotAbsolute),
            ("http://h/admin", NotAbsolute),
            ("/api/../admin", DotSegment),
            ("/api/..", DotSegment),
            ("/api/../", DotSegment),
            ("/./admin", DotSegment),
            ("/api/%2e%2e/admin", DotSegment),
            ("/api/.%2E/admin", DotSegment),
            ("/api/%2e/admin", DotSegment),
            ("/api/..;/admin", Parameter),
            ("/api/..%3b/admin", Parameter),
            ("/admin;x", Parameter),
            ("/admin;", Parameter),
            ("/;/admin", Parameter),
            ("//admin", EmptySegment),
            ("//", EmptySegment),
            ("/admin//", EmptySegment),
            ("/api//admin", EmptySegment),
            ("/api%2fadmin", EncodedSlash),
            ("/api/..%2Fadmin", EncodedSlash),
            ("/%2f", EncodedSlash),
            ("/api\\..\\admin", Backslash),
            ("/api%5c..%5cadmin", Backslash),
            ("/admin%00", Control),
            ("/admin%00.png", Control),
            ("/admin%0a", Control),
            ("/admin\t", Control),
            ("/admin%7f", Control),
            ("/admin%c2%85", Control),
            ("/admin%", BadEscape),
            ("/admin%2", BadEscape),
            ("/admin%zz", BadEscape),
            ("/%u002e%u002e/admin", BadEscape),
            ("/%+2e", BadEscape),
            ("/%252e%252e/admin", DoubleEncoded),
            ("/api%252fadmin", DoubleEncoded),
            ("/%2561dmin", DoubleEncoded),
            ("/%25252e", DoubleEncoded),
            ("/%25%32%65", DoubleEncoded),
            ("/%25%25", DoubleEncoded),
            ("/%2%32e", BadEscape),
            ("/%c0%af", NotUtf8),
            ("/%c0%ae%c0%ae/admin", NotUtf8),
            ("/%ff", NotUtf8),
            ("/admin?x", Delimiter),
            ("/admin#x", Delimiter),
            ("/admin x", Delimiter),
        ] {
            assert_eq!(NormalPath::parse(raw), Err(fault), "{raw}");
            assert!(fault.name().starts_with("path-"));
        }
        let long = format!("/{}", "a".repeat(MAX_PATH));
        assert_eq!(NormalPath::parse(&long), Err(TooLong));
    }

    /// A raw path made of the pieces that attacks are made of.
    pub(crate) fn nasty() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(
            &[
                "/", "a", "admin", ".", "..", ";", "%", "%2f", "%2F", "%2e", "%25", "2e", "2f",
                "\\", "%5c", "%00", "%3b", "%61", "%c3%a9", "%c0", "é", "?", " ", "//", "é%",
            ][..],
        );
        prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn what_is_accepted_has_one_spelling(raw in prop_oneof![nasty(), any::<String>()]) {
            let Ok(path) = NormalPath::parse(&raw) else {
                return Ok(());
            };
            let text = path.as_str();
            prop_assert!(text.starts_with('/'));
            prop_assert!(!text.contains(['\\', ';']) && !text.contains("//"));
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert!(path.segments().all(|s| !matches!(s, "." | "..")));
            // The same number of slashes: none came from, or went into, an escape.
            let slashes = |s: &str| s.matches('/').count();
            let raw = raw.strip_suffix('/').filter(|r| !r.is_empty()).unwrap_or(&raw);
            prop_assert_eq!(slashes(text), slashes(raw));
            // Whoever decodes a second time gets the same.
            if let Ok(again) = decode(text.trim_start_matches('/')) {
                prop_assert_eq!(format!("/{again}"), text);
            }
        }

        #[test]
        fn any_text_gets_an_answer(raw: String) {
            let _ = NormalPath::parse(&raw);
        }
    }
}
