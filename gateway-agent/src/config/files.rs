//! Finding and reading the files of a configuration.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::report::{Faults, Report};
use super::tree::{MAX_BYTES, Node, merge, read};

/// The folder beside the main file whose files are laid over it.
const FOLDER: &str = "conf.d";
/// Files in that folder that are read.
const MAX_FILES: usize = 256;

/// Reads the main file and those in `conf.d` beside it, in the order of their names, and lays
/// them over one another. What is wrong goes to `report`; an error is a main file or a folder
/// that cannot be read at all.
pub(super) fn read_all(main: &Path, report: &mut Report) -> Result<Option<Node>, Faults> {
    let mut paths = vec![main.to_owned()];
    paths.extend(folder_files(main)?);
    let mut texts = Vec::new();
    for path in &paths {
        let text = read_file(path).map_err(|message| Faults::of_file(path, message))?;
        texts.push((report.add_file(path), text));
    }
    let report = &*report;
    let mut trees = texts
        .iter()
        .map(|(file, text)| read(*file, text, report))
        .collect::<Vec<_>>();
    if trees.iter().any(Option::is_none) {
        return Ok(None);
    }
    let mut trees = trees.drain(..).flatten();
    let mut whole = trees.next();
    if let Some(whole) = &mut whole {
        trees.for_each(|tree| merge(whole, tree, report));
    }
    Ok(whole)
}

fn folder_files(main: &Path) -> Result<Vec<PathBuf>, Faults> {
    let folder = main.with_file_name(FOLDER);
    let failed = |e: std::io::Error| Faults::of_file(&folder, format!("cannot be read: {e}"));
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let yaml = path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml");
        if yaml && !hidden {
            files.push(path);
        }
    }
    if files.len() > MAX_FILES {
        let message = format!("found {} files, expected at most {MAX_FILES}", files.len());
        return Err(Faults::of_file(&folder, message));
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| format!("cannot be read: {e}");
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err("found a folder, expected a file".into());
    }
    let mut text = Vec::new();
    // One byte more than is allowed, so that a file of just that size can be told from a longer.
    let bound = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    file.take(bound).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}
