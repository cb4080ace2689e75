//! Relations between two byte strings.

/// How a value must relate to the operator's argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    BeginsWith,
    Contains,
    /// `contains`, with no word character on either side of what was found.
    ContainsWord,
    EndsWith,
    Equals,
    /// The value is found in the argument.
    Within,
}

impl Relation {
    /// Whether `value` stands in this relation to `argument`. The empty string is found in
    /// everything.
    pub(crate) fn holds(self, value: &[u8], argument: &[u8]) -> bool {
        match self {
            Self::BeginsWith => value.starts_with(argument),
            Self::Contains => contains(value, argument),
            Self::ContainsWord => contains_word(value, argument),
            Self::EndsWith => value.ends_with(argument),
            Self::Equals => value == argument,
            Self::Within => contains(argument, value),
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

fn contains_word(haystack: &[u8], needle: &[u8]) -> bool {
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    needle.is_empty()
        || (0..haystack.len()).any(|start| {
            let (before, rest) = haystack.split_at(start);
            rest.strip_prefix(needle).is_some_and(|after| {
                !before.last().is_some_and(is_word) && !after.first().is_some_and(is_word)
            })
        })
}
