//! Tests in FTW's YAML, in the form of version 3 of the rule set and that of version 4.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// One test.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) stages: Vec<Stage>,
}

/// One request of a test and what is expected of it.
pub(crate) struct Stage {
    pub(crate) input: Input,
    pub(crate) output: Output,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Input {
    pub(crate) method: Option<String>,
    pub(crate) uri: Option<String>,
    /// Sends the request once to each of these.
    pub(crate) uris: Vec<String>,
    pub(crate) version: Option<String>,
    #[serde(deserialize_with = "pairs")]
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) ordered_headers: Vec<Header>,
    pub(crate) data: Option<String>,
    /// The body, in Base64.
    pub(crate) encoded_data: Option<String>,
    /// The whole request, in Base64.
    pub(crate) encoded_request: Option<String>,
    pub(crate) raw_request: Option<String>,
    /// Leaves headers as they are written.
    pub(crate) stop_magic: Option<bool>,
    pub(crate) autocomplete_headers: Option<bool>,
    pub(crate) response: Option<Response>,
}

impl Input {
    /// The targets to send the request to, each in place of `uri`.
    pub(crate) fn targets(&self) -> Vec<Option<&str>> {
        if self.uris.is_empty() {
            vec![None]
        } else {
            self.uris.iter().map(|uri| Some(uri.as_str())).collect()
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// What the origin is to answer.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Response {
    pub(crate) status: Option<u16>,
    #[serde(deserialize_with = "pairs")]
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    #[serde(alias = "encodedBody")]
    pub(crate) encoded_body: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Output {
    pub(crate) status: Option<Statuses>,
    pub(crate) log_contains: Option<String>,
    pub(crate) no_log_contains: Option<String>,
    pub(crate) log: Log,
    pub(crate) expect_error: Option<bool>,
    /// The expected rule is the only one to match.
    pub(crate) isolated: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Statuses {
    One(u16),
    Any(Vec<u16>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Log {
    pub(crate) expect_ids: Vec<u64>,
    pub(crate) no_expect_ids: Vec<u64>,
    pub(crate) match_regex: Option<String>,
    pub(crate) no_match_regex: Option<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    meta: Meta,
    rule_id: Option<u64>,
    tests: Vec<Test>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Test {
    test_title: Option<String>,
    test_id: Option<u64>,
    stages: Vec<Nested>,
}

/// Version 3 has one more level.
#[derive(Deserialize)]
#[serde(untagged)]
enum Nested {
    Wrapped { stage: Inner },
    Plain(Inner),
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    input: Input,
    #[serde(default)]
    output: Output,
}

/// Reads every enabled test under `path`, in the order of the files' names.
pub(crate) fn read(path: &Path) -> Result<Vec<Case>> {
    let mut files = Vec::new();
    gather(path, &mut files)?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        cases.extend(parse(&text).with_context(|| file.display().to_string())?);
    }
    Ok(cases)
}

/// The tests of one file, none where it is not enabled.
pub(crate) fn parse(text: &str) -> Result<Vec<Case>> {
    let file: File = serde_saphyr::from_str(text)?;
    if file.meta.enabled == Some(false) {
        return Ok(Vec::new());
    }
    let rule = file.rule_id.unwrap_or_default();
    let tests = file.tests.into_iter().zip(1..);
    let cases = tests.map(|(test, at)| Case {
        name: test
            .test_title
            .unwrap_or_else(|| format!("{rule}-{}", test.test_id.unwrap_or(at))),
        stages: test.stages.into_iter().map(Stage::from).collect(),
    });
    Ok(cases.collect())
}

impl From<Nested> for Stage {
    fn from(nested: Nested) -> Self {
        let (Nested::Wrapped { stage } | Nested::Plain(stage)) = nested;
        Self {
            input: stage.input,
            output: stage.output,
        }
    }
}

fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
        for entry in entries {
            gather(&entry?.path(), files)?;
        }
    } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
        files.push(path.to_owned());
    }
    Ok(())
}

/// A mapping as pairs in the order written.
fn pairs<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Pairs;
    impl<'de> serde::de::Visitor<'de> for Pairs {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a mapping of names to values")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                pairs.push((name, value.unwrap_or_default()));
            }
            Ok(pairs)
        }
    }
    from.deserialize_any(Pairs)
}
