//! JSON (RFC 8259) to flat arguments, named as ModSecurity 3 names them: `{"a":{"b":[1]}}` is
//! `json.a.b.array_0` = `1`. Strict, without recursion, bounded in depth and in arguments.

/// Why a document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("JSON: unexpected byte at offset {0}")]
    Unexpected(usize),
    #[error("JSON: the document ends too early")]
    Truncated,
    #[error("JSON: invalid escape at offset {0}")]
    Escape(usize),
    #[error("JSON: nested deeper than the limit")]
    TooDeep,
    #[error("JSON: more values than the limit on arguments")]
    TooMany,
    #[error("JSON: the names of the values take too much room")]
    LongNames,
    #[error("JSON: the document is not UTF-8")]
    Encoding,
}

/// How many bytes the names of all values may take together, beside eight for each byte of the
/// document: every value of an array repeats the names around it.
const NAMES: usize = 256 * 1024;

/// Calls `emit` with the name and value of every scalar. What was emitted before a fault stands.
pub(crate) fn parse(
    input: &[u8],
    max_depth: usize,
    max_values: usize,
    emit: impl FnMut(&[u8], &[u8]),
) -> Result<(), JsonError> {
    let mut parser = Parser {
        input: input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input),
        at: 0,
        path: b"json".to_vec(),
        open: Vec::new(),
        text: Vec::new(),
        left: max_values,
        name_bytes: input.len().saturating_mul(8).saturating_add(NAMES),
        max_depth,
        emit,
    };
    parser.document()?;
    // Told last, so that rules see the values all the same.
    if std::str::from_utf8(input).is_err() {
        return Err(JsonError::Encoding);
    }
    Ok(())
}

enum Container {
    Object { base: usize },
    Array { base: usize, next: usize },
}

struct Parser<'a, F> {
    input: &'a [u8],
    at: usize,
    /// The name of the value at hand.
    path: Vec<u8>,
    /// Containers around the value at hand, with the length of their own names in `path`.
    open: Vec<Container>,
    text: Vec<u8>,
    left: usize,
    /// How many bytes further names may take.
    name_bytes: usize,
    max_depth: usize,
    emit: F,
}

