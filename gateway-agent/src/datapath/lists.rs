//! Changing the lists in the kernel.
//!
//! The order of writes keeps the kernel's view sound at every instant. Adding: the length, the
//! entry, then the cells that announce it. Removing: the entry, the cells, then the length. A
//! cell may announce an entry that is not there, which costs a look-up; an entry without its
//! cell would be passed over, and never exists.

use aya::maps::{Array, HashMap, MapData, MapError};
use gateway_common::{
    abi::{ALLOW_CAPACITY, DENY_CAPACITY, ZONE_CAPACITY},
    lists::{Entry, Key4, Key6},
    settings::Settings,
    tables::List,
};
use gateway_policy::grammar::Prefix;

use super::{
    Datapath,
    error::{DatapathError, errno, is_absent},
    index::held_index,
    mirror::{Changed, Key, Mirror, Reindexed, changes4::Changes, key},
    object::{Family, Maps},
};

impl Datapath {
    /// Adds an entry, or replaces the one with the same prefix.
    ///
    /// # Errors
    ///
    /// [`DatapathError::ListFull`] when there is no room: nothing is evicted for it.
    pub fn insert(
        &mut self,
        list: List,
        prefix: Prefix,
        entry: Entry,
    ) -> Result<(), DatapathError> {
        let key = key(prefix);
        let mirror = self.mirror()?;
        let before = mirror.get(list, key).copied();
        let changed = mirror.insert(list, key, entry);
        let written = self
            .write_lengths()
            .and_then(|()| put(self.maps.family(list), list, prefix, key, &entry))
            .and_then(|()| self.write_cells(&changed));
        if written.is_err() {
            // The mirror goes back to what the kernel holds.
            let mirror = self.mirror()?;
            match before {
                Some(before) => mirror.insert(list, key, before),
                None => mirror.remove(list, key).1,
            };
            if changed.index4.is_resized {
                self.rewrite_index()?;
            }
        }
        written
    }

    /// Removes an entry; says whether there was one.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn remove(&mut self, list: List, prefix: Prefix) -> Result<bool, DatapathError> {
        let key = key(prefix);
        // Read back before the entry goes, so that it is known what it was announced by.
        self.mirror()?;
        take(self.maps.family(list), key)?;
        let (old, changed) = self.mirror()?.remove(list, key);
        self.write_cells(&changed)?;
        self.write_lengths()?;
        Ok(old.is_some())
    }

    /// Adds or replaces many entries, deriving the summary once. All or nothing.
    ///
    /// # Errors
    ///
    /// As [`Datapath::insert`]; what was added until then is removed again.
    pub fn insert_all(
        &mut self,
        list: List,
        entries: &[(Prefix, Entry)],
    ) -> Result<(), DatapathError> {
        self.mirror()?;
        self.announce_lengths(list, entries.iter().map(|(prefix, _)| *prefix))?;
        for (done, (prefix, entry)) in entries.iter().enumerate() {
            let key = key(*prefix);
            if let Err(error) = put(self.maps.family(list), list, *prefix, key, entry) {
                for (prefix, _) in entries.iter().take(done) {
                    self.restore(list, *prefix)?;
                }
                self.write_lengths()?;
                return Err(error);
            }
        }
        let entries = entries
            .iter()
            .map(|(prefix, entry)| (list, key(*prefix), *entry));
        let changed = self.mirror()?.extend(entries);
        self.write_cells(&changed)?;
        self.write_lengths()
    }

    /// Every entry of `list`, IPv4 first, by address.
    ///
    /// # Errors
    ///
    /// When the kernel's maps cannot be read.
    pub fn entries(
        &mut self,
        list: List,
    ) -> Result<impl Iterator<Item = (Prefix, &Entry)>, DatapathError> {
        Ok(self.mirror()?.entries(list))
    }

    /// The entry for exactly this prefix.
    ///
    /// # Errors
    ///
    /// When the kernel's maps cannot be read.
    pub fn entry(&mut self, list: List, prefix: Prefix) -> Result<Option<Entry>, DatapathError> {
        let key = key(prefix);
        // One look at one map is no reason to read back all of them.
        if let Some(mirror) = &self.mirror {
            return Ok(mirror.get(list, key).copied());
        }
        self.held(list, prefix)
    }

    /// How many IPv4 and IPv6 entries `list` holds.
    ///
    /// # Errors
    ///
    /// When the kernel's maps cannot be read.
    pub fn count(&mut self, list: List) -> Result<(usize, usize), DatapathError> {
        Ok(self.mirror()?.count(list))
    }

    /// How many entries per family fit into `list`.
    #[must_use]
    pub const fn capacity(list: List) -> u32 {
        match list {
            List::Deny => DENY_CAPACITY,
            List::Allow => ALLOW_CAPACITY,
            List::Zone => ZONE_CAPACITY,
        }
    }

    /// Writes the whole summary, as derived from the entries, where the kernel's differs.
    pub(super) fn rewrite_summary(&mut self) -> Result<(), DatapathError> {
        self.mirror()?;
        self.write_lengths()?;
        self.rewrite_index()?;
        let Some(mirror) = &self.mirror else {
            return Ok(());
        };
        let mut words4 = Changes::default();
        for (index, old, new) in differing(mirror.words4(), &self.maps.cells4) {
            words4.note(index, old, new);
        }
        let changed = Changed {
            index4: Reindexed::default(),
            words4: words4.in_order(),
            words6: differing(mirror.words6(), &self.maps.cells6)
                .map(|(index, _, new)| (index, new))
                .collect(),
        };
        self.write_cells(&changed)
    }

    /// The lists in memory, read back from the kernel the first time.
    pub(super) fn mirror(&mut self) -> Result<&mut Mirror, DatapathError> {
        let mirror = match self.mirror.take() {
            Some(mirror) => mirror,
            None => read_back(&self.maps, &self.settings)?,
        };
        Ok(self.mirror.insert(mirror))
    }

    /// Puts back into the kernel what the mirror holds for a prefix.
    fn restore(&mut self, list: List, prefix: Prefix) -> Result<(), DatapathError> {
        let key = key(prefix);
        match self.mirror()?.get(list, key).copied() {
            Some(entry) => put(self.maps.family(list), list, prefix, key, &entry),
            None => take(self.maps.family(list), key),
        }
    }

    /// Writes the lengths of entries that are about to be added.
    pub(super) fn announce_lengths(
        &mut self,
        list: List,
        prefixes: impl Iterator<Item = Prefix>,
    ) -> Result<(), DatapathError> {
        let lengths = match list {
            List::Deny => &mut self.settings.deny,
            List::Allow => &mut self.settings.allow,
            List::Zone => &mut self.settings.zone,
        };
        for prefix in prefixes {
            match key(prefix) {
                Key::V4(key) => lengths.insert4(key.length),
                Key::V6(key) => lengths.insert6(key.length),
            }
        }
        self.maps.write_settings(&self.settings)
    }

    /// Writes the lengths of the entries there are.
    pub(super) fn write_lengths(&mut self) -> Result<(), DatapathError> {
        let mut settings: Settings = self.settings;
        self.mirror()?.describe(&mut settings);
        if settings != self.settings {
            self.maps.write_settings(&settings)?;
            self.settings = settings;
        }
        Ok(())
    }

    pub(super) fn write_cells(&mut self, changed: &Changed) -> Result<(), DatapathError> {
        self.changes = self.changes.wrapping_add(1);
        self.write_index(&changed.index4)?;
        let mut write = || -> Result<(), MapError> {
            for (index, word) in &changed.words4 {
                self.maps.cells4.set(*index, word, 0)?;
            }
            for (index, word) in &changed.words6 {
                self.maps.cells6.set(*index, word, 0)?;
            }
            Ok(())
        };
        write().map_err(DatapathError::kernel("writing the lists' summary"))
    }
}

