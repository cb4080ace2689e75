//! What text stands for where a schema speaks of values: in parameters, and in the fields of forms.

use serde_json::Value;

use super::json;

/// What a text may stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types {
    pub(super) text: bool,
    pub(super) number: bool,
    pub(super) boolean: bool,
    pub(super) null: bool,
}

impl Types {
    /// Where a schema names none.
    const ANY: Self = Self {
        text: true,
        number: true,
        boolean: true,
        null: true,
    };

    /// What may stand for values of the types that a schema names; anything where it names none.
    pub(super) fn named(types: &[String]) -> Self {
        let has = |name: &str| types.iter().any(|known| known == name);
        if types.is_empty() {
            return Self::ANY;
        }
        Self {
            text: has("string"),
            number: has("number") || has("integer"),
            boolean: has("boolean"),
            null: has("null"),
        }
    }

    /// What a text may mean, the most specific first. Never empty: what fits no type is text,
    /// and the schema says what it should be.
    pub(super) fn readings(self, text: &str) -> Vec<Value> {
        let mut readings = Vec::new();
        match text {
            "true" | "false" if self.boolean => readings.push(Value::Bool(text == "true")),
            "null" if self.null => readings.push(Value::Null),
            _ if self.number => {
                let number = json::parse(text.as_bytes()).ok().map(|(value, _)| value);
                // White space around a number is for JSON alone.
                let bare = text.bytes().all(|byte| byte.is_ascii_graphic());
                readings.extend(number.filter(|value| value.is_number() && bare));
            }
            _ => {}
        }
        if self.text || readings.is_empty() {
            readings.push(Value::String(text.to_owned()));
        }
        readings
    }
}
