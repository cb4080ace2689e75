//! Rules of the web application firewall, by what they have in common.

use std::fmt;
use std::str::FromStr;

use gateway_waf::Waf;

use super::text_serde;

/// An id, a range of ids (`942100-942199`), or `tag:` or `msg:` with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChoice(String);

impl RuleChoice {
    /// The choice as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Waf::check_choice(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RuleChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(
    RuleChoice,
    "a rule id, a range such as 1-9, tag:PATTERN or msg:PATTERN",
    numbers: true
);
