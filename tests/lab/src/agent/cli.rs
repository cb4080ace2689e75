//! The gateway's own command line, as an operator types it.

use std::ffi::OsStr;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Agent, Stats};

/// A verb that has run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Itself, when the verb did what it was told.
    ///
    /// # Errors
    ///
    /// When the exit code is not 0, with what was said.
    pub fn done(self) -> Result<Self> {
        if self.code != 0 {
            bail!("exit code {}: {}{}", self.code, self.err, self.out);
        }
        Ok(self)
    }

    /// The one JSON value on standard output.
    ///
    /// # Errors
    ///
    /// When the verb failed or wrote something else.
    pub fn json(self) -> Result<Value> {
        let done = self.done()?;
        serde_json::from_str(&done.out).with_context(|| format!("no JSON: {}", done.out))
    }
}

impl Agent {
    /// Runs `gateway ARGS` on this gateway's configuration, whether the agent runs or not.
    ///
    /// # Errors
    ///
    /// When the binary cannot be run; a verb that fails is no error.
    pub fn gateway<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<Ran> {
        let out = self
            .node
            .command(&self.binary)
            .args(args)
            .arg("--config")
            .arg(self.config())
            .output()
            .context("cannot run the gateway")?;
        Ok(Ran {
            code: out.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&out.stdout).into_owned(),
            err: String::from_utf8_lossy(&out.stderr).into_owned(),
        })
    }

    /// Runs a verb with `--json` and returns what it printed.
    ///
    /// # Errors
    ///
    /// When it fails or prints no JSON.
    pub fn json<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<Value> {
        let args: Vec<_> = args
            .into_iter()
            .map(|arg| arg.as_ref().to_owned())
            .collect();
        let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        let what = format!("gateway {} --json", words.join(" "));
        let all = args
            .iter()
            .map(|arg| arg.as_os_str())
            .chain([OsStr::new("--json")]);
        self.gateway(all)?.json().context(what)
    }

    /// The counters, as `gateway stats` reads them from the pinned maps.
    ///
    /// # Errors
    ///
    /// When there are none to read.
    pub fn stats(&self) -> Result<Stats> {
        self.json(["stats"]).map(Stats::new)
    }
}
