//! From a schema to how the fields of a form are read.
//!
//! A form knows no types: `1` may be text or a number. What each field is read as follows from
//! the types that the schema names for it; whether it keeps to the schema, only the schema says.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::{Field, Fields, FileRule, Item, Reading};
use crate::validation::closed::{percent_decoded, same};
use crate::validation::document::{ContractFault, Document, escaped};
use crate::validation::media::MediaRange;
use crate::validation::text::Types;

/// The most schemas that are looked at for one value.
const MAX_SCHEMAS: usize = 1_000;

/// Works out how a form is read of which the schema at `schema` speaks; `encoding` is the place of
/// what the document says of its encoding, where it does.
///
/// # Errors
/// What of it is not supported, with the place.
pub(in crate::validation) fn fields(
    document: &Document,
    schema: &str,
    encoding: Option<&str>,
) -> Result<Fields, ContractFault> {
    let finding = Finding { document };
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut others = Vec::new();
    for (pointer, schema) in finding.schemas(&[schema.to_owned()])? {
        if schema.contains_key("patternProperties") {
            let message = "`patternProperties` are not supported in the schema of a form";
            return Err(document.fault(&format!("{pointer}/patternProperties"), message));
        }
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for name in properties.keys() {
                let place = format!("{pointer}/properties/{}", escaped(name));
                named.entry(name.clone()).or_default().push(place);
            }
        }
        if schema
            .get("additionalProperties")
            .is_some_and(Value::is_object)
        {
            others.push(format!("{pointer}/additionalProperties"));
        }
    }
    let mut fields = Fields {
        named: BTreeMap::new(),
        other: match others.as_slice() {
            [] => Field::text(),
            places => finding.field(places)?,
        },
    };
    for (name, places) in named {
        fields.named.insert(name, finding.field(&places)?);
    }
    if let Some(pointer) = encoding {
        finding.encode(pointer, &mut fields)?;
    }
    Ok(fields)
}

/// A schema and its place.
type Placed<'d> = (String, &'d Map<String, Value>);

struct Finding<'d> {
    document: &'d Document,
}

