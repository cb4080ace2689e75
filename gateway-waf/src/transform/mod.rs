//! Transformations: pure functions from bytes to bytes.
//!
//! Each one follows the function of the same name in the ModSecurity reference manual. A
//! transformation says whether it changed anything, so that an unchanged value is never copied.

mod case;
mod cmdline;
mod comments;
mod css;
mod digest;
mod encode;
mod escape;
mod html;
mod js;
mod nulls;
mod parity;
mod path;
mod space;
mod sql;
mod unicode;
mod url;

/// One transformation, as named after `t:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Transform {
    Base64Decode,
    Base64DecodeExt,
    Base64Encode,
    CmdLine,
    CompressWhitespace,
    CssDecode,
    EscapeSeqDecode,
    HexDecode,
    HexEncode,
    HtmlEntityDecode,
    JsDecode,
    Length,
    Lowercase,
    Md5,
    NormalizePath,
    NormalizePathWin,
    ParityEven7Bit,
    ParityOdd7Bit,
    ParityZero7Bit,
    RemoveComments,
    RemoveCommentsChar,
    RemoveNulls,
    RemoveWhitespace,
    ReplaceComments,
    ReplaceNulls,
    Sha1,
    SqlHexDecode,
    Trim,
    TrimLeft,
    TrimRight,
    Uppercase,
    UrlDecode,
    UrlDecodeUni,
    UrlEncode,
    Utf8ToUnicode,
}

/// What the text after `t:` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// `none`: forget the transformations before it.
    Reset,
    Apply(Transform),
}

/// Finds a transformation by name, any case.
pub(crate) fn find(name: &str) -> Option<Named> {
    NAMES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|&(_, named)| named)
}

/// Every known transformation name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|&(name, _)| name)
}

const NAMES: &[(&str, Named)] = &[
    ("base64Decode", Named::Apply(Transform::Base64Decode)),
    ("base64DecodeExt", Named::Apply(Transform::Base64DecodeExt)),
    ("base64Encode", Named::Apply(Transform::Base64Encode)),
    ("cmdLine", Named::Apply(Transform::CmdLine)),
    (
        "compressWhitespace",
        Named::Apply(Transform::CompressWhitespace),
    ),
    ("cssDecode", Named::Apply(Transform::CssDecode)),
    ("escapeSeqDecode", Named::Apply(Transform::EscapeSeqDecode)),
    ("hexDecode", Named::Apply(Transform::HexDecode)),
    ("hexEncode", Named::Apply(Transform::HexEncode)),
    (
        "htmlEntityDecode",
        Named::Apply(Transform::HtmlEntityDecode),
    ),
    ("jsDecode", Named::Apply(Transform::JsDecode)),
    ("length", Named::Apply(Transform::Length)),
    ("lowercase", Named::Apply(Transform::Lowercase)),
    ("md5", Named::Apply(Transform::Md5)),
    ("none", Named::Reset),
    ("normalisePath", Named::Apply(Transform::NormalizePath)),
    (
        "normalisePathWin",
        Named::Apply(Transform::NormalizePathWin),
    ),
    ("normalizePath", Named::Apply(Transform::NormalizePath)),
    (
        "normalizePathWin",
        Named::Apply(Transform::NormalizePathWin),
    ),
    ("parityEven7bit", Named::Apply(Transform::ParityEven7Bit)),
    ("parityOdd7bit", Named::Apply(Transform::ParityOdd7Bit)),
    ("parityZero7bit", Named::Apply(Transform::ParityZero7Bit)),
    ("removeComments", Named::Apply(Transform::RemoveComments)),
    (
        "removeCommentsChar",
        Named::Apply(Transform::RemoveCommentsChar),
    ),
    ("removeNulls", Named::Apply(Transform::RemoveNulls)),
    (
        "removeWhitespace",
        Named::Apply(Transform::RemoveWhitespace),
    ),
    ("replaceComments", Named::Apply(Transform::ReplaceComments)),
    ("replaceNulls", Named::Apply(Transform::ReplaceNulls)),
    ("sha1", Named::Apply(Transform::Sha1)),
    ("sqlHexDecode", Named::Apply(Transform::SqlHexDecode)),
    ("trim", Named::Apply(Transform::Trim)),
    ("trimLeft", Named::Apply(Transform::TrimLeft)),
    ("trimRight", Named::Apply(Transform::TrimRight)),
    ("uppercase", Named::Apply(Transform::Uppercase)),
    ("urlDecode", Named::Apply(Transform::UrlDecode)),
    ("urlDecodeUni", Named::Apply(Transform::UrlDecodeUni)),
    ("urlEncode", Named::Apply(Transform::UrlEncode)),
    ("utf8toUnicode", Named::Apply(Transform::Utf8ToUnicode)),
];

