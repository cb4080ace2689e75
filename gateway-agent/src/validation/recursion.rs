//! Schemas that lead back to themselves.
//!
//! Whether a value keeps to one is found in time of its size, since results are remembered. What
//! exactly is wrong is not: where forms exclude each other (`oneOf`), each level asks all of them
//! for their faults, and a body of one kilobyte would keep a thread busy for years.

use std::collections::HashSet;

use serde_json::Value;

use super::closed::percent_decoded;

/// Keywords that refer to another schema.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// Keywords for which results are not remembered.
const UNEVALUATED: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// How the time that a schema takes grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// With the schema and the value, whatever is asked.
    Bounded,
    /// With the value, as long as only the verdict is asked for: the schema leads back to itself,
    /// or perhaps. A reference that is no pointer counts as one that does.
    Recursive,
    /// With the power of the value's depth.
    Exponential,
}

impl Growth {
    /// That of the schema at a pointer.
    pub(super) fn of(root: &Value, pointer: &str) -> Self {
        let mut walk = Walk {
            root,
            around: Vec::new(),
            done: HashSet::new(),
            unevaluated: false,
        };
        match (walk.leads_back(pointer), walk.unevaluated) {
            (false, _) => Self::Bounded,
            (true, false) => Self::Recursive,
            (true, true) => Self::Exponential,
        }
    }
}

struct Walk<'d> {
    root: &'d Value,
    /// The schemas whose references are being followed.
    around: Vec<String>,
    /// Those that have been.
    done: HashSet<String>,
    unevaluated: bool,
}

impl Walk<'_> {
    fn leads_back(&mut self, pointer: &str) -> bool {
        let is_around = |outer: &String| {
            let rest = outer.strip_prefix(pointer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.around.iter().any(is_around) {
            return true;
        }
        if !self.done.insert(pointer.to_owned()) {
            return false;
        }
        let Some(schema) = self.root.pointer(pointer) else {
            return true;
        };
        let mut found = Vec::new();
        let mut back = self.references(schema, &mut found);
        self.around.push(pointer.to_owned());
        for target in found {
            back |= self.leads_back(&target);
        }
        self.around.pop();
        back
    }

    /// Collects where the references in a value lead; `true` when one is no pointer.
    fn references(&mut self, value: &Value, found: &mut Vec<String>) -> bool {
        let mut unknown = false;
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    self.unevaluated |= UNEVALUATED.contains(&key.as_str());
                    let reference = value
                        .as_str()
                        .filter(|_| REFERENCES.contains(&key.as_str()));
                    if let Some(text) = reference {
                        let pointer = text.strip_prefix('#').and_then(percent_decoded);
                        let pointer = pointer.filter(|p| p.is_empty() || p.starts_with('/'));
                        unknown |= pointer.is_none();
                        found.extend(pointer);
                    } else if key != "$defs" && key != "definitions" {
                        // Those are followed where something refers to them.
                        unknown |= self.references(value, found);
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    unknown |= self.references(item, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        unknown
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_leads_back_is_known() {
        let at = |reference: &str| json!({"properties": {"a": {"$ref": reference}}});
        for (schema, recursive) in [
            (json!({"type": "object"}), false),
            (at("#"), true),
            (at("#/properties"), true),
            (at("#anchor"), true),
            (at("#/none"), true),
            (json!({"$dynamicRef": "#node"}), true),
            (
                json!({"$defs": {"a": {"type": "null"}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}),
                false,
            ),
            (
                json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": at("#/$defs/a")}, "items": {"$ref": "#/$defs/a"}}),
                true,
            ),
            (
                json!({"$defs": {"a": at("#/$defs/a")}, "type": "null"}),
                false,
            ),
        ] {
            let growth = Growth::of(&schema, "");
            assert_eq!(growth != Growth::Bounded, recursive, "{schema}");
            let closed = json!({"unevaluatedProperties": false, "allOf": [schema.clone()]});
            if schema.get("$defs").is_none() && recursive {
                assert_eq!(Growth::of(&closed, ""), Growth::Exponential, "{schema}");
            }
        }
    }
}
