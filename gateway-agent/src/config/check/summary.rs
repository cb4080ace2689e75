//! What a configuration comes to, in a few lines.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::config::{Config, FailMode, WafMode, XdpMode};

/// What a configuration comes to; `Display` prints it for people, the first line being `ok` and
/// the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The main file.
    pub file: PathBuf,
    /// The interfaces of the packet filter, each with its mode.
    pub interfaces: Vec<String>,
    /// The listeners, each with what it speaks.
    pub listeners: Vec<String>,
    /// When the first certificate expires, in seconds since 1970.
    pub certificate_expiry: Option<u64>,
    /// How many issuers of tokens there are.
    pub issuers: usize,
    /// How many roles there are.
    pub roles: usize,
    /// How many routes there are.
    pub routes: usize,
    /// How many upstreams there are.
    pub upstreams: usize,
    /// How many feeds there are, countries among them.
    pub feeds: usize,
    /// How many rules the web application firewall has; `None` when it is off.
    pub rules: Option<usize>,
    /// What the web application firewall does.
    pub waf: &'static str,
    /// What happens to requests when the firewall itself fails. Every other stage refuses what it
    /// cannot judge.
    pub waf_fail: &'static str,
}

impl Summary {
    pub(super) fn of(
        file: &Path,
        config: &Config,
        expiry: Option<SystemTime>,
        rules: Option<usize>,
    ) -> Self {
        let mode = |mode| match mode {
            XdpMode::Auto => "auto",
            XdpMode::Native => "native",
            XdpMode::Generic => "generic",
        };
        let speaks = |tls: bool| if tls { "tls" } else { "plaintext" };
        Self {
            file: file.to_owned(),
            interfaces: config
                .interfaces
                .iter()
                .map(|i| format!("{} ({})", i.name, mode(i.mode)))
                .collect(),
            listeners: config
                .listeners
                .iter()
                .map(|l| format!("{} ({})", l.bind, speaks(l.tls.is_some())))
                .collect(),
            certificate_expiry: expiry
                .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
                .map(|since| since.as_secs()),
            issuers: config.identity.issuers.len(),
            roles: config.access.roles().names().count(),
            routes: config.access.routes().len(),
            upstreams: config.access.upstreams().len(),
            feeds: config.feeds.len(),
            rules,
            waf: match config.waf.mode {
                WafMode::Block => "block",
                WafMode::Detect => "detect",
                WafMode::Off => "off",
            },
            waf_fail: match config.waf.fail {
                FailMode::Open => "open",
                FailMode::Closed => "closed",
            },
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &[String]| match items {
            [] => "none".to_owned(),
            _ => items.join(", "),
        };
        writeln!(f, "ok {}", self.file.display())?;
        writeln!(f, "  interfaces  {}", list(&self.interfaces))?;
        writeln!(f, "  listeners   {}", list(&self.listeners))?;
        writeln!(
            f,
            "  access      issuers {}, roles {}, routes {}, upstreams {}; fail closed",
            self.issuers, self.roles, self.routes, self.upstreams
        )?;
        if self.feeds > 0 {
            let feeds = self.feeds;
            writeln!(f, "  feeds       {feeds}; one that fails keeps its entries")?;
        }
        match self.rules {
            Some(rules) => {
                write!(
                    f,
                    "  waf         {}, rules {rules}; fail {}",
                    self.waf, self.waf_fail
                )
            }
            None => write!(f, "  waf         off"),
        }
    }
}
