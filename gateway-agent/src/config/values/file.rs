//! Names of files, and where a log goes.

use std::str::FromStr;

use super::{quoted, text_serde};

/// The name of a file as it is written; relative ones start from the folder of the main
/// configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName(String);

impl FileName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains('\0') {
            return Err(format!(
                "found {}, expected the name of a file",
                quoted(text)
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

text_serde!(FileName, "the name of a file", numbers: false);

/// Where the access log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogTarget {
    /// Nowhere: `off`.
    Off,
    /// To the standard error stream: `stderr`.
    Stderr,
    /// To the end of a file; one that is called `off` is `./off`.
    File(FileName),
}

impl FromStr for LogTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "stderr" => Ok(Self::Stderr),
            _ => text
                .parse()
                .map(Self::File)
                .map_err(|e| format!("{e}, stderr or off")),
        }
    }
}

text_serde!(LogTarget, "the name of a file, stderr or off", numbers: false);