impl<'d> Finding<'d> {
    /// The schemas of one value: those at these places, and what they refer to or are made of.
    fn schemas(&self, places: &[String]) -> Result<Vec<Placed<'d>>, ContractFault> {
        let mut seen = HashSet::new();
        let mut left = places.to_vec();
        let mut found = Vec::new();
        while let Some(pointer) = left.pop() {
            let Some(Value::Object(schema)) = self.document.root.pointer(&pointer) else {
                continue;
            };
            if !seen.insert(pointer.clone()) {
                continue;
            }
            if seen.len() > MAX_SCHEMAS {
                let message = format!("it is made of more than {MAX_SCHEMAS} schemas");
                return Err(self.document.fault(&pointer, message));
            }
            same(schema, &pointer, &mut left);
            for word in ["$ref", "$dynamicRef", "$recursiveRef"] {
                if let Some(Value::String(reference)) = schema.get(word) {
                    left.push(self.followed(&format!("{pointer}/{word}"), reference)?);
                }
            }
            found.push((pointer, schema));
        }
        Ok(found)
    }

    fn followed(&self, place: &str, reference: &str) -> Result<String, ContractFault> {
        let pointer = reference.strip_prefix('#').and_then(percent_decoded);
        pointer
            .filter(|pointer| self.document.root.pointer(pointer).is_some())
            .ok_or_else(|| {
                let message = format!(
                    "in the schema of a form only references such as #/$defs/name are followed, \
                     not {reference}"
                );
                self.document.fault(place, message)
            })
    }

    fn field(&self, places: &[String]) -> Result<Field, ContractFault> {
        let schemas = self.schemas(places)?;
        let types = types(&schemas);
        let has = |name: &str| types.iter().any(|known| known == name);
        if !has("array") {
            let item = self.item(&schemas, types)?;
            return Ok(Field { item, list: None });
        }
        if types.iter().any(|name| name != "array" && name != "null") {
            return Err(self.either(&schemas));
        }
        let items: Vec<String> = schemas
            .iter()
            .filter(|(_, schema)| schema.contains_key("items"))
            .map(|(pointer, _)| format!("{pointer}/items"))
            .collect();
        let schemas = self.schemas(&items)?;
        let item = self.item(&schemas, self::types(&schemas))?;
        Ok(Field {
            item,
            list: Some(super::List::Repeated),
        })
    }

    fn item(&self, schemas: &[Placed<'_>], types: Vec<String>) -> Result<Item, ContractFault> {
        let structured = |name: &String| name == "object" || name == "array";
        if types.iter().any(structured) {
            if !types.iter().all(|name| structured(name) || name == "null") {
                return Err(self.either(schemas));
            }
            return Ok(Item {
                reading: Reading::Json,
                file: FileRule::Either,
                types: Vec::new(),
            });
        }
        let binary = schemas.iter().any(|(_, schema)| {
            schema.get("format").and_then(Value::as_str) == Some("binary")
                || (schema.contains_key("contentMediaType")
                    && !schema.contains_key("contentEncoding"))
        });
        let file = match (binary, types.is_empty()) {
            (true, _) => FileRule::Must,
            (false, true) => FileRule::Either,
            (false, false) => FileRule::Never,
        };
        Ok(Item {
            reading: Reading::Text(Types::named(&types)),
            file,
            types: Vec::new(),
        })
    }

    fn either(&self, schemas: &[Placed<'_>]) -> ContractFault {
        let place = schemas.first().map_or("", |(pointer, _)| pointer);
        let message = "a field of a form is a list, an object or a value, not any of them";
        self.document.fault(place, message)
    }

    /// What the document says of the encoding of fields (OpenAPI 3.1.1 section 4.8.15).
    fn encode(&self, pointer: &str, fields: &mut Fields) -> Result<(), ContractFault> {
        let Some(found) = self.document.root.pointer(pointer) else {
            return Ok(());
        };
        let Value::Object(found) = found else {
            return Err(self.document.fault(pointer, "expected a map of fields"));
        };
        for (name, said) in found {
            let place = format!("{pointer}/{}", escaped(name));
            let (Some(field), Value::Object(said)) = (fields.named.get_mut(name), said) else {
                return Err(self
                    .document
                    .fault(&place, "the schema names no such field"));
            };
            for (key, value) in said {
                let understood = match (key.as_str(), value) {
                    ("contentType", Value::String(text)) => field.item.restrict(text).is_some(),
                    ("style", value) => value == "form",
                    ("explode", Value::Bool(explode)) => {
                        field.separate(*explode);
                        true
                    }
                    ("allowReserved", Value::Bool(_)) => true,
                    (other, _) => other.starts_with("x-"),
                };
                if !understood {
                    let place = format!("{place}/{}", escaped(key));
                    let message = "this is not supported here: of the encoding of a field \
                                   `contentType`, `style: form` and `explode` are";
                    return Err(self.document.fault(&place, message));
                }
            }
        }
        Ok(())
    }
}

impl Field {
    /// How its items are parted.
    fn separate(&mut self, explode: bool) {
        if self.list.is_some() {
            self.list = Some(match explode {
                true => super::List::Repeated,
                false => super::List::Commas,
            });
        }
    }
}

impl Item {
    /// Says what media types a part may have: one or several with commas between.
    fn restrict(&mut self, types: &str) -> Option<()> {
        let ranges = types.split(',').map(|name| name.trim().parse().ok());
        self.types = ranges.collect::<Option<Vec<MediaRange>>>()?;
        if self.types.iter().all(MediaRange::is_json) {
            self.reading = Reading::Json;
            self.file = FileRule::Either;
        }
        Some(())
    }
}

/// The types that the schemas of one value name, or that follow from the values they list.
fn types(schemas: &[Placed<'_>]) -> Vec<String> {
    let mut types = Vec::new();
    for (_, schema) in schemas {
        let listed = schema.get("enum").and_then(Value::as_array);
        let values = listed.into_iter().flatten().chain(schema.get("const"));
        match schema.get("type") {
            Some(Value::String(one)) => types.push(one.clone()),
            Some(Value::Array(several)) => {
                let names = several.iter().filter_map(Value::as_str);
                types.extend(names.map(str::to_owned));
            }
            Some(_) | None => types.extend(values.map(|value| type_of(value).to_owned())),
        }
    }
    types
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
