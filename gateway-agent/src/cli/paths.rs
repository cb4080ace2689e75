//! Where the gateway keeps its things, as far as a command must know.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::args::Global;
use super::error::CliError;
use crate::config::{self, Paths};

/// A configuration of which only the paths are looked at.
#[derive(Debug, Default, Deserialize)]
struct OnlyPaths {
    #[serde(default)]
    paths: Given,
}

#[derive(Debug, Default, Deserialize)]
struct Given {
    pins: Option<PathBuf>,
    store: Option<PathBuf>,
    socket: Option<PathBuf>,
}

/// The paths of the options, else of the configuration, else the usual ones.
///
/// A configuration with faults must not keep anybody from denying an attacker: then its paths
/// are taken as they are written.
pub(super) fn paths(global: &Global) -> Result<Paths, CliError> {
    let mut paths = match global {
        Global {
            pins: Some(_),
            socket: Some(_),
            store: Some(_),
            ..
        } => Paths::default(),
        _ => configured(&global.config)?,
    };
    for (option, path) in [
        (&global.pins, &mut paths.pins),
        (&global.socket, &mut paths.socket),
        (&global.store, &mut paths.store),
    ] {
        if let Some(option) = option {
            path.clone_from(option);
        }
    }
    Ok(paths)
}

fn configured(file: &Path) -> Result<Paths, CliError> {
    if matches!(file.try_exists(), Ok(false)) {
        return Ok(Paths::default());
    }
    config::load(file)
        .map(|(config, _)| config.paths.clone())
        .or_else(|faults| as_written(file).ok_or(faults))
        .map_err(|faults| {
            CliError::Other(anyhow::anyhow!(
                "the paths are not known, because the configuration cannot be used ({}); correct \
                 it, or name them with --pins, --socket and --store",
                faults.to_string().lines().next().unwrap_or_default()
            ))
        })
}

fn as_written(file: &Path) -> Option<Paths> {
    let text = std::fs::read_to_string(file).ok()?;
    let OnlyPaths { paths: given } = serde_saphyr::from_str(&text).ok()?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let usual = Paths::default();
    let path = |given: Option<PathBuf>, usual| given.map_or(usual, |path| folder.join(path));
    Some(Paths {
        pins: path(given.pins, usual.pins),
        store: path(given.store, usual.store),
        socket: path(given.socket, usual.socket),
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn global(config: PathBuf) -> Global {
        Global {
            config,
            pins: None,
            socket: None,
            store: None,
        }
    }

    #[test]
    fn options_come_before_the_file_and_the_file_before_the_usual() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("gateway.yaml");
        assert_eq!(paths(&global(file.clone())).unwrap(), Paths::default());

        // `nonsense` is a fault, which the paths survive.
        for rest in ["", "nonsense: 1\n"] {
            std::fs::write(
                &file,
                format!("paths: {{ pins: /p, store: db/x.db }}\n{rest}"),
            )
            .unwrap();
            let found = paths(&global(file.clone())).unwrap();
            assert_eq!(found.pins, Path::new("/p"));
            assert_eq!(found.store, dir.path().join("db/x.db"));
            assert_eq!(found.socket, Paths::default().socket);
        }

        let option = Global {
            pins: Some("/q".into()),
            ..global(file)
        };
        assert_eq!(paths(&option).unwrap().pins, Path::new("/q"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_unless_it_is_not_needed() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("gateway.yaml");
        std::fs::write(&file, "paths: {").unwrap();
        let refused = paths(&global(file.clone())).unwrap_err().to_string();
        assert!(refused.contains("gateway.yaml"), "{refused}");
        assert!(
            refused.ends_with("name them with --pins, --socket and --store"),
            "{refused}"
        );
        let all = Global {
            pins: Some("/p".into()),
            socket: Some("/s".into()),
            store: Some("/d".into()),
            ..global(file)
        };
        assert_eq!(paths(&all).unwrap().socket, Path::new("/s"));
    }
}
