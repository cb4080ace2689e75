//! Packets in numbers, with sources that are not ours, from inside a host.
//!
//! Whole Ethernet frames are written to the host's interface, so that the kernel's routing, its
//! neighbour tables and its source checks have no say in what goes out.

mod frame;
mod pace;
mod sources;
mod trafgen;
mod wire;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

pub(crate) use frame::checksum;
pub use sources::Sources;
pub use trafgen::{Drawn, Running, Trafgen};

use crate::host::{Host, Node};
use crate::net;
use frame::Template;
use pace::Pace;
use wire::Wire;

/// A bounded number of packets to one address and port, from many sources in turn.
///
/// ```no_run
/// # use gateway_lab::{Flood, Host, Lab, Sources};
/// # fn main() -> anyhow::Result<()> {
/// # let lab = Lab::up("example")?;
/// let to = (Host::Gateway.ip4(), 443).into();
/// let flooded = Flood::syn(to)
///     .from(Sources::spread4(65_536)?)
///     .packets(200_000)
///     .per_second(50_000)
///     .run(lab.host(Host::Attacker))?;
/// assert_eq!(flooded.sent, 200_000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Flood {
    to: SocketAddr,
    kind: Kind,
    sources: Option<Sources>,
    packets: u64,
    per_second: Option<u64>,
    spoilt: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Syn,
    Udp(Vec<u8>),
}

/// What a flood did.
#[derive(Clone, Copy, Debug)]
pub struct Flooded {
    /// Frames that the interface took. The bridge or the receiver may still lose some: compare
    /// with [`Node::counters`] where it matters.
    pub sent: u64,
    /// From before the first frame until after the last.
    pub took: Duration,
}

impl Flooded {
    /// Frames per second.
    pub fn rate(&self) -> f64 {
        let frames = u32::try_from(self.sent).map_or(f64::MAX, f64::from);
        frames / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

impl Flood {
    /// TCP connection attempts.
    pub fn syn(to: SocketAddr) -> Self {
        Self::new(to, Kind::Syn)
    }

    /// UDP datagrams, each with this payload.
    pub fn udp(to: SocketAddr, payload: &[u8]) -> Self {
        Self::new(to, Kind::Udp(payload.to_vec()))
    }

    fn new(to: SocketAddr, kind: Kind) -> Self {
        Self {
            to,
            kind,
            sources: None,
            packets: 1,
            per_second: None,
            spoilt: false,
        }
    }

    /// The sources to take in turn. Without this the sender's own address is the only one.
    #[must_use]
    pub fn from(mut self, sources: Sources) -> Self {
        self.sources = Some(sources);
        self
    }

    /// How many packets to send in all; one without this.
    #[must_use]
    pub fn packets(mut self, packets: u64) -> Self {
        self.packets = packets;
        self
    }

    /// At most this many packets a second; as fast as it goes without this.
    #[must_use]
    pub fn per_second(mut self, packets: u64) -> Self {
        self.per_second = Some(packets);
        self
    }

    /// With wrong TCP or UDP checksums: what the receiver's stack throws away.
    #[must_use]
    pub fn spoilt(mut self) -> Self {
        self.spoilt = true;
        self
    }

    /// Sends the packets from this host and returns when the last one is out.
    ///
    /// # Errors
    ///
    /// When the sources and the target are not of one family, or the interface fails.
    pub fn run(&self, from: &Node) -> Result<Flooded> {
        let sources = match &self.sources {
            Some(sources) => sources.clone(),
            None if self.to.is_ipv4() => Sources::only(from.host().ip4().into()),
            None => Sources::only(from.host().ip6().into()),
        };
        let mac = neighbour(from.host());
        let mut template = match &self.kind {
            Kind::Syn => Template::syn(from.host().mac(), mac, self.to),
            Kind::Udp(payload) => Template::udp(from.host().mac(), mac, self.to, payload)?,
        }
        .spoilt(self.spoilt);
        let send = || -> Result<Flooded> {
            let wire = Wire::open(from.host().interface())?;
            let started = Instant::now();
            let mut pace = Pace::start(self.per_second)?;
            for turn in 0..self.packets {
                pace.next()?;
                wire.send(template.from(sources.nth(turn), turn)?)?;
            }
            Ok(Flooded {
                sent: self.packets,
                took: started.elapsed(),
            })
        };
        from.in_ns(send)?
            .with_context(|| format!("a flood from {} to {}", from.host(), self.to))
    }
}

impl Node {
    /// Writes whole Ethernet frames to the host's interface, each once and in order.
    ///
    /// # Errors
    ///
    /// When the interface fails or a frame is longer than its MTU allows.
    pub fn inject<'a>(&self, frames: impl IntoIterator<Item = &'a [u8]> + Send) -> Result<u64> {
        let send = || -> Result<u64> {
            let wire = Wire::open(self.host().interface())?;
            let mut sent = 0;
            for frame in frames {
                wire.send(frame)?;
                sent += 1;
            }
            Ok(sent)
        };
        self.in_ns(send)?
            .with_context(|| format!("frames from {}", self.host()))
    }
}

/// The only station behind the host's wire that a flood is meant for.
fn neighbour(from: Host) -> [u8; 6] {
    match from {
        Host::Client | Host::Attacker => Host::Gateway.mac(),
        Host::Gateway => Host::Attacker.mac(),
        Host::Upstream => net::LAN_MAC,
    }
}
