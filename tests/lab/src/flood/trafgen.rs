//! Floods by trafgen(8) of the netsniff-ng tools: frames that a program of somebody else's puts
//! into a packet socket's ring, and that reach the receiver by its softirq as a NIC's would.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::{Flooded, neighbour};
use crate::host::Node;
use crate::wait;

/// The ring, of 128 frames: what is in it fits into the socket's send buffer as the kernel makes
/// it. trafgen gives up when it does not.
const RING: &str = "256KiB";
/// How long it may take to end when it is told to.
const SOON: Duration = Duration::from_secs(10);

/// A bounded number of TCP connection attempts, as fast as trafgen makes them, each from a source
/// and a port that are drawn when it is sent.
#[derive(Clone, Debug)]
pub struct Trafgen {
    to: SocketAddrV4,
    sources: Drawn,
    packets: u64,
}

/// What sources are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// All of IPv4, addresses included that are nobody's.
    Anywhere,
    /// The /16 that begins with these bytes.
    Within([u8; 2]),
}

/// A flood that is going on; it is over when this goes.
#[derive(Debug)]
pub struct Running {
    /// trafgen, which leads a process group of its own: its senders are processes too.
    child: Option<Child>,
    started: Instant,
}

impl Trafgen {
    /// SYNs to this address and port.
    #[must_use]
    pub fn syn(to: SocketAddrV4, sources: Drawn, packets: u64) -> Self {
        Self {
            to,
            sources,
            packets,
        }
    }

    /// Begins to send from this host.
    ///
    /// # Errors
    ///
    /// When there is no trafgen, or no packet is to be sent: it would then send for ever.
    pub fn start(&self, from: &Node) -> Result<Running> {
        if self.packets == 0 {
            bail!("a flood of no packets");
        }
        let mut command = from.command("trafgen");
        command
            .args(["--dev", from.host().interface(), "--cpus", "1"])
            .args(["--num", &self.packets.to_string(), "--ring-size", RING])
            // What belongs to the machine is left as it is.
            .args(["--no-sock-mem", "--notouch-irq", "--no-cpu-stats"])
            .arg(self.packet(from))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let child = command.spawn().context("cannot run nsenter")?;
        Ok(Running {
            child: Some(child),
            started: Instant::now(),
        })
    }

    /// The packet in trafgen's language.
    fn packet(&self, from: &Node) -> String {
        let sources = match self.sources {
            Drawn::Anywhere => "sa[0:2]=drnd(), sa[2:2]=drnd()".to_owned(),
            Drawn::Within([a, b]) => {
                format!("sa={}, sa[2:2]=drnd()", Ipv4Addr::new(a, b, 0, 0))
            }
        };
        format!(
            "{{ eth(da={}, sa={}), ipv4(ttl=64, df, {sources}, da={}), \
             tcp(sp=drnd(49152, 65535), dp={}, seq=1, win=65535, syn) }}",
            mac(neighbour(from.host())),
            mac(from.host().mac()),
            self.to.ip(),
            self.to.port(),
        )
    }
}

impl Running {
    /// Whether packets are still being sent.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn goes_on(&mut self) -> Result<bool> {
        let child = self.child.as_mut().context("it has ended")?;
        Ok(child.try_wait()?.is_none())
    }

    /// Waits until the last packet is sent, at most for so long.
    ///
    /// # Errors
    ///
    /// When that takes longer, or trafgen fails.
    pub fn wait(mut self, at_most: Duration) -> Result<Flooded> {
        let sent = wait::until(at_most, "trafgen to end", || {
            (!self.goes_on().unwrap_or(false)).then_some(())
        });
        sent?;
        self.count()
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// When trafgen has failed, or does not end.
    pub fn stop(mut self) -> Result<Flooded> {
        self.signal(Signal::SIGINT);
        wait::until(SOON, "trafgen to end", || {
            (!self.goes_on().unwrap_or(false)).then_some(())
        })?;
        self.count()
    }

    fn count(&mut self) -> Result<Flooded> {
        let took = self.started.elapsed();
        let child = self.child.take().context("it has ended")?;
        let out = child.wait_with_output()?;
        let said = [out.stdout, out.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let Some(sent) = outgoing(&said) else {
            let last = said.lines().rev().find(|line| !line.trim().is_empty());
            bail!(
                "trafgen (package netsniff-ng) has sent nothing: {}",
                last.unwrap_or("it gives no reason").trim()
            );
        };
        Ok(Flooded { sent, took })
    }

    fn signal(&self, signal: Signal) {
        let group = self
            .child
            .as_ref()
            .and_then(|child| i32::try_from(child.id()).ok());
        if let Some(group) = group {
            // One that has ended by itself is as good.
            let _gone = killpg(Pid::from_raw(group), signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(mut child) = self.child.take() {
            let _reaped = child.wait();
        }
    }
}

/// What trafgen says it has sent.
fn outgoing(said: &str) -> Option<u64> {
    let line = said
        .lines()
        .find_map(|line| line.trim().strip_suffix("packets outgoing"))?;
    line.trim().parse().ok()
}

fn mac(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn the_packet_is_as_trafgen_reads_it() {
        let node = Node::new(Host::Attacker, "/nowhere".into());
        let to = SocketAddrV4::new(Host::Gateway.ip4(), 443);
        let flood = Trafgen::syn(to, Drawn::Within([198, 18]), 1);
        assert_eq!(
            flood.packet(&node),
            "{ eth(da=02:77:00:00:00:01, sa=02:77:00:00:00:03), \
             ipv4(ttl=64, df, sa=198.18.0.0, sa[2:2]=drnd(), da=10.77.1.1), \
             tcp(sp=drnd(49152, 65535), dp=443, seq=1, win=65535, syn) }"
        );
        assert!(Trafgen::syn(to, Drawn::Anywhere, 0).start(&node).is_err());
    }

    #[test]
    fn what_was_sent_is_read_from_its_last_words() {
        let said = "Running! Hang up with ^C!\n\n\n      100000 packets outgoing\n     5400000 bytes outgoing\n";
        assert_eq!(outgoing(said), Some(100_000));
        assert_eq!(outgoing("Failed to open device\n"), None);
    }
}
