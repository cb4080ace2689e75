//! `@rx`: PCRE patterns, compiled to linear-time automata over bytes.

mod ast;
mod class;
mod emit;
mod parse;
mod set;

use std::ops::Range;

/// How large one compiled pattern may grow.
const SIZE_LIMIT: usize = 8 << 20;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Rx {
    regex: regex::bytes::Regex,
}

/// Where a match and its groups lie; entry 0 is the whole match.
pub(crate) type Spans = Vec<Option<Range<usize>>>;

impl Rx {
    /// Compiles `pattern`; `fold_case` makes it ignore ASCII case throughout.
    ///
    /// # Errors
    /// Says what is wrong or not supported, and at which byte of the pattern where that is known.
    pub(crate) fn new(pattern: &[u8], fold_case: bool) -> Result<Self, String> {
        let parsed = parse::parse(pattern, fold_case)
            .map_err(|e| format!("the pattern has {} at byte {}", e.message, e.offset))?;
        let translated = emit::emit(&parsed).map_err(|e| format!("the pattern uses {e}"))?;
        let regex = regex::bytes::RegexBuilder::new(&translated)
            .unicode(false)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|e| format!("the pattern does not compile: {}", one_line(&e.to_string())))?;
        Ok(Self { regex })
    }

    /// The leftmost match.
    pub(crate) fn find(&self, input: &[u8]) -> Option<Range<usize>> {
        self.regex.find(input).map(|m| m.range())
    }

    /// Whether the pattern matches anywhere.
    pub(crate) fn is_match(&self, input: &[u8]) -> bool {
        self.regex.is_match(input)
    }

    /// The leftmost match and its first `limit` groups, the match itself counted.
    pub(crate) fn captures(&self, input: &[u8], limit: usize) -> Option<Spans> {
        let captures = self.regex.captures(input)?;
        Some(
            captures
                .iter()
                .take(limit)
                .map(|m| m.map(|m| m.range()))
                .collect(),
        )
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
