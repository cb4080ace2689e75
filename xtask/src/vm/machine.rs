//! The virtual machine itself: qemu, emulating all of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::guest::SENTINEL;
use super::matrix::Matrix;

/// How long a machine may take to go off after its program has ended.
const FAREWELL: Duration = Duration::from_secs(20);
/// All that qemu can emulate but CMPXCHG16B: of it, 7.2 gets the flags wrong, and the allocator of
/// Linux 6.12 relies on them where the processor has the instruction.
const CPU: &str = "max,-cx16";
/// How many lines of the console may wait to be printed.
const LINES: usize = 1024;

/// What a guest has told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Its exit code.
    pub(super) code: i32,
    /// What stood behind [`Matrix::MARK`] on its line.
    pub(super) offers: Option<String>,
}

/// Boots a kernel, prints its console to standard error, and returns what the guest tells.
///
/// # Errors
///
/// When the guest says none: the kernel panicked, the machine hung, or qemu cannot run it.
pub(super) fn run(kernel: &Path, initramfs: &Path, deadline: Duration) -> Result<Told> {
    let until = Instant::now() + deadline;
    let mut machine = Machine::start(kernel, initramfs)?;
    let lines = machine.console()?;
    let mut code = None;
    let mut offers = None;
    loop {
        let left = match code {
            None => until.saturating_duration_since(Instant::now()),
            Some(_) => FAREWELL,
        };
        match lines.recv_timeout(left) {
            Ok(line) => {
                let line = line.trim_end();
                if let Some((_, number)) = line.split_once(SENTINEL) {
                    code = Some(number.parse().context("an exit code that is no number")?);
                } else if let Some((_, told)) = line.split_once(Matrix::MARK) {
                    offers = Some(told.to_owned());
                } else if code.is_none() {
                    // What the kernel says while it goes off is of no interest.
                    eprintln!("  {line}");
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if code.is_some() => break,
            Err(RecvTimeoutError::Timeout) => bail!("not done after {deadline:?}"),
        }
    }
    Ok(Told {
        code: code.context("the machine went off without a result: see its last lines above")?,
        offers,
    })
}

/// A running qemu, ended with the value.
struct Machine(Child);

impl Machine {
    fn start(kernel: &Path, initramfs: &Path) -> Result<Self> {
        // A machine must not outlive us, not even when we are killed.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", "qemu-system-x86_64"]);
        // Nested hardware support hangs where there is some: always emulate.
        qemu.args(["-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", CPU])
            .args(["-smp", "2", "-m", "2048"])
            .args([
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-no-reboot",
            ])
            .args(["-serial", "stdio", "-monitor", "none"])
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initramfs)
            // What follows the two dashes, the kernel hands to the first process.
            .args([
                "-append",
                "console=ttyS0 quiet panic=-1 rdinit=/init -- guest",
            ]);
        let child = qemu
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run setpriv: install the package util-linux")?;
        Ok(Self(child))
    }

    /// The lines of the serial console, until the machine is off.
    fn console(&mut self) -> Result<Receiver<String>> {
        let console = self.0.stdout.take().context("qemu without a console")?;
        let (sender, lines) = mpsc::sync_channel(LINES);
        thread::spawn(move || {
            let mut reader = BufReader::new(console);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|length| length > 0)
            {
                if sender
                    .send(String::from_utf8_lossy(&line).into_owned())
                    .is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        Ok(lines)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // A machine that is off already cannot be killed, which is as good.
        let _off = self.0.kill();
        let _reaped = self.0.wait();
    }
}
