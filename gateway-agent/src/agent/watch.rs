//! Notices that the files in `waf.conf_d` have changed.
//!
//! The folder is looked at a few times a second, which costs a few calls of `stat` and needs no
//! kernel queue that could overflow. A change counts once it has stood still from one look to the
//! next, so that a file is not read while it is written.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::rules::MAX_PATCHES;

/// Whatever keeps changing is read after so many looks all the same.
const PATIENCE: u32 = 10;

/// What the files look like from outside: each name with device, inode, size, permissions, and
/// the times of its last changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look(Vec<(OsString, [i128; 5])>);

impl Look {
    /// Looks at the `.conf` files of a folder; one that is not there has none.
    pub(super) fn at(folder: &Path) -> Self {
        let Ok(entries) = fs::read_dir(folder) else {
            return Self::default();
        };
        let mut files: Vec<_> = entries
            .filter_map(Result::ok)
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.as_encoded_bytes();
                name.ends_with(b".conf") && !name.starts_with(b".")
            })
            // One more than may be there is a change as well.
            .take(MAX_PATCHES + 1)
            .map(|entry| {
                let data = fs::metadata(entry.path());
                let marks = data.map_or([0; 5], |data| {
                    let time = |seconds: i64, nanos: i64| {
                        i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
                    };
                    [
                        i128::from(data.dev()) << 64 | i128::from(data.ino()),
                        data.len().into(),
                        data.mode().into(),
                        time(data.mtime(), data.mtime_nsec()),
                        time(data.ctime(), data.ctime_nsec()),
                    ]
                });
                (entry.file_name(), marks)
            })
            .collect();
        files.sort_unstable();
        Self(files)
    }
}

/// What was seen, and what was acted upon.
#[derive(Debug, Default)]
pub(super) struct Watch {
    acted: Look,
    seen: Look,
    unsettled: u32,
}

impl Watch {
    /// The rules in force are of this look, or a later one.
    pub(super) fn acted(&mut self, look: Look) {
        self.seen = look.clone();
        self.acted = look;
        self.unsettled = 0;
    }

    /// Whether the rules are to be read now.
    pub(super) fn is_due(&mut self, look: &Look) -> bool {
        if *look == self.acted {
            self.unsettled = 0;
            return false;
        }
        self.unsettled += 1;
        let settled = *look == self.seen && self.unsettled > 1;
        self.seen = look.clone();
        settled || self.unsettled >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_change_is_due_when_it_has_settled_and_once() {
        let dir = TempDir::new().unwrap();
        let look = || Look::at(dir.path());
        let mut watch = Watch::default();
        watch.acted(look());
        assert!(!watch.is_due(&look()));
        fs::write(dir.path().join("a.conf"), "a").unwrap();
        assert!(!watch.is_due(&look()), "it may still be written");
        assert!(watch.is_due(&look()));
        watch.acted(look());
        assert!(!watch.is_due(&look()));
        fs::remove_file(dir.path().join("a.conf")).unwrap();
        assert!(!watch.is_due(&look()));
        assert!(watch.is_due(&look()));
    }

    #[test]
    fn what_never_settles_is_read_in_the_end() {
        let dir = TempDir::new().unwrap();
        let mut watch = Watch::default();
        watch.acted(Look::at(dir.path()));
        let due = (0..PATIENCE).position(|i| {
            fs::write(dir.path().join("a.conf"), "a".repeat(i as usize + 1)).unwrap();
            watch.is_due(&Look::at(dir.path()))
        });
        assert_eq!(due, Some(PATIENCE as usize - 1));
    }

    #[test]
    fn files_of_editors_do_not_count() {
        let dir = TempDir::new().unwrap();
        let before = Look::at(dir.path());
        for name in [
            ".a.conf.swp",
            ".a.conf",
            "a.conf~",
            "#a.conf#",
            "a.conf.tmp",
            "4913",
        ] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        assert_eq!(Look::at(dir.path()), before);
        assert_eq!(Look::at(&dir.path().join("nowhere")), Look::default());
    }
}
