//! The target list of a `SecRule`: `ARGS|!ARGS:token|&REQUEST_HEADERS:Host|ARGS:/^id_/`.

use super::{
    ast::{TargetAst, TargetMode},
    lexer::Word,
    span::{Complaint, Spanned},
};

/// Splits a target list; every fault is reported and the rest goes on.
pub(crate) fn parse(word: &Word, complaints: &mut Vec<Complaint>) -> Vec<TargetAst> {
    let mut cursor = Cursor { word, at: 0 };
    let mut targets = Vec::new();
    loop {
        while cursor.peek().is_some_and(is_separator) {
            cursor.at += 1;
        }
        if cursor.peek().is_none() {
            break;
        }
        match cursor.target() {
            Ok(target) => targets.push(target),
            Err(complaint) => {
                complaints.push(complaint);
                return targets;
            }
        }
    }
    if targets.is_empty() {
        complaints.push(Complaint::new(
            word.start(),
            "expected a target such as ARGS",
        ));
    }
    targets
}

fn is_separator(b: u8) -> bool {
    b == b'|' || b == b',' || b.is_ascii_whitespace()
}

struct Cursor<'a> {
    word: &'a Word,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.peek_at(self.at)
    }

    fn peek_at(&self, at: usize) -> Option<u8> {
        self.word.text.get(at).copied()
    }

    fn target(&mut self) -> Result<TargetAst, Complaint> {
        let mode = match self.peek() {
            Some(b'&') => TargetMode::Count,
            Some(b'!') => TargetMode::Exclude,
            _ => TargetMode::Inspect,
        };
        if mode != TargetMode::Inspect {
            self.at += 1;
        }
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            self.at += 1;
        }
        let name = self.word.text.get(start..self.at).unwrap_or_default();
        if name.is_empty() {
            return Err(self.complain(start, "expected the name of a variable"));
        }
        let name = Spanned::new(
            String::from_utf8_lossy(name).into_owned(),
            self.word.at(start),
        );
        let selector = match self.peek() {
            Some(b':') => {
                self.at += 1;
                Some(self.selector(&name.value)?)
            }
            None => None,
            Some(b) if is_separator(b) => None,
            Some(b) => {
                let text = format!("unexpected `{}` after the variable name", b.escape_ascii());
                return Err(self.complain(self.at, &text));
            }
        };
        Ok(TargetAst {
            mode,
            name,
            selector,
        })
    }

    fn selector(&mut self, variable: &str) -> Result<Spanned<Vec<u8>>, Complaint> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'\'') => {
                self.at += 1;
                self.quoted(start)?
            }
            Some(b'/') if !variable.eq_ignore_ascii_case("XML") => self.regex(),
            _ => self.bare(),
        };
        if value.is_empty() {
            return Err(self.complain(start, "expected a name or /pattern/ after the colon"));
        }
        Ok(Spanned::new(value, self.word.at(start)))
    }

    fn quoted(&mut self, open: usize) -> Result<Vec<u8>, Complaint> {
        let mut value = Vec::new();
        loop {
            match self.peek() {
                None => {
                    return Err(self.complain(open, "the quote that opens here is never closed"));
                }
                Some(b'\'') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') if matches!(self.peek_at(self.at + 1), Some(b'\'' | b'\\')) => {
                    value.extend(self.peek_at(self.at + 1));
                    self.at += 2;
                }
                Some(b) => {
                    value.push(b);
                    self.at += 1;
                }
            }
        }
    }

    /// `/…/` up to the slash that ends the target, so that `/(?:a|b)/` needs no quotes.
    fn regex(&mut self) -> Vec<u8> {
        let mut end = self.at + 1;
        let mut escaped = false;
        while let Some(b) = self.peek_at(end) {
            end += 1;
            let closes = b == b'/' && !escaped && self.peek_at(end).is_none_or(is_separator);
            if closes {
                let value = self
                    .word
                    .text
                    .get(self.at..end)
                    .unwrap_or_default()
                    .to_vec();
                self.at = end;
                return value;
            }
            escaped = b == b'\\' && !escaped;
        }
        self.bare()
    }

    fn bare(&mut self) -> Vec<u8> {
        let start = self.at;
        while self.peek().is_some_and(|b| !is_separator(b)) {
            self.at += 1;
        }
        self.word
            .text
            .get(start..self.at)
            .unwrap_or_default()
            .to_vec()
    }

    fn complain(&self, at: usize, message: &str) -> Complaint {
        Complaint::new(self.word.at(at), message)
    }
}
