//! XML to what rules look at: the text of the document and the values of its attributes.
//!
//! A reader of well-formed documents, not a validator. It fetches nothing and expands nothing:
//! entity declarations, with which a document can hide or multiply what it says, are refused.

use std::ops::Range;

/// Why a document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum XmlError {
    #[error("XML: unexpected text at offset {0}")]
    Unexpected(usize),
    #[error("XML: the document ends too early")]
    Truncated,
    #[error("XML: the document declares entities")]
    Entities,
    #[error("XML: a character set other than UTF-8 or Latin-1")]
    Encoding,
    #[error("XML: nested deeper than the limit")]
    TooDeep,
    #[error("XML: more attributes than the limit on arguments")]
    TooMany,
}

/// How deep elements may nest.
const MAX_DEPTH: usize = 512;

/// What a document says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    /// The text of all elements in order.
    pub(crate) text: Vec<u8>,
    /// The pieces of `text` between two tags; those of white space alone are left out.
    pub(crate) runs: Vec<Run<'a>>,
    /// Names and values of all attributes in order.
    pub(crate) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Text between two tags. Comments and CDATA sections do not part it: readers join what stands
/// around them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    /// Where it stands in the text of the document.
    pub(crate) range: Range<usize>,
    /// The name of the element around it, without its namespace.
    pub(crate) element: &'a [u8],
}

/// Reads `input` into `document`. What was read before a fault stands.
pub(crate) fn parse<'a>(
    input: &'a [u8],
    max_attributes: usize,
    document: &mut Document<'a>,
) -> Result<(), XmlError> {
    if input.starts_with(b"\xfe\xff") || input.starts_with(b"\xff\xfe") || input.contains(&0) {
        return Err(XmlError::Encoding);
    }
    let at = if input.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let mut reader = Reader {
        input,
        at,
        open: Vec::new(),
        seen_root: false,
        max_attributes,
        run_from: 0,
    };
    let outcome = reader.document(document);
    reader.end_run(document);
    outcome
}

struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    open: Vec<&'a [u8]>,
    seen_root: bool,
    max_attributes: usize,
    /// Where the text begins that stands behind the last tag.
    run_from: usize,
}

