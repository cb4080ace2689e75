//! The limiter of the loaded program: processors that charge one source at the same time, and a
//! flood of forged sources over lists that must not suffer from it.

use std::{net::Ipv4Addr, sync::Barrier, thread, time::Instant};

use anyhow::{Context, Result, anyhow};
use aya::{
    maps::{PerCpuArray, PerCpuValues},
    programs::{TestRun, TestRunOptions, Xdp},
    util::{nr_cpus, online_cpus},
};
use gateway_agent::datapath::{BENCH_OBJECT, Datapath};
use gateway_common::{
    Verdict,
    limiter::{ATTEMPTS, TICK_NANOS},
    lists::MODE_ENFORCE,
    settings::Limit,
    time::Nanos,
};

use super::{Bound, JIFFY, Measured};
use crate::{
    bench::{clock, sources::Sources},
    kernel::{Kernel, Moved},
    packet::{Ipv4, Packet, Transport},
    setup::{Setup, allow, ban, zone},
};

const SOURCE: [u8; 4] = [198, 51, 100, 7];

/// Charges one source from each of so many processors at once, with `each` packets.
///
/// A packet goes free when it has lost its cell to another processor at each attempt, and a
/// packet that is charged can cost every other processor one attempt. So `n` processors admit at
/// most 1 + (n - 1) / attempts times what is allowed, and one alone not a packet more.
///
/// # Errors
///
/// When there are fewer processors, or the program cannot be loaded or run.
pub fn processors(count: usize, rate: &Limit, each: u32) -> Result<Measured> {
    let cpus = online_cpus().map_err(|(what, error)| anyhow!("{what}: {error}"))?;
    anyhow::ensure!(count <= cpus.len(), "{} processors are online", cpus.len());
    let kernel = Kernel::with(&Setup::default().limits(&[*rate]))?;
    let frame = from(SOURCE);
    let start = Barrier::new(count);
    let pins = kernel.pins().path();
    let runs = thread::scope(|scope| {
        let threads: Vec<_> = cpus
            .iter()
            .take(count)
            .map(|cpu| {
                let (start, frame) = (&start, &frame);
                scope.spawn(move || -> Result<[Instant; 2]> {
                    // Everybody comes to the barrier, also those that will fail.
                    let ready = clock::stay_on(*cpu as usize)
                        .and_then(|()| Ok(Datapath::open(pins)?.program()?));
                    start.wait();
                    let began = Instant::now();
                    ready?.run(frame, each)?;
                    Ok([began, Instant::now()])
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| {
            let run = thread.join();
            run.map_err(|_| anyhow!("a sender panicked"))?
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let began = runs.iter().map(|[began, _]| *began).min();
    let ended = runs.iter().map(|[_, ended]| *ended).max();
    let span = began.zip(ended).map(|(began, ended)| ended - began);
    let span = span.context("no processor")?;
    // Another source's packet, by which the counters are read.
    let (_, moved) = kernel.run(&from([198, 51, 100, 8]), 1)?;
    let jiffy = u64::from(kernel.datapath.settings().jiffy).max(JIFFY.0);
    let ticks = (span.as_nanos() as u64 + jiffy).div_ceil(TICK_NANOS) + 1;
    let allowed = (ticks + rate.tolerance) / rate.interval + 1;
    let admitted = packets(&moved, Verdict::Pass) - 1;
    let offered = count as u64 * u64::from(each);
    anyhow::ensure!(
        admitted + packets(&moved, Verdict::RateLimited) == offered,
        "of {offered} packets others were counted: {moved:?}"
    );
    Ok(Measured {
        name: format!("{count} of the processors"),
        sources: 1,
        offered,
        allowed: allowed.min(offered),
        admitted,
        short: 0,
        times: None,
        bound: Bound {
            admitted: Some(allowed + allowed * (count as u64 - 1) / u64::from(ATTEMPTS + 1)),
            ..Bound::default()
        },
    })
}

/// What a flood of forged sources left of what was there before.
#[derive(Clone, Debug)]
pub struct Spoofed {
    /// Forged packets that were sent.
    pub forged: u64,
    /// Those among them that were over a limit: they shared a cell.
    pub refused: u64,
    /// Bans and entries of the safelist that were there.
    pub entries: u32,
    /// Those among them that no longer act.
    pub lost: u32,
    /// Clients that have a budget of 21 packets and no more for as long as the flood lasts, and
    /// send 26: 7 of them before it, 7 during it.
    pub clients: Measured,
}

/// `XDP_PASS`.
const PASS: u32 = 2;
/// Bans, safelisted sources and clients, of each so many.
const OF_EACH: u32 = 1_000;
/// What a client may send at once, beside the packet that is due anyhow.
const BURST: u64 = 20;
/// Packets of a client before the flood, and again during it.
const PART: u32 = 7;
/// Its packets after the flood, of which the last five are over.
const REST: u32 = 12;

/// Sends a flood of `forged` packets through the loaded program, each from a source drawn at
/// random from 3 billion.
///
/// # Errors
///
/// When the program cannot be loaded or run.
pub fn spoofed(forged: u32) -> Result<Spoofed> {
    let numbers = || 0..OF_EACH;
    // None of them can be drawn: sources end at 197.255.255.255.
    let banned = |n: u32| Ipv4Addr::from(0xc612_0000 + n);
    let safe = |n: u32| Ipv4Addr::from(0xc612_8000 + n);
    let client = |n: u32| Ipv4Addr::from(0xc613_0000 + n);
    let items = numbers()
        .map(|n| ban(&banned(n).to_string(), n + 1))
        .chain(numbers().map(|n| allow(&safe(n).to_string(), OF_EACH + n + 1)))
        .chain([zone("198.19.0.0/16", 1)]);
    let hour = Nanos::from_secs(3_600);
    let second = Nanos::from_secs(1);
    let limits = [
        Limit::new(5_000, second, Nanos::from_secs(2), MODE_ENFORCE),
        Limit::new(1, hour, Nanos(hour.0 * BURST), MODE_ENFORCE),
    ];
    let kernel = Kernel::with(&Setup::of(items).limits(&limits))?;
    let mut flood = Flood::over(&kernel.datapath)?;
    let mut admitted = vec![0_u64; OF_EACH as usize];
    let mut send = |count: u32| -> Result<()> {
        for (n, admitted) in numbers().zip(&mut admitted) {
            let frame = from(client(n).octets());
            // One at a time: a run that repeats waits until every processor knows of it.
            for _ in 0..count {
                let action = kernel.program.run(&frame, 1)?;
                *admitted += u64::from(action == PASS);
            }
        }
        Ok(())
    };
    send(PART)?;
    let mut refused = 0;
    for part in 0..PART {
        let more = forged / PART + u32::from(part < forged % PART);
        let before = limited(&kernel.datapath)?;
        flood.send(more)?;
        refused += limited(&kernel.datapath)? - before;
        send(1)?;
    }
    send(REST)?;
    let mut lost = 0;
    for (address, verdict) in numbers()
        .map(|n| (banned(n), Verdict::Banned))
        .chain(numbers().map(|n| (safe(n), Verdict::Safelisted)))
    {
        let got = kernel.probe(&from(address.octets()))?.verdict;
        lost += u32::from(got != verdict);
    }
    let due = BURST + 1;
    let sum = |of: &dyn Fn(u64) -> u64| admitted.iter().map(|got| of(*got)).sum();
    Ok(Spoofed {
        forged: forged.into(),
        refused,
        entries: 2 * OF_EACH,
        lost,
        clients: Measured {
            name: format!("{OF_EACH} clients with {due} packets left, {forged} forged sources"),
            sources: OF_EACH,
            offered: u64::from(OF_EACH * (2 * PART + REST)),
            allowed: u64::from(OF_EACH) * due,
            admitted: sum(&|got| got),
            short: sum(&|got| due.saturating_sub(got)),
            times: Some(
                admitted
                    .iter()
                    .max()
                    .map_or(1, |most| most.div_ceil(due) as u32),
            ),
            bound: Bound {
                // Two clients in 130 million share places and tag, and then a budget.
                short: Some(0.002),
                // One that found its places in the small table busy has two budgets; so few of a
                // thousand do that a hundred would be a fault.
                admitted: Some(u64::from(OF_EACH) * due * 101 / 100),
                times: Some(super::ACCOUNTS),
            },
        },
    })
}

/// The pipeline with a new source for each packet, over the maps of another program.
struct Flood(aya::Ebpf);

impl Flood {
    const PROGRAM: &str = "pipeline_random";

    fn over(datapath: &Datapath) -> Result<Self> {
        let mut flood = Self(datapath.bench(BENCH_OBJECT)?);
        flood.program()?.load().context("loading the flood")?;
        let any = Sources {
            bits: 32,
            ..Sources::CLEAN
        };
        let cpus = nr_cpus().map_err(|(what, error)| anyhow!("{what}: {error}"))?;
        let map = flood.0.map_mut("SOURCES").context("no map SOURCES")?;
        let mut map = PerCpuArray::<_, [u64; 4]>::try_from(map)?;
        // Each processor that the run may come to draws a sequence of its own.
        let states: Vec<_> = (0..cpus).map(|cpu| any.state(cpu as u32)).collect();
        map.set(0, PerCpuValues::try_from(states)?, 0)
            .context("setting the sources")?;
        Ok(flood)
    }

    fn send(&mut self, packets: u32) -> Result<()> {
        self.program()?
            .test_run(TestRunOptions {
                data_in: Some(&from([192, 0, 2, 1])),
                repeat: packets,
                ..TestRunOptions::default()
            })
            .context("running the flood")?;
        Ok(())
    }

    fn program(&mut self) -> Result<&mut Xdp> {
        let program = self.0.program_mut(Self::PROGRAM);
        Ok(program.context("no program for the flood")?.try_into()?)
    }
}

fn limited(datapath: &Datapath) -> Result<u64> {
    let counts = datapath.counters_of(0)?;
    let of_it = counts
        .iter()
        .find(|count| count.verdict == Verdict::RateLimited);
    Ok(of_it.map_or(0, |count| count.packets))
}

fn from(source: [u8; 4]) -> Vec<u8> {
    Packet::from(Ipv4::new(source, [192, 0, 2, 255], Transport::syn())).bytes()
}

fn packets(moved: &[Moved], verdict: Verdict) -> u64 {
    let of_it = moved.iter().find(|moved| moved.verdict == verdict);
    of_it.map_or(0, |moved| moved.packets)
}
