//! What kernels offer, and how the tests ended under each, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::machine::Told;

/// The width of the column of questions.
const QUESTIONS: usize = 38;

/// A column for each kernel, in the order of asking.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    release: String,
    /// How its machine ended: `ok`, or what went wrong.
    ended: Result<(), String>,
    took: Duration,
    /// What it offers, by question; none when it was not asked.
    offers: BTreeMap<String, Value>,
}

impl Matrix {
    /// What the guest's line begins with that tells what its kernel offers.
    pub(super) const MARK: &str = "gateway-offers: ";

    /// Adds what came of a kernel.
    pub(super) fn add(&mut self, release: String, told: Result<Told>, took: Duration) {
        let (ended, offers) = match told {
            Err(error) => (Err(format!("{error:#}")), BTreeMap::new()),
            Ok(told) => match told.offers.as_deref().map(read).transpose() {
                Err(error) => (Err(format!("{error:#}")), BTreeMap::new()),
                Ok(offers) => (ended(told.code), offers.unwrap_or_default()),
            },
        };
        self.columns.push(Column {
            release,
            ended,
            took,
            offers,
        });
    }

    /// The kernels under which something failed.
    pub(super) fn failed(&self) -> Vec<String> {
        let failed = self.columns.iter().filter(|column| column.ended.is_err());
        failed.map(|column| column.release.clone()).collect()
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let kernels: Vec<_> = self
            .columns
            .iter()
            .map(|column| {
                json!({
                    "kernel": column.release,
                    "ok": column.ended.is_ok(),
                    "error": column.ended.as_ref().err(),
                    "seconds": column.took.as_secs(),
                    "offers": column.offers,
                })
            })
            .collect();
        json!({ "kernels": kernels })
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for column in &self.columns {
            let ended = column.ended.as_ref().map_or_else(String::as_str, |()| "ok");
            writeln!(
                f,
                "kernel {}: {ended} in {:.1?}",
                column.release, column.took
            )?;
        }
        let questions: BTreeSet<_> = self
            .columns
            .iter()
            .flat_map(|column| column.offers.keys())
            .collect();
        if questions.is_empty() {
            return Ok(());
        }
        write!(f, "\n{:QUESTIONS$}", "offers")?;
        for column in &self.columns {
            // The version is enough: the rest is how Debian names its flavours.
            let version = column.release.split(['-', '+']).next().unwrap_or_default();
            write!(f, "{version:>12}")?;
        }
        writeln!(f)?;
        for question in questions {
            write!(f, "{question:QUESTIONS$}")?;
            for column in &self.columns {
                write!(f, "{:>12}", cell(column.offers.get(question)))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn read(told: &str) -> Result<BTreeMap<String, Value>> {
    serde_json::from_str(told).context("what the kernel offers is no JSON object")
}

fn ended(code: i32) -> Result<(), String> {
    match code {
        0 => Ok(()),
        code => Err(format!("exit code {code}")),
    }
}

/// A word for the table; the JSON has the whole of a text.
fn cell(found: Option<&Value>) -> String {
    match found {
        Some(Value::Bool(true)) => "yes".into(),
        Some(Value::Bool(false)) => "no".into(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(_)) => "fails".into(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => "?".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: i32, offers: &str) -> Result<Told> {
        Ok(Told {
            code,
            offers: Some(offers.into()),
        })
    }

    #[test]
    fn kernels_stand_side_by_side() {
        let mut matrix = Matrix::default();
        let second = Duration::from_secs(1);
        matrix.add(
            "6.1.0-50-cloud-amd64".into(),
            told(0, r#"{"a": true, "n": 5}"#),
            second,
        );
        matrix.add(
            "7.2.1+deb14-cloud".into(),
            told(101, r#"{"a": "why", "b": false}"#),
            second,
        );
        matrix.add("8".into(), Err(anyhow::anyhow!("it hung")), second);
        let rows: Vec<Vec<String>> = matrix
            .to_string()
            .lines()
            .skip(4)
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect();
        let wanted = [
            ["offers", "6.1.0", "7.2.1", "8"],
            ["a", "yes", "fails", "?"],
            ["b", "?", "no", "?"],
            ["n", "5", "?", "?"],
        ];
        assert_eq!(rows, wanted);
        assert_eq!(matrix.failed(), ["7.2.1+deb14-cloud", "8"]);
        assert_eq!(matrix.json()["kernels"][1]["error"], "exit code 101");
        assert_eq!(matrix.json()["kernels"][2]["ok"], false);
    }

    #[test]
    fn what_is_no_object_is_a_failure() {
        let mut matrix = Matrix::default();
        matrix.add("6.1".into(), told(0, "[]"), Duration::ZERO);
        assert_eq!(matrix.failed(), ["6.1"]);
    }
}
