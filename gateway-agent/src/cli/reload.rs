//! `gateway reload`.

use std::io::Write;

use super::args::{Global, ReloadArgs};
use super::error::CliError;
use super::paths::paths;
use super::{DONE, reach, show};
use crate::control::api::ReloadRequest;

pub(super) fn reload(
    global: &Global,
    args: &ReloadArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let request = ReloadRequest {
        confirm: args.confirm,
    };
    let reloaded = reach::agent(&paths(global)?)?.reload(&request)?;
    if args.shape.json {
        show::json(out, &reloaded)?;
    } else {
        writeln!(
            out,
            "the configuration is in force, generation {}",
            reloaded.generation
        )?;
        if let Some(trial) = args.confirm {
            writeln!(
                out,
                "it is taken back in {trial} unless you type: gateway confirm"
            )?;
        }
        show::notes(err, &reloaded.notes)?;
    }
    Ok(DONE)
}
