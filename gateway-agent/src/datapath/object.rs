//! The embedded program and the maps it shares with the agent.

use std::io::Read;

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, HashMap, Map, MapData, PerCpuArray, PerCpuHashMap},
    programs::Xdp,
};
use gateway_common::{
    abi::maps,
    counter::{Counter, Hits},
    hits::Bucket as HitBucket,
    lists::{Entry, Key4, Key6, index4::Bucket},
    settings::Settings,
    syncookie::Endpoint,
    time::Nanos,
};

use super::{
    Datapath,
    error::{DatapathError, errno},
    pins::Pins,
    syncookies,
};

/// The program that guards interfaces, as built beside this crate.
pub static XDP_OBJECT: &[u8] = aya::include_bytes_aligned!(env!("GATEWAY_XDP_OBJECT"));

/// The programs that benchmarks compare it with.
pub static BENCH_OBJECT: &[u8] = aya::include_bytes_aligned!(env!("GATEWAY_BENCH_OBJECT"));

/// The programs that send a benchmark's floods.
pub static FLOOD_OBJECT: &[u8] = aya::include_bytes_aligned!(env!("GATEWAY_FLOOD_OBJECT"));

/// The first kernel whose verifier takes the program.
const OLDEST: (u32, u32) = (5, 18);

/// Entry point of [`XDP_OBJECT`].
const PROGRAM: &str = "gateway";

impl Datapath {
    /// Puts the programs of a benchmark's object ([`BENCH_OBJECT`] or another build of it) over
    /// the maps of this data plane. They count into slot 0. None is loaded into the kernel yet.
    ///
    /// # Errors
    ///
    /// When the object cannot be read or does not fit the maps.
    pub fn bench(&self, object: &[u8]) -> Result<Ebpf, DatapathError> {
        loader(&self.pins, 0)
            .load(object)
            .map_err(DatapathError::kernel("opening the benchmark's programs"))
    }
}

/// Handles on the pinned maps.
pub(super) struct Maps {
    settings: Array<MapData, Settings>,
    pub(super) cells4: Array<MapData, u64>,
    pub(super) cells6: Array<MapData, u64>,
    pub(super) index4: Array<MapData, Bucket>,
    pub(super) deny: Family,
    pub(super) allow: Family,
    pub(super) zone: Family,
    /// Until when each source is known, by [identity](gateway_common::limiter::identity4).
    pub(super) known: HashMap<MapData, u64, Nanos>,
    pub(super) listening: HashMap<MapData, Endpoint, u32>,
    pub(super) counters: PerCpuArray<MapData, Counter>,
    pub(super) would: PerCpuHashMap<MapData, u32, Hits>,
    pub(super) hits: PerCpuArray<MapData, HitBucket>,
}

/// The two maps of one list.
pub(super) struct Family {
    pub(super) v4: HashMap<MapData, Key4, Entry>,
    pub(super) v6: HashMap<MapData, Key6, Entry>,
}

impl Maps {
    pub(super) fn open(pins: &Pins) -> Result<Self, DatapathError> {
        Ok(Self {
            settings: open(pins, maps::SETTINGS, Map::Array)?,
            cells4: open(pins, maps::CELLS4, Map::Array)?,
            cells6: open(pins, maps::CELLS6, Map::Array)?,
            index4: open(pins, maps::INDEX4, Map::Array)?,
            deny: Family::open(pins, maps::DENY4, maps::DENY6)?,
            allow: Family::open(pins, maps::ALLOW4, maps::ALLOW6)?,
            zone: Family::open(pins, maps::ZONE4, maps::ZONE6)?,
            known: open(pins, maps::KNOWN, Map::HashMap)?,
            listening: open(pins, maps::LISTENING, Map::HashMap)?,
            counters: open(pins, maps::COUNTERS, Map::PerCpuArray)?,
            would: open(pins, maps::WOULD, Map::PerCpuHashMap)?,
            hits: open(pins, maps::HITS, Map::PerCpuArray)?,
        })
    }

    pub(super) fn settings(&self) -> Result<Settings, DatapathError> {
        self.settings
            .get(&0, 0)
            .map_err(DatapathError::kernel("reading the settings"))
    }

    pub(super) fn write_settings(&mut self, settings: &Settings) -> Result<(), DatapathError> {
        self.settings
            .set(0, settings, 0)
            .map_err(DatapathError::kernel("writing the settings"))
    }
}

impl Family {
    fn open(pins: &Pins, v4: &str, v6: &str) -> Result<Self, DatapathError> {
        Ok(Self {
            v4: open(pins, v4, Map::HashMap)?,
            v6: open(pins, v6, Map::HashMap)?,
        })
    }
}

