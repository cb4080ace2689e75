//! `gateway waf`: why its rules did what they did, and what other rules would do.

mod candidate;
mod explain;
mod replay;
mod suggest;

use std::io::Write;

use super::args::{Global, WafVerb};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show::{counted, date};
use crate::records::{Archive, Kept, folder};
use crate::store::UnixMillis;

pub(super) use explain::explain;

pub(super) fn waf(
    global: &Global,
    verb: &WafVerb,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    match verb {
        WafVerb::Explain(args) => explain(global, &args.request, args.shape, out),
        WafVerb::Replay(args) => replay::replay(global, args, out, err),
        WafVerb::Suggest(args) => suggest::suggest(global, args, host, out, err),
    }
}

/// What is kept of requests.
fn archive(global: &Global) -> Result<Archive, CliError> {
    Ok(Archive::at(folder(&paths(global)?.store)))
}

/// What there is, in words.
fn stock(archive: &Archive, kept: Kept) -> String {
    let folder = archive.folder().display();
    let damaged = match kept.damaged {
        0 => String::new(),
        damaged => format!("; {} cannot be read", counted(damaged, "line", "lines")),
    };
    match kept.since {
        Some(since) => format!(
            "{} since {} in {folder}{damaged}",
            counted(kept.records, "request is kept", "requests are kept"),
            date(UnixMillis(since)),
        ),
        None => format!("no request is kept in {folder}{damaged}"),
    }
}

/// Why the records cannot be read.
fn unreadable(archive: &Archive, error: &std::io::Error) -> CliError {
    let folder = archive.folder().display();
    CliError::Other(anyhow::anyhow!(
        "the records in {folder} cannot be read: {error}"
    ))
}
