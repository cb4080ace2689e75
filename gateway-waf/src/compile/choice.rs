//! Which rules a tuning directive or a `ctl` action means.

use crate::{
    operator::Rx,
    ruleset::{Rule, RuleBits},
};

/// A way to name rules.
#[derive(Debug)]
pub(crate) enum Choice {
    /// Ids within any of these inclusive ranges.
    Ids(Vec<(u64, u64)>),
    /// A pattern that matches one of the rule's tags.
    Tag(Rx),
    /// A pattern that matches the rule's message.
    Message(Rx),
}

impl Choice {
    /// Reads ids and ranges (`1`, `1-9`), separated by white space or commas.
    ///
    /// # Errors
    /// Names the word that is neither.
    pub(crate) fn ids(text: &str) -> Result<Self, String> {
        let mut ranges = Vec::new();
        for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            let (low, high) = word.split_once('-').unwrap_or((word, word));
            match (low.parse(), high.parse()) {
                (Ok(low), Ok(high)) if low <= high => ranges.push((low, high)),
                _ => {
                    return Err(format!(
                        "expected a rule id or a range such as 1-9, found {word}"
                    ));
                }
            }
        }
        if ranges.is_empty() {
            return Err("expected a rule id".to_owned());
        }
        Ok(Self::Ids(ranges))
    }

    /// Reads a pattern over tags.
    ///
    /// # Errors
    /// Says why the pattern is refused.
    pub(crate) fn tag(pattern: &str) -> Result<Self, String> {
        Ok(Self::Tag(Rx::new(pattern.as_bytes(), false)?))
    }

    /// Reads a pattern over messages.
    ///
    /// # Errors
    /// Says why the pattern is refused.
    pub(crate) fn message(pattern: &str) -> Result<Self, String> {
        Ok(Self::Message(Rx::new(pattern.as_bytes(), false)?))
    }

    /// Reads what a configuration writes: ids and ranges, or a pattern behind `tag:` or `msg:`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(pattern) = text.strip_prefix("tag:") {
            Self::tag(pattern)
        } else if let Some(pattern) = text.strip_prefix("msg:") {
            Self::message(pattern)
        } else {
            Self::ids(text)
        }
    }

    /// Whether `rule` is meant.
    pub(crate) fn admits(&self, rule: &Rule) -> bool {
        match self {
            Self::Ids(ranges) => ranges
                .iter()
                .any(|&(low, high)| (low..=high).contains(&rule.id)),
            Self::Tag(rx) => rule.meta.tags.iter().any(|tag| rx.is_match(tag.source())),
            Self::Message(rx) => rule
                .meta
                .message
                .as_ref()
                .is_some_and(|m| rx.is_match(m.source())),
        }
    }

    /// The rules meant, by index.
    pub(crate) fn among(&self, rules: &[Rule]) -> RuleBits {
        RuleBits::of(
            rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| self.admits(rule))
                .map(|(i, _)| i),
        )
    }
}
