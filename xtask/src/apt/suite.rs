//! One suite of an archive, read through a private apt state.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Mirror;
use crate::{cargo, tool};

/// A suite whose package lists are at hand.
pub(crate) struct Suite {
    name: String,
    directory: PathBuf,
}

impl Suite {
    /// Fetches the package lists of a suite unless an earlier run has.
    ///
    /// # Errors
    ///
    /// When the archive cannot be reached or has no such suite.
    pub(crate) fn open(mirror: &Mirror, name: &str) -> Result<Self> {
        let directory = cargo::target("vm/apt").join(name);
        let suite = Self {
            name: name.to_owned(),
            directory,
        };
        for needed in ["state/lists/partial", "cache/archives/partial", "empty"] {
            fs::create_dir_all(suite.directory.join(needed))?;
        }
        let sources = suite.directory.join("suite.sources");
        let stanza = mirror.stanza(name);
        if fs::read_to_string(&sources).is_ok_and(|text| text == stanza) {
            return Ok(suite);
        }
        suite.update(&sources, &stanza)?;
        Ok(suite)
    }

    /// Every package whose name begins so.
    ///
    /// # Errors
    ///
    /// When apt cannot read its lists.
    pub(crate) fn packages(&self, prefix: &str) -> Result<Vec<String>> {
        let text = tool::output(self.apt("apt-cache").args(["pkgnames", prefix]))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Every version of a package, the newest first.
    ///
    /// # Errors
    ///
    /// When apt cannot read its lists.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let text = tool::output(self.apt("apt-cache").args(["madison", package]))?;
        // "rust-src | 1.95.0+dfsg1-2 | http://… Packages"
        Ok(text
            .lines()
            .filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned()))
            .collect())
    }

    /// Downloads packages, each given as `name` or `name=version`, and unpacks all of them at
    /// `goal`.
    ///
    /// # Errors
    ///
    /// When the archive does not have one any more; fresh lists are fetched once before that.
    pub(crate) fn unpack(&self, packages: &[String], goal: &Path) -> Result<()> {
        let downloads = self.directory.join("download");
        remove(&downloads)?;
        fs::create_dir_all(&downloads)?;
        let download = || {
            let mut apt = self.apt("apt-get");
            tool::quietly(apt.arg("download").args(packages).current_dir(&downloads))
        };
        if download().is_err() {
            self.refresh()?;
            download().with_context(|| format!("{} from {}", packages.join(", "), self.name))?;
        }
        // Unpacked beside the goal and moved there whole.
        let half = goal.with_extension("half");
        remove(&half)?;
        remove(goal)?;
        fs::create_dir_all(&half)?;
        for archive in fs::read_dir(&downloads)? {
            let archive = archive?.path();
            tool::quietly(
                Command::new("dpkg-deb")
                    .arg("--extract")
                    .arg(archive)
                    .arg(&half),
            )?;
        }
        fs::rename(&half, goal)?;
        remove(&downloads)
    }

    fn refresh(&self) -> Result<()> {
        let sources = self.directory.join("suite.sources");
        let stanza = fs::read_to_string(&sources)?;
        self.update(&sources, &stanza)
    }

    /// The sources get their name last: it says that the lists belong to them.
    fn update(&self, sources: &Path, stanza: &str) -> Result<()> {
        let fresh = self.directory.join("fresh.sources");
        fs::write(&fresh, stanza)?;
        let list = format!("Dir::Etc::SourceList={}", fresh.display());
        tool::quietly(self.apt("apt-get").args([
            "-o",
            &list,
            "update",
            "--allow-releaseinfo-change",
        ]))
        .with_context(|| format!("the package lists of {}", self.name))?;
        Ok(fs::rename(fresh, sources)?)
    }

    /// An apt program that reads the host's options, such as its proxy, but not its suites.
    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let directory = self.directory.display();
        for option in [
            format!("Dir::State={directory}/state"),
            format!("Dir::Cache={directory}/cache"),
            format!("Dir::Etc::SourceList={directory}/suite.sources"),
            format!("Dir::Etc::SourceParts={directory}/empty"),
            // Descriptions and catalogues of software, of which nothing is read.
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            // The folder may be one that apt's own user cannot enter.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
