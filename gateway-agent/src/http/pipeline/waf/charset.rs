//! Character encodings in which rules can read.

use http::HeaderMap;
use http::header;

/// Those in which the bytes that rules look for stand for themselves. In UTF-16, UTF-7 or EBCDIC
/// an attack has other bytes, and an upstream that knows them reads it all the same.
const READABLE: [&[u8]; 6] = [
    b"utf-8",
    b"utf8",
    b"us-ascii",
    b"iso-8859-1",
    b"iso-8859-15",
    b"windows-1252",
];

/// Whether the body of a request says of itself nothing that rules cannot read.
pub(in super::super) fn is_readable(fields: &HeaderMap) -> bool {
    fields.get_all(header::CONTENT_TYPE).iter().all(|value| {
        value
            .as_bytes()
            .split(|byte| matches!(byte, b';' | b',' | b' ' | b'\t'))
            .filter_map(charset)
            .all(|name| {
                READABLE
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known))
            })
    })
}

/// The value of a parameter, when it is the character encoding.
fn charset(parameter: &[u8]) -> Option<&[u8]> {
    let at = parameter.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (parameter.get(..at)?, parameter.get(at + 1..)?);
    let is_charset = name.trim_ascii().eq_ignore_ascii_case(b"charset");
    let quotes = |byte: &u8| matches!(byte, b'"' | b'\'');
    let value = value.trim_ascii();
    let start = value.iter().position(|byte| !quotes(byte)).unwrap_or(0);
    let end = value.iter().rposition(|byte| !quotes(byte)).unwrap_or(0);
    value.get(start..=end).filter(|_| is_charset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_cannot_read_is_known() {
        for (value, readable) in [
            ("application/json", true),
            ("text/html; charset=utf-8", true),
            ("text/html;Charset=\"UTF-8\"", true),
            ("multipart/form-data; boundary=charset", true),
            ("text/html; charset=iso-8859-1; x=y", true),
            ("text/html; charset=utf-7", false),
            ("text/html; charset=utf-8; charset=ibm037", false),
            ("text/html; charset=\"utf-16\"", false),
            ("text/html charset=utf-16", false),
            ("text/html; charset=", true),
            ("text/html; charset='ibm500'", false),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(header::CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(is_readable(&fields), readable, "{value}");
        }
        assert!(is_readable(&HeaderMap::new()));
    }
}
