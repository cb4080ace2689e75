//! Whether a configuration would work here: also the files that it names are read.

mod files;
mod summary;

use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

pub use summary::Summary;

use super::{Config, Faults, Finding, load};

/// A configuration that would work, and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The configuration.
    pub config: Config,
    /// What is legal and probably not meant.
    pub warnings: Vec<Finding>,
    /// What it comes to.
    pub summary: Summary,
}

/// What came of loading the rules of the web application firewall.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RuleFiles {
    /// How many rules there are.
    pub rules: usize,
    /// What the rule files hold and the engine does not act on.
    pub notices: Vec<Finding>,
}

/// Loads the rules of the web application firewall, or says what is wrong with them. It is not
/// called when the firewall is off.
pub type LoadRules<'a> = &'a dyn Fn(&Config) -> Result<RuleFiles, Vec<Finding>>;

/// Loads the configuration at `path` and reads all files that it names: certificates, keys, key
/// sets, secrets, rules. Nothing is started, written or connected to.
///
/// # Errors
/// Everything that is wrong. Files that the configuration names are looked at only when the
/// configuration itself is right.
pub fn check(path: &Path, now: SystemTime, rules: LoadRules<'_>) -> Result<Checked, Faults> {
    let (config, mut warnings) = load(path)?;
    let mut faults = Vec::new();
    let found = files::Found {
        faults: &mut faults,
        warnings: &mut warnings,
    };
    let expiry = files::read(&config, now, found);
    let mut count = None;
    if config.is_waf_used() {
        match rules(&config) {
            Ok(loaded) => {
                count = Some(loaded.rules);
                warnings.extend(loaded.notices);
            }
            Err(findings) => faults.extend(findings),
        }
    }
    match Faults::new(faults) {
        Some(faults) => Err(faults),
        None => {
            let summary = Summary::of(path, &config, expiry, count);
            Ok(Checked {
                config,
                warnings,
                summary,
            })
        }
    }
}
