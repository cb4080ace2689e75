//! Multipart forms for who judges them besides the rules: read by the same parser, and only where
//! all readers read the same.

use crate::{body::multipart, variable::Flag};

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormPart<'a> {
    /// Its name.
    pub name: Vec<u8>,
    /// The name of the file that it is; `None` where it is a field.
    pub filename: Option<Vec<u8>>,
    /// Its `Content-Type`.
    pub content_type: Option<Vec<u8>>,
    /// Its `Content-Transfer-Encoding`, which some readers undo and some do not (RFC 7578,
    /// section 4.7).
    pub transfer_encoding: Option<Vec<u8>>,
    /// What it holds.
    pub content: &'a [u8],
}

/// Reads a body of `multipart/form-data` (RFC 7578) with at most `most` parts, in order.
///
/// # Errors
/// Says what cannot be read, or what others may read otherwise.
pub fn multipart<'a>(
    content_type: &[u8],
    body: &'a [u8],
    most: usize,
) -> Result<Vec<FormPart<'a>>, &'static str> {
    let form = multipart::parse(content_type, body, most, most);
    if let Some(error) = form.error {
        return Err(error);
    }
    if let Some(odd) = form.flags.into_iter().find_map(oddity) {
        return Err(odd);
    }
    let parts = form.parts.into_iter().map(|part| FormPart {
        content_type: header(&part.headers, b"content-type"),
        transfer_encoding: header(&part.headers, b"content-transfer-encoding"),
        name: part.name,
        filename: part.filename,
        content: part.content,
    });
    Ok(parts.collect())
}

/// What is wrong where the parser raises this flag; `None` where nothing is.
fn oddity(flag: Flag) -> Option<&'static str> {
    match flag {
        // Both are ordinary: a boundary may be quoted, and content may begin with hyphens.
        Flag::BoundaryQuoted | Flag::UnmatchedBoundary => None,
        Flag::BoundaryWhitespace => Some("multipart: white space around the boundary"),
        Flag::MissingSemicolon => Some("multipart: no semicolon before the boundary"),
        Flag::CrlfLfLines | Flag::LfLine => Some("multipart: a line that ends without CRLF"),
        Flag::DataAfter => Some("multipart: data behind the last boundary"),
        Flag::DataBefore => Some("multipart: data before the first boundary"),
        Flag::FileLimitExceeded => Some("multipart: too many files"),
        Flag::HeaderFolding | Flag::InvalidHeaderFolding => {
            Some("multipart: a folded header in a part")
        }
        Flag::InvalidPart => Some("multipart: a part without a name or an end"),
        Flag::InvalidQuoting => Some("multipart: a parameter that is not quoted right"),
        Flag::InboundDataError
        | Flag::OutboundDataError
        | Flag::ReqbodyError
        | Flag::UrlencodedError
        | Flag::StrictError => Some("multipart: it is malformed"),
    }
}

/// The value of a part's header; the parser has refused those that come twice.
fn header(lines: &[Vec<u8>], name: &[u8]) -> Option<Vec<u8>> {
    lines.iter().find_map(|line| {
        let (held, value) = line.split_at(memchr::memchr(b':', line)?);
        let value = value.get(1..).unwrap_or_default();
        held.trim_ascii_end()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim_ascii().to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &[u8] = b"multipart/form-data; boundary=\"B\"";

    #[test]
    fn parts_are_read_with_their_headers() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n-----1\r\n\
            --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.png\"\r\n\
            Content-Type: image/png\r\ncontent-transfer-encoding: binary\r\n\r\n\xff\r\n--B--\r\n";
        let parts = multipart(TYPE, body, 2).unwrap();
        let [field, file] = parts.as_slice() else {
            panic!("{parts:?}")
        };
        assert_eq!(
            (field.name.as_slice(), field.content),
            (&b"a"[..], &b"-----1"[..])
        );
        assert_eq!((&field.filename, &field.content_type), (&None, &None));
        assert_eq!(file.filename.as_deref(), Some(&b"x.png"[..]));
        assert_eq!(file.content_type.as_deref(), Some(&b"image/png"[..]));
        assert_eq!(file.transfer_encoding.as_deref(), Some(&b"binary"[..]));
        assert_eq!(file.content, b"\xff");
        assert!(multipart(TYPE, body, 1).is_err(), "more parts than allowed");
    }

    #[test]
    fn what_others_may_read_otherwise_is_refused() {
        let one = |head: &str| format!("--B\r\n{head}\r\n\r\n1\r\n--B--\r\n");
        let named = one("Content-Disposition: form-data; name=\"a\"");
        assert!(multipart(TYPE, named.as_bytes(), 9).is_ok());
        for body in [
            String::new(),
            named.replace("\r\n", "\n"),
            named.replace("--B--", "--C--"),
            format!("x\r\n{named}"),
            format!("{named}x"),
            one("Content-Disposition: form-data; name='a'"),
            one("Content-Disposition: form-data;\r\n name=\"a\""),
            one("Content-Disposition: form-data"),
            one("Content-Type: text/plain"),
        ] {
            assert!(multipart(TYPE, body.as_bytes(), 9).is_err(), "{body:?}");
        }
        let named = named.as_bytes();
        for media in ["multipart/form-data", "multipart/form-data boundary=B"] {
            assert!(multipart(media.as_bytes(), named, 9).is_err(), "{media}");
        }
    }
}
