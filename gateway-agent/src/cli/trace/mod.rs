//! `gateway trace`: what the loaded program would do with the packets of a capture, or with one
//! that is described. Nothing is sent, counted or charged.

mod args;
mod capture;
mod described;
mod look;
mod packet;
mod show;
mod tally;
mod words;

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use anyhow::Context;

use self::args::Only;
pub(super) use self::args::TraceArgs;
#[cfg(test)]
pub(super) use self::capture::tests as captures;
use self::capture::{Capture, CaptureFault, Record};
use self::look::{Look, SHORTEST_FRAME, look};
use self::packet::{Outcome, Traced, Untold};
use self::show::Shown;
use self::tally::Tally;
use self::words::Words;
use super::args::Global;
use super::error::CliError;
use super::host::{Host, Judge};
use super::paths::paths;
use super::{DONE, reach};
use crate::clock;
use crate::config::Paths;
use crate::control::Fault;
use crate::control::lists::Probe;
use crate::datapath::LONGEST_FRAME;
use crate::store::UnixMillis;

pub(super) fn trace(
    global: &Global,
    args: &TraceArgs,
    host: &dyn Host,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let paths = paths(global)?;
    match args.capture.as_deref() {
        Some(file) => {
            let name = name(file);
            let mut capture = open(file)?;
            let mut tracer = Tracer::new(&paths, host)?;
            whole(&mut capture, &name, &mut tracer, args, out)?;
        }
        None => {
            // What was typed is looked at before what is there.
            let frame = args.described.frame().map_err(CliError::Usage)?;
            one(frame, &mut Tracer::new(&paths, host)?, args, out)?;
        }
    }
    Ok(DONE)
}

/// Reads a whole capture, for fuzzing; returns how many packets it has.
///
/// # Errors
///
/// What is wrong with it.
#[doc(hidden)]
pub fn read_capture(bytes: &[u8]) -> Result<usize, String> {
    let said = |fault: CaptureFault| fault.to_string();
    let mut capture = Capture::open(bytes).map_err(said)?;
    let mut frame = Vec::new();
    let mut packets = 0;
    while capture.next(&mut frame).map_err(said)?.is_some() {
        packets += 1;
    }
    Ok(packets)
}

/// The standard input, as a file's name.
const STDIN: &str = "-";

fn name(file: &Path) -> String {
    if file == Path::new(STDIN) {
        "the standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

fn open(file: &Path) -> Result<Capture<Box<dyn Read>>, CliError> {
    let bytes: Box<dyn Read> = if file == Path::new(STDIN) {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file).with_context(|| format!("opening {}", file.display()))?;
        Box::new(BufReader::with_capacity(1 << 16, opened))
    };
    Capture::open(bytes).map_err(|fault| unreadable(&name(file), fault))
}

fn unreadable(name: &str, fault: CaptureFault) -> CliError {
    CliError::Other(anyhow::Error::new(fault).context(name.to_owned()))
}

/// Every packet of a capture. What stands before a fault in it is told all the same.
fn whole<R: Read>(
    capture: &mut Capture<R>,
    name: &str,
    tracer: &mut Tracer,
    args: &TraceArgs,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let mut frame = Vec::new();
    let mut tally = Tally::default();
    let mut shown = Shown::new(args.shape.json);
    let shows = |outcome: &Outcome| {
        !args.summary
            && args
                .only
                .is_none_or(|only: Only| only.covers(outcome.verdict()))
    };
    let fault = loop {
        let record = match capture.next(&mut frame) {
            Ok(Some(record)) => record,
            Ok(None) => break None,
            Err(fault) => break Some(fault),
        };
        let traced = tracer.trace(tally.packets + 1, record, &mut frame)?;
        tally.add(&traced);
        if shows(&traced.outcome) {
            shown.packet(out, &traced)?;
        }
    };
    shown.sums(out, &tally)?;
    fault.map_or(Ok(()), |fault| {
        out.flush()?;
        Err(unreadable(name, fault))
    })
}

fn one(
    mut frame: Vec<u8>,
    tracer: &mut Tracer,
    args: &TraceArgs,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let record = Record {
        at: None,
        length: u32::try_from(frame.len()).unwrap_or(u32::MAX),
    };
    let traced = tracer.trace(1, record, &mut frame)?;
    if args.shape.json {
        show::described_as_json(out, &traced)?;
    } else {
        show::described(out, &traced, UnixMillis(clock::unix_millis()))?;
    }
    Ok(())
}

/// Who is asked about packets: the loaded program, then whoever has the words.
struct Tracer {
    judge: Box<dyn Judge>,
    words: Words,
}

impl Tracer {
    fn new(paths: &Paths, host: &dyn Host) -> Result<Self, CliError> {
        let judge = host.judge(&paths.pins).map_err(Fault::from)?;
        let lists = host.open(&paths.pins).map_err(Fault::from)?;
        Ok(Self {
            judge,
            words: Words::new(reach::look(paths, host)?, lists),
        })
    }

    /// What becomes of a packet, of which `frame` holds what was captured. What is missing
    /// becomes zeros.
    fn trace(
        &mut self,
        number: u64,
        record: Record,
        frame: &mut Vec<u8>,
    ) -> Result<Traced, CliError> {
        let captured = frame.len();
        let length = record.length as usize;
        let untold = |why| (Look::NOTHING, Outcome::Untold(why));
        let (look, outcome) = if length < SHORTEST_FRAME {
            untold(Untold::TooShort)
        } else if length > LONGEST_FRAME {
            untold(Untold::TooLong)
        } else {
            frame.resize(length, 0);
            let look = look(frame, captured);
            let outcome = self.ask(frame, &look)?;
            (look, outcome)
        };
        Ok(Traced {
            number,
            record,
            captured,
            look,
            outcome,
        })
    }

    fn ask(&mut self, frame: &[u8], look: &Look) -> Result<Outcome, CliError> {
        let probe = self.judge.judge(frame).map_err(Fault::from)?;
        let guessed = if by_source_alone(probe) {
            look.source_missed
        } else {
            look.missed
        };
        if guessed {
            return Ok(Outcome::Untold(Untold::CutByTheCapture));
        }
        let entry = self.words.of(probe, look.source.ip())?;
        Ok(Outcome::Told(probe.verdict, entry))
    }
}

/// Whether nothing behind the source could have changed the verdict.
const fn by_source_alone(probe: Probe) -> bool {
    use gateway_common::Verdict;
    matches!(
        probe.verdict,
        Verdict::Safelisted | Verdict::DeniedExact | Verdict::DeniedPrefix | Verdict::Banned
    )
}
