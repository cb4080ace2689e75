//! An interface to which whole frames are written.

use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, bind, send, socket,
};

/// How long a full queue may stay full.
const PATIENCE: Duration = Duration::from_secs(5);

/// A packet socket (packet(7)) bound to one interface, for sending alone.
pub(super) struct Wire {
    socket: OwnedFd,
}

impl Wire {
    /// Opens the interface in the network namespace of the calling thread.
    pub(super) fn open(interface: &str) -> Result<Self> {
        let address = link_address(interface)?;
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            None,
        )?;
        // The address carries protocol 0, so that nothing is ever received.
        bind(socket.as_raw_fd(), &address)
            .with_context(|| format!("cannot write frames to {interface}"))?;
        Ok(Self { socket })
    }

    /// Sends one frame, waiting while the queue is full.
    pub(super) fn send(&self, frame: &[u8]) -> Result<()> {
        let mut full_since = None;
        loop {
            match send(self.socket.as_raw_fd(), frame, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(Errno::ENOBUFS) => {
                    let since: Instant = *full_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > PATIENCE {
                        bail!("the interface has taken no frame for {PATIENCE:?}");
                    }
                    thread::yield_now();
                }
                Err(error) => return Err(error).context("the interface refuses the frame"),
            }
        }
    }
}

fn link_address(interface: &str) -> Result<LinkAddr> {
    getifaddrs()?
        .filter(|entry| entry.interface_name == interface)
        .filter_map(|entry| entry.address)
        .filter(|address| address.family() == Some(AddressFamily::Packet))
        .find_map(|address| address.as_link_addr().copied())
        .with_context(|| format!("no interface {interface} here"))
}
