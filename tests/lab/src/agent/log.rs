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

    /// The number of the field `name`, as in `name=123`.
    pub fn number(&self, name: &str) -> Option<u64> {
        let mark = format!("{name}=");
        let (_, rest) = self.0.split_once(&mark)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }
}

impl Agent {
    /// The lines that the agent has written since it was first started.
    pub fn log(&self) -> Vec<Line> {
        let text = fs::read(self.log_file()).unwrap_or_default();
        let text = plain(&String::from_utf8_lossy(&text));
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
                    |line: &Value| line.get("request_id").and_then(Value::as_str) == Some(request);
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
        plain(&String::from_utf8_lossy(
            bytes.get(from..).unwrap_or_default(),
        ))
    }
}

/// Text without the colours of a terminal (ECMA-48, control sequences that end in `m`).
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = sequence.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_from_lines_in_any_colour() {
        let line = Line(plain(
            "\u{1b}[33mWARN\u{1b}[0m banned \u{1b}[3mafter_us\u{1b}[0m=1234 rule=7",
        ));
        assert_eq!(line.text(), "WARN banned after_us=1234 rule=7");
        assert_eq!(line.number("after_us"), Some(1234));
        assert_eq!(line.number("rule"), Some(7));
        assert_eq!(line.number("strike"), None);
    }
}