impl<'a> Reader<'a> {
    /// Notes the text since the last tag; the element around it is still open.
    fn end_run(&mut self, document: &mut Document<'a>) {
        let range = self.run_from..document.text.len();
        self.run_from = range.end;
        let text = document.text.get(range.clone()).unwrap_or_default();
        if !text.trim_ascii().is_empty() {
            let name = self.open.last().copied().unwrap_or_default();
            let local = name.rsplit(|&b| b == b':').next().unwrap_or(name);
            document.runs.push(Run {
                range,
                element: local,
            });
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn unexpected<T>(&self) -> Result<T, XmlError> {
        if self.rest().is_empty() {
            Err(XmlError::Truncated)
        } else {
            Err(XmlError::Unexpected(self.at))
        }
    }

    fn document(&mut self, document: &mut Document<'a>) -> Result<(), XmlError> {
        while let Some(&b) = self.rest().first() {
            if b == b'<' {
                self.markup(document)?;
            } else {
                let end = memchr::memchr(b'<', self.rest()).unwrap_or(self.rest().len());
                let (text, _) = self.rest().split_at(end);
                if self.open.is_empty() && !text.trim_ascii().is_empty() {
                    return self.unexpected();
                }
                if !self.open.is_empty() {
                    unescape(text, &mut document.text);
                }
                self.at += end;
            }
        }
        if self.seen_root && self.open.is_empty() {
            Ok(())
        } else {
            Err(XmlError::Truncated)
        }
    }

    fn markup(&mut self, document: &mut Document<'a>) -> Result<(), XmlError> {
        let rest = self.rest();
        if rest.starts_with(b"<!--") {
            self.skip_past(b"-->", 4)?;
        } else if let Some(data) = rest.strip_prefix(b"<![CDATA[") {
            let end = memchr::memmem::find(data, b"]]>").ok_or(XmlError::Truncated)?;
            if self.open.is_empty() {
                return self.unexpected();
            }
            document
                .text
                .extend_from_slice(data.get(..end).unwrap_or_default());
            self.at += b"<![CDATA[".len() + end + b"]]>".len();
        } else if rest.starts_with(b"<?") {
            let start = self.at;
            self.skip_past(b"?>", 2)?;
            check_declaration(self.input.get(start..self.at).unwrap_or_default())?;
        } else if rest.starts_with(b"<!DOCTYPE") {
            self.doctype()?;
        } else if rest.starts_with(b"</") {
            self.at += 2;
            let name = self.name()?;
            self.skip_space();
            self.end_run(document);
            if self.open.pop() != Some(name) || !self.eat(b">") {
                return self.unexpected();
            }
        } else {
            self.element(document)?;
        }
        Ok(())
    }

    fn element(&mut self, document: &mut Document<'a>) -> Result<(), XmlError> {
        if self.open.is_empty() && self.seen_root {
            return self.unexpected();
        }
        self.end_run(document);
        self.seen_root = true;
        self.at += 1;
        let name = self.name()?;
        loop {
            let spaced = self.skip_space();
            if self.eat(b"/>") {
                return Ok(());
            }
            if self.eat(b">") {
                if self.open.len() >= MAX_DEPTH {
                    return Err(XmlError::TooDeep);
                }
                self.open.push(name);
                return Ok(());
            }
            if !spaced {
                return self.unexpected();
            }
            let attribute = self.name()?.to_vec();
            self.skip_space();
            if !self.eat(b"=") {
                return self.unexpected();
            }
            self.skip_space();
            let value = self.attribute_value()?;
            if document.attributes.len() >= self.max_attributes {
                return Err(XmlError::TooMany);
            }
            // A namespace is no attribute, though it is written as one.
            if attribute != b"xmlns" && !attribute.starts_with(b"xmlns:") {
                document.attributes.push((attribute, value));
            }
        }
    }

    fn attribute_value(&mut self) -> Result<Vec<u8>, XmlError> {
        let Some((&quote @ (b'"' | b'\''), text)) = self.rest().split_first() else {
            return self.unexpected();
        };
        let end = memchr::memchr(quote, text).ok_or(XmlError::Truncated)?;
        let text = text.get(..end).unwrap_or_default();
        if text.contains(&b'<') {
            return self.unexpected();
        }
        // White space that is written out counts as spaces (XML 1.0, section 3.3.3).
        let spaces = |&b: &u8| if b.is_ascii_whitespace() { b' ' } else { b };
        let text: Vec<u8> = text.iter().map(spaces).collect();
        let mut value = Vec::new();
        unescape(&text, &mut value);
        self.at += end + 2;
        Ok(value)
    }

    /// A document type with an external subset is passed over, one with declarations refused.
    fn doctype(&mut self) -> Result<(), XmlError> {
        if self.seen_root {
            return self.unexpected();
        }
        let end = self.rest().iter().position(|b| matches!(b, b'>' | b'['));
        let end = end.ok_or(XmlError::Truncated)?;
        if self.rest().get(end) == Some(&b'[') {
            return Err(XmlError::Entities);
        }
        self.at += end + 1;
        Ok(())
    }

    fn name(&mut self) -> Result<&'a [u8], XmlError> {
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80 || b"_:.-".contains(b);
        let end = self
            .rest()
            .iter()
            .position(|b| !is_name(b))
            .unwrap_or(self.rest().len());
        let (name, _) = self.rest().split_at(end);
        if name.is_empty() || matches!(name.first(), Some(b'0'..=b'9' | b'-' | b'.')) {
            return self.unexpected();
        }
        self.at += end;
        Ok(name)
    }

    fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let trimmed = rest.trim_ascii_start();
        self.at += rest.len() - trimmed.len();
        trimmed.len() < rest.len()
    }

    fn eat(&mut self, token: &[u8]) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn skip_past(&mut self, token: &[u8], from: usize) -> Result<(), XmlError> {
        let text = self.rest().get(from..).unwrap_or_default();
        let end = memchr::memmem::find(text, token).ok_or(XmlError::Truncated)?;
        self.at += from + end + token.len();
        Ok(())
    }
}