impl Transform {
    /// The name that stands after `t:`.
    pub(crate) fn name(self) -> &'static str {
        let mut names = NAMES.iter();
        let found = names.find(|(_, named)| *named == Named::Apply(self));
        found.map_or("", |&(name, _)| name)
    }

    /// Writes the transformed input to `out`, which must come empty, and says whether it differs
    /// from the input. When it does not, what `out` holds means nothing. `map` is the one of
    /// `SecUnicodeMapFile`.
    pub(crate) fn apply(self, input: &[u8], map: Option<&UnicodeMap>, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Base64Decode => encode::base64_decode(input, out),
            Self::Base64DecodeExt => encode::base64_decode_ext(input, out),
            Self::Base64Encode => encode::base64_encode(input, out),
            Self::CmdLine => cmdline::cmd_line(input, out),
            Self::CompressWhitespace => space::compress(input, out),
            Self::CssDecode => css::decode(input, out),
            Self::EscapeSeqDecode => escape::decode(input, out),
            Self::HexDecode => encode::hex_decode(input, out),
            Self::HexEncode => encode::hex_encode(input, out),
            Self::HtmlEntityDecode => html::entity_decode(input, out),
            Self::JsDecode => js::decode(input, out),
            Self::Length => length(input, out),
            Self::Lowercase => case::lower(input, out),
            Self::Md5 => digest::md5(input, out),
            Self::NormalizePath => path::normalize(input, out),
            Self::NormalizePathWin => path::normalize_win(input, out),
            Self::ParityEven7Bit => parity::even(input, out),
            Self::ParityOdd7Bit => parity::odd(input, out),
            Self::ParityZero7Bit => parity::zero(input, out),
            Self::RemoveComments => comments::remove(input, out),
            Self::RemoveCommentsChar => comments::remove_marks(input, out),
            Self::RemoveNulls => nulls::remove(input, out),
            Self::RemoveWhitespace => space::remove(input, out),
            Self::ReplaceComments => comments::replace(input, out),
            Self::ReplaceNulls => nulls::replace(input, out),
            Self::Sha1 => digest::sha1(input, out),
            Self::SqlHexDecode => sql::hex_decode(input, out),
            Self::Trim => space::trim(input, out, true, true),
            Self::TrimLeft => space::trim(input, out, true, false),
            Self::TrimRight => space::trim(input, out, false, true),
            Self::Uppercase => case::upper(input, out),
            Self::UrlDecode => url::decode(input, out),
            Self::UrlDecodeUni => url::decode_uni(input, map, out),
            Self::UrlEncode => url::encode(input, out),
            Self::Utf8ToUnicode => unicode::utf8_to_unicode(input, out),
        }
    }
}

pub(crate) use unicode::UnicodeMap;
pub(crate) use url::{decode_into as url_decode_into, decode_path};

fn length(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(input.len().to_string().as_bytes());
    out != input
}

/// The value of a hex digit.
fn hex(b: u8) -> Option<u8> {
    match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    }
}

/// The byte that two hex digits at the front of `input` spell.
fn hex_pair(input: &[u8]) -> Option<u8> {
    match input {
        [high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

/// Folds a four-digit code unit to one byte: the low byte, and full-width ASCII (U+FF01 to
/// U+FF5E) to the ASCII it draws.
fn fold_code_unit(high: u8, low: u8) -> u8 {
    if high == 0xff && low > 0 && low < 0x5f {
        low + 0x20
    } else {
        low
    }
}

/// The code unit that four hex digits at the front of `input` spell, as high and low byte.
fn hex_code_unit(input: &[u8]) -> Option<(u8, u8)> {
    Some((hex_pair(input)?, hex_pair(input.get(2..)?)?))
}

/// White space of the C locale, which counts the vertical tab.
fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}
