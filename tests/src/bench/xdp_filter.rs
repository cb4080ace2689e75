//! `xdp-filter` as Debian packages it, with maps of a benchmark's own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use aya::{
    Ebpf, EbpfLoader,
    maps::{PerCpuHashMap, PerCpuValues},
    programs::Xdp,
    util::nr_cpus,
};

/// The program of it that drops what is on its list and lets the rest in, by address alone.
const OBJECT: &str = "xdpfilt_alw_ip";
/// In a value of its map: the address counts as a source.
const AS_SOURCE: u64 = 1;

/// Where the package has put its object; `None` when it is not installed.
#[must_use]
pub fn object() -> Option<PathBuf> {
    let file = format!("bpf/{OBJECT}.o");
    let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    below
        .map(|folder| folder.path().join(&file))
        .chain([
            Path::new("/usr/lib").join(&file),
            Path::new("/usr/lib64").join(&file),
        ])
        .find(|path| path.is_file())
}

/// Opens xdp-filter over maps of this run, with these addresses denied. The program is not loaded
/// yet.
///
/// # Errors
///
/// When the object is none, or the kernel refuses its maps.
pub fn open(path: &Path, pins: &Path, denied: impl IntoIterator<Item = [u8; 4]>) -> Result<Ebpf> {
    let mut ebpf = EbpfLoader::new()
        .default_map_pin_directory(pins)
        .map_max_entries("filter_ipv4", 1 << 17)
        .load_file(path)
        .with_context(|| path.display().to_string())?;
    let map = ebpf.map_mut("filter_ipv4").context("no map filter_ipv4")?;
    let mut map = PerCpuHashMap::<_, [u8; 4], u64>::try_from(map)?;
    let cpus = nr_cpus().map_err(|(what, error)| anyhow::anyhow!("{what}: {error}"))?;
    for address in denied {
        let values = PerCpuValues::try_from(vec![AS_SOURCE; cpus])?;
        map.insert(address, values, 0)
            .context("filling xdp-filter's map")?;
    }
    Ok(ebpf)
}

/// The program of such an object.
///
/// # Errors
///
/// When it has none of that name.
pub fn program(ebpf: &mut Ebpf) -> Result<&mut Xdp> {
    let program = ebpf.program_mut(OBJECT).context("no such program")?;
    Ok(program.try_into()?)
}
