//! Follows entry files and their includes.

use std::sync::Arc;

use super::{
    builder::{Builder, Context},
    error::{Finding, LoadErrors},
};
use crate::{
    ruleset::Ruleset,
    seclang::{
        ast::Statement,
        parser,
        span::{Complaint, Location, Position, Spanned},
    },
};

/// Where rule files and data files come from; this crate opens none itself.
pub trait Sources {
    /// Reads a whole file.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError>;

    /// Lists the paths that match a pattern with `*`, `?` and `[…]`, sorted.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, SourceError>;
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// How deep includes may nest.
const MAX_INCLUDE_DEPTH: usize = 16;

/// Loads the entry files in order.
///
/// # Errors
/// Every fault in every file.
pub(crate) fn load(entries: &[&str], sources: &dyn Sources) -> Result<Ruleset, LoadErrors> {
    let mut loader = Loader {
        sources,
        builder: Builder::new(),
        errors: Vec::new(),
        open: Vec::new(),
    };
    for entry in entries {
        let here: Arc<str> = Arc::from(*entry);
        let position = Position { line: 1, column: 1 };
        if is_pattern(entry) {
            let pattern = Spanned::new((*entry).to_owned(), position);
            loader.include_path(&here, &pattern, entry, false);
        } else if let Err(message) = loader.file(entry) {
            loader.report(&here, Complaint::new(position, message));
        }
    }
    if loader.errors.is_empty() {
        Ok(loader.builder.finish())
    } else {
        Err(LoadErrors(loader.errors))
    }
}

struct Loader<'s> {
    sources: &'s dyn Sources,
    builder: Builder,
    errors: Vec<Finding>,
    /// The files being read, outermost first.
    open: Vec<String>,
}

impl Loader<'_> {
    fn file(&mut self, path: &str) -> Result<(), String> {
        if self.open.iter().any(|open| open == path) {
            return Err(format!("{path} includes itself"));
        }
        if self.open.len() >= MAX_INCLUDE_DEPTH {
            return Err(format!("{path} is included {MAX_INCLUDE_DEPTH} files deep"));
        }
        let input = self
            .sources
            .read(path)
            .map_err(|e| format!("cannot read {path}: {e}"))?;
        let file: Arc<str> = Arc::from(path);
        let (statements, complaints) = parser::parse(&input);
        // Complaints of the grammar are told between the statements they stand between.
        let mut complaints = complaints.into_iter().peekable();
        self.open.push(path.to_owned());
        for statement in statements {
            while let Some(complaint) = complaints.next_if(|c| c.at < statement.at()) {
                self.report(&file, complaint);
            }
            match statement {
                Statement::Include { pattern, optional } => {
                    self.include(&file, &pattern, optional);
                }
                Statement::Rule(_)
                | Statement::DefaultAction { .. }
                | Statement::Marker(_)
                | Statement::Setting { .. }
                | Statement::Tune { .. } => self.build(&file, statement),
            }
        }
        self.open.pop();
        for complaint in complaints {
            self.report(&file, complaint);
        }
        if let Some(complaint) = self.builder.end_of_file() {
            self.report(&file, complaint);
        }
        Ok(())
    }

    fn build(&mut self, file: &Arc<str>, statement: Statement) {
        let sources = self.sources;
        let read = |name: &str| {
            let path = relative_to(file, name);
            sources
                .read(&path)
                .map_err(|e| format!("cannot read {path}: {e}"))
        };
        let mut context = Context {
            file,
            read: &read,
            complaints: Vec::new(),
            notices: Vec::new(),
        };
        self.builder.statement(statement, &mut context);
        let mut complaints = context.complaints;
        complaints.sort_by_key(|c| c.at);
        for complaint in complaints {
            self.report(file, complaint);
        }
    }

    fn include(&mut self, file: &Arc<str>, pattern: &Spanned<String>, optional: bool) {
        let path = relative_to(file, &pattern.value);
        self.include_path(file, pattern, &path, optional);
    }

    fn include_path(
        &mut self,
        file: &Arc<str>,
        pattern: &Spanned<String>,
        path: &str,
        optional: bool,
    ) {
        let paths = if is_pattern(path) {
            match self.sources.glob(path) {
                Ok(paths) => paths,
                Err(SourceError::NotFound) => Vec::new(),
                Err(SourceError::Other(e)) => {
                    let message = format!("cannot list {path}: {e}");
                    return self.report(file, Complaint::new(pattern.at, message));
                }
            }
        } else if optional && self.sources.read(path) == Err(SourceError::NotFound) {
            Vec::new()
        } else {
            vec![path.to_owned()]
        };
        if paths.is_empty() && !optional {
            let message = format!("no file matches {path}; IncludeOptional would allow that");
            return self.report(file, Complaint::new(pattern.at, message));
        }
        for path in paths {
            if let Err(message) = self.file(&path) {
                self.report(file, Complaint::new(pattern.at, message));
            }
        }
    }

    fn report(&mut self, file: &Arc<str>, complaint: Complaint) {
        let location = Location {
            file: Arc::clone(file),
            position: complaint.at,
        };
        self.errors.push(Finding {
            location,
            message: complaint.message,
        });
    }
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// A path that a file names: as it is when absolute, else beside that file.
fn relative_to(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) if !path.starts_with('/') => format!("{folder}/{path}"),
        _ => path.to_owned(),
    }
}
