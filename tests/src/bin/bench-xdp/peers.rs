//! What others do with the same sources: `lpm-lru`, a trie and an LRU map of buckets over the same
//! list, and `xdp-filter` as Debian packages it, with as many addresses as the list has entries.
//!
//! A program of somebody else's makes no random sources; it runs by a tail call behind one that
//! does. What the tail call costs is in its floor as well, for the parse-only program beside it
//! runs behind one too.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use aya::{
    Ebpf,
    maps::{LpmTrie, lpm_trie::Key},
    programs::ProgramFd,
};
use gateway_agent::datapath::Datapath;
use gateway_common::tables::List;
use gateway_tests::bench::{sources::Sources, stats::Summary, xdp_filter};

use crate::{
    cases::{Packet, blocks},
    programs::{Build, Program},
    rounds::{Floors, Measured, Series, WARM_UP},
    stock::Stock,
};

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;

/// Addresses that it is measured with.
const ADDRESSES: usize = 100_000;

/// What others are measured on: cases of ours, with what becomes of their packets.
const CASES: [(&str, Packet, u32); 3] = [
    ("clean-hot", Packet::From(blocks::CLEAN), XDP_PASS),
    ("clean-random", Packet::FromAny(Sources::CLEAN), XDP_PASS),
    (
        "denied-exact-random",
        Packet::FromAny(Sources::DENIED_EXACT),
        XDP_DROP,
    ),
];

/// Other people's programs, filled.
pub(crate) struct Peers {
    /// Kept for its maps.
    _xdp_filter: Option<Ebpf>,
    rows: Vec<Row>,
}

/// A case of a peer, round by round.
struct Row {
    peer: Peer,
    name: &'static str,
    packet: Packet,
    series: Series,
}

enum Peer {
    LpmLru,
    /// With its program, and the parse-only one that stands in its place for the floor.
    XdpFilter(ProgramFd, ProgramFd),
}

impl Peers {
    /// Nobody.
    pub(crate) const fn none() -> Self {
        Self {
            _xdp_filter: None,
            rows: Vec::new(),
        }
    }

    /// Fills the peers' maps with what the deny list of `datapath` holds, and sees that each does
    /// with every wanted case what it should.
    pub(crate) fn load(
        build: &mut Build,
        datapath: &mut Datapath,
        pins: &Path,
        stock: Stock,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        build.load_peers()?;
        let mut peers = Self::none();
        let denied: Vec<_> = datapath
            .entries(List::Deny)?
            .filter_map(|(prefix, _)| match prefix.network() {
                std::net::IpAddr::V4(network) => Some((network.octets(), prefix.len())),
                std::net::IpAddr::V6(_) => None,
            })
            .collect();
        fill_trie(build, &denied)?;
        peers.add(stock, || Ok(Peer::LpmLru))?;
        if stock.deny == ADDRESSES {
            match xdp_filter::object() {
                Some(path) => {
                    let addresses = denied.iter().map(|(address, _)| *address);
                    let mut ebpf = xdp_filter::open(&path, pins, addresses)?;
                    let xdp = xdp_filter::program(&mut ebpf)?;
                    xdp.load().context("loading xdp-filter")?;
                    let program = xdp.fd()?.try_clone()?;
                    let floor = build.handle(Program::ParseOnlyBehind)?;
                    peers.add(stock, || {
                        Ok(Peer::XdpFilter(program.try_clone()?, floor.try_clone()?))
                    })?;
                    peers._xdp_filter = Some(ebpf);
                }
                None => eprintln!("warning: xdp-filter is left out: install xdp-tools"),
            }
        }
        peers.rows.retain(|row| wanted(row.name));
        for row in &peers.rows {
            row.check(build)
                .with_context(|| format!("{} with {}", row.peer.name(), row.name))?;
        }
        // Every source gets its bucket before anything is timed.
        build.draw_from(Sources::CLEAN, 0)?;
        let frame = Packet::FromAny(Sources::CLEAN).frame();
        build.run(Program::LpmLruRandom, &frame, 8 << Sources::CLEAN.bits)?;
        Ok(peers)
    }

