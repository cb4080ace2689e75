//! Where and by which clock the runs are timed.

use std::time::Duration;

use anyhow::{Context, Result};
use aya::util::online_cpus;
use nix::{
    sched::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};

/// The number of the last CPU.
///
/// # Errors
///
/// When the system does not tell.
pub fn last_cpu() -> Result<usize> {
    // Not those that this thread may run on: it may have been told to stay on one.
    let cpus = online_cpus().map_err(|(what, error)| anyhow::anyhow!("{what}: {error}"))?;
    Ok(cpus.into_iter().max().unwrap_or_default() as usize)
}

/// Keeps this thread on the last CPU: caches stay warm, and the first one serves most
/// interrupts.
///
/// # Errors
///
/// When the thread may not run there.
pub fn stay_on_one_cpu() -> Result<()> {
    stay_on(last_cpu()?)
}

/// Keeps this thread on the CPU of this number.
///
/// # Errors
///
/// When the thread may not run there.
pub fn stay_on(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).context("staying on one CPU")
}

/// CPU time this thread has used. Unlike wall time, it leaves out what other processes take.
///
/// # Errors
///
/// When the clock cannot be read.
pub fn cpu_time() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("reading the CPU time")?;
    Ok(time.into())
}
