//! Schemas, and values that break them.

use std::path::Path;

use serde_json::{Value, json};

use super::super::closed;
use super::*;

fn document(root: &Value) -> Document {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.json");
    std::fs::write(&file, root.to_string()).unwrap();
    Document::read(&file).unwrap()
}

fn schema(root: &Value) -> Schema {
    Schema::of(&document(root)).unwrap()
}

fn fault(root: &Value) -> String {
    let fault = Schema::of(&document(root)).unwrap_err();
    format!("{}: {}", fault.pointer.unwrap(), fault.message)
}

/// The breaches as `pointer detail`.
fn breaches(schema: &Schema, value: &Value) -> Vec<String> {
    let found = schema.breaches(value, 10);
    let text = |b: &Breach| format!("{} {}", b.pointer.as_ref().unwrap(), b.detail);
    found.iter().map(text).collect()
}

#[test]
fn each_rule_has_words_and_no_value() {
    let secret = "hunter2";
    for (rule, value, words) in [
        (
            json!({"type": "integer"}),
            json!(secret),
            "# must be an integer",
        ),
        (
            json!({"type": ["string", "null"]}),
            json!(7),
            "# must be null or a string",
        ),
        (
            json!({"required": ["name"]}),
            json!({"x": secret}),
            "# needs the field name",
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!(secret),
            "# must be one of the allowed values",
        ),
        (
            json!({"const": "a"}),
            json!(secret),
            "# must be one of the allowed values",
        ),
        (json!({"minimum": 3}), json!(2), "# must be at least 3"),
        (json!({"maximum": 3}), json!(4), "# must be at most 3"),
        (
            json!({"exclusiveMinimum": 3}),
            json!(3),
            "# must be more than 3",
        ),
        (
            json!({"exclusiveMaximum": 3}),
            json!(3),
            "# must be less than 3",
        ),
        (
            json!({"multipleOf": 5}),
            json!(7),
            "# must be a multiple of 5",
        ),
        (
            json!({"minLength": 9}),
            json!(secret),
            "# must have at least 9 characters",
        ),
        (
            json!({"maxLength": 3}),
            json!(secret),
            "# must have at most 3 characters",
        ),
        (
            json!({"minItems": 1}),
            json!([]),
            "# must have at least 1 items",
        ),
        (
            json!({"maxItems": 1}),
            json!([1, 2]),
            "# must have at most 1 items",
        ),
        (
            json!({"maxProperties": 0}),
            json!({"a": 1}),
            "# must have at most 0 fields",
        ),
        (
            json!({"uniqueItems": true}),
            json!([1, 1.0]),
            "# must not have the same item twice",
        ),
        (
            json!({"pattern": "^a+$"}),
            json!(secret),
            "# must match the pattern of this field",
        ),
        (
            json!({"format": "date-time"}),
            json!(secret),
            "# must be a valid date-time",
        ),
        (
            json!({"format": "uuid"}),
            json!(secret),
            "# must be a valid uuid",
        ),
        (
            json!({"anyOf": [{"type": "null"}, {"type": "array"}]}),
            json!(secret),
            "# fits none of the allowed forms",
        ),
        (
            json!({"oneOf": [true, true]}),
            json!(1),
            "# fits several forms, of which it may fit one",
        ),
        (
            json!({"not": {"type": "string"}}),
            json!(secret),
            "# is not allowed",
        ),
        (json!(false), json!(secret), "# is not allowed"),
        (
            json!({"properties": {"a": {"items": {"type": "string"}}}}),
            json!({"a": ["x", 1]}),
            "#/a/1 must be a string",
        ),
        (
            json!({"properties": {"a": true}, "additionalProperties": false}),
            json!({"b/c": secret}),
            "#/b~1c is a field that is not known",
        ),
    ] {
        let schema = schema(&rule);
        assert_eq!(breaches(&schema, &value), [words], "{rule}");
        assert_eq!(
            schema.judge(&value).unwrap_err().detail,
            schema.breaches(&value, 10)[0].detail
        );
    }
}

#[test]
fn the_number_of_breaches_is_bounded() {
    let schema = schema(&json!({"items": {"type": "string"}}));
    let many = Value::Array((0..1000).map(Value::from).collect());
    assert_eq!(schema.breaches(&many, 1001).len(), MAX_BREACHES);
    let more = Value::Array((0..FEW_VALUES).map(Value::from).collect());
    assert_eq!(schema.breaches(&more, FEW_VALUES + 1).len(), 1);
}

#[test]
fn faults_name_the_place() {
    assert!(
        fault(&json!({"properties": {"a": {"type": "strin"}}})).starts_with("/properties/a/type: ")
    );
    assert!(
        fault(&json!({"pattern": "(?=a)b"})).contains("pattern"),
        "look-around is not linear"
    );
    assert!(
        fault(&json!({"pattern": r"(a)\1"})).contains("pattern"),
        "nor are back references"
    );
    let large = fault(&json!({"pattern": "((a{100}){100}){100}"}));
    assert!(large.contains("pattern"), "{large}");
    for outside in [
        "https://a.example/s.json",
        "file:///etc/passwd",
        "other.json",
        "#/$defs/none",
    ] {
        let schema = json!({"properties": {"a": {"$ref": outside}}});
        assert!(Schema::of(&document(&schema)).is_err(), "{outside}");
    }
}

#[test]
fn older_drafts_are_taken_by_their_name() {
    let schema = schema(&json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"n": {"type": "integer"}},
        "properties": {"a": {"$ref": "#/definitions/n"}}
    }));
    assert_eq!(
        breaches(&schema, &json!({"a": "x"})),
        ["#/a must be an integer"]
    );
}

