//! `vm`: a program under another kernel, in a virtual machine without hardware support.
//!
//! The kernel is a Debian package, unpacked and not installed. The machine has no disk and no
//! network: its initramfs holds this very binary, which is the first process there (see
//! [`guest`]), and the program with its shared libraries.

mod cpio;
pub(crate) mod guest;
mod initramfs;
mod kernel;
mod machine;
mod modules;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, Need};
use crate::{build, cargo};
use kernel::Wish;

/// What the machine takes.
const NEEDS: &[Need] = &[
    Need::Qemu,
    Need::DpkgDeb,
    Need::Xz,
    Need::Ip,
    Need::Nsenter,
    Need::Curl,
];
/// The test target that runs in the machine unless told otherwise.
const TESTS: &str = "dataplane";
/// The modules that tests need and Debian's kernels do not have built in; with these, a lab can be
/// made inside the machine.
const MODULES: &[&str] = &["veth", "bridge"];
/// The programs that tests run.
const TOOLS: &[&str] = &["ip", "nsenter", "curl"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The kernel: the first numbers of its version, or `newest`; may be given several times
    #[arg(long, default_value = "6.1")]
    kernel: Vec<Wish>,
    /// Seconds that each machine may take
    #[arg(long, default_value_t = 600)]
    timeout: u64,
    /// A program of this host to run instead of the data-plane tests
    #[arg(long)]
    program: Option<PathBuf>,
    /// Arguments for the tests or the program
    #[arg(last = true)]
    args: Vec<OsString>,
}

/// What runs inside the machine.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    /// A program of this host; its shared libraries come along.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// Programs of this host that it may run, by name; their libraries come along too.
    pub(crate) tools: Vec<String>,
    /// Kernel modules that are loaded before it, each after what it depends on.
    pub(crate) modules: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the virtual machine runs programs of this host under an x86-64 kernel: use such a host"
    );
    setup::ensure(NEEDS)?;
    let guest = Guest {
        program: match &args.program {
            Some(program) => program.clone(),
            None => tests()?,
        },
        args: args
            .args
            .iter()
            .map(|arg| {
                arg.to_str()
                    .map(str::to_owned)
                    .context("an argument that is no text")
            })
            .collect::<Result<_>>()?,
        tools: owned(TOOLS),
        modules: owned(MODULES),
    };
    let mut failed = Vec::new();
    for wish in &args.kernel {
        let started = Instant::now();
        let kernel = kernel::find(wish)?;
        let code = boot(&kernel, &guest, Duration::from_secs(args.timeout))
            .with_context(|| format!("kernel {}", kernel.release))?;
        let verdict = if code == 0 {
            "ok".to_owned()
        } else {
            format!("exit code {code}")
        };
        println!(
            "kernel {}: {verdict} in {:.1?}",
            kernel.release,
            started.elapsed()
        );
        if code != 0 {
            failed.push(kernel.release);
        }
    }
    if !failed.is_empty() {
        bail!("failed under kernel {}: see above", failed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a guest under a kernel and returns the exit code of its program.
///
/// # Errors
///
/// When the machine does not come to an end within `deadline`, or ends without a word.
pub(crate) fn boot(kernel: &kernel::Kernel, guest: &Guest, deadline: Duration) -> Result<i32> {
    let image = cargo::target("vm").join(format!("{}.{}.cpio", kernel.release, std::process::id()));
    let built = initramfs::build(kernel, guest)
        .and_then(|bytes| std::fs::write(&image, bytes).context("cannot write the initramfs"));
    let code = built.and_then(|()| machine::run(&kernel.image, &image, deadline));
    // Large, and of no use to anybody after this.
    let _absent = std::fs::remove_file(&image);
    code
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn tests() -> Result<PathBuf> {
    setup::ensure(build::NEEDS)?;
    let built = cargo::executables(&[
        "test",
        "--package",
        "gateway-tests",
        "--test",
        TESTS,
        "--no-run",
    ])?;
    let tests = built.into_iter().find(|one| one.name == TESTS);
    Ok(tests.context("cargo has built no data-plane tests")?.path)
}
