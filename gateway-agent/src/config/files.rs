//! Finding and reading the files of a configuration.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::{Faults, Report};
use super::tree::{MAX_BYTES, Node, merge, read};

/// The folder beside the main file whose files are laid over it.
const FOLDER: &str = "conf.d";
/// Files in that folder that are read.
const MAX_FILES: usize = 256;

/// The files of a configuration as they were read: what it can be taken up from once more,
/// whatever becomes of the files. Other files that the configuration names are not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(PathBuf, String)>", into = "Vec<(PathBuf, String)>")]
pub struct Sources {
    /// The main file and those in `conf.d` beside it, in the order of their names, each with its
    /// text.
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Sources {
    /// Reads the files.
    ///
    /// # Errors
    /// The main file or a folder that cannot be read at all.
    pub fn read(main: &Path) -> Result<Self, Faults> {
        let mut paths = vec![main.to_owned()];
        paths.extend(folder_files(main)?);
        let read = |path: PathBuf| match read_file(&path) {
            Ok(text) => Ok((path, text)),
            Err(message) => Err(Faults::of_file(&path, message)),
        };
        let files = paths.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { files })
    }

    /// The main file.
    #[must_use]
    pub fn main(&self) -> &Path {
        let main = self.files.first();
        main.map_or(Path::new(""), |(path, _)| path)
    }

    /// Lays the files over one another. What is wrong goes to `report`.
    pub(super) fn tree(&self, report: &mut Report) -> Option<Node> {
        let mut texts = Vec::new();
        for (path, text) in &self.files {
            texts.push((report.add_file(path), text));
        }
        let report = &*report;
        let mut trees = texts
            .iter()
            .map(|(file, text)| read(*file, text, report))
            .collect::<Vec<_>>();
        if trees.iter().any(Option::is_none) {
            return None;
        }
        let mut trees = trees.drain(..).flatten();
        let mut whole = trees.next();
        if let Some(whole) = &mut whole {
            trees.for_each(|tree| merge(whole, tree, report));
        }
        whole
    }
}

impl From<Vec<(PathBuf, String)>> for Sources {
    fn from(files: Vec<(PathBuf, String)>) -> Self {
        let files = files.into_iter();
        Self {
            files: files
                .map(|(path, text)| (path, text.into_bytes()))
                .collect(),
        }
    }
}

impl From<Sources> for Vec<(PathBuf, String)> {
    fn from(sources: Sources) -> Self {
        // What could be taken up is UTF-8.
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let files = sources.files.into_iter();
        files.map(|(path, bytes)| (path, text(bytes))).collect()
    }
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
