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
mod matrix;
mod modules;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, Need};
use crate::{build, cargo};
use kernel::Wish;
use machine::Told;
use matrix::Matrix;

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
/// The program that runs before it, and tells what the kernel offers.
const OFFERS: &str = "kernel-offers";
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
    #[arg(long, default_value_t = 1800)]
    timeout: u64,
    /// A program of this host to run instead of the data-plane tests
    #[arg(long)]
    program: Option<PathBuf>,
    /// Only ask each kernel what it offers, and run no tests
    #[arg(long, conflicts_with = "program")]
    offers_only: bool,
    /// Print what the kernels offer and how the tests ended as one JSON object; consoles go to
    /// standard error
    #[arg(long)]
    json: bool,
    /// Arguments for the tests or the program
    #[arg(last = true)]
    args: Vec<OsString>,
}

/// What runs inside the machine.
#[derive(Clone, Debug)]
struct Guest {
    /// What is run, one after the other.
    runs: Vec<Run>,
    /// Programs of this host that it may run, by name; their libraries come along too.
    tools: Vec<String>,
    /// Kernel modules that are loaded before it, each after what it depends on.
    modules: Vec<String>,
}

/// A program that runs there.
#[derive(Clone, Debug)]
struct Run {
    /// A program of this host; its shared libraries come along.
    program: PathBuf,
    /// Its arguments.
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the virtual machine runs programs of this host under an x86-64 kernel: use such a host"
    );
    setup::ensure(NEEDS)?;
    let guest = Guest {
        runs: runs(args)?,
        tools: owned(TOOLS),
        modules: owned(MODULES),
    };
    let mut matrix = Matrix::default();
    for wish in &args.kernel {
        let started = Instant::now();
        let kernel = kernel::find(wish)?;
        let told = boot(&kernel, &guest, Duration::from_secs(args.timeout));
        // One kernel that does not get through is no reason to ask no other.
        if let Err(error) = &told {
            eprintln!("kernel {}: {error:#}", kernel.release);
        }
        matrix.add(kernel.release, told, started.elapsed());
    }
    if args.json {
        println!("{}", matrix.json());
    } else {
        print!("{matrix}");
    }
    let failed = matrix.failed();
    if !failed.is_empty() {
        bail!("failed under kernel {}: see above", failed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// What runs in every machine.
fn runs(args: &Args) -> Result<Vec<Run>> {
    let given = args
        .args
        .iter()
        .map(|arg| {
            arg.to_str()
                .map(str::to_owned)
                .context("an argument that is no text")
        })
        .collect::<Result<_>>()?;
    if let Some(program) = &args.program {
        return Ok(vec![Run {
            program: program.clone(),
            args: given,
        }]);
    }
    let mut runs = vec![Run {
        program: built(
            &["build", "--package", "gateway-tests", "--bin", OFFERS],
            OFFERS,
        )?,
        args: Vec::new(),
    }];
    if !args.offers_only {
        let test = [
            "test",
            "--package",
            "gateway-tests",
            "--test",
            TESTS,
            "--no-run",
        ];
        runs.push(Run {
            program: built(&test, TESTS)?,
            args: given,
        });
    }
    Ok(runs)
}

/// Runs a guest under a kernel and returns what it tells.
///
/// # Errors
///
/// When the machine does not come to an end within `deadline`, or ends without a word.
fn boot(kernel: &kernel::Kernel, guest: &Guest, deadline: Duration) -> Result<Told> {
    let image = cargo::target("vm").join(format!("{}.{}.cpio", kernel.release, std::process::id()));
    let built = initramfs::build(kernel, guest)
        .and_then(|bytes| std::fs::write(&image, bytes).context("cannot write the initramfs"));
    let told = built.and_then(|()| machine::run(&kernel.image, &image, deadline));
    // Large, and of no use to anybody after this.
    let _absent = std::fs::remove_file(&image);
    told
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Builds with `cargo ARGS` the executable of this name.
fn built(args: &[&str], name: &str) -> Result<PathBuf> {
    setup::ensure(build::NEEDS)?;
    let built = cargo::executables(args)?;
    let made = built.into_iter().find(|one| one.name == name);
    Ok(made
        .with_context(|| format!("cargo has built no {name}"))?
        .path)
}
