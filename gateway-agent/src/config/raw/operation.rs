//! What operators see of the gateway, and where it keeps its things.

use serde::Deserialize;

use crate::config::tree::At;
use crate::config::values::{Bind, FileName, LogLevel, LogTarget};

/// The listener for operators.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Admin {
    /// Address and port. Default: `127.0.0.1:9180`.
    pub(crate) bind: Option<At<Bind>>,
}

/// What is written about the gateway's work.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Log {
    /// The least important messages that are still written: `error`, `warn`, `info`, `debug` or
    /// `trace`. Default: `info`.
    pub(crate) level: Option<At<LogLevel>>,
    /// Where the access log goes, one JSON object per request: a file, `stderr` or `off`.
    /// Default: `stderr`.
    pub(crate) access: Option<At<LogTarget>>,
}

/// Where the gateway keeps its things.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Paths {
    /// The folder, in a BPF file system, of the pinned maps and programs. Default:
    /// `/sys/fs/bpf/gateway`.
    pub(crate) pins: Option<At<FileName>>,
    /// The database of lists, bans and changes. Default: `/var/lib/gateway/gateway.db`.
    pub(crate) store: Option<At<FileName>>,
    /// The Unix socket of the running gateway, for its command line. Default:
    /// `/run/gateway/gateway.sock`.
    pub(crate) socket: Option<At<FileName>>,
}
