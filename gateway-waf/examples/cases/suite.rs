//! Test cases: payloads, the ways in which they are written, and the places where they stand.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    encode,
    place::{self, Request},
};

/// A file of test cases.
#[derive(Deserialize)]
pub(crate) struct Case {
    #[serde(skip)]
    pub(crate) name: String,
    /// Whether its payloads are attacks.
    #[serde(skip)]
    pub(crate) attacks: bool,
    payload: Vec<String>,
    encoder: Vec<String>,
    placeholder: Vec<Value>,
}

impl Case {
    /// Texts that have to pass, as searches and as fields of forms.
    pub(crate) fn of_texts<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let lines = lines.map(str::trim).filter(|line| !line.is_empty());
        Self {
            name: "texts".to_owned(),
            attacks: false,
            payload: lines.map(str::to_owned).collect(),
            encoder: vec!["URL".to_owned()],
            placeholder: vec![json!("URLParam"), json!("HTMLForm")],
        }
    }

    /// Every request of the case, with a word on what it is. Those that no client could send are
    /// left out.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (String, Request)> {
        let written = self.payload.iter().flat_map(|payload| {
            let one = move |encoder: &String| {
                let text = encode::apply(encoder, payload);
                (payload, encoder.clone(), text)
            };
            self.encoder.iter().map(one)
        });
        written.flat_map(|(payload, encoder, text)| {
            self.placeholder.iter().filter_map(move |at| {
                let what = format!("{encoder} in {at}: {}", payload.escape_debug());
                let put = match &text {
                    Ok(text) => place::put(at, text).map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                put.unwrap_or_else(|error| {
                    eprintln!("left out: {what}: {error}");
                    None
                })
                .map(|request| (what, request))
            })
        })
    }
}

/// Reads every case under `folder`, in the order of the files' names.
pub(crate) fn read(folder: &Path) -> Result<Vec<Case>> {
    let mut files = Vec::new();
    gather(folder, &mut files)?;
    files.sort();
    let one = |file: &PathBuf| -> Result<Case> {
        let text = std::fs::read_to_string(file)?;
        let mut case: Case = serde_saphyr::from_str(&text)?;
        let name = file.strip_prefix(folder).unwrap_or(file);
        case.name = name.with_extension("").to_string_lossy().into_owned();
        case.attacks = !case.name.starts_with("false");
        Ok(case)
    };
    let read = |file| one(file).with_context(|| file.display().to_string());
    files.iter().map(read).collect()
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "yml" || e == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