/// Opens a pinned map as the type its caller wants.
pub(super) fn open<M>(pins: &Pins, name: &str, kind: fn(MapData) -> Map) -> Result<M, DatapathError>
where
    M: TryFrom<Map, Error = aya::maps::MapError>,
{
    let path = pins.map(name);
    let data = MapData::from_pin(&path)
        .map_err(DatapathError::kernel(format!("opening {}", path.display())))?;
    M::try_from(kind(data)).map_err(|error| DatapathError::ForeignPin {
        path,
        reason: error.to_string(),
    })
}

/// Loads the program for the counters of `slot`, over the pinned maps; those that are not
/// there yet are made and pinned.
pub(super) fn load(pins: &Pins, slot: u32) -> Result<Ebpf, DatapathError> {
    let mut ebpf = loader(pins, slot)
        .load(XDP_OBJECT)
        .map_err(DatapathError::kernel("loading the data plane"))?;
    program(&mut ebpf)?
        .load()
        .map_err(|error| refusal(error.into(), release()))?;
    Ok(ebpf)
}

/// What the kernel's refusal to load the program means.
///
/// EPERM is a missing privilege. EACCES is none: it is what the verifier says of a program that
/// it rejects, as older kernels may.
fn refusal(source: anyhow::Error, kernel: Option<(String, (u32, u32))>) -> DatapathError {
    match (errno(&source), kernel) {
        (Some(nix::libc::EPERM), _) => DatapathError::NotPermitted,
        (_, Some((release, version))) if version < OLDEST => {
            DatapathError::KernelTooOld { release }
        }
        _ => DatapathError::Kernel {
            what: "the kernel's verifier refused the data plane".into(),
            source,
        },
    }
}

/// The program of an object, to load or attach it.
pub(super) fn program(ebpf: &mut Ebpf) -> Result<&mut Xdp, DatapathError> {
    ebpf.program_mut(PROGRAM)
        .and_then(|program| <&mut Xdp>::try_from(program).ok())
        .ok_or_else(no_program)
}

/// The program of an object, to run it.
pub(super) fn loaded_program(ebpf: &Ebpf) -> Result<&Xdp, DatapathError> {
    ebpf.program(PROGRAM)
        .and_then(|program| <&Xdp>::try_from(program).ok())
        .ok_or_else(no_program)
}

fn no_program() -> DatapathError {
    DatapathError::Kernel {
        what: "loading the data plane".into(),
        source: anyhow::anyhow!("the embedded object has no XDP program named {PROGRAM}"),
    }
}

/// Makes and pins the maps that are not there yet.
pub(super) fn create_maps(pins: &Pins) -> Result<(), DatapathError> {
    loader(pins, 0)
        .load(XDP_OBJECT)
        .map(drop)
        .map_err(DatapathError::kernel("creating the maps"))
}

fn loader(pins: &Pins, slot: u32) -> EbpfLoader<'static> {
    let mut loader = EbpfLoader::new();
    for name in maps::ALL {
        loader.map_pin_path(name, pins.map(name));
    }
    // The loader copies the bytes of a global when it is given one, but wants them for as long
    // as itself: one of a fixed set of slots.
    static SLOTS: [u32; gateway_common::abi::MAX_INTERFACES as usize] =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    if let Some(slot) = SLOTS.get(slot as usize) {
        loader.override_global("SLOT", slot, true);
    }
    // Without the helpers the program must not so much as name them.
    static SYN_COOKIES: [u32; 2] = [0, 1];
    let [without, with] = &SYN_COOKIES;
    let made = if syncookies::are_made() {
        with
    } else {
        without
    };
    loader.override_global("SYN_COOKIES", made, true);
    loader
}

/// A seed that nobody outside can know.
pub(super) fn random_seed() -> Result<u64, DatapathError> {
    let mut seed = [0; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut seed))
        .map_err(DatapathError::kernel("reading /dev/urandom"))?;
    Ok(u64::from_ne_bytes(seed))
}

/// `uname -r` and its first two numbers.
fn release() -> Option<(String, (u32, u32))> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let version = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some((release.trim().to_owned(), version))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn refused(code: i32, version: (u32, u32)) -> DatapathError {
        let error = anyhow::Error::new(io::Error::from_raw_os_error(code)).context("loading");
        refusal(error, Some(("a kernel".into(), version)))
    }

    #[test]
    fn a_verifier_that_refuses_is_no_missing_privilege() {
        use nix::libc::{EACCES, EPERM};
        let verifier = refused(EACCES, (6, 1));
        assert!(
            matches!(verifier, DatapathError::Kernel { .. }),
            "{verifier}"
        );
        let old = refused(EACCES, (5, 4));
        assert!(matches!(old, DatapathError::KernelTooOld { .. }), "{old}");
        let privilege = refused(EPERM, (5, 4));
        assert!(
            matches!(privilege, DatapathError::NotPermitted),
            "{privilege}"
        );
    }
}
