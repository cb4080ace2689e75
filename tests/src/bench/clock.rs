//! Where and by which clock the runs are timed.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};

/// Keeps this thread on the last CPU: caches stay warm, and the first one serves most
/// interrupts.
pub(crate) fn stay_on_one_cpu() -> Result<()> {
    let cpus = std::thread::available_parallelism()?.get();
    let mut set = CpuSet::new();
    set.set(cpus.saturating_sub(1))?;
    sched_setaffinity(Pid::from_raw(0), &set).context("staying on one CPU")
}

/// CPU time this thread has used. Unlike wall time, it leaves out what other processes take.
pub(crate) fn cpu_time() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("reading the CPU time")?;
    Ok(time.into())
}
