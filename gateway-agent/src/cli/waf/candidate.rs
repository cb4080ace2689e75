//! The rules in the files as they stand, and others to be tried.

use std::path::Path;

use gateway_waf::{SourceError, Sources, Waf};

use crate::agent::{self, RuleFault, RuleFiles, expand, rule_files};
use crate::cli::args::{Global, ReplayArgs};
use crate::cli::error::CliError;
use crate::config::{self, Config};

/// The name of the file that raises the paranoia level.
const PARANOIA: &str = "gateway/paranoia.conf";
/// The id of its rule, the last of those that are the gateway's own.
const PARANOIA_ID: u64 = 9_119_999;
/// In the name of the file of the Core Rule Set that settles what nobody has set.
const INITIALIZATION: &str = "901-INITIALIZATION";

/// The configuration, which must be without faults.
pub(super) fn configuration(global: &Global) -> Result<Config, CliError> {
    let (config, _) = config::load(&global.config).map_err(anyhow::Error::from)?;
    Ok(config)
}

/// The rules of the configuration.
pub(super) fn present(config: &Config) -> Result<Waf, CliError> {
    let rules = agent::load_rules(config).map_err(anyhow::Error::from)?;
    Ok(rules.waf)
}

/// The rules that the arguments describe.
pub(super) fn candidate(config: &Config, args: &ReplayArgs) -> Result<Waf, CliError> {
    let mut files = if args.rules.is_empty() {
        rule_files(&config.waf).map_err(anyhow::Error::from)?
    } else {
        let mut files = agent::default_files(&config.waf);
        for path in &args.rules {
            files.extend(named("--rules", path)?);
        }
        files
    };
    for path in &args.add {
        let found = named("--add", path)?;
        let (before, after) = agent::order(found);
        files.splice(0..0, before);
        files.extend(after);
    }
    let Some(level) = args.paranoia else {
        let rules = agent::load_files(&files, &RuleFiles, config);
        return Ok(rules.map_err(anyhow::Error::from)?.waf);
    };
    // Behind whatever else sets it, and before it is settled.
    let at = files.iter().position(|name| name.contains(INITIALIZATION));
    files.insert(at.unwrap_or(0), PARANOIA.to_owned());
    let sources = Raised(level);
    if !sources.is_known(&files) {
        return Err(CliError::Usage(
            "--paranoia: none of the rules knows a paranoia level".to_owned(),
        ));
    }
    let rules = agent::load_files(&files, &sources, config);
    Ok(rules.map_err(anyhow::Error::from)?.waf)
}

/// The files that an argument stands for.
fn named(option: &str, path: &Path) -> Result<Vec<String>, CliError> {
    expand(path).map_err(|fault| {
        let why = match fault {
            RuleFault::Pattern(_, why) | RuleFault::Patch(_, why) => why,
            RuleFault::Rules(errors) => errors.to_string(),
        };
        CliError::Other(anyhow::anyhow!("{option} {}: {why}", path.display()))
    })
}

/// The rule files, and one that sets the paranoia level.
struct Raised(u8);

impl Raised {
    fn is_known(&self, files: &[String]) -> bool {
        let mut others = files.iter().filter(|name| *name != PARANOIA);
        others.any(|name| {
            let text = self.read(name).unwrap_or_default();
            String::from_utf8_lossy(&text).contains("paranoia_level")
        })
    }
}

impl Sources for Raised {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        if path != PARANOIA {
            return RuleFiles.read(path);
        }
        let Self(level) = self;
        // Version 3 of the Core Rule Set has the first two, version 4 the others.
        let names = ["", "executing_", "blocking_", "detection_"];
        let sets = names.map(|name| format!("setvar:tx.{name}paranoia_level={level}"));
        let text = format!(
            "SecAction \"id:{PARANOIA_ID},phase:1,pass,nolog,{}\"\n",
            sets.join(",")
        );
        Ok(text.into_bytes())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        RuleFiles.glob(pattern)
    }
}
