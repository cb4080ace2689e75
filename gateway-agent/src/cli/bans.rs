//! `gateway bans`.

use std::io::Write;

use super::args::{BansVerb, Global, LiftArgs, Shape};
use super::error::CliError;
use super::host::Host;
use super::lists::{tell, walk, walk_json};
use super::paths::paths;
use super::show::{BAN_COLUMNS, ban_row};
use super::{DONE, reach};
use crate::control::api::PageQuery;
use crate::store::{ListName, Origin};

pub(super) fn bans(
    global: &Global,
    verb: &BansVerb,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    match verb {
        BansVerb::List(shape) => list(global, *shape, host, out),
        BansVerb::Lift(args) => lift(global, args, host, out, err),
    }
}

fn list(
    global: &Global,
    shape: Shape,
    host: &dyn Host,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let control = reach::look(&paths(global)?, host)?;
    let query = PageQuery {
        origin: Some(Origin::Ban),
        ..PageQuery::default()
    };
    if shape.json {
        walk_json(&*control, ListName::Deny, query, "bans", out)?;
    } else if !walk(
        &*control,
        ListName::Deny,
        query,
        (BAN_COLUMNS, ban_row),
        out,
    )? {
        writeln!(out, "nobody is banned")?;
    }
    Ok(DONE)
}

fn lift(
    global: &Global,
    args: &LiftArgs,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let changed = reach::change(&paths(global)?, host)?.lift(args.prefix)?;
    tell(out, err, args.shape, &changed, |ban| {
        format!("lifted the ban of {} (rule {})", ban.prefix, ban.rule)
    })?;
    Ok(DONE)
}
