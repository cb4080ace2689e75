//! The small rule set that protects when no other is installed.

use crate::{SourceError, Sources};

/// Our own rules: the name and text of each file, in loading order.
pub const DEFAULT_RULES: &[(&str, &str)] = &[
    (
        "gateway/10-setup.conf",
        include_str!("../rules/10-setup.conf"),
    ),
    (
        "gateway/20-protocol.conf",
        include_str!("../rules/20-protocol.conf"),
    ),
    (
        "gateway/30-scanners.conf",
        include_str!("../rules/30-scanners.conf"),
    ),
    (
        "gateway/40-files.conf",
        include_str!("../rules/40-files.conf"),
    ),
    (
        "gateway/50-sqli.conf",
        include_str!("../rules/50-sqli.conf"),
    ),
    ("gateway/60-xss.conf", include_str!("../rules/60-xss.conf")),
    (
        "gateway/70-code.conf",
        include_str!("../rules/70-code.conf"),
    ),
    (
        "gateway/80-raw-body.conf",
        include_str!("../rules/80-raw-body.conf"),
    ),
];

/// Serves [`DEFAULT_RULES`] and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Embedded;

impl Sources for Embedded {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let found = DEFAULT_RULES.iter().find(|(name, _)| *name == path);
        found
            .map(|(_, text)| text.as_bytes().to_vec())
            .ok_or(SourceError::NotFound)
    }

    fn glob(&self, _pattern: &str) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }
}