impl<F: FnMut(&[u8], &[u8])> Parser<'_, F> {
    fn document(&mut self) -> Result<(), JsonError> {
        loop {
            let complete = self.value()?;
            if complete && !self.advance()? {
                break;
            }
        }
        self.skip_space();
        if self.at < self.input.len() {
            Err(JsonError::Unexpected(self.at))
        } else {
            Ok(())
        }
    }

    /// Reads a scalar, or opens a container; says whether a value is complete.
    fn value(&mut self) -> Result<bool, JsonError> {
        self.skip_space();
        match self.peek()? {
            b'{' => {
                self.at += 1;
                self.push(Container::Object {
                    base: self.path.len(),
                })?;
                self.skip_space();
                if self.peek()? == b'}' {
                    self.at += 1;
                    return self.close();
                }
                self.key()?;
                Ok(false)
            }
            b'[' => {
                self.at += 1;
                self.push(Container::Array {
                    base: self.path.len(),
                    next: 0,
                })?;
                self.skip_space();
                if self.peek()? == b']' {
                    self.at += 1;
                    return self.close();
                }
                self.element();
                Ok(false)
            }
            b'"' => {
                self.string()?;
                self.scalar()
            }
            b't' => self.word(b"true", b"true"),
            b'f' => self.word(b"false", b"false"),
            b'n' => self.word(b"null", b""),
            b'-' | b'0'..=b'9' => {
                self.number()?;
                self.scalar()
            }
            _ => Err(JsonError::Unexpected(self.at)),
        }
    }

    /// After a complete value: on to the next one, closing what ends here. False at the end.
    fn advance(&mut self) -> Result<bool, JsonError> {
        loop {
            let (base, object) = match self.open.last() {
                None => return Ok(false),
                Some(Container::Object { base }) => (*base, true),
                Some(Container::Array { base, .. }) => (*base, false),
            };
            self.path.truncate(base);
            self.skip_space();
            let b = self.peek()?;
            self.at += 1;
            match b {
                b',' if object => {
                    self.skip_space();
                    self.key()?;
                    return Ok(true);
                }
                b',' => {
                    self.element();
                    return Ok(true);
                }
                b'}' if object => {}
                b']' if !object => {}
                _ => return Err(JsonError::Unexpected(self.at - 1)),
            }
            self.close()?;
        }
    }

    fn push(&mut self, container: Container) -> Result<(), JsonError> {
        if self.open.len() >= self.max_depth {
            return Err(JsonError::TooDeep);
        }
        self.open.push(container);
        Ok(())
    }

    fn close(&mut self) -> Result<bool, JsonError> {
        match self.open.pop() {
            Some(Container::Object { base } | Container::Array { base, .. }) => {
                self.path.truncate(base);
            }
            None => return Err(JsonError::Unexpected(self.at)),
        }
        Ok(true)
    }

    /// Reads `"key":` and makes it the name at hand.
    fn key(&mut self) -> Result<(), JsonError> {
        if self.peek()? != b'"' {
            return Err(JsonError::Unexpected(self.at));
        }
        self.string()?;
        self.path.push(b'.');
        self.path.extend_from_slice(&self.text);
        self.skip_space();
        if self.peek()? != b':' {
            return Err(JsonError::Unexpected(self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Makes the next index of the array at hand the name at hand.
    fn element(&mut self) {
        if let Some(Container::Array { next, .. }) = self.open.last_mut() {
            self.path.extend_from_slice(b".array_");
            self.path.extend_from_slice(next.to_string().as_bytes());
            *next += 1;
        }
    }

    fn scalar(&mut self) -> Result<bool, JsonError> {
        self.left = self.left.checked_sub(1).ok_or(JsonError::TooMany)?;
        let name_bytes = self.name_bytes.checked_sub(self.path.len());
        self.name_bytes = name_bytes.ok_or(JsonError::LongNames)?;
        (self.emit)(&self.path, &self.text);
        Ok(true)
    }

    fn word(&mut self, word: &[u8], value: &[u8]) -> Result<bool, JsonError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(JsonError::Unexpected(self.at));
        }
        self.at += word.len();
        self.text.clear();
        self.text.extend_from_slice(value);
        self.scalar()
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        self.text.clear();
        self.text
            .extend_from_slice(self.input.get(start..self.at).unwrap_or_default());
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.input.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.unexpected())
        } else {
            Ok(())
        }
    }

    fn eat(&mut self, b: u8) -> bool {
        let found = self.input.get(self.at) == Some(&b);
        self.at += usize::from(found);
        found
    }

    /// Reads a string, its escapes resolved, into `text`.
    fn string(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        self.text.clear();
        loop {
            let b = self.peek()?;
            self.at += 1;
            match b {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..=0x1f => return Err(JsonError::Unexpected(self.at - 1)),
                _ => self.text.push(b),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let b = self.peek()?;
        self.at += 1;
        let byte = match b {
            b'"' | b'\\' | b'/' => b,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let c = self.code_point()?;
                let mut utf8 = [0; 4];
                self.text
                    .extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                return Ok(());
            }
            _ => return Err(JsonError::Escape(self.at - 1)),
        };
        self.text.push(byte);
        Ok(())
    }

    /// Reads the digits of `\uHHHH`, and of the surrogate that pairs with it; a lone surrogate is
    /// the replacement character.
    fn code_point(&mut self) -> Result<char, JsonError> {
        let high = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        if self
            .input
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(b"\\u"))
        {
            self.at += 2;
            let low = self.code_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let value = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn code_unit(&mut self) -> Result<u32, JsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16);
            value = value << 4 | digit.ok_or(JsonError::Escape(self.at))?;
            self.at += 1;
        }
        Ok(value)
    }

    fn skip_space(&mut self) {
        while matches!(self.input.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, JsonError> {
        self.input.get(self.at).copied().ok_or(JsonError::Truncated)
    }

    fn unexpected(&self) -> JsonError {
        if self.at < self.input.len() {
            JsonError::Unexpected(self.at)
        } else {
            JsonError::Truncated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(input: &str) -> Result<Vec<String>, JsonError> {
        let mut pairs = Vec::new();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        parse(input.as_bytes(), 4, 8, |n, v| {
            pairs.push(format!("{}={}", text(n), text(v)))
        })?;
        Ok(pairs)
    }

    #[test]
    fn flattens() {
        let table: &[(&str, &[&str])] = &[
            (
                r#"{"a":{"b":[1,"x"]}}"#,
                &["json.a.b.array_0=1", "json.a.b.array_1=x"],
            ),
            (
                r#"{"a":[{"b":1},{"c":2}],"d":3}"#,
                &["json.a.array_0.b=1", "json.a.array_1.c=2", "json.d=3"],
            ),
            (
                r#"[[],{},[true,null,false]]"#,
                &[
                    "json.array_2.array_0=true",
                    "json.array_2.array_1=",
                    "json.array_2.array_2=false",
                ],
            ),
            (r#" "alone" "#, &["json=alone"]),
            (r#"{"a":-1.5e+3}"#, &["json.a=-1.5e+3"]),
            (
                r#"{"a":"\u0041\n\u00e9\ud83d\ude00\ud83dx\/"}"#,
                &["json.a=A\né😀\u{fffd}x/"],
            ),
            (r#"{"a":1,"a":2}"#, &["json.a=1", "json.a=2"]),
            ("\u{feff}[1]", &["json.array_0=1"]),
        ];
        for (input, expected) in table {
            assert_eq!(flat(input).unwrap(), *expected, "{input}");
        }
    }

    #[test]
    fn refuses() {
        for input in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "[1 2]",
            "01",
            "1.",
            "-",
            "\"a",
            "tru",
            "[1}",
            "{\"a\":1,}",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "1 1",
            "]",
            ",",
        ] {
            assert!(flat(input).is_err(), "{input}");
        }
        let mut seen = Vec::new();
        let outcome = parse(b"[\"\xff\"]", 4, 8, |_, value| seen.push(value.to_vec()));
        assert_eq!(
            (outcome, seen),
            (Err(JsonError::Encoding), vec![b"\xff".to_vec()])
        );
        assert_eq!(flat("[[[[[1]]]]]"), Err(JsonError::TooDeep));
        assert_eq!(flat("[1,2,3,4,5,6,7,8,9]"), Err(JsonError::TooMany));
        let long = |bytes: usize| format!("{{\"{}\":[1,2,3,4,5,6,7,8]}}", "n".repeat(bytes));
        assert!(flat(&long(60_000)).is_ok());
        let mut names = 0;
        let outcome = parse(long(500_000).as_bytes(), 4, 1000, |name, _| {
            names += name.len()
        });
        assert!(outcome.is_ok());
        let many = format!("{{\"{}\":[{}1]}}", "n".repeat(500_000), "1,".repeat(900));
        let outcome = parse(many.as_bytes(), 4, 1000, |name, _| names += name.len());
        assert_eq!(outcome, Err(JsonError::LongNames));
        assert!(names < 10_000_000, "{names}");
    }
}
