//! What a step has measured, and how it is written.

use std::time::Duration;

use serde_json::{Map, Value};

/// What a step has to tell: a line for people, and the figures in it for programs.
#[derive(Debug)]
pub(super) struct Told {
    /// The line.
    pub(super) line: String,
    /// The figures, by name; names end in their unit.
    pub(super) figures: Map<String, Value>,
}

impl Told {
    /// A line; the figures follow.
    pub(super) fn new(line: impl Into<String>) -> Self {
        Self {
            line: line.into(),
            figures: Map::new(),
        }
    }

    /// Adds a figure.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.figures.insert(name.to_owned(), value.into());
        self
    }
}

/// Milliseconds with one decimal.
pub(super) fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}

/// A number of things with thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(ms(Duration::from_micros(1_250)), 1.3);
        assert_eq!(count(7), "7");
        assert_eq!(count(65_536), "65,536");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
