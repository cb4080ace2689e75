//! The narration, and the object that `--json` prints.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::figures::Told;

/// What the demo has shown so far.
pub(super) struct Report {
    json: bool,
    started: Instant,
    steps: Vec<Step>,
    stats: Value,
}

#[derive(Serialize)]
struct Step {
    name: &'static str,
    ok: bool,
    figures: Map<String, Value>,
}

#[derive(Serialize)]
struct Whole<'a> {
    ok: bool,
    steps: &'a [Step],
    stats: &'a Value,
}

impl Report {
    /// An empty report; with `json` the narration goes to standard error.
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            started: Instant::now(),
            steps: Vec::new(),
            stats: json!({}),
        }
    }

    /// Notes how a step came out, tells it, and says whether it held.
    pub(super) fn step(&mut self, name: &'static str, outcome: Result<Told>) -> bool {
        let ok = outcome.is_ok();
        let told = outcome.unwrap_or_else(|error| {
            let seen = format!("{error:#}");
            Told::new(format!("DOES NOT HOLD: {seen}")).with("seen", seen)
        });
        let seconds = self.started.elapsed().as_secs_f64();
        self.say(&format!("{seconds:5.1} s  {name:<11}  {}", told.line));
        self.steps.push(Step {
            name,
            ok,
            figures: told.figures,
        });
        ok
    }

    /// Keeps the block statistics.
    pub(super) fn stats(&mut self, stats: Value) {
        self.stats = stats;
    }

    /// Tells something that is no step, such as a table.
    pub(super) fn say(&self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    /// Prints the object if it was asked for, and says how it all ended: with failure when a
    /// step did not hold.
    pub(super) fn finish(self) -> Result<ExitCode> {
        let broken = self.steps.iter().find(|step| !step.ok);
        let ok = broken.is_none() && !self.steps.is_empty();
        if self.json {
            let whole = Whole {
                ok,
                steps: &self.steps,
                stats: &self.stats,
            };
            println!("{}", serde_json::to_string(&whole)?);
        }
        if let Some(step) = broken {
            eprintln!(
                "error: the step {} does not hold; see above for what was seen",
                step.name
            );
        }
        Ok(if ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
