//! `gateway check`.

use std::io::Write;
use std::time::SystemTime;

use serde::Serialize;

use super::args::{Global, Shape};
use super::error::CliError;
use super::{DONE, FAILED, show};
use crate::agent;
use crate::config::{self, Finding, Summary};

/// What a check found.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether the configuration would work.
    ok: bool,
    /// What is wrong.
    faults: Vec<Finding>,
    /// What is legal and probably not meant.
    warnings: Vec<Finding>,
    /// What the configuration comes to; null when it has faults.
    summary: Option<Summary>,
}

/// Checks the configuration, and says all that is wrong with it.
pub(super) fn check(global: &Global, shape: &Shape, out: &mut dyn Write) -> Result<u8, CliError> {
    let checked = config::check(&global.config, SystemTime::now(), &agent::check_rules);
    let report = match checked {
        Ok(checked) => Report {
            ok: true,
            faults: Vec::new(),
            warnings: checked.warnings,
            summary: Some(checked.summary),
        },
        Err(faults) => Report {
            ok: false,
            faults: faults.findings().to_vec(),
            warnings: Vec::new(),
            summary: None,
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
        if let Some(summary) = &report.summary {
            writeln!(out, "{summary}")?;
        }
    }
    Ok(if report.ok { DONE } else { FAILED })
}
