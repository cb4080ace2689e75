//! What the running kernel offers to the data plane, found out by trying.
//!
//! Prints one line, [`MARK`] and a JSON object, for `cargo xtask vm` to pick out of a console. Needs
//! root; touches no interface outside namespaces of its own.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    maps::MapType,
    programs::{ProgramType, TestRun, TestRunAttrs, TestRunOptions, Xdp},
    sys::{BpfHelper, is_helper_supported, is_map_supported},
};
use gateway_agent::datapath::{Datapath, FLOOD_OBJECT, Mode};
use gateway_lab::{Host, Lab, net::WAN};
use gateway_tests::bench::pins::PinDir;
use serde_json::{Map, Value, json};

/// What the line begins with.
const MARK: &str = "gateway-offers: ";

/// Helpers that an XDP program may want, by what people call them.
const HELPERS: [(&str, BpfHelper); 8] = [
    ("jiffies", BpfHelper::BPF_FUNC_jiffies64),
    ("coarse clock", BpfHelper::BPF_FUNC_ktime_get_coarse_ns),
    ("loops", BpfHelper::BPF_FUNC_loop),
    ("timers", BpfHelper::BPF_FUNC_timer_init),
    (
        "reads over several buffers",
        BpfHelper::BPF_FUNC_xdp_load_bytes,
    ),
    (
        "SYN cookies, made (IPv4)",
        BpfHelper::BPF_FUNC_tcp_raw_gen_syncookie_ipv4,
    ),
    (
        "SYN cookies, made (IPv6)",
        BpfHelper::BPF_FUNC_tcp_raw_gen_syncookie_ipv6,
    ),
    (
        "SYN cookies, checked (IPv4)",
        BpfHelper::BPF_FUNC_tcp_raw_check_syncookie_ipv4,
    ),
];

/// Kinds of maps, likewise.
const MAPS: [(&str, MapType); 3] = [
    ("ring buffers", MapType::RingBuf),
    ("Bloom filters", MapType::BloomFilter),
    ("ring buffers from userspace", MapType::UserRingBuf),
];

fn main() -> ExitCode {
    let offers = offers();
    println!("{MARK}{}", Value::Object(offers));
    ExitCode::SUCCESS
}

/// Every question, with what was found: `true`, `false`, a number, or a text that says why the
/// question could not be answered.
fn offers() -> Map<String, Value> {
    let mut offers = Map::new();
    let mut note = |name: &str, found: Result<Value>| {
        let found = found.unwrap_or_else(|error| json!(format!("{error:#}")));
        offers.insert(name.to_owned(), found);
    };
    note("verified instructions", verified_instructions());
    note("native XDP on veth, by a pinned link", attached(1500));
    note("native XDP with an MTU of 9000", attached(9000));
    note("live frames", live_frames());
    note(
        "BTF",
        Ok(Path::new("/sys/kernel/btf/vmlinux").is_file().into()),
    );
    for (name, helper) in HELPERS {
        note(name, helper_there(helper));
    }
    for (name, kind) in MAPS {
        let there = is_map_supported(kind).map(Value::from);
        note(name, there.map_err(Into::into));
    }
    offers
}

fn helper_there(helper: BpfHelper) -> Result<Value> {
    Ok(is_helper_supported(ProgramType::Xdp, helper)?.into())
}

/// How many instructions the verifier walks through in our program.
fn verified_instructions() -> Result<Value> {
    let pins = PinDir::new()?;
    let datapath = Datapath::load(pins.path())?;
    Ok(json!(datapath.program()?.verified_instructions()?))
}

/// Whether a driver takes our program at an MTU, by a link that its pin keeps there.
fn attached(mtu: u16) -> Result<Value> {
    let lab = Lab::up("offers")?;
    lab.set_mtu(mtu)?;
    let pins = PinDir::new()?;
    let mut datapath = Datapath::load(pins.path())?;
    let attach = || datapath.attach(WAN, Some(Mode::Native));
    let attached = lab.host(Host::Gateway).in_ns(attach)?;
    Ok(attached
        .is_ok_and(|attached| attached.mode == Mode::Native)
        .into())
}

/// Whether test runs can send what they make.
fn live_frames() -> Result<Value> {
    const FRAMES: u32 = 256;
    let lab = Lab::up("offers")?;
    let mut ebpf = Ebpf::load(FLOOD_OBJECT)?;
    let program = ebpf.program_mut("make_only").context("no such program")?;
    let xdp: &mut Xdp = program.try_into()?;
    xdp.load()?;
    let run = || {
        xdp.test_run(TestRunOptions {
            data_in: Some(&[0; 60]),
            repeat: FRAMES,
            attrs: TestRunAttrs::new().xdp_live_frames(64),
            ..TestRunOptions::default()
        })
    };
    Ok(lab.host(Host::Attacker).in_ns(run)?.is_ok().into())
}
