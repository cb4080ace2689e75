//! Fields that no schema describes: refused, where a schema does not say itself.
//!
//! A schema for objects lets through whatever fields it does not name, and an upstream may know
//! what to do with them (mass assignment). So each schema that is for a value of its own, and
//! names fields, gets `unevaluatedProperties: false`. Those in `allOf` and its kin are for parts
//! of a value, and get none: the whole does. Conditions (`if`, `not`, `contains`) stay as they
//! are, since to change them would change what they mean.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::document::{ContractFault, Document, escaped};

/// Keywords with one schema for a value inside.
const INNER: [&str; 4] = [
    "items",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords with a map of schemas for values inside.
const INNER_MAP: [&str; 2] = ["properties", "patternProperties"];
/// Keywords with a list of schemas for the same value.
const SAME_LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords with one schema for the same value.
const SAME: [&str; 2] = ["then", "else"];
/// Keywords with a map of schemas that are for whoever refers to them.
const SHARED: [&str; 2] = ["$defs", "definitions"];

/// What stands at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The schema of a value.
    Whole,
    /// One of several schemas of the same value, or one that others refer to.
    Piece,
}

/// Closes the schemas of a document that are under these pointers, of values and shared ones.
///
/// # Errors
/// When one refers to another in a way that is not followed here.
pub(super) fn close(
    document: &mut Document,
    values: &[String],
    shared: &[String],
) -> Result<(), ContractFault> {
    let mut closing = Closing {
        document,
        found: HashSet::new(),
    };
    for pointer in values {
        closing.visit(pointer, Role::Whole)?;
    }
    for pointer in shared {
        closing.visit(pointer, Role::Piece)?;
    }
    let Closing { document, found } = closing;
    for pointer in found {
        if let Some(Value::Object(schema)) = document.root.pointer_mut(&pointer) {
            schema.insert("unevaluatedProperties".into(), Value::Bool(false));
        }
    }
    Ok(())
}

struct Closing<'d> {
    document: &'d mut Document,
    found: HashSet<String>,
}

impl Closing<'_> {
    /// Notes the schema at a pointer and those inside of it that are to be closed. What they
    /// refer to stands in the same document and is visited there.
    fn visit(&mut self, pointer: &str, role: Role) -> Result<(), ContractFault> {
        let mut left = vec![(pointer.to_owned(), role)];
        while let Some((pointer, role)) = left.pop() {
            let Some(Value::Object(schema)) = self.document.root.pointer(&pointer) else {
                continue;
            };
            inner(schema, &pointer, &mut left);
            let says = ["additionalProperties", "unevaluatedProperties"];
            let open = !says.iter().any(|word| schema.contains_key(*word));
            if role == Role::Whole && open && self.names_fields(&pointer)? {
                self.found.insert(pointer);
            }
        }
        Ok(())
    }

    /// Whether the schema, or one of those for the same value, names fields.
    fn names_fields(&self, pointer: &str) -> Result<bool, ContractFault> {
        let mut seen = HashSet::new();
        let mut left = vec![pointer.to_owned()];
        let mut names = false;
        while let Some(pointer) = left.pop() {
            let Some(Value::Object(schema)) = self.document.root.pointer(&pointer) else {
                continue;
            };
            if !seen.insert(pointer.clone()) {
                continue;
            }
            names |= INNER_MAP.iter().any(|word| schema.contains_key(*word));
            same(schema, &pointer, &mut left);
            for word in ["$ref", "$dynamicRef", "$recursiveRef"] {
                let Some(Value::String(reference)) = schema.get(word) else {
                    continue;
                };
                left.push(self.followed(reference).ok_or_else(|| {
                    let message = format!(
                        "`unknown_fields: refuse` follows only references such as \
                         #/$defs/name, not {reference}; use those, or write \
                         `unevaluatedProperties: false` into the schemas and allow unknown fields"
                    );
                    self.document.fault(&format!("{pointer}/{word}"), message)
                })?);
            }
        }
        Ok(names)
    }

    fn followed(&self, reference: &str) -> Option<String> {
        let fragment = reference.strip_prefix('#')?;
        let pointer = percent_decoded(fragment)?;
        let is_pointer = pointer.is_empty() || pointer.starts_with('/');
        (is_pointer && self.document.root.pointer(&pointer).is_some()).then_some(pointer)
    }
}

/// The schemas directly inside of one, each with its role.
fn inner(schema: &Map<String, Value>, pointer: &str, to: &mut Vec<(String, Role)>) {
    let mut pieces = Vec::new();
    same(schema, pointer, &mut pieces);
    to.extend(pieces.into_iter().map(|place| (place, Role::Piece)));
    for word in INNER {
        if schema.contains_key(word) {
            to.push((format!("{pointer}/{word}"), Role::Whole));
        }
    }
    if let Some(Value::Array(items)) = schema.get("prefixItems") {
        let places = (0..items.len()).map(|n| (format!("{pointer}/prefixItems/{n}"), Role::Whole));
        to.extend(places);
    }
    for (words, role) in [(INNER_MAP, Role::Whole), (SHARED, Role::Piece)] {
        for word in words {
            let Some(Value::Object(entries)) = schema.get(word) else {
                continue;
            };
            let places = entries
                .keys()
                .map(|name| (format!("{pointer}/{word}/{}", escaped(name)), role));
            to.extend(places);
        }
    }
}

/// The schemas inside of one that are for the same value.
pub(super) fn same(schema: &Map<String, Value>, pointer: &str, to: &mut Vec<String>) {
    for word in SAME_LIST {
        if let Some(Value::Array(items)) = schema.get(word) {
            to.extend((0..items.len()).map(|n| format!("{pointer}/{word}/{n}")));
        }
    }
    for word in SAME {
        if schema.contains_key(word) {
            to.push(format!("{pointer}/{word}"));
        }
    }
    if let Some(Value::Object(entries)) = schema.get("dependentSchemas") {
        let places = entries
            .keys()
            .map(|name| format!("{pointer}/dependentSchemas/{}", escaped(name)));
        to.extend(places);
    }
}

/// Text without percent escapes; `None` when they are none, or no UTF-8 comes out.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first == b'%' {
            let [high, low, behind @ ..] = rest else {
                return None;
            };
            let digit = |byte: u8| {
                char::from(byte)
                    .to_digit(16)
                    .and_then(|d| u8::try_from(d).ok())
            };
            bytes.push(digit(*high)? << 4 | digit(*low)?);
            rest = behind;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
