//! Watching the interfaces: those of the configuration that appear get the program, and what is
//! left of those that are gone is cleared away.
//!
//! The kernel's messages only say when to look. A look compares all interfaces of the
//! configuration with what is there, so no message needs to be understood, and one that was lost
//! is made up for by the next look.

use std::{
    collections::BTreeMap,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    net::if_::if_nametoindex,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
    },
};

use super::{filter, hooks::Running};
use crate::{
    config::Interface,
    control::Kernel,
    datapath::{Datapath, DatapathError, Standing},
};

/// Multicast group of messages on links (`RTMGRP_LINK`, rtnetlink(7)).
const LINKS: u32 = 1;

/// The least time from one look to the next, however fast interfaces come and go.
const SPACING: Duration = Duration::from_millis(250);

/// How often to look when the kernel is silent, as it is when somebody detaches the program.
const SILENCE: Duration = Duration::from_secs(10);

/// How long an interface that refused the program is left alone.
const REFUSED: Duration = Duration::from_secs(10);

/// The running thread; it ends when this is dropped.
pub(super) struct Watch {
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no socket or no thread.
    pub(super) fn start(kernel: Arc<Kernel>, running: Arc<Running>) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        let messages = listen().map_err(io::Error::from)?;
        let thread = thread::Builder::new()
            .name("interfaces".into())
            .spawn(move || {
                let mut known = BTreeMap::new();
                loop {
                    look(&kernel, &running, &mut known);
                    if !wait(&messages, &stopped) {
                        return;
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is known of an interface, to tell of changes alone.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    Filtered,
    Renamed,
    Absent,
    Refused {
        words: String,
        index: Option<u32>,
        at: Instant,
    },
}

fn listen() -> Result<OwnedFd, Errno> {
    let messages = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkRoute,
    )?;
    bind(messages.as_raw_fd(), &NetlinkAddr::new(0, LINKS))?;
    Ok(messages)
}

/// Waits until it is time to look again; `false` when the agent stops.
fn wait(messages: &OwnedFd, stopped: &UnixStream) -> bool {
    let sleep = |timeout: Duration, messages: Option<&OwnedFd>| {
        let mut fds = vec![PollFd::new(stopped.as_fd(), PollFlags::POLLIN)];
        fds.extend(messages.map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)));
        let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        // Interrupted or not: looking once too often does no harm.
        let _ = poll(&mut fds, timeout);
        let stop = fds.first().and_then(PollFd::revents);
        stop.is_none_or(|events| events.is_empty())
    };
    if !sleep(SPACING, None) || !sleep(SILENCE, Some(messages)) {
        return false;
    }
    drain(messages);
    true
}

/// Takes in all messages there are. Which they were is of no matter, nor is it if some were lost
/// (ENOBUFS): everything is looked at anyway.
fn drain(messages: &OwnedFd) {
    let mut buffer = [0; 8_192];
    loop {
        match recv(messages.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(1..) | Err(Errno::EINTR | Errno::ENOBUFS) => {}
            Ok(0) | Err(_) => return,
        }
    }
}

fn look(kernel: &Kernel, running: &Running, known: &mut BTreeMap<String, Known>) {
    // While a reload is under way, which interfaces are wanted is not settled.
    let Some((_settled, config)) = running.settled() else {
        return;
    };
    let mut datapath = kernel.datapath();
    match datapath.drop_dead() {
        Ok(dropped) => {
            for interface in dropped {
                known.remove(&interface);
                tracing::warn!(interface, "no longer filtered: it is gone, or was detached");
            }
        }
        Err(error) => tracing::error!("clearing away what gone interfaces left: {error}"),
    }
    known.retain(|name, _| {
        let mut named = config.interfaces.iter();
        named.any(|interface| interface.name.as_str() == name)
    });
    for interface in &config.interfaces {
        let name = interface.name.as_str();
        let before = known.get(name);
        let now = match datapath.standing(name) {
            Standing::Filtered => Known::Filtered,
            Standing::Renamed => Known::Renamed,
            Standing::Absent => Known::Absent,
            Standing::Bare => match before {
                Some(Known::Refused { index, at, .. })
                    if at.elapsed() < REFUSED && *index == index_of(name) =>
                {
                    continue;
                }
                Some(_) | None => attach(&mut datapath, interface, &config.interfaces),
            },
        };
        tell(name, before, &now);
        known.insert(name.to_owned(), now);
    }
}

fn attach(datapath: &mut Datapath, interface: &Interface, all: &[Interface]) -> Known {
    let name = interface.name.as_str();
    let index = index_of(name);
    let attached =
        filter::refuse_bond_members(all).and_then(|()| filter::attach_one(datapath, interface));
    match attached {
        Ok(attached) => {
            filter::tell(&attached);
            Known::Filtered
        }
        Err(DatapathError::NoInterface { .. }) => Known::Absent,
        // It went while the program was put on it, whatever the kernel called that. If another one
        // of its name has come, a message says so, and the next look finds it.
        Err(_) if index_of(name) != index => Known::Absent,
        Err(error) => Known::Refused {
            words: error.to_string(),
            index,
            at: Instant::now(),
        },
    }
}

fn index_of(interface: &str) -> Option<u32> {
    if_nametoindex(interface).ok()
}

fn tell(interface: &str, before: Option<&Known>, now: &Known) {
    match now {
        Known::Filtered => {}
        Known::Renamed => {
            if before != Some(now) {
                tracing::warn!(
                    interface,
                    "goes by another name now, and is filtered all the same: name it so in the \
                     configuration"
                );
            }
        }
        Known::Absent => {
            if before != Some(now) {
                tracing::warn!(
                    interface,
                    "there is no such interface: it is filtered when it appears"
                );
            }
        }
        Known::Refused { words, .. } => {
            let same =
                |known: &Known| matches!(known, Known::Refused { words: w, .. } if w == words);
            if !before.is_some_and(same) {
                tracing::error!(interface, "not filtered: {words}");
            }
        }
    }
}
