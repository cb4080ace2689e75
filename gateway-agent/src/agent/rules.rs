//! The WAF's rules, from files.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use gateway_waf::{DEFAULT_RULES, Decoder, Embedded, LoadErrors, SourceError, Sources, Waf};

use crate::config::{self, Config, Shadowed};

/// Rule files as the engine asks for them: those that come with the gateway by their names,
/// all others from the file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleFiles;

/// The largest rule file that is read.
const LARGEST: u64 = 64 << 20;

impl Sources for RuleFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        if let Ok(text) = Embedded.read(path) {
            return Ok(text);
        }
        let fault = |error: std::io::Error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                SourceError::NotFound
            } else {
                SourceError::Other(error.to_string())
            }
        };
        let size = std::fs::metadata(path).map_err(fault)?.len();
        if size > LARGEST {
            return Err(SourceError::Other(format!("{size} bytes are too many")));
        }
        std::fs::read(path).map_err(fault)
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        matching(Path::new(pattern)).map_err(|error| SourceError::Other(error.to_string()))
    }
}

/// Rules that are ready, and what is to be said about them.
#[derive(Debug)]
pub struct Rules {
    /// The rules.
    pub waf: Waf,
    /// What the configuration says and has no effect, and what the rules do that is probably not
    /// meant.
    pub notices: Vec<config::Finding>,
}

/// The most warnings that go into the log each time that rules are loaded.
const TOLD: usize = 50;

impl Rules {
    /// Tells the log.
    pub(super) fn tell(&self) {
        for notice in self.notices.iter().take(TOLD) {
            tracing::warn!("{notice}");
        }
        if let Some(more @ 1..) = self.notices.len().checked_sub(TOLD) {
            tracing::warn!("{more} more warnings; `gateway check` has them all");
        }
        tracing::info!(
            rules = self.waf.rules(),
            shadow = self.waf.in_shadow(),
            routes_in_shadow = self.waf.routes_in_shadow().count(),
            "WAF rules loaded"
        );
    }
}

/// Loads the rules that the configuration names: what stands in `conf_d` for before, the default
/// ones, those of `rules`, and the rest of `conf_d`.
///
/// # Errors
/// Every fault with file, line and column; a pattern that names no file is one.
pub fn load_rules(config: &Config) -> Result<Rules, RuleFault> {
    load_files(&rule_files(&config.waf)?, &RuleFiles, config)
}

/// Loads these files, switches decoders on and puts rules in shadow as the configuration says.
///
/// # Errors
/// Every fault with file, line and column.
pub fn load_files(
    files: &[String],
    sources: &dyn Sources,
    config: &Config,
) -> Result<Rules, RuleFault> {
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut waf = Waf::load(&names, sources).map_err(RuleFault::Rules)?;
    let decoders = config.waf.decode.iter().copied().map(decoder);
    waf.set_decoders(decoders.collect());
    let mut notices = Vec::new();
    // The configuration has been checked, so a choice that cannot be read names nobody.
    let mut note = |shadowed: &Shadowed, meant: Result<usize, String>| {
        if meant.unwrap_or_default() == 0 {
            notices.push(config::Finding {
                location: shadowed.location.clone(),
                message: format!("{} means none of the rules", shadowed.choice),
            });
        }
    };
    for shadowed in &config.waf.shadow {
        note(shadowed, waf.shadow(shadowed.choice.as_str()));
    }
    for route in config.access.routes() {
        for shadowed in &route.target.shadow {
            let meant = waf.shadow_on(&route.matches.to_string(), shadowed.choice.as_str());
            note(shadowed, meant);
        }
    }
    notices.extend(waf.warnings().iter().map(finding));
    Ok(Rules { waf, notices })
}

const fn decoder(decoder: config::WafDecoder) -> Decoder {
    match decoder {
        config::WafDecoder::Base64 => Decoder::Base64,
        config::WafDecoder::Url => Decoder::Url,
        config::WafDecoder::Json => Decoder::Json,
        config::WafDecoder::Jwt => Decoder::Jwt,
    }
}

/// The files of all rules in the order in which they are read.
///
/// # Errors
/// When a pattern names no file, or a folder cannot be read.
pub fn rule_files(config: &config::Waf) -> Result<Vec<String>, RuleFault> {
    let (before, after) = patches(config)?;
    let mut files = before;
    files.extend(default_files(config));
    for pattern in &config.rules {
        files.extend(expand(pattern.path())?);
    }
    files.extend(after);
    Ok(files)
}

/// The files of the rules that come with the gateway, where the configuration wants them.
#[must_use]
pub fn default_files(config: &config::Waf) -> Vec<String> {
    let own = DEFAULT_RULES.iter().filter(|_| config.default_rules);
    own.map(|(name, _)| (*name).to_owned()).collect()
}

/// Files that are dropped in: those that are read before all other rules, and those behind.
#[must_use]
pub fn order(files: Vec<String>) -> (Vec<String>, Vec<String>) {
    files.into_iter().partition(|name| name.ends_with(BEFORE))
}

