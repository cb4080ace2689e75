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
        let whole = self.whole();
        if self.json {
            println!("{}", serde_json::to_string(&whole)?);
        }
        if let Some(step) = self.broken() {
            let name = step.name;
            eprintln!("error: the step {name} does not hold; see above for what was seen");
        }
        Ok(if whole.ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn broken(&self) -> Option<&Step> {
        self.steps.iter().find(|step| !step.ok)
    }

    fn whole(&self) -> Whole<'_> {
        Whole {
            ok: self.broken().is_none() && !self.steps.is_empty(),
            steps: &self.steps,
            stats: &self.stats,
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn object(report: &Report) -> Value {
        serde_json::to_value(report.whole()).unwrap()
    }

    #[test]
    fn all_is_well_when_every_step_held() {
        let mut report = Report::new(true);
        assert_eq!(object(&report)["ok"], false, "nothing was shown");
        assert!(report.step("up", Ok(Told::new("ready").with("ready_ms", 7))));
        report.stats(json!({"total": {}}));
        let wanted = json!({
            "ok": true,
            "steps": [{"name": "up", "ok": true, "figures": {"ready_ms": 7}}],
            "stats": {"total": {}},
        });
        assert_eq!(object(&report), wanted);
        assert_eq!(report.finish().unwrap(), ExitCode::SUCCESS);
    }

    #[test]
    fn a_step_that_does_not_hold_is_named_with_what_was_seen() {
        let mut report = Report::new(true);
        assert!(!report.step("flood", Err(anyhow!("3 dropped").context("too few"))));
        let wanted =
            json!([{"name": "flood", "ok": false, "figures": {"seen": "too few: 3 dropped"}}]);
        assert_eq!(object(&report)["steps"], wanted);
        assert_eq!(object(&report)["ok"], false);
        assert_eq!(report.finish().unwrap(), ExitCode::FAILURE);
    }
}
