//! JSON Schemas, compiled (draft 2020-12 unless `$schema` names another that is known).
//!
//! Patterns run in linear time, so one with look-around or a back reference is a fault when it is
//! loaded. `format` is asserted. References stay within the file: nothing is fetched.

use jsonschema::{Draft, PatternOptions, Registry, ValidationOptions, Validator};
use serde_json::{Value, json};

use super::document::{ContractFault, Document};
use super::recursion::Growth;
use super::violation::{Breach, MAX_BREACHES};
use super::words;

/// Under which name a document knows itself; nobody can fetch it (RFC 6761 section 6.4).
const BASE: &str = "https://document.invalid/";
/// The most bytes that a compiled pattern may take.
const MAX_PATTERN: usize = 1 << 20;
/// Up to so many values every breach is looked for; in larger ones the first is told alone,
/// since each costs memory.
const FEW_VALUES: usize = 2_000;

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Schema {
    validator: Validator,
    /// Whether it leads back to itself, so that what is wrong with a value is not told.
    recursive: bool,
}

impl Schema {
    /// Compiles the whole document.
    ///
    /// # Errors
    /// When it is no schema, with the place.
    pub(super) fn of(document: &Document) -> Result<Self, ContractFault> {
        let validator = options()
            .with_base_uri(BASE)
            .build(&document.root)
            .map_err(|error| {
                document.fault(error.instance_path().as_str(), words::fault(&error))
            })?;
        let recursive = is_recursive(document, "")?;
        Ok(Self {
            validator,
            recursive,
        })
    }

    /// The breaches of a value that consists of so many; none when it keeps to the schema.
    pub(super) fn breaches(&self, value: &Value, values: usize) -> Vec<Breach> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        if self.recursive {
            return vec![Breach::at("", "does not keep to the schema")];
        }
        if values > FEW_VALUES {
            let first = self.validator.validate(value).err();
            return first.iter().map(words::breach).collect();
        }
        let errors = self.validator.iter_errors(value);
        errors
            .take(MAX_BREACHES)
            .map(|e| words::breach(&e))
            .collect()
    }

    /// The fields of an object in which something is wrong; `None` when it keeps to the schema.
    /// They are not told where it would take long to say.
    pub(super) fn wrong_fields(&self, value: &Value, values: usize) -> Option<Vec<String>> {
        if self.validator.is_valid(value) {
            return None;
        }
        if self.recursive || values > FEW_VALUES {
            return Some(Vec::new());
        }
        let errors = self.validator.iter_errors(value).take(MAX_BREACHES);
        let field = |error: jsonschema::ValidationError<'_>| {
            let place = error.instance_path().as_str();
            let name = place.split('/').nth(1)?;
            Some(name.replace("~1", "/").replace("~0", "~"))
        };
        Some(errors.filter_map(field).collect())
    }

    /// Whether a value keeps to the schema, and the first rule that it breaks.
    pub(super) fn judge(&self, value: &Value) -> Result<(), Breach> {
        let mut breaches = self.breaches(value, usize::MAX).into_iter();
        breaches.next().map_or(Ok(()), Err)
    }
}

/// A document with schemas in many places, each of which may refer to the others.
pub(super) struct Library<'d> {
    document: &'d Document,
    registry: Registry<'d>,
}

impl<'d> Library<'d> {
    /// Takes up a document of draft 2020-12.
    ///
    /// # Errors
    /// When a reference in it leads nowhere.
    pub(super) fn new(document: &'d Document) -> Result<Self, ContractFault> {
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(BASE, &document.root)
            .and_then(|builder| builder.prepare())
            .map_err(|error| document.fault("", error.to_string()))?;
        Ok(Self { document, registry })
    }

    /// Compiles the schema at a pointer.
    ///
    /// # Errors
    /// When there is none, or it is none, with the place.
    pub(super) fn schema(&self, pointer: &str) -> Result<Schema, ContractFault> {
        let found = self.document.root.pointer(pointer);
        let found = found.ok_or_else(|| self.document.fault(pointer, "there is no schema"))?;
        if let Err(error) = jsonschema::draft202012::meta::validate(found) {
            let place = format!("{pointer}{}", error.instance_path().as_str());
            return Err(self.document.fault(&place, words::fault(&error)));
        }
        let validator = options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry)
            .build(&json!({ "$ref": format!("{BASE}#{}", reference(pointer)) }))
            .map_err(|error| self.document.fault(pointer, words::fault(&error)))?;
        let recursive = is_recursive(self.document, pointer)?;
        Ok(Schema {
            validator,
            recursive,
        })
    }
}

/// Whether the schema at a pointer leads back to itself; refused where that would let a small body
/// take any time.
fn is_recursive(document: &Document, pointer: &str) -> Result<bool, ContractFault> {
    match Growth::of(&document.root, pointer) {
        Growth::Bounded => Ok(false),
        Growth::Recursive => Ok(true),
        Growth::Exponential => Err(document.fault(
            pointer,
            "the schema leads back to itself, so `unevaluatedProperties`, `unevaluatedItems` and \
             `unknown_fields: refuse` would take exponential time; write \
             `additionalProperties: false` into it instead",
        )),
    }
}

fn options<'r>() -> ValidationOptions<'r> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
        .should_validate_formats(true)
        .offline()
}

/// A pointer as the fragment of a reference.
fn reference(pointer: &str) -> String {
    let mut text = String::new();
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests;
