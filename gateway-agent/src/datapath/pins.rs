//! The pin directory: `maps/NAME`, and for each interface
//! `interfaces/SLOT-MODE-IFINDEX-NAME/{link,program}`.
//!
//! The directory's name carries all that must be known to take an interface over again, so that
//! the pins alone, without an agent or its store, say what is attached where.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use aya::maps::{Map, MapData, MapInfo, MapType};
use gateway_common::{
    abi::{self, ABI_VERSION, maps},
    counter, hits, limiter,
    lists::{
        Entry, Key4, Key6, cells,
        index4::{Bucket, MOST_INDEX_BITS},
    },
    settings::Settings,
    syncookie::Endpoint,
};

use super::{attach::Mode, bpffs, error::DatapathError};

/// A pin directory.
#[derive(Clone, Debug)]
pub struct Pins {
    root: PathBuf,
}

/// What the name of an interface's pin directory says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InterfacePin {
    pub(super) slot: u32,
    pub(super) mode: Mode,
    pub(super) index: u32,
    pub(super) name: String,
}

impl Pins {
    /// The pins under `root`, there or not.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a data plane was pinned here.
    #[must_use]
    pub fn exist(&self) -> bool {
        self.map(maps::SETTINGS).exists()
    }

    pub(super) fn map(&self, name: &str) -> PathBuf {
        self.root.join("maps").join(name)
    }

    fn interfaces_dir(&self) -> PathBuf {
        self.root.join("interfaces")
    }

    pub(super) fn interface(&self, pin: &InterfacePin) -> PathBuf {
        self.interfaces_dir().join(pin.dir_name())
    }

    /// Makes the directories.
    pub(super) fn prepare(&self) -> Result<(), DatapathError> {
        bpffs::ensure(&self.root)?;
        for dir in [self.root.join("maps"), self.interfaces_dir()] {
            create_dir(&dir)?;
        }
        Ok(())
    }

