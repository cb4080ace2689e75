//! Finds a kernel among Debian's packages and keeps it below `target/vm/kernels`.

use std::convert::Infallible;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};

use crate::apt::{Mirror, Suite};
use crate::cargo;

/// The suites that are asked after the host's own, the older kernels first. Code names, because
/// mirrors refresh the indexes under the names of classes late.
const SUITES: [&str; 3] = ["trixie", "trixie-backports", "sid"];
const PREFIX: &str = "linux-image-";
const SUFFIX: &str = "-cloud-amd64";

/// Which kernel somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The newest one whose version begins with these numbers.
    Version(String),
    /// The newest there is.
    Newest,
}

impl FromStr for Wish {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "newest" => Wish::Newest,
            version => Wish::Version(version.to_owned()),
        })
    }
}

/// A kernel that can be booted.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    /// Its release, as `uname -r` tells it.
    pub(crate) release: String,
    /// The file to boot.
    pub(crate) image: PathBuf,
    /// The folder of its modules.
    pub(super) modules: PathBuf,
}

/// Finds a kernel, of those that are here already or else of the archive.
///
/// # Errors
///
/// When no suite has it, or the archive cannot be reached.
pub(super) fn find(wish: &Wish) -> Result<Kernel> {
    let store = cargo::target("vm/kernels");
    fs::create_dir_all(&store)?;
    if let Wish::Version(version) = wish {
        let here = fs::read_dir(&store)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        if let Some(package) = best(here, Some(version)) {
            return open(&store.join(package));
        }
    }
    let (suite, image) = choose(wish)?;
    let goal = store.join(&image);
    if !goal.exists() {
        eprintln!("vm: fetching {image}");
        suite.unpack(&parts(&image, &suite.packages("linux-")?), &goal)?;
    }
    open(&goal)
}

/// The first suite that has a fitting kernel, or of all suites the one that has the newest.
fn choose(wish: &Wish) -> Result<(Suite, String)> {
    let mirror = Mirror::of_host()?;
    let names = iter::once(mirror.codename()).chain(SUITES);
    let mut found: Option<(Suite, String)> = None;
    for name in names {
        let suite = Suite::open(&mirror, name)?;
        match wish {
            Wish::Version(version) => {
                if let Some(image) = best(suite.packages(PREFIX)?, Some(version)) {
                    return Ok((suite, image));
                }
            }
            Wish::Newest => {
                let newest = best(suite.packages(PREFIX)?, None);
                let sofar = found
                    .as_ref()
                    .map(|(_, image)| numbers(image))
                    .unwrap_or_default();
                if let Some(image) = newest.filter(|image| numbers(image) > sofar) {
                    found = Some((suite, image));
                }
            }
        }
    }
    let wanted = match wish {
        Wish::Version(version) => version,
        Wish::Newest => "at all",
    };
    found.with_context(|| {
        format!("the Debian archive has no cloud kernel {wanted}: ask for another, such as 6.1")
    })
}

/// The packages that make up a kernel: newer ones have the image and the modules apart.
fn parts(image: &str, packages: &[String]) -> Vec<String> {
    let mut parts = vec![image.to_owned()];
    if let Some(release) = image.strip_prefix(PREFIX) {
        let others = ["linux-binary-", "linux-modules-"].map(|prefix| format!("{prefix}{release}"));
        parts.extend(others.into_iter().filter(|other| packages.contains(other)));
    }
    parts
}

/// The package of the newest kernel that fits.
fn best(packages: Vec<String>, version: Option<&str>) -> Option<String> {
    packages
        .into_iter()
        .filter(|package| {
            release(package).is_some_and(|one| version.is_none_or(|wanted| fits(one, wanted)))
        })
        .max_by_key(|package| numbers(package))
}

/// `6.1.0-56` of `linux-image-6.1.0-56-cloud-amd64`.
fn release(package: &str) -> Option<&str> {
    let release = package.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    release
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some(release)
}

/// Whether a release is of the wanted version: 6.1 is not the beginning of 6.12, and a name
/// without a third number stands for whatever is current.
fn fits(release: &str, wanted: &str) -> bool {
    release
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.starts_with(['.', '-', '+']))
        && release.contains(['-', '+'])
}

/// The numbers in a name, which order releases by age.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

/// Finds the parts of an unpacked kernel: newer packages have the image beside the modules, and
/// follow the merge of /lib into /usr.
fn open(package: &Path) -> Result<Kernel> {
    let name = package
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let release = name.trim_start_matches(PREFIX).to_owned();
    let whole = ["usr/lib/modules", "lib/modules"]
        .into_iter()
        .find_map(|place| {
            let modules = package.join(place).join(&release);
            let images = [
                modules.join("vmlinuz"),
                package.join(format!("boot/vmlinuz-{release}")),
            ];
            let image = images.into_iter().find(|image| image.is_file())?;
            modules.is_dir().then_some((image, modules))
        });
    let (image, modules) = whole.with_context(|| {
        format!(
            "no kernel with modules in {}: remove that folder and retry",
            package.display()
        )
    })?;
    Ok(Kernel {
        release,
        image,
        modules,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<String> {
        [
            "linux-image-6.1.0-9-cloud-amd64",
            "linux-image-6.1.0-56-cloud-amd64",
            "linux-image-6.1.0-57-cloud-amd64-dbg",
            "linux-image-6.1.0-58-cloud-amd64-unsigned",
            "linux-image-6.1.0-59-amd64",
            "linux-image-6.12.111+deb13-cloud-amd64",
            "linux-image-6.12-cloud-amd64",
            "linux-image-7.1.13+deb13-cloud-amd64",
            "linux-image-cloud-amd64",
        ]
        .map(str::to_owned)
        .into()
    }

    #[test]
    fn the_newest_fitting_kernel_is_picked() {
        let picked = |version| best(archive(), version);
        assert_eq!(
            picked(Some("6.1")).unwrap(),
            "linux-image-6.1.0-56-cloud-amd64"
        );
        assert_eq!(
            picked(Some("6.12")).unwrap(),
            "linux-image-6.12.111+deb13-cloud-amd64"
        );
        assert_eq!(
            picked(Some("6.1.0-9")),
            None,
            "only whole numbers of the version are taken"
        );
        assert_eq!(
            picked(Some("6")).unwrap(),
            "linux-image-6.12.111+deb13-cloud-amd64"
        );
        assert_eq!(picked(Some("5.10")), None);
        assert_eq!(
            picked(None).unwrap(),
            "linux-image-7.1.13+deb13-cloud-amd64"
        );
    }

    #[test]
    fn a_kernel_in_parts_is_fetched_whole() {
        let image = "linux-image-7.2.13+deb14-cloud-amd64";
        let binary = "linux-binary-7.2.13+deb14-cloud-amd64".to_owned();
        let modules = "linux-modules-7.2.13+deb14-cloud-amd64".to_owned();
        let archive = [
            image.to_owned(),
            modules.clone(),
            binary.clone(),
            "linux-base".into(),
        ];
        assert_eq!(parts(image, &archive), [image.to_owned(), binary, modules]);
        assert_eq!(parts(image, &[]), [image]);
    }

    #[test]
    fn newest_is_a_word_of_its_own() {
        assert_eq!("newest".parse(), Ok(Wish::Newest));
        assert_eq!("6.1".parse(), Ok(Wish::Version("6.1".into())));
    }
}
