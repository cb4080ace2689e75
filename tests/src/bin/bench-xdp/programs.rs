//! The benchmark's programs in the kernel, and runs of them.

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    maps::{Map, PerCpuArray, PerCpuValues, ProgramArray},
    programs::{ProgramFd, TestRun, TestRunOptions, Xdp},
    util::nr_cpus,
};
use gateway_agent::datapath::Datapath;

use gateway_tests::bench::{clock::cpu_time, sources::Sources};

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
    /// Parses and decides nothing, behind [`Program::Behind`].
    ParseOnlyBehind,
    /// Runs another object's program.
    Behind,
    /// Puts a new source into the frame, then runs another object's program.
    BehindRandom,
    /// A trie and a map of buckets.
    LpmLru,
    /// Puts a new source into the frame, then asks a trie and a map of buckets.
    LpmLruRandom,
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

    /// What only the comparison with others needs.
    const PEERS: [Self; 5] = [
        Self::ParseOnlyBehind,
        Self::Behind,
        Self::BehindRandom,
        Self::LpmLru,
        Self::LpmLruRandom,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ParseOnly => "parse_only",
            Self::ParseOnlyRandom => "parse_only_random",
            Self::Pipeline => "pipeline",
            Self::PipelineRandom => "pipeline_random",
            Self::ParseOnlyBehind => "parse_only_behind",
            Self::Behind => "behind",
            Self::BehindRandom => "behind_random",
            Self::LpmLru => "lpm_lru",
            Self::LpmLruRandom => "lpm_lru_random",
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
        build.load_programs(&Program::ALL)?;
        Ok(build)
    }

    /// Loads what the comparison with others needs too.
    pub(crate) fn load_peers(&mut self) -> Result<()> {
        self.load_programs(&Program::PEERS)
    }

    fn load_programs(&mut self, programs: &[Program]) -> Result<()> {
        for program in programs {
            self.xdp(*program)?
                .load()
                .with_context(|| format!("loading {}", program.name()))?;
        }
        Ok(())
    }

    /// A map of the object.
    pub(crate) fn map(&mut self, name: &str) -> Result<&mut Map> {
        self.ebpf
            .map_mut(name)
            .with_context(|| format!("no map {name}"))
    }

    /// A handle on a program of the object.
    pub(crate) fn handle(&mut self, program: Program) -> Result<ProgramFd> {
        Ok(self.xdp(program)?.fd()?.try_clone()?)
    }

    /// Puts a program behind [`Program::Behind`] and [`Program::BehindRandom`].
    pub(crate) fn put_behind(&mut self, program: &ProgramFd) -> Result<()> {
        let mut behind = ProgramArray::try_from(self.map("BEHIND")?)?;
        behind
            .set(0, program, 0)
            .context("putting a program behind")
    }

    /// Runs `program` once; returns what it does with the frame, an `XDP_` constant.
    pub(crate) fn action(&mut self, program: Program, frame: &[u8]) -> Result<u32> {
        let result = self.xdp(program)?.test_run(TestRunOptions {
            data_in: Some(frame),
            ..TestRunOptions::default()
        });
        let result = result.with_context(|| format!("running {}", program.name()))?;
        Ok(result.return_value)
    }

    /// Sets what the programs with random sources draw from in a round.
    pub(crate) fn draw_from(&mut self, sources: Sources, round: u32) -> Result<()> {
        let mut map = PerCpuArray::<_, [u64; 4]>::try_from(self.map("SOURCES")?)?;
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
