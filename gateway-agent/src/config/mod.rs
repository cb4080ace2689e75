//! The configuration: from text files to a [`Config`] that has been checked.
//!
//! ```text
//! files ── tree (values with places) ── raw (serde) ── sections (checked) ── Config
//! ```
//!
//! What comes out of [`load`] needs no second look: names that routes use exist, limits are in
//! bounds, keys fit their algorithms. Whatever is wrong is reported with file, line and column,
//! all of it at once. No other file than those of the configuration is read here; that is for
//! [`check`] and for whoever uses what the configuration names.

mod check;
mod files;
mod raw;
mod report;
mod sections;
mod tree;
mod values;

use std::path::Path;

pub use check::{Checked, LoadRules, RuleFiles, Summary, check};
pub use files::Sources;
pub use report::{Faults, Finding, Location};
pub use sections::{
    Access, Admin, AttackMode, CertificateFiles, Config, Feed, FeedForm, FeedSource, FilePath,
    HttpLimits, Identity, Interface, Issuer, Keep, KeySource, LIMITED_NETWORKS, Leaks, Listener,
    Log, LogTo, NetworkLimits, Networks, PacketLimits, Paths, PortLimit, RateLimits,
    ResponseHeaders, RouteTarget, Shadowed, SourceLimits, SynCookies, TlsSettings, Upstream,
    UpstreamId, Validation, Waf, Watched,
};
pub use values::{
    AttackTrigger, Bind, CookieMode, CookieWhen, CountryCode, FailMode, FeedFormat, FeedList,
    FeedUrl, InterfaceName, LeakAction, Limit, LogLevel, PortRange, RuleChoice, Target, TargetHost,
    TlsVersion, Transport, WafDecoder, WafMode, XdpMode,
};

use report::Report;
use sections::Context;

/// Reads `path` and the files in `conf.d` beside it, and checks them.
///
/// Maps of several files are merged, lists are appended in the order of the files' names, and
/// any other setting that two files give is a fault. Relative file names in any of them start
/// from the folder of `path`.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn load(path: &Path) -> Result<(Config, Vec<Finding>), Faults> {
    Sources::read(path)?.load()
}

impl Sources {
    /// Checks what was read, as [`load`] does.
    ///
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn load(&self) -> Result<(Config, Vec<Finding>), Faults> {
        let path = self.main();
        let mut report = Report::default();
        let tree = self.tree(&mut report);
        let base = path.parent().unwrap_or(Path::new(""));
        let config = tree.and_then(|tree| checked(&tree, base, &report));
        match (config, report.faults()) {
            (Some(config), None) => Ok((config, report.warnings())),
            (_, Some(faults)) => Err(faults),
            (None, None) => Err(Faults::of_file(path, "cannot be used".into())),
        }
    }
}

fn checked(tree: &tree::Node, base: &Path, report: &Report) -> Option<Config> {
    let raw = tree::decode(tree, report)?;
    Config::check(raw, tree.place, &Context { report, base })
}

#[cfg(test)]
pub(crate) mod tests;
