//! The first process of the virtual machine: mounts what programs expect, loads modules, runs
//! programs, says on the console how they ended, and powers off.

use std::convert::Infallible;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use serde::{Deserialize, Serialize};

use crate::tool;

/// Where the plan is in the initramfs.
pub(super) const PLAN: &str = "/plan.json";
/// What the line begins with that tells the exit code; the machine's owner waits for it.
pub(super) const SENTINEL: &str = "gateway-vm: exit code ";
/// The exit code when a program could not be started at all.
const UNPREPARED: i32 = 125;

/// What the first process is to do.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Plan {
    /// Module files in the order of loading.
    pub(super) modules: Vec<String>,
    /// What is run, one after the other.
    pub(super) tasks: Vec<Task>,
}

/// A program that is run in the machine.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Task {
    /// The program.
    pub(super) program: String,
    /// Its arguments.
    pub(super) args: Vec<String>,
}

/// Runs the plan. Does not return inside a machine, and refuses to begin outside.
///
/// # Errors
///
/// When this is not the first process, or the machine will not power off.
pub(crate) fn run() -> Result<ExitCode> {
    ensure!(
        std::process::id() == 1,
        "this verb runs only inside a virtual machine: use vm"
    );
    let code = prepare()
        .and_then(|plan| execute(&plan))
        .unwrap_or_else(|error| {
            println!("gateway-vm: {error:#}");
            UNPREPARED
        });
    println!("{SENTINEL}{code}");
    match power_off()? {}
}

fn prepare() -> Result<Plan> {
    for (kind, place) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/tmp"),
        ("tmpfs", "/run"),
        ("bpf", "/sys/fs/bpf"),
    ] {
        fs::create_dir_all(place)?;
        mount(
            Some(kind),
            place,
            Some(kind),
            MsFlags::empty(),
            None::<&str>,
        )
        .with_context(|| format!("cannot mount {kind} on {place}"))?;
    }
    let plan: Plan = serde_json::from_slice(&fs::read(PLAN)?).context("the plan")?;
    for module in &plan.modules {
        let file = File::open(module)?;
        finit_module(&file, c"", ModuleInitFlags::empty())
            .with_context(|| format!("cannot load {module}"))?;
    }
    tool::quietly(Command::new("/bin/ip").args(["link", "set", "lo", "up"]))
        .context("cannot bring up the loopback interface")?;
    Ok(plan)
}

/// Runs every task; returns the first exit code that is not 0.
fn execute(plan: &Plan) -> Result<i32> {
    let mut first = 0;
    for task in &plan.tasks {
        let code = perform(task)?;
        if first == 0 {
            first = code;
        }
    }
    Ok(first)
}

fn perform(task: &Task) -> Result<i32> {
    let status = Command::new(&task.program)
        .args(&task.args)
        .env_clear()
        .envs([
            ("PATH", "/bin:/sbin:/usr/bin:/usr/sbin"),
            ("HOME", "/tmp"),
            ("TMPDIR", "/tmp"),
        ])
        .current_dir("/tmp")
        .status()
        .with_context(|| format!("cannot run {}", task.program))?;
    Ok(status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
}

fn power_off() -> Result<Infallible> {
    nix::unistd::sync();
    reboot(RebootMode::RB_POWER_OFF).context("cannot power off")
}
