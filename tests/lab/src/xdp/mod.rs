//! An XDP program that is nobody's in particular, as another tool may have put it there.

mod object;

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::host::Host;
use crate::lab::Lab;
use crate::lifetime::names;

/// What an XDP program returns to let a packet in.
pub const PASS: i32 = 2;
/// What an XDP program returns to drop a packet.
pub const DROP: i32 = 1;

/// Attaches a program in native mode that gives every packet the same verdict, by `ip`, to an
/// interface of the gateway.
///
/// # Errors
///
/// When the kernel refuses it.
pub fn attach_constant(lab: &Lab, interface: &str, verdict: i32) -> Result<()> {
    let ip = lab.host(Host::Gateway).command("ip");
    attach(ip, lab.id(), interface, verdict)
}

/// Lets a link of the lab's switch take frames that the program at its other end sends
/// (`XDP_TX`): a veth takes them only where it runs a program itself.
pub(crate) fn receive(id: &str, link: &str) -> Result<()> {
    let switch = names::netns_path(&names::netns(id, names::SWITCH));
    // `ip -netns` would hide the bpf file system, which it wants for programs.
    let mut ip = Command::new("nsenter");
    ip.arg(format!("--net={}", switch.display())).arg("ip");
    attach(ip, id, link, PASS)
}

fn attach(mut ip: Command, id: &str, interface: &str, verdict: i32) -> Result<()> {
    let object = names::state(id).join("verdict.o");
    std::fs::write(&object, object::constant_verdict(verdict))?;
    let out = ip
        .args(["link", "set", "dev", interface, "xdpdrv", "object"])
        .arg(&object)
        .args(["section", "xdp"])
        // Where ip makes its own directories, which nobody would remove elsewhere.
        .env("TC_BPF_MNT", names::pins(id))
        .output()
        .context("cannot run ip")?;
    if !out.status.success() {
        bail!("ip: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}