    /// Refuses pins that are not this gateway's or of another ABI.
    pub(super) fn refuse_foreign(&self) -> Result<(), DatapathError> {
        let settings = self.map(maps::SETTINGS);
        if settings.exists() {
            let map = MapData::from_pin(&settings).map_err(DatapathError::kernel(format!(
                "opening {}",
                settings.display()
            )))?;
            let found = abi_of(map);
            if let Some(found) = found.filter(|abi| *abi != 0 && *abi != ABI_VERSION) {
                return Err(DatapathError::OtherAbi {
                    pins: self.root.clone(),
                    found,
                });
            }
        }
        for (name, shape) in shapes() {
            let path = self.map(name);
            if !path.exists() {
                continue;
            }
            let info = MapInfo::from_pin(&path)
                .map_err(DatapathError::kernel(format!("reading {}", path.display())))?;
            let foreign = |reason| DatapathError::ForeignPin { path, reason };
            let found = (info.key_size(), info.value_size(), info.max_entries());
            if found != shape {
                return Err(foreign(format!(
                    "key, value and capacity are {found:?}, expected {shape:?}"
                )));
            }
            let expected = kind(name);
            match info.map_type() {
                Ok(found) if found == expected => {}
                found => {
                    return Err(foreign(format!(
                        "its type is {found:?}, expected {expected:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// What is attached, by slot.
    pub(super) fn interfaces(&self) -> Vec<InterfacePin> {
        let Ok(entries) = fs::read_dir(self.interfaces_dir()) else {
            return Vec::new();
        };
        let mut pins: Vec<_> = entries
            .flatten()
            .filter_map(|entry| InterfacePin::parse(entry.file_name().to_str()?))
            .collect();
        pins.sort_by_key(|pin| pin.slot);
        pins
    }

    /// Removes one interface's pins, which detaches the program from it.
    pub(super) fn remove_interface(&self, pin: &InterfacePin) -> Result<(), DatapathError> {
        remove_tree(&self.interface(pin))
    }

    /// Removes everything: programs are detached, lists and counters are gone.
    ///
    /// # Errors
    ///
    /// When a pin cannot be removed; those before it are gone then.
    pub fn remove(&self) -> Result<(), DatapathError> {
        // Links first, so that no program runs over maps that are half gone.
        remove_tree(&self.interfaces_dir())?;
        remove_tree(&self.root.join("maps"))?;
        remove_tree(&self.root)
    }
}

impl InterfacePin {
    /// bpffs takes no dots in names, and VLAN interfaces have one.
    fn dir_name(&self) -> String {
        let name = self.name.replace('%', "%25").replace('.', "%2e");
        format!("{}-{}-{}-{name}", self.slot, self.mode.name(), self.index)
    }

    fn parse(dir_name: &str) -> Option<Self> {
        let mut parts = dir_name.splitn(4, '-');
        let slot = parts.next()?.parse().ok()?;
        let mode = Mode::from_name(parts.next()?)?;
        let index = parts.next()?.parse().ok()?;
        let name = parts.next()?.replace("%2e", ".").replace("%25", "%");
        Some(Self {
            slot,
            mode,
            index,
            name,
        })
    }
}

/// The ABI version in the settings map; `None` when it is no array of settings at all.
fn abi_of(map: MapData) -> Option<u32> {
    let map = aya::maps::Array::<_, Settings>::try_from(Map::Array(map)).ok()?;
    map.get(&0, 0).ok().map(|settings| settings.abi)
}

/// Key size, value size and capacity of every map.
fn shapes() -> [(&'static str, (u32, u32, u32)); maps::ALL.len()] {
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let (key4, key6, entry) = (
        size(size_of::<Key4>()),
        size(size_of::<Key6>()),
        size(size_of::<Entry>()),
    );
    [
        (maps::SETTINGS, (4, size(size_of::<Settings>()), 1)),
        (maps::CELLS4, (4, 8, cells::WORDS4)),
        (maps::CELLS6, (4, 8, cells::WORDS6)),
        (
            maps::INDEX4,
            (4, size(size_of::<Bucket>()), 1 << MOST_INDEX_BITS),
        ),
        (maps::DENY4, (key4, entry, abi::DENY_CAPACITY)),
        (maps::DENY6, (key6, entry, abi::DENY_CAPACITY)),
        (maps::ALLOW4, (key4, entry, abi::ALLOW_CAPACITY)),
        (maps::ALLOW6, (key6, entry, abi::ALLOW_CAPACITY)),
        (maps::ZONE4, (key4, entry, abi::ZONE_CAPACITY)),
        (maps::ZONE6, (key6, entry, abi::ZONE_CAPACITY)),
        (
            maps::LISTENING,
            (size(size_of::<Endpoint>()), 4, abi::LISTENING_CAPACITY),
        ),
        (maps::LIMITER, (4, 8, limiter::CELLS)),
        (maps::KNOWN, (8, 8, abi::KNOWN_CAPACITY)),
        (
            maps::COUNTERS,
            (4, size(size_of::<counter::Counter>()), counter::COUNTERS),
        ),
        (
            maps::WOULD,
            (4, size(size_of::<counter::Hits>()), abi::WOULD_CAPACITY),
        ),
        (
            maps::HITS,
            (4, size(size_of::<hits::Bucket>()), hits::BUCKETS),
        ),
        (maps::EVENTS, (0, 0, abi::EVENT_RING_BYTES)),
    ]
}

/// Type of a map.
fn kind(name: &str) -> MapType {
    match name {
        maps::SETTINGS | maps::CELLS4 | maps::CELLS6 | maps::INDEX4 | maps::LIMITER => {
            MapType::Array
        }
        maps::COUNTERS | maps::HITS => MapType::PerCpuArray,
        maps::WOULD => MapType::PerCpuHash,
        maps::EVENTS => MapType::RingBuf,
        _ => MapType::Hash,
    }
}

pub(super) fn create_dir(dir: &Path) -> Result<(), DatapathError> {
    fs::create_dir_all(dir).map_err(DatapathError::kernel(format!("creating {}", dir.display())))
}

pub(super) fn remove_tree(dir: &Path) -> Result<(), DatapathError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DatapathError::kernel(format!("removing {}", dir.display()))(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names_survive_the_pin_directory() {
        for name in ["eth0", "bond0.100", "a-b%2e", "wan0"] {
            let pin = InterfacePin {
                slot: 3,
                mode: Mode::Generic,
                index: 17,
                name: name.into(),
            };
            let dir = pin.dir_name();
            assert!(!dir.contains('.'), "{dir}");
            assert_eq!(InterfacePin::parse(&dir), Some(pin));
        }
        assert_eq!(InterfacePin::parse("lost+found"), None);
    }
}
