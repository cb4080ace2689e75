//! Sends floods by live frames, and tells what CPU time that took.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    maps::{Array, PerCpuArray, PerCpuValues},
    programs::{TestRun, TestRunAttrs, TestRunOptions, Xdp},
    util::nr_cpus,
};
use gateway_agent::datapath::FLOOD_OBJECT;
use gateway_lab::{Host, Lab};
use gateway_tests::bench::{clock, sources::Sources};
use nix::net::if_::if_nametoindex;

/// Frames between two deliveries: the budget of one poll of the receiver, so that its ring never
/// runs over.
const BATCH: u32 = 64;
/// How often a paced flood sends.
const TICK: Duration = Duration::from_millis(1);

/// The programs that send, loaded.
pub(crate) struct Sender {
    ebpf: Ebpf,
    /// The kernel's thread that takes over when receiving takes long, as far as it can be seen.
    softirqd: Option<PathBuf>,
}

/// A paced flood that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paced {
    pub(crate) sent: u64,
    pub(crate) took: Duration,
}

impl Sender {
    /// Loads the programs, which will send to the gateway's outside interface.
    pub(crate) fn new(lab: &Lab) -> Result<Self> {
        let mut ebpf = Ebpf::load(FLOOD_OBJECT).context("opening the programs that send")?;
        let port = lab
            .in_switch(|| if_nametoindex(Host::Gateway.name()))?
            .context("the switch has no port to the gateway")?;
        let goal = ebpf.map_mut("GOAL").context("no map GOAL")?;
        Array::<_, u32>::try_from(goal)?.set(0, port, 0)?;
        for name in ["send", "make_only"] {
            program(&mut ebpf, name)?
                .load()
                .with_context(|| format!("loading {name}"))?;
        }
        Ok(Self {
            ebpf,
            softirqd: softirqd(clock::last_cpu()?),
        })
    }

    /// Sets what the next frames' sources are drawn from.
    pub(crate) fn draw_from(&mut self, sources: Sources, round: u32) -> Result<()> {
        let map = self.ebpf.map_mut("SOURCES").context("no map SOURCES")?;
        let mut map = PerCpuArray::<_, [u64; 4]>::try_from(map)?;
        let cpus = nr_cpus().map_err(|(what, error)| anyhow::anyhow!("{what}: {error}"))?;
        let values = PerCpuValues::try_from(vec![sources.state(round); cpus])?;
        map.set(0, values, 0).context("setting the sources")
    }

    /// Sends frames as fast as it goes. Returns nanoseconds of CPU time per frame, those of the
    /// receiver included; `settle` waits until it has received them all.
    pub(crate) fn send(
        &mut self,
        lab: &Lab,
        frames: u32,
        settle: impl FnOnce() -> Result<()>,
    ) -> Result<f64> {
        let softirqd = self.softirqd.clone();
        let ran = ran(softirqd.as_deref());
        let own = run(program(&mut self.ebpf, "send")?, lab, frames)?;
        settle()?;
        let others = ran_since(softirqd.as_deref(), ran);
        Ok((own + others).as_nanos() as f64 / f64::from(frames))
    }

    /// Makes frames and sends none. Returns nanoseconds of CPU time per frame.
    pub(crate) fn make_only(&mut self, lab: &Lab, frames: u32) -> Result<f64> {
        let own = run(program(&mut self.ebpf, "make_only")?, lab, frames)?;
        Ok(own.as_nanos() as f64 / f64::from(frames))
    }

    /// Sends at `rate` frames per second for as long as `goes_on` says. A sender that cannot keep
    /// up makes up for no more than ten milliseconds.
    pub(crate) fn pace(
        &mut self,
        lab: &Lab,
        rate: u32,
        goes_on: impl Fn() -> bool + Sync,
    ) -> Result<Paced> {
        let xdp = program(&mut self.ebpf, "send")?;
        let flood = || -> Result<Paced> {
            clock::stay_on_one_cpu()?;
            let started = Instant::now();
            let (mut sent, mut skipped) = (0_u64, 0_u64);
            while goes_on() {
                let due = started.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000;
                let due = u64::try_from(due).unwrap_or(u64::MAX);
                let behind = due.saturating_sub(sent + skipped);
                let now = behind.min(u64::from(rate) / 100);
                skipped += behind - now;
                if let Ok(frames) = u32::try_from(now)
                    && frames > 0
                {
                    live(xdp, frames)?;
                }
                sent += now;
                thread::sleep(TICK);
            }
            Ok(Paced {
                sent,
                took: started.elapsed(),
            })
        };
        lab.in_switch(flood)?
    }
}

/// Runs a program on live frames in the switch, on the last CPU; returns the thread's CPU time.
fn run(xdp: &mut Xdp, lab: &Lab, frames: u32) -> Result<Duration> {
    let timed = || -> Result<Duration> {
        clock::stay_on_one_cpu()?;
        let before = clock::cpu_time()?;
        live(xdp, frames)?;
        Ok(clock::cpu_time()?.saturating_sub(before))
    };
    lab.in_switch(timed)?
}

fn live(xdp: &mut Xdp, frames: u32) -> Result<()> {
    let frame = frame();
    xdp.test_run(TestRunOptions {
        data_in: Some(&frame),
        repeat: frames,
        attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
        ..TestRunOptions::default()
    })
    .context("sending live frames")?;
    Ok(())
}

fn program<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Xdp> {
    let program = ebpf
        .program_mut(name)
        .with_context(|| format!("no program {name}"))?;
    Ok(program.try_into()?)
}

/// A TCP SYN to the gateway's port 80 with no source yet, its checksums right for that.
fn frame() -> Vec<u8> {
    let mut ip = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 0, 0, 0, 0];
    ip.extend(Host::Gateway.ip4().octets());
    let sum = checksum(&ip, 0);
    ip.splice(10..12, sum.to_be_bytes());
    let mut tcp = vec![
        0xc0, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
    ];
    // The pseudo-header of RFC 9293, section 3.1: addresses, protocol, length.
    let pseudo = Host::Gateway.ip4().octets();
    let start = 6 + 20 + words(&pseudo);
    let sum = checksum(&tcp, start);
    tcp.splice(16..18, sum.to_be_bytes());
    let mut frame = [Host::Gateway.mac(), Host::Attacker.mac()].concat();
    frame.extend([0x08, 0x00]);
    frame.extend(ip);
    frame.extend(tcp);
    frame.resize(60, 0);
    frame
}

/// The Internet checksum (RFC 1071) of an even number of bytes after what is summed up already.
fn checksum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = start + words(bytes);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

fn words(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks::<2>();
    words
        .iter()
        .map(|word| u32::from(u16::from_be_bytes(*word)))
        .sum()
}

/// Finds the thread `ksoftirqd/CPU`, which is hidden where process ids are in a namespace.
fn softirqd(cpu: usize) -> Option<PathBuf> {
    let name = format!("ksoftirqd/{cpu}");
    fs::read_dir("/proc")
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|process| {
            fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim() == name)
        })
}

/// For how long a thread has run, by its first number in `schedstat` (proc(5)).
fn ran(thread: Option<&Path>) -> Option<Duration> {
    let text = fs::read_to_string(thread?.join("schedstat")).ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn ran_since(thread: Option<&Path>, before: Option<Duration>) -> Duration {
    let since = ran(thread)
        .zip(before)
        .map(|(now, before)| now.saturating_sub(before));
    since.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_the_frame_are_right() {
        let frame = frame();
        assert_eq!(checksum(&frame[14..34], 0), 0);
        assert_eq!(checksum(&frame[34..54], 6 + 20 + words(&frame[26..34])), 0);
    }
}
