//! The configuration that was last confirmed, kept on disk while the files hold another one that
//! is not: on trial, or taken back.
//!
//! An agent that starts and finds the files as they were tried starts by the confirmed one. So a
//! trial ends well also when the agent or the machine does not live to see its end. Files that
//! were changed since are taken as they are: somebody has seen to them.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::config::{self, Config, Finding, Sources};

/// Bytes of the longest such file: two configurations of the most and longest files do not come
/// near it in practice, and what is longer is none of ours.
const MAX_BYTES: u64 = 64 << 20;

/// The two configurations.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// The last one that was confirmed, or needed no confirmation.
    pub(super) confirmed: Sources,
    /// The one that was tried, as the files had it.
    pub(super) tried: Sources,
}

/// Where it is kept.
#[derive(Clone, Debug)]
pub(super) struct Place(PathBuf);

/// The configuration to start by.
pub(super) struct Chosen {
    pub(super) config: Config,
    pub(super) warnings: Vec<Finding>,
    pub(super) sources: Sources,
    /// Whether it is not the one in the files.
    pub(super) kept: bool,
    pub(super) place: Place,
}

/// Reads the files, and finds out whether they are to be started by.
///
/// # Errors
/// What is wrong with them.
pub(super) fn choose(main: &Path) -> Result<Chosen, config::Faults> {
    let sources = Sources::read(main)?;
    let (config, warnings) = sources.load()?;
    let place = Place::beside(&config.paths.store);
    let by_the_files = |mut warnings: Vec<Finding>, config, remark: Option<String>| {
        warnings.extend(remark.map(|message| Finding {
            location: config::Location {
                file: place.0.clone().into(),
                at: None,
            },
            message,
        }));
        Chosen {
            config,
            warnings,
            sources: sources.clone(),
            kept: false,
            place: place.clone(),
        }
    };
    let kept = match place.read() {
        Ok(Some(kept)) if kept.tried == sources => kept,
        Ok(_) => return Ok(by_the_files(warnings, config, None)),
        Err(error) => {
            let remark = format!("the configuration last confirmed cannot be read: {error}");
            return Ok(by_the_files(warnings, config, Some(remark)));
        }
    };
    match kept.confirmed.load() {
        Ok((confirmed, warnings)) => Ok(Chosen {
            config: confirmed,
            warnings,
            sources: kept.confirmed,
            kept: true,
            place,
        }),
        Err(faults) => {
            let remark = format!("the configuration last confirmed has faults: {faults}");
            Ok(by_the_files(warnings, config, Some(remark)))
        }
    }
}

impl Place {
    /// `gateway.confirmed.json` beside `gateway.db`.
    fn beside(store: &Path) -> Self {
        Self(store.with_extension("confirmed.json"))
    }

    /// What is kept; `None` when nothing is.
    pub(super) fn read(&self) -> io::Result<Option<Kept>> {
        let file = match fs::File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut text)?;
        Ok(Some(serde_json::from_slice(&text)?))
    }

    /// Keeps it: whole, on the disk, and for nobody else to read, since secrets may be in it.
    pub(super) fn write(&self, kept: &Kept) -> io::Result<()> {
        let new = self.0.with_extension("new");
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)?;
        match self.0.parent() {
            Some(folder) => fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Keeps nothing any more.
    pub(super) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World(tempfile::TempDir);

    impl World {
        fn new() -> Self {
            Self(tempfile::TempDir::new().unwrap())
        }

        fn main(&self) -> PathBuf {
            self.0.path().join("gateway.yaml")
        }

        /// A configuration that is told by its management address.
        fn write(&self, management: &str) -> Sources {
            let store = self.0.path().join("gateway.db");
            let text = format!(
                "management: [{management}]\npaths: {{ store: {} }}\nlisteners: [{{ bind: \
                 \"127.0.0.1:8080\", plaintext: true }}]\nroutes: [{{ require: none, upstream: app \
                 }}]\nupstreams: {{ app: {{ targets: http://127.0.0.1:9000 }} }}\n",
                store.display()
            );
            fs::write(self.main(), text).unwrap();
            Sources::read(&self.main()).unwrap()
        }

        fn chosen(&self) -> (String, bool, usize) {
            let chosen = choose(&self.main()).unwrap();
            let management = chosen.config.networks.management.first().unwrap();
            let remarks = chosen.warnings.iter();
            let ours = remarks.filter(|w| w.message.contains("last confirmed"));
            (management.to_string(), chosen.kept, ours.count())
        }

        fn place(&self) -> Place {
            Place::beside(&self.0.path().join("gateway.db"))
        }
    }

    #[test]
    fn files_that_were_tried_and_not_confirmed_are_not_started_by() {
        let world = World::new();
        let confirmed = world.write("192.0.2.1");
        assert_eq!(world.chosen(), ("192.0.2.1".into(), false, 0));
        let tried = world.write("192.0.2.2");
        let kept = Kept { confirmed, tried };
        world.place().write(&kept).unwrap();
        assert_eq!(world.place().read().unwrap().unwrap(), kept);
        assert_eq!(world.chosen(), ("192.0.2.1".into(), true, 0));
        // Somebody has seen to them since.
        world.write("192.0.2.3");
        assert_eq!(world.chosen(), ("192.0.2.3".into(), false, 0));
        world.write("192.0.2.2");
        world.place().clear().unwrap();
        world.place().clear().unwrap();
        assert_eq!(world.chosen(), ("192.0.2.2".into(), false, 0));
    }

    #[test]
    fn what_is_kept_is_for_nobody_else_to_read() {
        use std::os::unix::fs::PermissionsExt;
        let world = World::new();
        let confirmed = world.write("192.0.2.1");
        let tried = confirmed.clone();
        world.place().write(&Kept { confirmed, tried }).unwrap();
        let mode = fs::metadata(&world.place().0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn nonsense_is_passed_over_and_told() {
        let world = World::new();
        world.write("192.0.2.1");
        for nonsense in ["", "{}", "[]", "{\"confirmed\":[],\"tried\":7}"] {
            fs::write(&world.place().0, nonsense).unwrap();
            assert_eq!(world.chosen(), ("192.0.2.1".into(), false, 1), "{nonsense}");
        }
    }
}
