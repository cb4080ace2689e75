//! `gateway deny import`, `gateway allow import` and `gateway confirm`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use gateway_policy::import::{self, Format, ImportError, Imported, MAX_FILE};

use super::args::{Global, ImportArgs, Shape};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show;
use super::{DONE, reach};
use crate::control::api::{ImportDone, ImportRequest};
use crate::control::{Fault, FaultKind};
use crate::datapath::Datapath;
use crate::store::ListName;

pub(super) fn import(
    global: &Global,
    (list, shadow): (ListName, bool),
    args: &ImportArgs,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let name = args.file.display().to_string();
    let file = content(&args.file, host)
        .map_err(|e| refuse(format!("{name} cannot be read: {e}; nothing was changed")))?;
    let options = import::Options {
        format: args.format.0,
        column: args.column.clone(),
        capacity: usize::try_from(Datapath::capacity(list.list())).unwrap_or(usize::MAX),
        bad_lines: 0,
    };
    let read = import::read(&file, &options).map_err(|error| wrong(&name, &error))?;
    if args.format.0.is_none() && !args.shape.json {
        writeln!(err, "note: read {name} as {}", words(read.format))?;
    }
    if !args.shape.json {
        show::notes(err, &remarks(&read))?;
    }
    let tag = args.replace.as_ref().or(args.tag.as_ref());
    let request = ImportRequest {
        tag: tag.cloned().unwrap_or_else(|| named_after(&args.file)),
        replace: args.replace.is_some(),
        ttl: args.ttl,
        reason: args.reason.clone(),
        shadow,
        force: args.force,
        session: host.session(),
        dry_run: args.dry_run,
        confirm: args.confirm,
        entries: read.entries,
    };
    let done = reach::change(&paths(global)?, host)?.import(list, &request)?;
    if args.shape.json {
        show::json(out, &done)?;
    } else {
        tell(out, list, &done, &request)?;
    }
    Ok(DONE)
}

pub(super) fn confirm(global: &Global, shape: Shape, out: &mut dyn Write) -> Result<u8, CliError> {
    let confirmed = reach::agent(&paths(global)?)?.confirm()?;
    if shape.json {
        show::json(out, &confirmed)?;
    } else {
        for tag in &confirmed.tags {
            writeln!(out, "the import of {} stays", show::plain(tag))?;
        }
        if let Some(generation) = confirmed.generation {
            writeln!(out, "the configuration stays, generation {generation}")?;
        }
    }
    Ok(DONE)
}

/// What is in the file, and one byte more than it may have if it has more.
fn content(file: &Path, host: &dyn Host) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_FILE)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    if file == Path::new("-") {
        return host.input(limit);
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn named_after(file: &Path) -> String {
    match file.file_name() {
        Some(name) if file != Path::new("-") => name.to_string_lossy().into_owned(),
        _ => "stdin".to_owned(),
    }
}

fn wrong(name: &str, error: &ImportError) -> CliError {
    refuse(match error {
        ImportError::Lines { .. } => {
            format!("{name} has bad lines; nothing was changed:\n{error}")
        }
        ImportError::TooLarge
        | ImportError::LongLine { .. }
        | ImportError::TooMany { .. }
        | ImportError::Malformed { .. }
        | ImportError::Column(_)
        | ImportError::Empty => format!("{name}: {error}; nothing was changed"),
    })
}

fn refuse(detail: String) -> CliError {
    Fault::new(FaultKind::Invalid, detail).into()
}

fn words(format: Format) -> &'static str {
    match format {
        Format::Plain => "plain text",
        Format::Csv => "CSV",
        Format::Json => "JSON",
        Format::Ipset => "the output of `ipset save`",
        Format::Nft => "the output of `nft list set`",
    }
}

fn remarks(read: &Imported) -> Vec<String> {
    let mut notes = Vec::new();
    let entries = |n: usize| if n == 1 { "entry" } else { "entries" };
    if read.duplicates > 0 {
        let n = read.duplicates;
        notes.push(format!("{n} {} came more than once", entries(n)));
    }
    if read.covered > 0 {
        let n = read.covered;
        let lie = if n == 1 { "lies" } else { "lie" };
        notes.push(format!(
            "{n} {} {lie} inside another one of the file",
            entries(n)
        ));
    }
    notes
}

fn tell(
    out: &mut dyn Write,
    list: ListName,
    done: &ImportDone,
    request: &ImportRequest,
) -> io::Result<()> {
    let would = if done.dry_run { "would be " } else { "" };
    writeln!(
        out,
        "{} on {}: {} {would}added, {} removed, {} changed, {} unchanged",
        show::plain(&done.tag),
        list.words(),
        done.added,
        done.removed,
        done.changed,
        done.unchanged,
    )?;
    if done.lifted > 0 {
        writeln!(out, "bans lifted inside: {}", done.lifted)?;
    }
    if done.trial_until_unix_ms.is_some()
        && let Some(trial) = request.confirm
    {
        writeln!(
            out,
            "it is taken back in {trial} unless you type: gateway confirm"
        )?;
    }
    Ok(())
}
