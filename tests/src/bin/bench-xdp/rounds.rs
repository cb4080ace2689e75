//! Interleaved measurement: every round runs the floors and every case, so that a machine that
//! slows down for a while slows all of them.

use anyhow::{Context, Result, ensure};
use gateway_agent::datapath::Datapath;
use gateway_common::Verdict;
use gateway_tests::bench::{sources::Sources, stats::Summary};

use crate::{
    cases::{Case, Packet, Rate, blocks},
    peers::Peers,
    programs::{Build, Program},
};

/// The share of packets that run before the timed ones, to bring caches and branch predictors to
/// the case at hand: one for so many.
pub(crate) const WARM_UP: u32 = 4;

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: u32,
    /// Packets for each case and round.
    pub(crate) packets: u32,
}

/// What one case came to.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// The build's mark; none for the one under test.
    pub(crate) build: Option<String>,
    /// Whose program it is; none for ours.
    pub(crate) peer: Option<&'static str>,
    /// Nanoseconds per packet.
    pub(crate) ns: Summary,
    /// Nanoseconds per packet over the parse-only program of the same round; none for what
    /// decides nothing itself.
    pub(crate) over_parse: Option<Summary>,
}

/// The figures of one case of one build, round by round.
#[derive(Default)]
pub(crate) struct Series {
    pub(crate) ns: Vec<f64>,
    pub(crate) over_parse: Vec<f64>,
}

/// One round's figures of the programs that decide nothing.
pub(crate) struct Floors {
    empty: f64,
    parse4: f64,
    parse4_random: f64,
    parse6: f64,
}

/// Checks that each case takes the way it is meant to, then measures them all.
pub(crate) fn measure(
    datapath: &mut Datapath,
    builds: &mut [Build],
    peers: &mut Peers,
    cases: &[&Case],
    effort: Effort,
) -> Result<Vec<Measured>> {
    let mut turns = Vec::new();
    for build in builds {
        for case in cases {
            check(datapath, build, case)
                .with_context(|| format!("checking {} before measuring it", case.name))?;
        }
        let series: Vec<_> = cases.iter().map(|_| Series::default()).collect();
        turns.push((build, Vec::new(), series));
    }
    for round in 0..effort.rounds {
        for (build, floors, series) in &mut turns {
            let floor = Floors::measure(build, round, effort.packets)?;
            for (case, series) in cases.iter().zip(series) {
                let ns = run_case(datapath, build, case, round, effort.packets)
                    .with_context(|| format!("measuring {}", case.name))?;
                series.ns.push(ns);
                series.over_parse.push(ns - floor.under(case.packet));
            }
            if build.mark.is_none() {
                peers.measure(build, &floor, round, effort.packets)?;
            }
            floors.push(floor);
        }
        // Another build goes first next time: the later one may find caches warm.
        turns.rotate_left(1);
    }
    turns.sort_by(|(a, ..), (b, ..)| a.mark.cmp(&b.mark));
    let mut results = Vec::new();
    for (build, floors, series) in turns {
        results.extend(Floors::rows(build.mark.as_deref(), &floors));
        results.extend(cases.iter().zip(series).map(|(case, series)| Measured {
            name: case.name,
            build: build.mark.clone(),
            peer: None,
            ns: Summary::of(series.ns),
            over_parse: Some(Summary::of(series.over_parse)),
        }));
    }
    results.extend(peers.rows());
    Ok(results)
}

impl Floors {
    fn measure(build: &mut Build, round: u32, packets: u32) -> Result<Self> {
        build.draw_from(Sources::CLEAN, round)?;
        let frame4 = Packet::From(blocks::CLEAN).frame();
        let frame6 = Packet::From6(1).frame();
        let mut run = |program, frame: &[u8]| {
            build.run(program, frame, packets / WARM_UP)?;
            build.run(program, frame, packets)
        };
        Ok(Self {
            empty: run(Program::Empty, &frame4)?,
            parse4: run(Program::ParseOnly, &frame4)?,
            parse4_random: run(Program::ParseOnlyRandom, &frame4)?,
            parse6: run(Program::ParseOnly, &frame6)?,
        })
    }

    /// What parsing alone costs such a packet.
    pub(crate) const fn under(&self, packet: Packet) -> f64 {
        match packet {
            Packet::From(_) => self.parse4,
            Packet::From6(_) => self.parse6,
            Packet::FromAny(_) => self.parse4_random,
        }
    }

    fn rows(build: Option<&str>, floors: &[Self]) -> [Measured; 4] {
        let row = |name, figure: fn(&Self) -> f64| Measured {
            name,
            build: build.map(str::to_owned),
            peer: None,
            ns: Summary::of(floors.iter().map(figure).collect()),
            over_parse: None,
        };
        [
            row("empty", |floors| floors.empty),
            row("parse-only", |floors| floors.parse4),
            row("parse-only-random", |floors| floors.parse4_random),
            row("parse-only-ipv6", |floors| floors.parse6),
        ]
    }
}

/// Runs a case once and holds its verdict against the one it is meant to get.
fn check(datapath: &mut Datapath, build: &mut Build, case: &Case) -> Result<()> {
    prepare(datapath, build, case, 0)?;
    let program = program(case.packet);
    let frame = case.packet.frame();
    if case.rate == Rate::Spent {
        // The packet that uses the limit up.
        build.run(program, &frame, 1)?;
    }
    let before = counts(datapath)?;
    build.run(program, &frame, 1)?;
    all_counted(&before, &counts(datapath)?, case.verdict, 1)
}

/// Times a case in one round; every packet must have come to its verdict. Nanoseconds a packet.
fn run_case(
    datapath: &mut Datapath,
    build: &mut Build,
    case: &Case,
    round: u32,
    packets: u32,
) -> Result<f64> {
    prepare(datapath, build, case, round)?;
    let program = program(case.packet);
    let frame = case.packet.frame();
    build.run(program, &frame, packets / WARM_UP)?;
    let before = counts(datapath)?;
    let ns = build.run(program, &frame, packets)?;
    all_counted(&before, &counts(datapath)?, case.verdict, packets)?;
    Ok(ns)
}

fn prepare(datapath: &mut Datapath, build: &mut Build, case: &Case, round: u32) -> Result<()> {
    datapath.set_limits(&[case.rate.limit()])?;
    if let Packet::FromAny(sources) = case.packet {
        build.draw_from(sources, round)?;
    }
    Ok(())
}

const fn program(packet: Packet) -> Program {
    match packet {
        Packet::From(_) | Packet::From6(_) => Program::Pipeline,
        Packet::FromAny(_) => Program::PipelineRandom,
    }
}

/// Packets per verdict, as the benchmark's programs count them.
fn counts(datapath: &Datapath) -> Result<Vec<(Verdict, u64)>> {
    let counts = datapath.counters_of(0)?;
    Ok(counts.iter().map(|c| (c.verdict, c.packets)).collect())
}

/// Refuses a run whose packets did not all come to `verdict`.
fn all_counted(
    before: &[(Verdict, u64)],
    after: &[(Verdict, u64)],
    verdict: Verdict,
    packets: u32,
) -> Result<()> {
    for ((counted, before), (_, after)) in before.iter().zip(after) {
        let wanted = if *counted == verdict {
            packets.into()
        } else {
            0
        };
        ensure!(
            after - before == wanted,
            "of {packets} packets, all of which should have come to `{}`, {} came to `{}`",
            verdict.name(),
            after - before,
            counted.name(),
        );
    }
    Ok(())
}