/// The files that a path of rules stands for: a pattern's, a folder's, or itself.
///
/// # Errors
/// When there is none.
pub fn expand(path: &Path) -> Result<Vec<String>, RuleFault> {
    let all = path.join("*.conf");
    let pattern = if path.is_dir() { &all } else { path };
    let found = matching(pattern)
        .map_err(|error| RuleFault::Pattern(pattern.to_owned(), error.to_string()))?;
    if found.is_empty() {
        let reason = "no file matches".to_owned();
        return Err(RuleFault::Pattern(pattern.to_owned(), reason));
    }
    Ok(found)
}

/// How the names of files end that are read before all other rules.
const BEFORE: &str = ".before.conf";

/// The files in `conf_d`: those that are read before all others, and those behind.
fn patches(config: &config::Waf) -> Result<(Vec<String>, Vec<String>), RuleFault> {
    let folder = config.conf_d.path();
    let fault = |path: &Path, reason: String| RuleFault::Patch(path.to_owned(), reason);
    let found = match matching(&folder.join("*.conf")) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound && !config.conf_d_named => Vec::new(),
        Err(error) => return Err(fault(folder, error.to_string())),
    };
    if found.len() > MAX_PATCHES {
        let reason = format!("{} files are more than {MAX_PATCHES}", found.len());
        return Err(fault(folder, reason));
    }
    if !found.is_empty() {
        let files = found.iter().map(Path::new);
        for path in std::iter::once(folder).chain(files) {
            let mode = std::fs::metadata(path).map_err(|e| fault(path, e.to_string()))?;
            if mode.mode() & WRITABLE_BY_ALL != 0 {
                let reason = "everybody on this host may write to it; not read".to_owned();
                return Err(fault(path, reason));
            }
        }
    }
    Ok(order(found))
}

/// The most files in `conf_d`.
pub(super) const MAX_PATCHES: usize = 1000;
/// The permission of everybody but the owner and the group to write.
const WRITABLE_BY_ALL: u32 = 0o002;

/// Loads the rules as `gateway check` wants to know of it.
///
/// # Errors
/// Every fault, each at its place.
pub fn check_rules(config: &Config) -> Result<config::RuleFiles, Vec<config::Finding>> {
    match load_rules(config) {
        Ok(rules) => {
            let notices = rules.waf.notices().iter().map(finding);
            Ok(config::RuleFiles {
                rules: rules.waf.rules(),
                notices: notices.chain(rules.notices).collect(),
            })
        }
        Err(RuleFault::Rules(errors)) => Err(errors.0.iter().map(finding).collect()),
        Err(fault @ (RuleFault::Pattern(..) | RuleFault::Patch(..))) => {
            let named = match fault {
                RuleFault::Patch(..) => Some(config.waf.conf_d.location().clone()),
                RuleFault::Pattern(..) | RuleFault::Rules(_) => {
                    let mut rules = config.waf.rules.iter();
                    rules.next().map(|rule| rule.location().clone())
                }
            };
            let location = named.unwrap_or_else(|| config::Location {
                file: Path::new("waf.rules").into(),
                at: None,
            });
            Err(vec![config::Finding {
                location,
                message: fault.to_string(),
            }])
        }
    }
}

fn finding(found: &gateway_waf::Finding) -> config::Finding {
    let at = found.location.position;
    config::Finding {
        location: config::Location {
            file: Path::new(&*found.location.file).into(),
            at: Some((at.line, at.column)),
        },
        message: found.message.clone(),
    }
}

/// Why the rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleFault {
    /// A pattern of `waf.rules` leads nowhere.
    #[error("waf.rules: {}: {_1}", _0.display())]
    Pattern(PathBuf, String),
    /// A file in `waf.conf_d`, or the folder itself.
    #[error("waf.conf_d: {}: {_1}", _0.display())]
    Patch(PathBuf, String),
    /// The rules themselves.
    #[error("{0}")]
    Rules(LoadErrors),
}

/// The files that a pattern names, in the order of their names: `*` and `?` stand for parts of
/// a file name, as in the shell; folders are taken by their names.
fn matching(pattern: &Path) -> std::io::Result<Vec<String>> {
    let Some(name) = pattern.file_name().and_then(|name| name.to_str()) else {
        return Ok(Vec::new());
    };
    if !name.contains(['*', '?']) {
        let text = pattern.to_string_lossy().into_owned();
        return Ok(if pattern.is_file() {
            vec![text]
        } else {
            Vec::new()
        });
    }
    let folder = pattern
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let matches = path
            .file_name()
            .and_then(|file| file.to_str())
            // As in the shell, a star does not find hidden files.
            .is_some_and(|file| {
                !file.starts_with('.') && wildcard(name.as_bytes(), file.as_bytes())
            });
        if matches && path.is_file() {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// Whether `text` matches `pattern`, in which `*` stands for any bytes and `?` for one.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || text.get(t) == Some(byte) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                // The last star takes one byte more.
                Some((after, taken)) => {
                    retry = Some((after, taken + 1));
                    p = after;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_the_shells() {
        for (pattern, text, matches) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("*.conf", ".conf", true),
            ("R-9??-*.conf", "R-942-SQLI.conf", true),
            ("R-9??-*.conf", "R-94-SQLI.conf", false),
            ("a*b*c", "axxbyybzc", true),
            ("a*b*c", "axxbyybz", false),
            ("**", "anything", true),
            ("", "", true),
        ] {
            assert_eq!(
                wildcard(pattern.as_bytes(), text.as_bytes()),
                matches,
                "{pattern} {text}"
            );
        }
    }
}
