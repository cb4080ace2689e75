//! What an error quotes of the text it refuses.

use std::fmt;

/// The longest piece of refused text that an error repeats, in characters.
const LIMIT: usize = 64;

/// A bounded copy of refused text, shown in quotes with control characters escaped, so that an
/// error message can be put into a log line as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    text: String,
    cut: bool,
}

impl Excerpt {
    /// Copies the first 64 characters of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut chars = text.chars();
        let kept: String = chars.by_ref().take(LIMIT).collect();
        Self {
            text: kept,
            cut: chars.next().is_some(),
        }
    }

    /// The copied text, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}", self.text.escape_debug())?;
        f.write_str(if self.cut { "…`" } else { "`" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_and_control_bytes_are_escaped() {
        assert_eq!(Excerpt::of("a\nb").to_string(), "`a\\nb`");
        let long = Excerpt::of(&"x".repeat(1000)).to_string();
        assert_eq!(long.chars().count(), LIMIT + 3);
        assert!(long.ends_with("…`"));
    }
}