#[test]
fn patterns_take_linear_time() {
    let schema = schema(&json!({"pattern": "^(a+)+$", "type": "string"}));
    let value = json!("a".repeat(100_000) + "!");
    assert_eq!(schema.breaches(&value, 1).len(), 1);
}

/// A schema that refuses unknown fields.
fn closed_schema(root: &Value) -> Result<Schema, String> {
    let mut document = document(root);
    closed::close(&mut document, &[String::new()], &[]).map_err(|fault| fault.message)?;
    Ok(Schema::of(&document).unwrap())
}

#[test]
fn unknown_fields_are_refused_where_a_schema_names_fields() {
    let root = json!({
        "type": "object",
        "$defs": {
            "base": {"properties": {"id": {"type": "integer"}}},
            "person": {
                "allOf": [{"$ref": "#/$defs/base"}],
                "properties": {"name": {"type": "string"}, "tags": {"type": "object"}}
            }
        },
        "properties": {
            "owner": {"$ref": "#/$defs/person"},
            "list": {"items": {"properties": {"n": true}}},
            "open": {"properties": {"a": true}, "additionalProperties": {"type": "integer"}},
            "free": {"type": "object"},
            "any": true,
            "either": {"oneOf": [
                {"properties": {"kind": {"const": "a"}, "x": true}, "required": ["kind"]},
                {"properties": {"kind": {"const": "b"}, "y": true}, "required": ["kind"]}
            ]}
        }
    });
    let schema = closed_schema(&root).unwrap();
    for good in [
        json!({"owner": {"id": 1, "name": "a", "tags": {"any": "thing"}}}),
        json!({"list": [{"n": 1}], "open": {"b": 1}, "free": {"z": 1}, "any": {"z": 1}}),
        json!({"either": {"kind": "a", "x": 1}}),
        json!(7),
    ] {
        assert!(
            good == json!(7) || breaches(&schema, &good).is_empty(),
            "{good}"
        );
    }
    for (bad, place) in [
        (json!({"admin": true}), "#/admin"),
        (json!({"owner": {"id": 1, "admin": true}}), "#/owner/admin"),
        (json!({"list": [{"n": 1}, {"m": 1}]}), "#/list/1/m"),
        (json!({"either": {"kind": "a", "y": 1}}), "#/either/y"),
    ] {
        let found = breaches(&schema, &bad);
        assert_eq!(
            found,
            [format!("{place} is a field that is not known")],
            "{bad}"
        );
    }
}

#[test]
fn what_cannot_be_followed_is_a_fault_not_a_hole() {
    let anchored = json!({
        "$defs": {"a": {"$anchor": "x", "properties": {"b": true}}},
        "properties": {"a": {"$ref": "#x"}}
    });
    assert!(closed_schema(&anchored).unwrap_err().contains("#x"));
}

#[test]
fn schemas_inside_a_document_find_one_another() {
    let root = json!({
        "components": {"schemas": {
            "a b": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/a%20b"}, "n": {"$ref": "#/components/schemas/n"}}},
            "n": {"type": "integer"}
        }},
        "place": {"schema": {"$ref": "#/components/schemas/a%20b"}},
        "bad": {"type": 7},
        "away": {"$ref": "other.yaml#/x"}
    });
    let document = document(&root);
    let library = Library::new(&document).unwrap();
    let schema = library.schema("/place/schema").unwrap();
    let deep = json!({"next": {"next": {"n": "x"}}});
    assert_eq!(breaches(&schema, &deep), ["# does not keep to the schema"]);
    assert_eq!(
        library.schema("/bad").unwrap_err().pointer.unwrap(),
        "/bad/type"
    );
    assert!(library.schema("/away").is_err());
    assert!(library.schema("/none").is_err());
    assert!(Document::read(Path::new("/")).is_err());
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    for root in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
    ] {
        if let Ok(schema) = Schema::of(&document(&root)) {
            let _ = schema.breaches(&json!({"a": 1}), 2);
        }
    }
}

/// Forms that only differ behind what they have in common: each level asks for both.
#[test]
fn what_is_nested_in_forms_takes_time_by_its_size() {
    let form = |kind: &str| {
        json!({"type": "object", "required": ["kind"], "properties": {
            "a": {"$ref": "#/$defs/node"}, "b": {"$ref": "#/$defs/node"}, "kind": {"const": kind}
        }})
    };
    for word in ["anyOf", "oneOf"] {
        let root = json!({"$defs": {"node": {word: [form("x"), form("y"), {"type": "integer"}]}},
            "$ref": "#/$defs/node"});
        let mut value = json!("wrong");
        for level in 0..60 {
            value = json!({"a": value, "kind": if level % 2 == 0 { "x" } else { "y" }});
        }
        // It would take years if each level asked all forms.
        let found = breaches(&schema(&root), &value);
        assert_eq!(found, ["# does not keep to the schema"], "{word}");
        let mut closed = document(&root);
        closed::close(&mut closed, &[String::new()], &[]).unwrap();
        let fault = Schema::of(&closed).unwrap_err().message;
        assert!(fault.contains("exponential"), "{fault}");
    }
}

/// The same, by the other way in which schemas lead back to themselves.
#[test]
fn what_is_nested_by_dynamic_references_takes_time_by_its_size() {
    let form = |kind: &str| {
        json!({"type": "object", "required": ["kind"], "properties": {
            "a": {"$dynamicRef": "#node"}, "kind": {"const": kind}
        }})
    };
    let schema = schema(&json!({
        "$dynamicAnchor": "node", "oneOf": [form("x"), form("y"), {"type": "integer"}]
    }));
    let mut value = json!("wrong");
    for level in 0..60 {
        value = json!({"a": value, "kind": if level % 2 == 0 { "x" } else { "y" }});
    }
    assert_eq!(breaches(&schema, &value), ["# does not keep to the schema"]);
}