impl Maps {
    pub(super) fn family(&mut self, list: List) -> &mut Family {
        match list {
            List::Deny => &mut self.deny,
            List::Allow => &mut self.allow,
            List::Zone => &mut self.zone,
        }
    }

    pub(super) fn into_family(self, list: List) -> Family {
        match list {
            List::Deny => self.deny,
            List::Allow => self.allow,
            List::Zone => self.zone,
        }
    }
}

/// The words that the kernel holds otherwise: index, what it holds, what it should.
fn differing(words: &[u64], kernel: &Array<MapData, u64>) -> impl Iterator<Item = (u32, u64, u64)> {
    (0..)
        .zip(words)
        .map(|(index, word)| (index, kernel.get(&index, 0).unwrap_or(0), *word))
        .filter(|(_, old, new)| old != new)
}

/// A mirror of what the kernel holds.
fn read_back(maps: &Maps, settings: &Settings) -> Result<Mirror, DatapathError> {
    let mut found = Vec::new();
    for (list, family) in [
        (List::Deny, &maps.deny),
        (List::Allow, &maps.allow),
        (List::Zone, &maps.zone),
    ] {
        for item in family.v4.iter() {
            let (key, entry) = item.map_err(DatapathError::kernel("reading the lists"))?;
            found.push((list, Key::V4(key), entry));
        }
        for item in family.v6.iter() {
            let (key, entry) = item.map_err(DatapathError::kernel("reading the lists"))?;
            found.push((list, Key::V6(key), entry));
        }
    }
    let mut mirror = Mirror::new(settings.seed);
    mirror.adopt(held_index(maps, settings.index_shift)?);
    mirror.extend(found);
    Ok(mirror)
}

pub(super) fn put(
    family: &mut Family,
    list: List,
    prefix: Prefix,
    key: Key,
    entry: &Entry,
) -> Result<(), DatapathError> {
    let (result, name) = match key {
        Key::V4(key) => (family.v4.insert(key, entry, 0), "IPv4"),
        Key::V6(key) => (family.v6.insert(key, entry, 0), "IPv6"),
    };
    result.map_err(|error| {
        let error = anyhow::Error::new(error);
        match errno(&error) {
            Some(nix::libc::E2BIG | nix::libc::ENOMEM) => DatapathError::ListFull {
                list,
                prefix,
                capacity: Datapath::capacity(list),
                family: name,
            },
            _ => DatapathError::Kernel {
                what: format!("adding {prefix}"),
                source: error,
            },
        }
    })
}

pub(super) fn take(family: &mut Family, key: Key) -> Result<(), DatapathError> {
    fn remove<K: aya::Pod>(
        map: &mut HashMap<MapData, K, Entry>,
        key: &K,
    ) -> Result<(), DatapathError> {
        match map.remove(key) {
            Ok(()) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(DatapathError::kernel("removing an entry")(error)),
        }
    }
    match key {
        Key::V4(key) => remove::<Key4>(&mut family.v4, &key),
        Key::V6(key) => remove::<Key6>(&mut family.v6, &key),
    }
}