/// Refuses a declaration of an encoding whose bytes mean something else than they seem to.
fn check_declaration(declaration: &[u8]) -> Result<(), XmlError> {
    let lower = declaration.to_ascii_lowercase();
    if !lower.starts_with(b"<?xml ") {
        return Ok(());
    }
    let Some(at) = memchr::memmem::find(&lower, b"encoding") else {
        return Ok(());
    };
    let value = lower.get(at + b"encoding".len()..).unwrap_or_default();
    let is_mark = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'=' | b'"' | b'\'');
    let start = value
        .iter()
        .position(|b| !is_mark(b))
        .unwrap_or(value.len());
    let value = value.get(start..).unwrap_or_default();
    let end = value.iter().position(is_mark).unwrap_or(value.len());
    let known: [&[u8]; 4] = [b"utf-8", b"iso-8859-1", b"us-ascii", b"windows-1252"];
    if known.contains(&value.get(..end).unwrap_or_default()) {
        Ok(())
    } else {
        Err(XmlError::Encoding)
    }
}

/// Resolves character references and the five predefined entities; others stay as written.
fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (before, reference) = rest.split_at(at);
        out.extend_from_slice(before);
        let end = memchr::memchr(
            b';',
            reference.get(..12.min(reference.len())).unwrap_or_default(),
        );
        let resolved = end.and_then(|end| resolve(reference.get(1..end)?));
        match (resolved, end) {
            (Some(c), Some(end)) => {
                let mut utf8 = [0; 4];
                out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                rest = reference.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push(b'&');
                rest = reference.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
}

fn resolve(name: &[u8]) -> Option<char> {
    match name {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x', digits @ ..] => code_point(digits, 16),
        [b'#', digits @ ..] => code_point(digits, 10),
        _ => None,
    }
}

fn code_point(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> Result<(String, Vec<String>), XmlError> {
        let mut document = Document::default();
        parse(input.as_bytes(), 3, &mut document)?;
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let attributes = document.attributes.iter();
        let attributes = attributes
            .map(|(n, v)| format!("{}={}", text(n), text(v)))
            .collect();
        Ok((text(&document.text), attributes))
    }

    #[test]
    fn text_and_attributes() {
        let (text, attributes) = read(
            "\u{feff}<?xml version=\"1.0\" encoding='UTF-8'?>\n<!-- <x> --><!DOCTYPE a SYSTEM \"a\">\
             <a:b x = \"1&quot;\" y='&#60;'>one<c/>&lt;two&#x41;&nosuch;<![CDATA[<three>]]><d z=''>\
             4</d ></a:b>\n",
        )
        .unwrap();
        assert_eq!(text, "one<twoA&nosuch;<three>4");
        assert_eq!(attributes, ["x=1\"", "y=<", "z="]);
    }

    #[test]
    fn text_is_known_by_the_element_around_it() {
        let mut document = Document::default();
        let input = b"<s:e> <p>on<!-- x -->e<![CDATA[ two]]></p>\n<n:q>a<b/>&lt;c</n:q> d</s:e>";
        parse(input, 3, &mut document).unwrap();
        let runs = document.runs.iter().map(|run| {
            let text = &document.text[run.range.clone()];
            (text, run.element)
        });
        let runs: Vec<(&[u8], &[u8])> = runs.collect();
        assert_eq!(
            runs,
            [
                (&b"one two"[..], &b"p"[..]),
                (b"a", b"q"),
                (b"<c", b"q"),
                (b" d", b"e"),
            ]
        );
        let mut cut = Document::default();
        assert!(parse(b"<a><b>half", 3, &mut cut).is_err());
        assert_eq!(cut.runs.len(), 1, "what was read before a fault stands");
    }

    #[test]
    fn faults() {
        for input in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a><b></a></b>",
            "<a/><b/>",
            "<a b></a>",
            "<a b=c></a>",
            "<a b='<'/>",
            "<a b='1'c='2'/>",
            "<1/>",
            "<a",
            "<!-- x",
            "<a><![CDATA[x</a>",
            "<![CDATA[x]]>",
            "</a>",
            "<a>\0</a>",
            "<?xml version='1.0' encoding='utf-7'?><a/>",
            "<?xml encoding='utf-16'?><a/>",
            "<a w='' x='' y='' z=''/>",
        ] {
            assert!(read(input).is_err(), "{input:?}");
        }
        let bomb = "<!DOCTYPE a [<!ENTITY b \"x\">]><a>&b;</a>";
        assert_eq!(read(bomb), Err(XmlError::Entities));
        assert_eq!(read(&"<a>".repeat(600)), Err(XmlError::TooDeep));
    }
}
