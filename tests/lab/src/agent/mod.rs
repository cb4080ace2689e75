//! The gateway under test: its binary, with a configuration, pins and a store of its own, in the
//! gateway host of a lab.

mod cli;
mod config;
mod log;
mod process;
mod stats;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::host::{Host, Node};
use crate::lab::Lab;
use process::Process;

pub use cli::Ran;
pub use config::{base, merge};
pub use log::Line;
pub use process::Ended;
pub use stats::Stats;

/// The port of `/metrics` and `/healthz` in [`base`].
pub const ADMIN_PORT: u16 = 9180;

/// How long the operators' listener may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A gateway that runs, or does not run at the moment. Dropping it kills it.
#[derive(Debug)]
pub struct Agent {
    binary: PathBuf,
    node: Node,
    home: PathBuf,
    process: Option<Process>,
}

impl Agent {
    /// Makes a home for the gateway `name` in the lab's state directory, with `config` as its
    /// configuration file, and does not start it.
    ///
    /// # Errors
    ///
    /// When the binary is not there or a file cannot be written.
    pub fn prepare(lab: &Lab, name: &str, binary: &Path, config: &Value) -> Result<Self> {
        let binary = fs::canonicalize(binary)
            .with_context(|| format!("no gateway at {}: build it first", binary.display()))?;
        let home = lab.state().join(name);
        fs::create_dir_all(&home)?;
        let node = lab.host(Host::Gateway).clone();
        let agent = Self {
            binary,
            node,
            home,
            process: None,
        };
        agent.configure(config)?;
        Ok(agent)
    }

    /// Writes another configuration; a running agent has to be told. JSON is YAML.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn configure(&self, config: &Value) -> Result<()> {
        self.configure_text(&serde_json::to_string_pretty(config)?)
    }

    /// Writes a configuration as text, whatever it says.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn configure_text(&self, config: &str) -> Result<()> {
        fs::write(self.config(), config).context("cannot write the configuration")
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.home.join("gateway.yaml")
    }

    /// The directory for everything of this gateway but its pins.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Asks the operators' listener for `path`, from inside the gateway host, and returns status
    /// and body.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub fn admin(&self, path: &str) -> Result<(u16, String)> {
        let ask = || -> Result<String> {
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, ADMIN_PORT));
            let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n"
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = self
            .node
            .in_ns(ask)?
            .with_context(|| format!("asking for {path}"))?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok((status, body.to_owned()))
    }
}
