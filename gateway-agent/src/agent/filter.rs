//! The packet filter as the configuration wants it.

use std::collections::BTreeMap;

use gateway_common::{
    lists::{Entry, ORIGIN_CONFIG},
    tables::List,
};
use gateway_policy::grammar::Prefix;

use super::limits;
use crate::{
    config::{self, Config, XdpMode},
    datapath::{self, Attached, Datapath, DatapathError, Mode},
};

/// Loads the data plane and puts the limits and zones in force; attaches nothing yet.
///
/// # Errors
/// What is missing, in words.
pub(super) fn load(config: &Config) -> Result<Datapath, DatapathError> {
    let mut datapath = Datapath::load(&config.paths.pins)?;
    configure(&mut datapath, config)?;
    Ok(datapath)
}

/// Puts the limits and zones of `config` in force.
pub(super) fn configure(datapath: &mut Datapath, config: &Config) -> Result<(), DatapathError> {
    let before = *datapath.settings();
    let mut changed = set_zones(datapath, config)?;
    datapath.set_further(&limits::further(
        &config.packet_limits,
        config.country_limit,
    ))?;
    datapath.set_limits(&limits::packets(&config.packet_limits, &config.attack_mode))?;
    let now = datapath.settings();
    changed |= before.limits != now.limits || before.further != now.further;
    // A limit goes by its place: what was counted for another in its place is not its count.
    if changed {
        datapath.forget_limits()?;
    }
    Ok(())
}

/// Guards the interfaces of `config`, and no others. Those that are not there are left to the
/// watch over the interfaces, which waits for them.
///
/// # Errors
/// At the first interface that is there and cannot be guarded; those that were attached by this
/// call are detached again.
pub(super) fn attach(
    datapath: &mut Datapath,
    interfaces: &[config::Interface],
) -> Result<Vec<Attached>, DatapathError> {
    refuse_bond_members(interfaces)?;
    let mut attached: Vec<Attached> = Vec::new();
    for interface in interfaces {
        match attach_one(datapath, interface) {
            Ok(done) => attached.push(done),
            Err(DatapathError::NoInterface { .. }) => {}
            Err(error) => {
                give_back(datapath, &attached)?;
                return Err(error);
            }
        }
    }
    let wanted: Vec<&str> = interfaces.iter().map(|i| i.name.as_str()).collect();
    for gone in datapath.detach_others(&wanted)? {
        tracing::info!(
            interface = gone,
            "no longer filtered: the configuration does not name it"
        );
    }
    Ok(attached)
}

/// Guards one interface.
///
/// # Errors
/// When it is missing, or cannot be guarded.
pub(super) fn attach_one(
    datapath: &mut Datapath,
    interface: &config::Interface,
) -> Result<Attached, DatapathError> {
    let mode = match interface.mode {
        XdpMode::Auto => None,
        XdpMode::Native => Some(Mode::Native),
        XdpMode::Generic => Some(Mode::Generic),
    };
    datapath.attach(interface.name.as_str(), mode)
}

/// Refuses a bond beside one of its members.
///
/// # Errors
/// That names both.
pub(super) fn refuse_bond_members(interfaces: &[config::Interface]) -> Result<(), DatapathError> {
    let names: Vec<&str> = interfaces.iter().map(|i| i.name.as_str()).collect();
    datapath::refuse_bond_members(&names)
}

/// Logs that an interface is guarded.
pub(super) fn tell(attached: &Attached) {
    tracing::info!(
        interface = attached.name,
        mode = attached.mode.name(),
        took_over = attached.took_over,
        "filtering packets"
    );
}

/// Takes the program off those of `attached` that it was put on anew. What an earlier agent
/// attached keeps filtering.
///
/// # Errors
/// When a pin cannot be removed.
pub(super) fn give_back(
    datapath: &mut Datapath,
    attached: &[Attached],
) -> Result<(), DatapathError> {
    let is_new = |name: &str| {
        attached
            .iter()
            .any(|one| one.name == name && !one.took_over)
    };
    let present = datapath.interfaces();
    let kept: Vec<&str> = present
        .iter()
        .map(|one| one.name.as_str())
        .filter(|name| !is_new(name))
        .collect();
    datapath.detach_others(&kept).map(drop)
}

/// Makes the kernel's trusted networks those of the configuration; says whether they were others.
fn set_zones(datapath: &mut Datapath, config: &Config) -> Result<bool, DatapathError> {
    let mut wanted: BTreeMap<Prefix, Entry> = BTreeMap::new();
    for (name, prefixes) in &config.networks.trusted {
        let entry = Entry {
            origin: ORIGIN_CONFIG,
            class: limits::class_of(name, &config.packet_limits),
            ..Entry::default()
        };
        wanted.extend(prefixes.iter().map(|prefix| (*prefix, entry)));
    }
    // Countries are the feeds' to change.
    let present: BTreeMap<Prefix, Entry> = datapath
        .entries(List::Zone)?
        .filter(|(_, entry)| entry.class != limits::LIMITED)
        .map(|(prefix, entry)| (prefix, *entry))
        .collect();
    for prefix in present.keys().filter(|prefix| !wanted.contains_key(prefix)) {
        datapath.remove(List::Zone, *prefix)?;
    }
    let changed = present != wanted;
    for (prefix, entry) in &wanted {
        if present.get(prefix) != Some(entry) {
            datapath.insert(List::Zone, *prefix, *entry)?;
        }
    }
    Ok(changed)
}
