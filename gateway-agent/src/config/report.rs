//! Where something stands in the files, and what was found wrong there.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

/// A place in one of the files, as the YAML reader counts: lines and columns from 1, columns in
/// characters. Cheap to copy; [`Report::locate`] turns it into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    /// A file as a whole: what is wrong with it has no line.
    pub(crate) const fn whole(file: u32) -> Self {
        Self {
            file,
            line: 0,
            column: 0,
        }
    }
}

/// A place in a configuration file, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as it was named when it was opened.
    pub file: Arc<Path>,
    /// Line and column, both from 1; `None` for the file as a whole.
    pub at: Option<(u32, u32)>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.at {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Something to tell the operator about one place: a fault, or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub location: Location,
    /// What was found there, and what was expected. One line without control characters.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Json<'a> {
            file: std::borrow::Cow<'a, str>,
            line: Option<u32>,
            column: Option<u32>,
            message: &'a str,
        }
        Json {
            file: self.location.file.to_string_lossy(),
            line: self.location.at.map(|at| at.0),
            column: self.location.at.map(|at| at.1),
            message: &self.message,
        }
        .serialize(s)
    }
}

/// Everything that is wrong with a configuration; at least one finding, in the order of the files.
///
/// `Display` prints one line per finding, `Serialize` a list of objects with `file`, `line`,
/// `column` and `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Finding>);

impl Faults {
    /// The findings.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// Faults of these findings; `None` when there are none.
    #[must_use]
    pub fn new(findings: Vec<Finding>) -> Option<Self> {
        (!findings.is_empty()).then_some(Self(findings))
    }

    /// The one fault of a file that could not be used at all.
    pub(crate) fn of_file(file: &Path, message: String) -> Self {
        let location = Location {
            file: file.into(),
            at: None,
        };
        Self(vec![Finding { location, message }])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            finding.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Collects faults and warnings while the rest goes on being checked.
#[derive(Debug, Default)]
pub(crate) struct Report {
    files: Vec<Arc<Path>>,
    faults: RefCell<Vec<(Place, String)>>,
    warnings: RefCell<Vec<(Place, String)>>,
}

/// Findings of one kind that are kept; a file of nothing but faults needs no longer list.
const MAX_FINDINGS: usize = 100;

impl Report {
    /// Registers a file and gives the number that its places carry.
    pub(crate) fn add_file(&mut self, file: &Path) -> u32 {
        self.files.push(file.into());
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// Notes a fault.
    pub(crate) fn fault(&self, place: Place, message: impl Into<String>) {
        push(&self.faults, place, message.into());
    }

    /// Whether further faults are not kept; the search for words about them can be spared.
    pub(crate) fn is_full(&self) -> bool {
        self.faults.borrow().len() >= MAX_FINDINGS
    }

    /// Notes something that is legal and probably not meant.
    pub(crate) fn warning(&self, place: Place, message: impl Into<String>) {
        push(&self.warnings, place, message.into());
    }

    /// Notes the fault when there is one.
    pub(crate) fn take<T, E: fmt::Display>(&self, place: Place, result: Result<T, E>) -> Option<T> {
        result.map_err(|e| self.fault(place, e.to_string())).ok()
    }

    /// The place in words.
    pub(crate) fn locate(&self, place: Place) -> Location {
        let unnamed = || Path::new("config").into();
        let file = self
            .files
            .get(place.file as usize)
            .cloned()
            .unwrap_or_else(unnamed);
        Location {
            file,
            at: (place.line > 0).then_some((place.line, place.column)),
        }
    }

    /// The faults so far, when there are any.
    pub(crate) fn faults(&self) -> Option<Faults> {
        Faults::new(self.sorted(&self.faults))
    }

    /// The warnings so far.
    pub(crate) fn warnings(&self) -> Vec<Finding> {
        self.sorted(&self.warnings)
    }

    fn sorted(&self, findings: &RefCell<Vec<(Place, String)>>) -> Vec<Finding> {
        let mut findings = findings.borrow().clone();
        findings.sort();
        findings.dedup();
        let words = |(place, message)| Finding {
            location: self.locate(place),
            message,
        };
        findings.into_iter().map(words).collect()
    }
}

fn push(findings: &RefCell<Vec<(Place, String)>>, place: Place, message: String) {
    let mut findings = findings.borrow_mut();
    if findings.len() < MAX_FINDINGS {
        findings.push((place, message));
    }
}
