//! Putting the program on interfaces and taking over what an earlier agent put there.

use std::{
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    programs::{
        links::{FdLink, PinnedLink},
        xdp::{XdpLink, XdpMode},
    },
};
use gateway_common::abi::MAX_INTERFACES;
use nix::net::if_::if_nametoindex;

use super::{
    Datapath,
    error::{DatapathError, errno},
    object::{self, program},
    pins::{InterfacePin, create_dir},
};

/// How long the kernel may take to free an interface.
const FREED: Duration = Duration::from_secs(1);

/// Where in the kernel the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the driver, before a socket buffer is made.
    Native,
    /// In the stack, for drivers without XDP.
    Generic,
}

/// An interface that the program guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// Its index when the program was attached.
    pub index: u32,
    /// The mode the kernel granted.
    pub mode: Mode,
    /// Its block of counters.
    pub slot: u32,
    /// Whether the program runs there still; not when the interface is gone.
    pub alive: bool,
    /// Whether the interface was filtered before: the program replaced one of an earlier agent,
    /// without a gap, or changed its mode.
    pub took_over: bool,
}

impl Mode {
    /// The word for people and pins.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Native, Self::Generic]
            .into_iter()
            .find(|mode| mode.name() == name)
    }

    const fn flags(self) -> XdpMode {
        match self {
            Self::Native => XdpMode::Driver,
            Self::Generic => XdpMode::Skb,
        }
    }
}

impl Datapath {
    /// Guards `interface`, in `mode` or, when that is `None`, in native mode with generic mode
    /// as the fallback. A program of an earlier agent is replaced atomically.
    ///
    /// # Errors
    ///
    /// When the interface is missing, runs somebody else's program, or takes none. Nothing is
    /// left half attached.
    pub fn attach(
        &mut self,
        interface: &str,
        mode: Option<Mode>,
    ) -> Result<Attached, DatapathError> {
        let index = if_nametoindex(interface).map_err(|_| DatapathError::NoInterface {
            name: interface.to_owned(),
        })?;
        self.follow_name(interface, index)?;
        let present = self.pins.interfaces();
        if let Some(pin) = present.iter().find(|pin| pin.name == interface) {
            if pin.index == index && self.is_alive(pin) {
                match mode {
                    Some(other) if other != pin.mode => return self.change_mode(pin, other),
                    Some(_) | None => {}
                }
                if let Some(attached) = self.take_over(pin)? {
                    return Ok(attached);
                }
            }
            // The interface went away and came back, or another one has its name now.
            if pin.index != index && self.is_alive(pin) {
                tracing::warn!(
                    interface,
                    "another interface has this name now: the one that had it is no longer filtered"
                );
            }
            self.pins.remove_interface(pin)?;
        }
        let slot = (0..MAX_INTERFACES)
            .find(|slot| {
                present
                    .iter()
                    .all(|pin| pin.slot != *slot || pin.name == interface)
            })
            .ok_or(DatapathError::TooManyInterfaces {
                max: MAX_INTERFACES,
            })?;
        // Another interface may have counted there.
        self.clear_counters(slot)?;
        match mode {
            Some(mode) => self.attach_anew(interface, index, slot, mode),
            None => match self.attach_anew(interface, index, slot, Mode::Native) {
                Err(DatapathError::ModeRefused { source, .. }) => {
                    tracing::warn!(
                        "interface {interface}: the driver refuses native XDP ({source}); \
                         falling back to generic mode, which is slower"
                    );
                    self.attach_anew(interface, index, slot, Mode::Generic)
                }
                other => other,
            },
        }
    }

    /// Stops guarding every interface that is not among `wanted`.
    ///
    /// # Errors
    ///
    /// When a pin cannot be removed.
    pub fn detach_others(&mut self, wanted: &[&str]) -> Result<Vec<String>, DatapathError> {
        let mut gone = Vec::new();
        for pin in self.pins.interfaces() {
            if !wanted.contains(&pin.name.as_str()) {
                self.pins.remove_interface(&pin)?;
                gone.push(pin.name);
            }
        }
        Ok(gone)
    }

    /// What is attached now, by slot.
    #[must_use]
    pub fn interfaces(&self) -> Vec<Attached> {
        self.pins
            .interfaces()
            .into_iter()
            .map(|pin| Attached {
                alive: self.is_alive(&pin),
                ..attached(pin, false)
            })
            .collect()
    }

    /// Where the program runs on the interface already, under a name that it had before: the
    /// pins get the new name.
    fn follow_name(&mut self, interface: &str, index: u32) -> Result<(), DatapathError> {
        let present = self.pins.interfaces();
        let former = |pin: &&InterfacePin| pin.index == index && pin.name != interface;
        let Some(pin) = present.iter().find(former) else {
            return Ok(());
        };
        if !self.is_alive(pin) {
            return Ok(());
        }
        if let Some(namesake) = present.iter().find(|pin| pin.name == interface) {
            self.pins.remove_interface(namesake)?;
        }
        let renamed = InterfacePin {
            name: interface.to_owned(),
            ..pin.clone()
        };
        rename(&self.pins.interface(pin), &self.pins.interface(&renamed))
    }

