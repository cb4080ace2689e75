//! Who makes a change, for the log.

use std::fmt;
use std::fs;

/// What the audit subsystem has for a process that no login began.
const NO_LOGIN: &str = "4294967295";

/// Who makes a change, in words: `cli uid 0 (login 1000)`, `agent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// The agent itself.
    #[must_use]
    pub fn agent() -> Self {
        Self("agent".to_owned())
    }

    /// A person at the command line, who runs as `uid` in process `pid`. The user who logged in
    /// is named too when the kernel knows it (`/proc/PID/loginuid`, proc(5)): with sudo everybody
    /// is user 0.
    #[must_use]
    pub fn cli(uid: u32, pid: Option<u32>) -> Self {
        let login = pid
            .and_then(|pid| fs::read_to_string(format!("/proc/{pid}/loginuid")).ok())
            .map(|text| text.trim().to_owned())
            .filter(|login| *login != NO_LOGIN && login.bytes().all(|b| b.is_ascii_digit()));
        match login {
            Some(login) if !login.is_empty() => Self(format!("cli uid {uid} (login {login})")),
            _ => Self(format!("cli uid {uid}")),
        }
    }

    /// The person who runs this very process.
    #[must_use]
    pub fn this_process() -> Self {
        Self::cli(nix::unistd::geteuid().as_raw(), Some(std::process::id()))
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
