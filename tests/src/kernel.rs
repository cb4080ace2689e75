//! The loaded program over maps of its own. Needs root and a bpf file system.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use aya::maps::{Array, Map, MapData, PerCpuArray};
use gateway_agent::datapath::{Datapath, DatapathError, Program, identity};
use gateway_common::{
    Outcome, Verdict,
    abi::maps,
    counter::{self, Counter},
    settings::Attack,
};

use crate::setup::Setup;

/// The shortest frame that the kernel runs a program on: an Ethernet header.
pub const SHORTEST: usize = 14;

const BPFFS: &str = "/sys/fs/bpf";
const PREFIX: &str = "gateway-test-";

/// A pin directory of a test's own, removed with it.
#[derive(Debug)]
pub struct Pinned(PathBuf);

impl Pinned {
    /// A directory that is not there yet. Those of earlier runs that were killed are removed.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        sweep();
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(Path::new(BPFFS).join(format!("{PREFIX}{}-{n}", std::process::id())))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The pin of a map.
    #[must_use]
    pub fn map(&self, name: &str) -> PathBuf {
        self.0.join("maps").join(name)
    }
}

impl Default for Pinned {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn sweep() {
    for entry in fs::read_dir(BPFFS).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'));
        if let Some((process, _)) = process
            && !Path::new("/proc").join(process).exists()
        {
            let _gone = fs::remove_dir_all(entry.path());
        }
    }
}

/// The program, its maps, and what they counted.
pub struct Kernel {
    /// The data plane as the agent holds it.
    pub datapath: Datapath,
    /// The program.
    pub program: Program,
    counters: PerCpuArray<MapData, Counter>,
    /// What the counters held last.
    counted: RefCell<Vec<Moved>>,
    pins: Pinned,
}

/// What a verdict's counter gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The verdict.
    pub verdict: Verdict,
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Kernel {
    /// The program over empty lists.
    ///
    /// # Errors
    ///
    /// When the kernel takes it not.
    pub fn empty() -> Result<Self, DatapathError> {
        let pins = Pinned::new();
        let datapath = Datapath::load(pins.path())?;
        let counters = MapData::from_pin(pins.map(maps::COUNTERS)).expect("the counters' pin");
        let kernel = Self {
            program: datapath.program()?,
            datapath,
            counters: PerCpuArray::try_from(Map::PerCpuArray(counters)).expect("counters"),
            counted: RefCell::default(),
            pins,
        };
        kernel.counted.replace(kernel.read());
        Ok(kernel)
    }

    /// The program over the lists and limits of a test.
    ///
    /// # Errors
    ///
    /// When the kernel takes them not.
    pub fn with(setup: &Setup) -> Result<Self, DatapathError> {
        let mut kernel = Self::empty()?;
        kernel.apply(setup)?;
        Ok(kernel)
    }

    /// Adds the entries of a test, and puts its limits in force.
    ///
    /// # Errors
    ///
    /// When the kernel takes them not.
    pub fn apply(&mut self, setup: &Setup) -> Result<(), DatapathError> {
        for item in &setup.items {
            self.datapath.insert(item.list, item.prefix, item.entry)?;
        }
        self.datapath.set_further(&setup.further)?;
        self.datapath.set_attack(Attack {
            on: setup.attack.into(),
            ..Attack::default()
        })?;
        for (source, until) in &setup.known {
            self.datapath.remember(identity(*source), *until)?;
        }
        self.datapath.set_cookies(setup.cookies)?;
        self.datapath
            .set_listening(&setup.listening.iter().copied().collect())?;
        self.datapath.set_limits(&setup.limits)
    }

    /// Removes the entries of a test again.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn clear(&mut self, setup: &Setup) -> Result<(), DatapathError> {
        for item in &setup.items {
            let there = self.datapath.remove(item.list, item.prefix)?;
            assert!(there, "{} was gone", item.prefix);
        }
        Ok(())
    }

    /// What the program would do with a frame.
    ///
    /// # Errors
    ///
    /// When the kernel runs no program on it.
    pub fn probe(&self, frame: &[u8]) -> Result<Outcome, DatapathError> {
        let probe = self.program.probe(frame)?;
        Ok(Outcome {
            verdict: probe.verdict,
            rule: probe.rule,
        })
    }

    /// Runs the program on a frame `repeat` times. Returns the last action and what was counted
    /// since the last call, which nothing else should have moved.
    ///
    /// # Errors
    ///
    /// When the kernel runs no program on it.
    pub fn run(&self, frame: &[u8], repeat: u32) -> Result<(u32, Vec<Moved>), DatapathError> {
        let action = self.program.run(frame, repeat)?;
        let now = self.read();
        let before = self.counted.replace(now.clone());
        let moved = now
            .into_iter()
            .zip(before)
            .filter(|(after, before)| after != before)
            .map(|(after, before)| Moved {
                verdict: after.verdict,
                packets: after.packets - before.packets,
                bytes: after.bytes - before.bytes,
            })
            .collect();
        Ok((action, moved))
    }

    /// What every verdict's counter holds, summed over the processors.
    fn read(&self) -> Vec<Moved> {
        let sum = |verdict: &Verdict| {
            let index = counter::index(0, *verdict);
            let cpus = self.counters.get(&index, 0).expect("a counter");
            Moved {
                verdict: *verdict,
                packets: cpus.iter().map(|cpu| cpu.packets).sum(),
                bytes: cpus.iter().map(|cpu| cpu.bytes).sum(),
            }
        };
        Verdict::ALL.iter().map(sum).collect()
    }

    /// Both halves of the kernel's summary: the words of IPv4 and those of IPv6.
    #[must_use]
    pub fn words(&self) -> (Vec<u64>, Vec<u64>) {
        let read = |name| {
            let data = MapData::from_pin(self.pins.map(name)).expect(name);
            let array = Array::<_, u64>::try_from(Map::Array(data)).expect(name);
            array.iter().map(|word| word.expect(name)).collect()
        };
        (read(maps::CELLS4), read(maps::CELLS6))
    }

    /// The pin directory.
    #[must_use]
    pub fn pins(&self) -> &Pinned {
        &self.pins
    }
}
