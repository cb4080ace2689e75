//! `gateway check`.

use std::io::Write;

use serde::Serialize;

use super::args::{Global, Shape};
use super::error::CliError;
use super::{DONE, FAILED, show};
use crate::config::{self, Finding};

/// What a check found.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether the configuration would work.
    ok: bool,
    /// What is wrong.
    faults: Vec<Finding>,
    /// What is legal and probably not meant.
    warnings: Vec<Finding>,
}

/// Checks the configuration, and says all that is wrong with it.
pub(super) fn check(global: &Global, shape: &Shape, out: &mut dyn Write) -> Result<u8, CliError> {
    let report = match config::load(&global.config) {
        Ok((_, warnings)) => Report {
            ok: true,
            faults: Vec::new(),
            warnings,
        },
        Err(faults) => Report {
            ok: false,
            faults: faults.findings().to_vec(),
            warnings: Vec::new(),
        },
    };
    if shape.json {
        show::json(out, &report)?;
    } else {
        for fault in &report.faults {
            writeln!(out, "{fault}")?;
        }
        for warning in &report.warnings {
            writeln!(out, "{warning} (warning)")?;
        }
        if report.ok {
            writeln!(
                out,
                "{}: the configuration is sound",
                global.config.display()
            )?;
        }
    }
    Ok(if report.ok { DONE } else { FAILED })
}
