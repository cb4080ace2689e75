//! The benchmark's programs in the kernel, and runs of them.

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    maps::{PerCpuArray, PerCpuValues},
    programs::{TestRun, TestRunOptions, Xdp},
    util::nr_cpus,
};
use gateway_agent::datapath::Datapath;

use crate::{clock::cpu_time, sources::Sources};

/// A program of the benchmark's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// Returns at once.
    Empty,
    /// Parses and decides nothing.
    ParseOnly,
    /// Puts a new source into the frame, then parses.
    ParseOnlyRandom,
    /// The whole pipeline.
    Pipeline,
    /// Puts a new source into the frame, then runs the whole pipeline.
    PipelineRandom,
}

/// One build of the object, loaded.
pub(crate) struct Build {
    /// What its rows are marked with; none for the build under test.
    pub(crate) mark: Option<String>,
    ebpf: Ebpf,
}

impl Program {
    const ALL: [Self; 5] = [
        Self::Empty,
        Self::ParseOnly,
        Self::ParseOnlyRandom,
        Self::Pipeline,
        Self::PipelineRandom,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ParseOnly => "parse_only",
            Self::ParseOnlyRandom => "parse_only_random",
            Self::Pipeline => "pipeline",
            Self::PipelineRandom => "pipeline_random",
        }
    }
}

impl Build {
    /// Loads an object's programs over the maps of `datapath`.
    pub(crate) fn load(datapath: &Datapath, mark: Option<String>, object: &[u8]) -> Result<Self> {
        let mut build = Self {
            mark,
            ebpf: datapath.bench(object)?,
        };
        for program in Program::ALL {
            build
                .xdp(program)?
                .load()
                .with_context(|| format!("loading {}", program.name()))?;
        }
        Ok(build)
    }

    /// Sets what the programs with random sources draw from in a round.
    pub(crate) fn draw_from(&mut self, sources: Sources, round: u32) -> Result<()> {
        let map = self.ebpf.map_mut("SOURCES").context("no map SOURCES")?;
        let mut map = PerCpuArray::<_, [u64; 4]>::try_from(map)?;
        let cpus = nr_cpus().map_err(|(what, error)| anyhow::anyhow!("{what}: {error}"))?;
        let values = PerCpuValues::try_from(vec![sources.state(round); cpus])?;
        map.set(0, values, 0).context("setting the sources")
    }

    /// Runs `program` on `frame` as often as `packets` says. Returns the CPU time of one packet
    /// in nanoseconds; the kernel's own figure has no fractions.
    pub(crate) fn run(&mut self, program: Program, frame: &[u8], packets: u32) -> Result<f64> {
        let xdp = self.xdp(program)?;
        let start = cpu_time()?;
        xdp.test_run(TestRunOptions {
            data_in: Some(frame),
            repeat: packets,
            ..TestRunOptions::default()
        })
        .with_context(|| format!("running {}", program.name()))?;
        let spent = cpu_time()?.saturating_sub(start);
        Ok(spent.as_nanos() as f64 / f64::from(packets))
    }

    fn xdp(&mut self, program: Program) -> Result<&mut Xdp> {
        let name = program.name();
        let program = self
            .ebpf
            .program_mut(name)
            .with_context(|| format!("no program {name}"))?;
        Ok(program.try_into()?)
    }
}
