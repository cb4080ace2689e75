//! The four hosts, and what can be done inside one.

use std::fmt;
use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use nix::sched::{CloneFlags, setns};

use crate::net;

/// One of the hosts of a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// The legitimate user, in front of the gateway.
    Client,
    /// The one who means harm, in front of the gateway too.
    Attacker,
    /// The machine under test.
    Gateway,
    /// The server behind the gateway.
    Upstream,
}

impl Host {
    /// All four.
    pub const ALL: [Host; 4] = [Host::Client, Host::Attacker, Host::Gateway, Host::Upstream];

    /// The name people write: `client`, `attacker`, `gateway`, `upstream`.
    pub const fn name(self) -> &'static str {
        match self {
            Host::Client => "client",
            Host::Attacker => "attacker",
            Host::Gateway => "gateway",
            Host::Upstream => "upstream",
        }
    }

    /// The host's IPv4 address; of the gateway the outside one.
    pub const fn ip4(self) -> Ipv4Addr {
        match self {
            Host::Gateway => net::wan4(1),
            Host::Client => net::wan4(2),
            Host::Attacker => net::wan4(3),
            Host::Upstream => net::lan4(2),
        }
    }

    /// The host's IPv6 address; of the gateway the outside one.
    pub const fn ip6(self) -> Ipv6Addr {
        match self {
            Host::Gateway => net::wan6(1),
            Host::Client => net::wan6(2),
            Host::Attacker => net::wan6(3),
            Host::Upstream => net::lan6(2),
        }
    }

    /// The host's interface; of the gateway the outside one.
    pub const fn interface(self) -> &'static str {
        match self {
            Host::Gateway => net::WAN,
            Host::Client | Host::Attacker | Host::Upstream => net::ETH,
        }
    }

    /// The link-layer address of [`Host::interface`].
    pub const fn mac(self) -> [u8; 6] {
        let last = match self {
            Host::Gateway => 1,
            Host::Client => 2,
            Host::Attacker => 3,
            Host::Upstream => 4,
        };
        [0x02, 0x77, 0, 0, 0, last]
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Host {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Host::ALL
            .into_iter()
            .find(|host| host.name() == text)
            .ok_or_else(|| anyhow!("no host {text}: write client, attacker, gateway or upstream"))
    }
}

/// What an interface has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets received, those that XDP dropped included.
    pub rx_packets: u64,
    /// Packets lost on reception.
    pub rx_dropped: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Packets lost on sending.
    pub tx_dropped: u64,
}

/// A host of a lab that is up. It may outlive the lab; entering it then fails.
#[derive(Clone, Debug)]
pub struct Node {
    host: Host,
    netns: PathBuf,
}

impl Node {
    pub(crate) fn new(host: Host, netns: PathBuf) -> Self {
        Self { host, netns }
    }

    /// Which of the hosts this is.
    pub fn host(&self) -> Host {
        self.host
    }

    /// The file that names the network namespace, for `nsenter --net=`.
    pub fn netns(&self) -> &Path {
        &self.netns
    }

    /// A command that will run `program` inside this host.
    ///
    /// `nsenter` becomes the program by `exec`, so the child's process id is the program's.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut enter = std::ffi::OsString::from("--net=");
        enter.push(&self.netns);
        let mut command = Command::new("nsenter");
        command.arg(enter).arg("--").arg(program);
        command
    }

    /// Runs `work` on a fresh thread inside this host; sockets made there stay there.
    ///
    /// A panic of `work` goes on in the caller.
    ///
    /// # Errors
    ///
    /// When the namespace cannot be entered: the lab is gone, or the caller is not root.
    pub fn in_ns<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        in_netns(&self.netns, self.host.name(), work)
    }

    /// Sets a sysctl of this host, such as `net/ipv4/ip_forward`.
    ///
    /// # Errors
    ///
    /// When the kernel has no such key or refuses the value.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        self.in_ns(|| fs::write(Path::new("/proc/sys").join(key), value))?
            .with_context(|| format!("{}: cannot set {key} to {value}", self.host))
    }

    /// Reads what `interface` has counted.
    ///
    /// # Errors
    ///
    /// When the host has no such interface.
    pub fn counters(&self, interface: &str) -> Result<Counters> {
        // The thread's own view: /proc/net would show the namespace of the process.
        let text = self.in_ns(|| fs::read_to_string("/proc/thread-self/net/dev"))??;
        parse_counters(&text, interface)
            .with_context(|| format!("{} has no interface {interface}", self.host))
    }

    /// Runs `ip -batch` inside the host, one command a line.
    pub(crate) fn ip_batch(&self, script: &str) -> Result<()> {
        let mut command = self.command("ip");
        command.args(["-batch", "-"]);
        crate::wire::feed(command, script).with_context(|| format!("wiring {}", self.host))
    }
}

/// Runs `work` on a fresh thread inside the namespace of the host `name`.
pub(crate) fn in_netns<T: Send>(
    netns: &Path,
    name: &str,
    work: impl FnOnce() -> T + Send,
) -> Result<T> {
    let enter = || -> Result<T> {
        let file = File::open(netns).with_context(|| format!("the lab's host {name} is gone"))?;
        setns(&file, CloneFlags::CLONE_NEWNET)
            .with_context(|| format!("cannot enter the lab's host {name}"))?;
        Ok(work())
    };
    thread::scope(|scope| match scope.spawn(enter).join() {
        Ok(result) => result,
        Err(cause) => panic::resume_unwind(cause),
    })
}

fn parse_counters(text: &str, interface: &str) -> Result<Counters> {
    for line in text.lines() {
        let Some((name, numbers)) = line.split_once(':') else {
            continue;
        };
        if name.trim() != interface {
            continue;
        }
        let numbers: Vec<u64> = numbers
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let at = |index: usize| numbers.get(index).copied().context("a short line");
        return Ok(Counters {
            rx_packets: at(1)?,
            rx_dropped: at(3)?,
            tx_packets: at(9)?,
            tx_dropped: at(11)?,
        });
    }
    bail!("not listed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_as_people_write_them() {
        for host in Host::ALL {
            assert_eq!(host.to_string().parse::<Host>().unwrap(), host);
        }
        assert!("router".parse::<Host>().is_err());
    }

    #[test]
    fn counters_are_read_from_the_kernels_table() {
        let table = "Inter-|   Receive  |  Transmit\n face |bytes packets\n\
                     lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n\
                     wan0:9000 70 0 5 0 0 0 0 800 60 0 3 0 0 0 0\n";
        let seen = parse_counters(table, "wan0").unwrap();
        assert_eq!(
            seen,
            Counters {
                rx_packets: 70,
                rx_dropped: 5,
                tx_packets: 60,
                tx_dropped: 3
            }
        );
        assert!(parse_counters(table, "wan1").is_err());
    }
}