    /// Runs the program in another mode. The kernel has no interface run XDP in two modes at
    /// once (`dev_xdp_attach`), so the old link goes before the new one comes, and packets pass
    /// unfiltered for as long as the driver takes for that. When the interface refuses the new
    /// mode it gets the old one back.
    fn change_mode(&mut self, pin: &InterfacePin, mode: Mode) -> Result<Attached, DatapathError> {
        let new = InterfacePin {
            mode,
            ..pin.clone()
        };
        let mut ebpf = object::load(&self.pins, pin.slot)?;
        // Whose last holder is a descriptor, a link goes when that is closed (`bpf_link_release`);
        // else some time after its pin.
        let link = PinnedLink::from_pin(self.pins.interface(pin).join("link"));
        self.pins.remove_interface(pin)?;
        drop(link);
        match self.put_on_freed(&mut ebpf, new) {
            Ok(changed) => Ok(Attached {
                took_over: true,
                ..changed
            }),
            Err(refused) => {
                if let Err(error) = self.put_on_freed(&mut ebpf, pin.clone()) {
                    tracing::error!(interface = pin.name, "no longer filtered: {error}");
                }
                Err(refused)
            }
        }
    }

    /// [`Datapath::put_on`] for an interface that older kernels free a moment later than asked.
    fn put_on_freed(&self, ebpf: &mut Ebpf, pin: InterfacePin) -> Result<Attached, DatapathError> {
        let started = Instant::now();
        loop {
            match self.put_on(ebpf, pin.clone()) {
                Err(DatapathError::ForeignProgram { .. }) if started.elapsed() < FREED => {
                    thread::sleep(Duration::from_millis(1));
                }
                done => return done,
            }
        }
    }

    /// Replaces the program behind an existing link; `None` when the link is dead.
    fn take_over(&mut self, pin: &InterfacePin) -> Result<Option<Attached>, DatapathError> {
        let dir = self.pins.interface(pin);
        let Ok(pinned) = PinnedLink::from_pin(dir.join("link")) else {
            return Ok(None);
        };
        let Ok(link) = XdpLink::try_from(FdLink::from(pinned)) else {
            return Ok(None);
        };
        let mut ebpf = object::load(&self.pins, pin.slot)?;
        let xdp = program(&mut ebpf)?;
        // A link whose interface is gone cannot be updated (ENOLINK).
        let Ok(id) = xdp.attach_to_link(link) else {
            return Ok(None);
        };
        let next = dir.join("next");
        xdp.pin(&next)
            .map_err(DatapathError::kernel("pinning the program"))?;
        rename(&next, &dir.join("program"))?;
        // The pin keeps the link; this handle on it may go.
        let kept = xdp
            .take_link(id)
            .map_err(DatapathError::kernel("keeping the link"))?;
        drop(kept);
        Ok(Some(attached(pin.clone(), true)))
    }

    fn attach_anew(
        &mut self,
        interface: &str,
        index: u32,
        slot: u32,
        mode: Mode,
    ) -> Result<Attached, DatapathError> {
        let pin = InterfacePin {
            slot,
            mode,
            index,
            name: interface.to_owned(),
        };
        let mut ebpf = object::load(&self.pins, slot)?;
        self.put_on(&mut ebpf, pin)
    }

    /// Attaches a loaded program, and pins it and its link.
    fn put_on(&self, ebpf: &mut Ebpf, pin: InterfacePin) -> Result<Attached, DatapathError> {
        let dir = self.pins.interface(&pin);
        let (interface, index, mode) = (pin.name.as_str(), pin.index, pin.mode);
        let xdp = program(ebpf)?;
        let id = xdp
            .attach_to_if_index(index, mode.flags())
            .map_err(|error| refusal(interface, mode, error.into()))?;
        let link = xdp
            .take_link(id)
            .map_err(DatapathError::kernel("taking the link"))?;
        // Dropping a link that is none of a file descriptor detaches it again.
        let link = FdLink::try_from(link).map_err(|_| DatapathError::NoLink {
            name: interface.to_owned(),
        })?;
        let pinned = create_dir(&dir).and_then(|()| {
            xdp.pin(dir.join("program"))
                .map_err(DatapathError::kernel("pinning the program"))?;
            link.pin(dir.join("link"))
                .map_err(DatapathError::kernel("pinning the link"))
        });
        match pinned {
            Ok(_) => Ok(attached(pin, false)),
            Err(error) => {
                self.pins.remove_interface(&pin)?;
                Err(error)
            }
        }
    }
}

fn attached(pin: InterfacePin, took_over: bool) -> Attached {
    Attached {
        name: pin.name,
        index: pin.index,
        mode: pin.mode,
        slot: pin.slot,
        alive: true,
        took_over,
    }
}

/// What the kernel's refusal to attach means.
fn refusal(interface: &str, mode: Mode, error: anyhow::Error) -> DatapathError {
    use nix::libc::{EACCES, EBUSY, EEXIST, EPERM};
    match errno(&error) {
        Some(EBUSY | EEXIST) => DatapathError::ForeignProgram {
            name: interface.to_owned(),
        },
        Some(EPERM | EACCES) => DatapathError::NotPermitted,
        Some(code) => DatapathError::ModeRefused {
            name: interface.to_owned(),
            mode: mode.name(),
            source: io::Error::from_raw_os_error(code),
        },
        None => DatapathError::ModeRefused {
            name: interface.to_owned(),
            mode: mode.name(),
            source: io::Error::other(format!("{error:#}")),
        },
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), DatapathError> {
    std::fs::rename(from, to).map_err(DatapathError::kernel(format!("replacing {}", to.display())))
}
