//! `gateway detach`.

use std::io::{self, Write};
use std::path::Path;

use super::args::{DetachArgs, Global};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::{DONE, FAILED, reach};
use crate::control::client::Client;
use crate::control::{Fault, FaultKind, ListsError};

/// Takes the filter away. Only without an agent, which would go on as if it were there.
pub(super) fn detach(
    global: &Global,
    args: &DetachArgs,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let paths = paths(global)?;
    let pins = paths.pins.display();
    if Client::reach(&paths.socket)?.is_some() {
        return Err(Fault::new(
            FaultKind::Busy,
            "an agent runs and would go on without its filter; stop it first",
        )
        .into());
    }
    let interfaces = match host.open(&paths.pins) {
        Ok(lists) => lists.interfaces().unwrap_or_default(),
        Err(ListsError::Absent(_)) => {
            writeln!(
                out,
                "nothing is pinned under {pins}, so there is nothing to remove"
            )?;
            give_back(host, &paths.store, out, err)?;
            return Ok(DONE);
        }
        // Pins that cannot be used, say of another version, can still be removed.
        Err(unusable) => {
            writeln!(err, "note: {unusable}")?;
            Vec::new()
        }
    };
    let names: Vec<String> = interfaces.into_iter().map(|i| i.name).collect();
    let what = match names.as_slice() {
        [] => format!("the maps under {pins}"),
        names => format!(
            "the filter on {} and its maps under {pins}",
            names.join(", ")
        ),
    };
    if !args.yes {
        match host.confirm(&format!(
            "Remove {what}? Nothing is dropped any more until the agent runs again."
        )) {
            Some(true) => {}
            Some(false) => {
                writeln!(err, "nothing was removed")?;
                return Ok(FAILED);
            }
            None => {
                return Err(CliError::Usage(format!(
                    "detach would remove {what}; say so with --yes"
                )));
            }
        }
    }
    let _alone = reach::alone(&paths)?;
    host.detach(&paths.pins).map_err(Fault::from)?;
    writeln!(out, "removed {what}; the lists stay in the store")?;
    give_back(host, &paths.store, out, err)?;
    Ok(DONE)
}

/// Sets the stack's SYN cookies back. What goes wrong is a note: the filter is gone, which was what
/// was asked for.
fn give_back(
    host: &dyn Host,
    store: &Path,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<()> {
    match host.give_back_cookies(store) {
        Ok(None) => Ok(()),
        Ok(Some(value)) => writeln!(out, "net.ipv4.tcp_syncookies is {value} again"),
        Err(why) => writeln!(err, "note: {why}"),
    }
}
