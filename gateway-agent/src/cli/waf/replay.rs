//! `gateway waf replay`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use gateway_waf::Waf;

use super::candidate::{candidate, configuration, present};
use super::{archive, stock, unreadable};
use crate::cli::args::{Global, ReplayArgs};
use crate::cli::error::CliError;
use crate::cli::show::{self, counted};
use crate::cli::{CHANGES, DONE};
use crate::clock;
use crate::replay::{Line, Named, Report, Specimen, parse_har, parse_log_line};

/// The largest archive that is read.
const LARGEST_HAR: u64 = 512 << 20;
/// The longest line of a log that is read.
const LONGEST_LINE: u64 = 1 << 20;

pub(super) fn replay(
    global: &Global,
    args: &ReplayArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let config = configuration(global)?;
    let mut run = Run {
        now: present(&config)?,
        candidate: candidate(&config, args)?,
        report: Report::default(),
    };
    let notes = match (&args.har, &args.access_log) {
        (Some(file), _) => run.har(file)?,
        (None, Some(file)) => run.log(file)?,
        (None, None) => run.kept(global, args)?,
    };
    let report = run.report;
    if args.shape.json {
        show::json(out, &report)?;
    } else {
        print(out, &report)?;
    }
    show::notes(err, &notes)?;
    Ok(if report.has_changes() { CHANGES } else { DONE })
}

struct Run {
    now: Waf,
    candidate: Waf,
    report: Report,
}

impl Run {
    fn add(&mut self, specimen: &Specimen) {
        self.report.add(specimen, &self.now, &self.candidate);
    }

    fn kept(&mut self, global: &Global, args: &ReplayArgs) -> Result<Vec<String>, CliError> {
        let archive = archive(global)?;
        let from = args.since.map_or(0, |since| {
            let millis = u64::try_from(since.as_duration().as_millis()).unwrap_or(u64::MAX);
            clock::unix_millis().saturating_sub(millis)
        });
        let kept = archive
            .each(|record| {
                if record.time_unix_ms >= from {
                    self.add(&record.into());
                }
                true
            })
            .map_err(|error| unreadable(&archive, &error))?;
        let mut notes = vec![stock(&archive, kept)];
        if self.report.requests > 0 {
            notes.push(
                "those are requests in which rules found something, and samples of others where \
                 `waf.keep.sample` asks for them"
                    .to_owned(),
            );
        }
        Ok(notes)
    }

    fn har(&mut self, file: &Path) -> Result<Vec<String>, CliError> {
        let mut bytes = Vec::new();
        let opened = File::open(file).map_err(|error| named(file, error))?;
        let read = opened.take(LARGEST_HAR + 1).read_to_end(&mut bytes);
        if read.map_err(|error| named(file, error))? as u64 > LARGEST_HAR {
            return Err(named(file, "it is larger than 512 MiB"));
        }
        let specimens = parse_har(&bytes).map_err(|error| named(file, error))?;
        specimens.iter().for_each(|specimen| self.add(specimen));
        Ok(self.without_routes().into_iter().collect())
    }

    /// What is to be said where requests do not tell which route they took.
    fn without_routes(&self) -> Option<String> {
        let some = self.now.routes_in_shadow().next().is_some();
        some.then(|| {
            "routes are not known of these requests: rules that are in shadow on single routes \
             act here"
                .to_owned()
        })
    }

    fn log(&mut self, file: &Path) -> Result<Vec<String>, CliError> {
        let opened = File::open(file).map_err(|error| named(file, error))?;
        let mut reader = BufReader::new(opened);
        let (mut number, mut unknown, mut nothing) = (0, 0, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut reader)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line);
            if read.map_err(|error| named(file, error))? == 0 {
                break;
            }
            number += 1;
            match parse_log_line(&String::from_utf8_lossy(&line), number) {
                Line::Request(specimen) => self.add(&specimen),
                Line::Nothing => nothing += 1,
                Line::Unknown => unknown += 1,
            }
        }
        let mut notes = vec![
            "an access log has the request line and few header fields: rules that look into \
             others, cookies or bodies find nothing"
                .to_owned(),
        ];
        notes.extend(self.without_routes());
        if nothing > 0 {
            let lines = counted(nothing, "line tells", "lines tell");
            notes.push(format!("{lines} of requests that were no HTTP; left out"));
        }
        if unknown > 0 {
            let lines = counted(unknown, "line is", "lines are");
            notes.push(format!("{lines} in no known format; left out"));
        }
        if self.report.requests == 0 && unknown > 0 {
            return Err(named(file, "none of its lines is in a known format"));
        }
        Ok(notes)
    }
}

fn named(file: &Path, why: impl std::fmt::Display) -> CliError {
    CliError::Other(anyhow::anyhow!("{}: {why}", file.display()))
}

fn print(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let requests = counted(report.requests, "request", "requests");
    writeln!(out, "{requests} replayed.")?;
    if report.unjudged.count > 0 {
        writeln!(
            out,
            "{} could not be judged: what rules had found in them is masked or not kept.",
            report.unjudged.count
        )?;
    }
    if report.partial > 0 {
        writeln!(
            out,
            "Of {} more, something is masked or not kept: other rules may find more in them.",
            report.partial
        )?;
    }
    if !report.has_changes() {
        return writeln!(out, "Nothing would change.");
    }
    group(out, "newly blocked", &report.blocked)?;
    group(out, "newly passed", &report.passed)?;
    for (rule, change) in &report.rules {
        group(
            out,
            &format!("rule {rule} would newly match"),
            &change.newly,
        )?;
        group(
            out,
            &format!("rule {rule} would no longer match"),
            &change.no_longer,
        )?;
    }
    Ok(())
}

fn group(out: &mut dyn Write, what: &str, named: &Named) -> io::Result<()> {
    if named.count == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n{what}: {}",
        counted(named.count, "request", "requests")
    )?;
    for request in &named.requests {
        writeln!(out, "  {}", show::plain(request))?;
    }
    match named.count.saturating_sub(named.requests.len() as u64) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}
