//! What the agent has written: its own log, and the access log.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Agent;
use crate::wait;

/// How many lines of the log a person wants to see.
const TAIL: usize = 15;

/// A line of the agent's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// The line as it was written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A field, when the line is an event and has it.
    pub fn field(&self, name: &str) -> Option<Value> {
        let event: Value = serde_json::from_str(&self.0).ok()?;
        event.get(name).cloned()
    }

    /// A field that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.as_u64()
    }
}

impl Agent {
    /// The lines that the agent has written since it was first started.
    pub fn log(&self) -> Vec<Line> {
        let text = self.log_from(0);
        text.lines().map(|line| Line(line.to_owned())).collect()
    }

    /// The last lines of the log.
    pub fn log_tail(&self) -> String {
        let lines = self.log();
        let from = lines.len().saturating_sub(TAIL);
        let tail = lines.iter().skip(from).map(Line::text);
        tail.collect::<Vec<_>>().join("\n")
    }

    /// Waits for a line that has all of `words` in it.
    ///
    /// # Errors
    ///
    /// After `deadline`, with the end of the log.
    pub fn logged(&self, deadline: Duration, words: &[&str]) -> Result<Line> {
        let what = format!("the log to say {}", words.join(" … "));
        let has_all = |line: &Line| words.iter().all(|word| line.text().contains(word));
        wait::until(deadline, &what, || self.log().into_iter().find(has_all))
            .with_context(|| self.log_tail())
    }

    /// The access log, each line as the JSON that it must be.
    ///
    /// # Errors
    ///
    /// When a line is none.
    pub fn access_log(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.access_log_file()).unwrap_or_default();
        // A last line without its end is still being written.
        let whole = text
            .rfind('\n')
            .map_or("", |end| text.get(..end).unwrap_or_default());
        whole
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("no JSON: {line}")))
            .collect()
    }

    /// Waits until the access log has the request with this id.
    ///
    /// # Errors
    ///
    /// When it does not within five seconds, or the log is no JSON.
    pub fn access_log_of(&self, request: &str) -> Result<Value> {
        wait::until(
            Duration::from_secs(5),
            &format!("request {request} in the access log"),
            || {
                let lines = match self.access_log() {
                    Ok(lines) => lines,
                    Err(error) => return Some(Err(error)),
                };
                let is_it =
                    |line: &Value| line.get("request").and_then(Value::as_str) == Some(request);
                lines.into_iter().find(is_it).map(Ok)
            },
        )?
    }

    /// Where [`super::base`] puts the access log.
    pub fn access_log_file(&self) -> PathBuf {
        self.home.join("access.log")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.home.join("agent.log")
    }

    pub(super) fn log_size(&self) -> u64 {
        fs::metadata(self.log_file()).map_or(0, |meta| meta.len())
    }

    pub(super) fn log_from(&self, offset: u64) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_from_events() {
        let line = Line(r#"{"message":"banned","client":"192.0.2.1/32","after_us":12}"#.into());
        assert_eq!(line.number("after_us"), Some(12));
        assert_eq!(line.field("client"), Some("192.0.2.1/32".into()));
        assert_eq!(line.number("client"), None);
        assert_eq!(Line("gateway: no such file".into()).field("message"), None);
    }
}
