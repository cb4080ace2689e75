//! What the kernel says of interfaces and of the links that keep the program on them.

use std::fs;

use aya::programs::links::{FdLink, Link, PinnedLink};
use nix::net::if_::if_nametoindex;

use super::{Datapath, error::DatapathError, pins::InterfacePin};

/// How an interface that shall be filtered stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The program runs on it.
    Filtered,
    /// The program runs on it, but it goes by another name now.
    Renamed,
    /// It is there and the program does not run on it.
    Bare,
    /// There is no such interface.
    Absent,
}

/// Where the bonding driver tells its bonds, for the network namespace of the thread.
const BONDS: &str = "/proc/thread-self/net/bonding";

impl Datapath {
    /// How `interface` stands now.
    #[must_use]
    pub fn standing(&self, interface: &str) -> Standing {
        let index = if_nametoindex(interface).ok();
        let pins = self.pins.interfaces();
        let pin = pins.iter().find(|pin| pin.name == interface);
        match (index, pin) {
            (Some(index), Some(pin)) if pin.index == index && self.is_alive(pin) => {
                Standing::Filtered
            }
            (Some(_), _) => Standing::Bare,
            (None, Some(pin)) if self.is_alive(pin) => Standing::Renamed,
            (None, _) => Standing::Absent,
        }
    }

    /// Clears away what is left of links whose interface is gone, or that somebody has detached.
    /// Returns the names of the interfaces.
    ///
    /// # Errors
    ///
    /// When a pin cannot be removed.
    pub fn drop_dead(&mut self) -> Result<Vec<String>, DatapathError> {
        let mut dropped = Vec::new();
        for pin in self.pins.interfaces() {
            if !self.is_alive(&pin) {
                self.pins.remove_interface(&pin)?;
                dropped.push(pin.name);
            }
        }
        Ok(dropped)
    }

    /// Whether the link still keeps the program on its interface. The kernel takes it off when
    /// the interface goes, and for `bpftool link detach`; the pin stays all the same. Where the
    /// kernel does not tell, the link counts as alive.
    pub(super) fn is_alive(&self, pin: &InterfacePin) -> bool {
        let Ok(pinned) = PinnedLink::from_pin(self.pins.interface(pin).join("link")) else {
            return false;
        };
        let link = FdLink::from(pinned);
        // The loader keeps the descriptor to itself and shows it as `FdLinkId(7)` alone.
        let shown = format!("{:?}", link.id());
        let descriptor: String = shown.chars().filter(char::is_ascii_digit).collect();
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}"));
        let index = info.ok().and_then(|info| index_of(&info));
        index.is_none_or(|index| index != 0)
    }
}

/// Refuses interfaces of which one is a bond and another one of its members: every packet would
/// be filtered, counted and charged twice, if the kernel took the program at all.
///
/// # Errors
///
/// [`DatapathError::BondMember`], which names both.
pub fn refuse_bond_members(interfaces: &[&str]) -> Result<(), DatapathError> {
    for bond in interfaces {
        let Ok(told) = fs::read_to_string(format!("{BONDS}/{bond}")) else {
            continue;
        };
        if let Some(member) = members(&told).find(|member| interfaces.contains(member)) {
            return Err(DatapathError::BondMember {
                bond: (*bond).to_owned(),
                member: member.to_owned(),
            });
        }
    }
    Ok(())
}

/// The interface of an XDP link, by what `/proc/PID/fdinfo` says of it; 0 for one that is
/// detached.
fn index_of(info: &str) -> Option<u32> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("ifindex:"))?;
    line.trim().parse().ok()
}

/// The members of a bond, by what the driver says of it.
fn members(told: &str) -> impl Iterator<Item = &str> {
    told.lines()
        .filter_map(|line| line.strip_prefix("Slave Interface:"))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_says_of_a_link() {
        let info = "pos:\t0\nflags:\t02000002\nlink_type:\txdp\nlink_id:\t12\nprog_id:\t99\n\
                    ifindex:\t5\n";
        assert_eq!(index_of(info), Some(5));
        assert_eq!(index_of(&info.replace("\t5\n", "\t0\n")), Some(0));
        assert_eq!(index_of("pos:\t0\n"), None);
    }

    #[test]
    fn reads_the_members_of_a_bond() {
        let told = "Ethernet Channel Bonding Driver: v6.1\n\n\
                    Bonding Mode: fault-tolerance (active-backup)\n\
                    Primary Slave: None\nCurrently Active Slave: eth1\n\n\
                    Slave Interface: eth1\nMII Status: up\n\nSlave Interface: eth2\n";
        assert_eq!(members(told).collect::<Vec<_>>(), ["eth1", "eth2"]);
    }

    #[test]
    fn interfaces_that_are_no_bonds_are_not_refused() {
        assert!(refuse_bond_members(&["lo", "no-such-one", "../../dev"]).is_ok());
    }
}
