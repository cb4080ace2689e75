//! Reading the files that contracts are written in.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, budget, options};

use super::json;

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// How deep values may stand in one another.
const MAX_DEPTH: usize = 64;
/// How many values a file may hold.
const MAX_VALUES: usize = 200_000;

/// Why a contract cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractFault {
    /// The file.
    pub file: PathBuf,
    /// The place in it, as a JSON pointer (RFC 6901); `None` for the whole file.
    pub pointer: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ContractFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(pointer) = &self.pointer {
            write!(f, "#{pointer}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ContractFault {}

/// A file and the value in it.
#[derive(Clone, Debug)]
pub(super) struct Document {
    file: PathBuf,
    pub(super) root: Value,
}

impl Document {
    /// Reads a file of JSON or YAML.
    ///
    /// # Errors
    /// When it cannot be read, is neither, or goes beyond what is read.
    pub(super) fn read(file: &Path) -> Result<Self, ContractFault> {
        let fault = |message: String| ContractFault {
            file: file.to_owned(),
            pointer: None,
            message,
        };
        let text = bytes(file).map_err(fault)?;
        let root = if file.extension().is_some_and(|end| end == "json") {
            json::parse(&text)
                .map_err(|found| fault(found.to_string()))?
                .0
        } else {
            yaml(&text).map_err(fault)?
        };
        Ok(Self {
            file: file.to_owned(),
            root,
        })
    }

    /// A fault at a place in it.
    pub(super) fn fault(&self, pointer: &str, message: impl Into<String>) -> ContractFault {
        ContractFault {
            file: self.file.clone(),
            pointer: Some(pointer.to_owned()),
            message: message.into(),
        }
    }
}

/// One step of a JSON pointer (RFC 6901 section 3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    let file = File::open(file).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err("found a folder, expected a file".into());
    }
    let mut text = Vec::new();
    // One byte more than is allowed, so that a larger file is seen to be one.
    let bound = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    file.take(bound).read_to_end(&mut text).map_err(failed)?;
    if text.len() > MAX_BYTES {
        return Err(format!("the file is larger than {} MiB", MAX_BYTES >> 20));
    }
    Ok(text)
}

fn yaml(text: &[u8]) -> Result<Value, String> {
    let bounded = options! {
        budget: budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_VALUES,
            max_events: 2 * MAX_VALUES,
            max_aliases: 1000,
            max_anchors: 1000,
            max_total_scalar_bytes: MAX_BYTES,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // As YAML 1.2 has it: `no` is a word.
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_slice_with_options(text, bounded)
        .map_err(|error| format!("it is no YAML: {}", error.to_string().replace('\n', " ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, text: &str) -> Result<Value, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        Document::read(&file)
            .map(|document| document.root)
            .map_err(|fault| {
                fault
                    .to_string()
                    .replace(&format!("{}/", folder.path().display()), "")
            })
    }

    #[test]
    fn yaml_and_json_are_read() {
        let value = json!({"a": {"b": [1, "no", true, 2.5]}});
        assert_eq!(read("a.json", &value.to_string()).unwrap(), value);
        assert_eq!(read("a.yaml", &value.to_string()).unwrap(), value);
        let text = "a:\n  b: [1, no, true, 2.5]\n";
        assert_eq!(read("a.yaml", text).unwrap(), value);
    }

    #[test]
    fn faults_name_the_file() {
        let refused = |name, text: &str| read(name, text).unwrap_err();
        assert_eq!(
            refused("a.json", "{\"a\": 1, \"a\": 2}"),
            "a.json: an object has the same key twice"
        );
        assert!(refused("a.yaml", "a: 1\na: 2\n").starts_with("a.yaml: it is no YAML"));
        assert!(refused("a.yaml", "a: [\n").starts_with("a.yaml: it is no YAML"));
        let large = format!("\"{}\"", "x".repeat(MAX_BYTES));
        assert_eq!(
            refused("a.json", &large),
            "a.json: the file is larger than 4 MiB"
        );
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(refused("a.yaml", &deep).starts_with("a.yaml: it is no YAML"));
        let fault = Document::read(Path::new("/nowhere/a.json")).unwrap_err();
        assert!(
            fault
                .to_string()
                .starts_with("/nowhere/a.json: cannot be read: ")
        );
    }
}
