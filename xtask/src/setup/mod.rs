//! Makes sure that what a verb needs is there, and installs it where it is not.
//!
//! Each verb names its needs and calls [`ensure`] before anything else. What is there already is
//! passed over in silence.

mod bpf_linker;
mod cargo_fuzz;
mod programs;
mod rust_source;

use std::process::ExitCode;

use anyhow::Result;

use crate::{build, lab, test};
use programs::Packaged;

/// Something that a verb cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The source of core, to build it for the BPF target.
    RustSource,
    /// The linker of the eBPF object.
    BpfLinker,
    /// `cargo fuzz`.
    CargoFuzz,
    /// `c++`, for the runtime of fuzz targets.
    CxxCompiler,
    /// `ip`.
    Ip,
    /// `nsenter`.
    Nsenter,
    /// `curl`.
    Curl,
    /// `openssl`, for keys, certificates and signatures.
    Openssl,
    /// `tcpdump`, whose captures are read.
    Tcpdump,
    /// `trafgen`, which makes floods.
    Trafgen,
    /// `xdp-filter`, which the data plane is measured against.
    XdpFilter,
    /// `nft`, the same.
    Nft,
    /// `ipset`, the same.
    Ipset,
    /// `iptables`, the same.
    Iptables,
    /// `qemu-system-x86_64`.
    Qemu,
    /// `xz`, for the modules of kernels that compress them.
    Xz,
    /// `dpkg-deb`, for packages that are unpacked and not installed.
    DpkgDeb,
    /// The OWASP Core Rule Set, as Debian has it.
    CoreRuleSet,
}

/// The verb `setup`: all that building, the lab and the tests need. The virtual machine is left
/// out: it is large, and `vm` installs it when it is first wanted.
pub(crate) fn run() -> Result<ExitCode> {
    for needs in [build::NEEDS, lab::NEEDS, test::NEEDS] {
        ensure(needs)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Installs those of `needs` that are missing.
///
/// # Errors
///
/// With one sentence that says what to install when this cannot.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let wanted: Vec<Packaged> = needs.iter().filter_map(|need| packaged(*need)).collect();
    programs::ensure(&wanted)?;
    if needs.contains(&Need::RustSource) {
        rust_source::ensure()?;
    }
    if needs.contains(&Need::BpfLinker) {
        bpf_linker::ensure()?;
    }
    if needs.contains(&Need::CargoFuzz) {
        cargo_fuzz::ensure()?;
    }
    Ok(())
}

/// The program or file that fills a need, and the Debian and Ubuntu package that has it.
fn packaged(need: Need) -> Option<Packaged> {
    let (name, package) = match need {
        Need::RustSource | Need::BpfLinker | Need::CargoFuzz => return None,
        Need::CxxCompiler => ("c++", "g++"),
        Need::Ip => ("ip", "iproute2"),
        Need::Nsenter => ("nsenter", "util-linux"),
        Need::Curl => ("curl", "curl"),
        Need::Openssl => ("openssl", "openssl"),
        Need::Tcpdump => ("tcpdump", "tcpdump"),
        Need::Trafgen => ("trafgen", "netsniff-ng"),
        Need::XdpFilter => ("xdp-filter", "xdp-tools"),
        Need::Nft => ("nft", "nftables"),
        Need::Ipset => ("ipset", "ipset"),
        Need::Iptables => ("iptables", "iptables"),
        Need::Qemu => ("qemu-system-x86_64", "qemu-system-x86"),
        Need::Xz => ("xz", "xz-utils"),
        Need::DpkgDeb => ("dpkg-deb", "dpkg"),
        Need::CoreRuleSet => (
            "/usr/share/modsecurity-crs/owasp-crs.load",
            "modsecurity-crs",
        ),
    };
    Some(Packaged { name, package })
}
