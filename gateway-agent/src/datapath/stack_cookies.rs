//! The stack's own setting for SYN cookies, `net.ipv4.tcp_syncookies`, and what it was before.
//!
//! The stack takes up a connection by a cookie only where it has made cookies itself of late,
//! which with the value 2 every SYN makes it do. The value holds for a network namespace and for
//! IPv6 too. What it was is kept in a file, for the agent may be killed, and the filter's cookies
//! go on then.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The setting, in the network namespace of whoever opens it.
const SETTING: &str = "/proc/sys/net/ipv4/tcp_syncookies";

/// Cookies for every SYN (kernel documentation, `ip-sysctl`).
const ALWAYS: u8 = 2;

/// The setting, and the file that keeps what it was.
#[derive(Clone, Debug)]
pub struct StackCookies {
    setting: PathBuf,
    memory: PathBuf,
    /// The network namespace of this boot, for neither the value nor the file means anything in
    /// another.
    here: String,
}

/// Why the setting is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum StackCookiesError {
    /// It cannot be read or written.
    #[error("net.ipv4.tcp_syncookies cannot be set to {ALWAYS}: {0}")]
    Setting(io::Error),
    /// What it is cannot be kept for later.
    #[error("what net.ipv4.tcp_syncookies is cannot be written to {}: {source}", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl StackCookies {
    /// The setting of this network namespace; what it was is kept beside `store`, as
    /// `gateway.syncookies` beside `gateway.db`.
    #[must_use]
    pub fn beside(store: &Path) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::metadata("/proc/self/ns/net").map_or(0, |file| file.ino());
        Self {
            setting: SETTING.into(),
            memory: store.with_extension("syncookies"),
            here: format!("{} {namespace}", boot.trim()),
        }
    }

    /// Makes the stack answer every SYN with a cookie. Returns what the setting was, if this has
    /// changed it.
    ///
    /// # Errors
    ///
    /// When the setting cannot be made, or what it was cannot be kept; then it is as it was.
    pub fn force(&self) -> Result<Option<u8>, StackCookiesError> {
        let now = self.read().map_err(StackCookiesError::Setting)?;
        if now == ALWAYS {
            return Ok(None);
        }
        // Before the setting: an agent that dies in between has changed nothing.
        let kept = format!("{now} {}\n", self.here);
        fs::write(&self.memory, kept).map_err(|source| StackCookiesError::Memory {
            path: self.memory.clone(),
            source,
        })?;
        fs::write(&self.setting, ALWAYS.to_string()).map_err(StackCookiesError::Setting)?;
        Ok(Some(now))
    }

    /// Whether the stack answers every SYN with a cookie.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.read().is_ok_and(|now| now == ALWAYS)
    }

    /// Makes the setting what it was before [`StackCookies::force`], unless somebody has changed
    /// it since. Returns what it is now, if this has changed it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn give_back(&self) -> Result<Option<u8>, StackCookiesError> {
        let Some(before) = self.kept() else {
            return Ok(None);
        };
        let forced = self.is_forced();
        if forced {
            fs::write(&self.setting, before.to_string()).map_err(StackCookiesError::Setting)?;
        }
        // A file that stays behind says the same again, which does no harm.
        let _ = fs::remove_file(&self.memory);
        Ok(forced.then_some(before))
    }

    fn read(&self) -> io::Result<u8> {
        let text = fs::read_to_string(&self.setting)?;
        text.trim().parse().map_err(io::Error::other)
    }

    /// What the setting was, if that was here.
    fn kept(&self) -> Option<u8> {
        let text = fs::read_to_string(&self.memory).ok()?;
        let (before, here) = text.trim().split_once(' ')?;
        before.parse().ok().filter(|_| here == self.here)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn at(dir: &TempDir, value: &str) -> StackCookies {
        let setting = dir.path().join("tcp_syncookies");
        fs::write(&setting, value).unwrap();
        StackCookies {
            setting,
            ..StackCookies::beside(&dir.path().join("gateway.db"))
        }
    }

    #[test]
    fn what_it_was_outlives_whoever_changed_it() {
        let dir = TempDir::new().unwrap();
        let stack = at(&dir, "1\n");
        assert!(!stack.is_forced());
        assert_eq!(stack.force().unwrap(), Some(1));
        assert!(stack.is_forced());
        // Killed, and started anew.
        assert_eq!(stack.clone().force().unwrap(), None);
        assert_eq!(stack.give_back().unwrap(), Some(1));
        assert_eq!(stack.read().unwrap(), 1);
        assert_eq!(stack.give_back().unwrap(), None);
    }

    #[test]
    fn what_somebody_else_has_set_stays() {
        let dir = TempDir::new().unwrap();
        let stack = at(&dir, "1\n");
        stack.force().unwrap();
        fs::write(&stack.setting, "0\n").unwrap();
        assert_eq!(stack.give_back().unwrap(), None);
        assert_eq!(stack.read().unwrap(), 0);
        // It was 2 before anybody asked for it.
        let stack = at(&dir, "2\n");
        assert_eq!(stack.force().unwrap(), None);
        assert_eq!(stack.give_back().unwrap(), None);
        assert!(stack.is_forced());
    }

    #[test]
    fn a_memory_of_another_boot_or_a_broken_one_is_none() {
        let dir = TempDir::new().unwrap();
        let stack = at(&dir, "2\n");
        for text in ["1 another-boot 7\n", "", "1", "x y\n"] {
            fs::write(&stack.memory, text).unwrap();
            assert_eq!(stack.give_back().unwrap(), None, "{text}");
        }
        assert!(stack.is_forced());
    }

    #[test]
    fn what_cannot_be_kept_or_set_changes_nothing() {
        let dir = TempDir::new().unwrap();
        let stack = StackCookies {
            memory: dir.path().join("no/such/folder"),
            ..at(&dir, "1\n")
        };
        let error = stack.force().unwrap_err().to_string();
        assert!(error.contains("no/such/folder"), "{error}");
        assert_eq!(stack.read().unwrap(), 1);
        let stack = StackCookies {
            setting: dir.path().join("absent"),
            ..at(&dir, "1\n")
        };
        let error = stack.force().unwrap_err().to_string();
        assert!(
            error.starts_with("net.ipv4.tcp_syncookies cannot"),
            "{error}"
        );
    }
}
