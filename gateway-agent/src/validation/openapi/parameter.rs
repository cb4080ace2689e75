//! One parameter of an operation: where it stands, how it is written, what it may be.

use serde_json::Value;

use super::super::json;
use super::super::schema::Schema;
use super::super::text::Types;
use super::super::violation::{Breach, Part};

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) part: Part,
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) form: Form,
    pub(super) schema: Schema,
}

/// How a value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As one value of one of these types.
    Scalar(Types),
    /// As several, of the same types each.
    List {
        types: Types,
        /// Whether each stands in a pair of its own (`a=1&a=2`), or all in one with commas.
        explode: bool,
    },
    /// As JSON.
    Json,
}

impl Parameter {
    /// Judges the values that a request has for it, decoded.
    pub(super) fn judge(&self, values: &[String]) -> Result<(), Breach> {
        let fault = |detail: &'static str| Breach::of(self.part, &self.name, detail);
        let explodes = matches!(self.form, Form::List { explode: true, .. });
        let value = match values {
            [] if self.required => return Err(fault("is required")),
            [] => return Ok(()),
            [one] => one,
            // The upstream may take any of them.
            [_, _, ..] if !explodes => return Err(fault("is given several times")),
            [first, ..] => first,
        };
        match &self.form {
            Form::Scalar(types) => self.any(types.readings(value)),
            Form::List { types, explode } => {
                let texts: Vec<&str> = match explode {
                    true => values.iter().map(String::as_str).collect(),
                    false if value.is_empty() => Vec::new(),
                    false => value.split(',').collect(),
                };
                let readings: Vec<_> = texts.iter().map(|text| types.readings(text)).collect();
                let first = readings.iter().filter_map(|all| all.first().cloned());
                let last = readings.iter().filter_map(|all| all.last().cloned());
                self.any(vec![
                    Value::Array(first.collect()),
                    Value::Array(last.collect()),
                ])
            }
            Form::Json => {
                let value = json::parse(value.as_bytes());
                let (value, _) =
                    value.map_err(|_| fault("must be JSON that is read in one way"))?;
                self.any(vec![value])
            }
        }
    }

    /// Whether one of the readings keeps to the schema; what is wrong with the last, which is
    /// the plainest.
    fn any(&self, readings: Vec<Value>) -> Result<(), Breach> {
        let mut result = Ok(());
        for value in readings {
            result = self.schema.judge(&value);
            if result.is_ok() {
                break;
            }
        }
        result.map_err(|breach| Breach::of(self.part, &self.name, breach.detail))
    }
}
