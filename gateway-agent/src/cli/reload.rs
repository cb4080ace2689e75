//! `gateway reload`.

use std::io::Write;

use super::args::{Global, Shape};
use super::error::CliError;
use super::paths::paths;
use super::{DONE, reach, show};

pub(super) fn reload(
    global: &Global,
    shape: &Shape,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let reloaded = reach::agent(&paths(global)?)?.reload()?;
    if shape.json {
        show::json(out, &reloaded)?;
    } else {
        writeln!(
            out,
            "the configuration is in force, generation {}",
            reloaded.generation
        )?;
        show::notes(err, &reloaded.notes)?;
    }
    Ok(DONE)
}