    fn add(&mut self, stock: Stock, peer: impl Fn() -> Result<Peer>) -> Result<()> {
        for (name, packet, action) in CASES {
            if action == XDP_DROP && stock.deny < ADDRESSES {
                continue;
            }
            self.rows.push(Row {
                peer: peer()?,
                name,
                packet,
                series: Series::default(),
            });
        }
        Ok(())
    }

    /// One round of every case of every peer.
    pub(crate) fn measure(
        &mut self,
        build: &mut Build,
        floors: &Floors,
        round: u32,
        packets: u32,
    ) -> Result<()> {
        for row in &mut self.rows {
            row.measure(build, floors, round, packets)?;
        }
        Ok(())
    }

    /// What came of it.
    pub(crate) fn rows(&mut self) -> Vec<Measured> {
        let row = |row: Row| Measured {
            name: row.name,
            build: None,
            peer: Some(row.peer.name()),
            ns: Summary::of(row.series.ns),
            over_parse: Some(Summary::of(row.series.over_parse)),
        };
        std::mem::take(&mut self.rows)
            .into_iter()
            .map(row)
            .collect()
    }
}

impl Peer {
    const fn name(&self) -> &'static str {
        match self {
            Self::LpmLru => "lpm-lru",
            Self::XdpFilter(..) => "xdp-filter",
        }
    }

    const fn program(&self, packet: Packet) -> Program {
        match (self, packet) {
            (Self::LpmLru, Packet::FromAny(_)) => Program::LpmLruRandom,
            (Self::LpmLru, Packet::From(_) | Packet::From6(_)) => Program::LpmLru,
            (Self::XdpFilter(..), Packet::FromAny(_)) => Program::BehindRandom,
            (Self::XdpFilter(..), Packet::From(_) | Packet::From6(_)) => Program::Behind,
        }
    }
}

impl Row {
    /// Runs the case a few times and sees that its packets come to what they should.
    fn check(&self, build: &mut Build) -> Result<()> {
        let wanted = CASES.iter().find(|(name, ..)| *name == self.name);
        let wanted = wanted.map_or(XDP_PASS, |(_, _, action)| *action);
        self.prepare(build, 0)?;
        for _ in 0..100 {
            let action = build.action(self.peer.program(self.packet), &self.packet.frame())?;
            ensure!(action == wanted, "it came to {action} instead of {wanted}");
        }
        Ok(())
    }

    fn prepare(&self, build: &mut Build, round: u32) -> Result<()> {
        if let Packet::FromAny(sources) = self.packet {
            build.draw_from(sources, round)?;
        }
        match &self.peer {
            Peer::LpmLru => Ok(()),
            Peer::XdpFilter(program, _) => build.put_behind(program),
        }
    }

    fn measure(
        &mut self,
        build: &mut Build,
        floors: &Floors,
        round: u32,
        packets: u32,
    ) -> Result<()> {
        let frame = self.packet.frame();
        let program = self.peer.program(self.packet);
        let timed = |build: &mut Build| {
            build.run(program, &frame, packets / WARM_UP)?;
            build.run(program, &frame, packets)
        };
        let floor = match &self.peer {
            Peer::LpmLru => floors.under(self.packet),
            Peer::XdpFilter(_, parse_only) => {
                self.prepare(build, round)?;
                build.put_behind(parse_only)?;
                timed(build)?
            }
        };
        self.prepare(build, round)?;
        let ns = timed(build)?;
        self.series.ns.push(ns);
        self.series.over_parse.push(ns - floor);
        Ok(())
    }
}

fn fill_trie(build: &mut Build, denied: &[([u8; 4], u8)]) -> Result<()> {
    let mut trie = LpmTrie::<_, [u8; 4], u32>::try_from(build.map("TRIE")?)?;
    for (rule, (network, length)) in (1..).zip(denied) {
        trie.insert(&Key::new((*length).into(), *network), rule, 0)
            .context("filling the trie")?;
    }
    Ok(())
}
