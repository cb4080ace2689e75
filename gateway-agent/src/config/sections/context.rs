//! What every check needs to know.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use gateway_policy::grammar::{Excerpt, Period, Size};

use crate::config::report::{Location, Place, Report};
use crate::config::tree::At;
use crate::config::values::FileName;

/// The report, and the folder that relative paths start from.
pub(in crate::config) struct Context<'a> {
    pub(in crate::config) report: &'a Report,
    pub(in crate::config) base: &'a Path,
}

impl Context<'_> {
    /// The file of that name, relative to the folder of the main configuration file.
    pub(super) fn file(&self, written: &At<FileName>) -> Option<FilePath> {
        Some(self.path(written.get()?, written.place()))
    }

    /// The same, for a name that stands at `place`.
    pub(super) fn path(&self, name: &FileName, place: Place) -> FilePath {
        FilePath {
            path: self.base.join(name.as_str()),
            location: self.report.locate(place),
        }
    }

    /// A period within bounds, or its default.
    pub(super) fn period(
        &self,
        raw: Option<At<Period>>,
        default: Period,
        bounds: (Period, Period),
    ) -> Period {
        self.bounded(raw, default, bounds)
    }

    /// A size within bounds, or its default.
    pub(super) fn size(&self, raw: Option<At<Size>>, default: Size, bounds: (Size, Size)) -> Size {
        self.bounded(raw, default, bounds)
    }

    fn bounded<T: Copy + Ord + Display>(
        &self,
        raw: Option<At<T>>,
        default: T,
        (least, most): (T, T),
    ) -> T {
        let Some(raw) = raw else {
            return default;
        };
        match raw.get() {
            Some(value) if (least..=most).contains(value) => *value,
            Some(value) => {
                let message = format!("found {value}, expected from {least} to {most}");
                self.report.fault(raw.place(), message);
                default
            }
            None => default,
        }
    }

    /// Text that is not empty, bounded and printable: it comes to stand in logs.
    pub(super) fn line(&self, raw: &At<String>) -> Option<String> {
        let text = raw.get()?;
        if text.is_empty() || text.len() > 1024 || text.chars().any(char::is_control) {
            let found = Excerpt::of(text);
            let message = format!("found {found}, expected 1 to 1024 bytes of printable text");
            self.report.fault(raw.place(), message);
            return None;
        }
        Some(text.clone())
    }
}

/// A file that the configuration names. Two are equal when their paths are, wherever they are
/// written; what is in them may have changed.
#[derive(Clone, Debug)]
pub struct FilePath {
    path: PathBuf,
    location: Location,
}

impl FilePath {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the configuration names it.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }
}

/// A file that no configuration names: its location is itself.
impl From<PathBuf> for FilePath {
    fn from(path: PathBuf) -> Self {
        let location = Location {
            file: path.as_path().into(),
            at: None,
        };
        Self { path, location }
    }
}

impl PartialEq for FilePath {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for FilePath {}

impl AsRef<Path> for FilePath {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}
