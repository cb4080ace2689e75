//! `docs/gateway.schema.json`.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::compare;
use crate::config::raw::ConfigFile;
use crate::config::tests::{LEAST, faults, good};

const EXAMPLE: &str = include_str!("../../../../../docs/gateway.example.yaml");

/// The schema of the raw configuration.
pub(super) fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator();
    let mut schema = generator.into_root_schema_for::<ConfigFile>().to_value();
    schema["title"] = json!("gateway configuration");
    tidy(&mut schema);
    schema
}

/// Makes comments single lines, refuses unknown keys, and leaves out that a key may be null: it
/// may, and then is as if it were not there, but nobody should write that.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(tidy);
            if map.contains_key("properties") {
                map.insert("additionalProperties".into(), false.into());
            }
            map.remove("default");
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if let Some(Value::Array(words)) = map.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|option| *option != json!({ "type": "null" }));
                if let [only] = any.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    for (key, value) in only.as_object().unwrap() {
                        map.entry(key.clone()).or_insert(value.clone());
                    }
                }
            }
            if let Some(Value::Array(examples)) = map.get("examples")
                && examples.is_empty()
            {
                map.remove("examples");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The YAML as JSON, the way any other reader would see it.
fn json_of(yaml: &str) -> Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(yaml, options).unwrap()
}

#[test]
fn the_published_schema_is_that_of_the_code() {
    compare(
        "gateway.schema.json",
        &(serde_json::to_string_pretty(&schema()).unwrap() + "\n"),
    );
}

#[test]
fn the_schema_is_one_and_holds_the_example() {
    jsonschema::meta::validate(&schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let example = json_of(EXAMPLE);
    let faults: Vec<String> = validator
        .iter_errors(&example)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert_eq!(faults, [""; 0]);
}

#[test]
fn the_example_has_every_key() {
    let schema = schema();
    let mut missing = Vec::new();
    missing_keys(
        &schema,
        &schema,
        &[&json_of(EXAMPLE)],
        String::new(),
        &mut missing,
    );
    assert_eq!(missing, [""; 0]);
}

/// The keys of the schema that none of the values at this place has.
fn missing_keys(
    root: &Value,
    schema: &Value,
    values: &[&Value],
    path: String,
    missing: &mut Vec<String>,
) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.strip_prefix("#").unwrap();
        missing_keys(
            root,
            root.pointer(name).unwrap(),
            values,
            path.clone(),
            missing,
        );
    }
    for key in ["anyOf", "oneOf"] {
        for option in schema
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            missing_keys(root, option, values, path.clone(), missing);
        }
    }
    if let Some(items) = schema.get("items") {
        let values: Vec<&Value> = values
            .iter()
            .filter_map(|v| v.as_array())
            .flatten()
            .collect();
        missing_keys(root, items, &values, path.clone(), missing);
    }
    if let Some(named) = schema.get("additionalProperties").filter(|p| p.is_object()) {
        let values: Vec<&Value> = values
            .iter()
            .filter_map(|v| v.as_object())
            .flat_map(|o| o.values())
            .collect();
        missing_keys(root, named, &values, format!("{path}.*"), missing);
    }
    for (key, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let path = format!("{path}.{key}");
        // A value may be in a list here, where the option without a list is looked at.
        let here: Vec<&Value> = values
            .iter()
            .flat_map(|v| v.as_array().map_or(vec![*v], |list| list.iter().collect()))
            .filter_map(|v| v.get(key))
            .collect();
        if here.is_empty() {
            missing.push(path);
        } else {
            missing_keys(root, property, &here, path, missing);
        }
    }
}

#[test]
fn what_the_schema_refuses_is_refused() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let refused = |text: &str| {
        let yaml = format!("{LEAST}{text}");
        assert!(
            !validator.is_valid(&json_of(&yaml)),
            "the schema takes {text}"
        );
        assert!(!faults(&yaml).is_empty(), "the code takes {text}");
    };
    for text in [
        "packet_limit: {}\n",
        "log: { level: loud }\n",
        "waf: { mode: on }\n",
        "listeners: [{ plaintext: true }]\n",
        "listeners: [{ bind: ':80', plaintext: 'yes' }]\n",
        "routes: [{ upstream: app }]\n",
        "routes: [{ require: { rol: x }, upstream: app }]\n",
        "limits: { connections: 0 }\n",
        "upstreams: { app: {} }\n",
        "bans: { failed_auth: on }\n",
        "identity: { jwt: { issuer: a } }\n",
        "trusted_networks: []\n",
    ] {
        refused(text);
    }
}

#[test]
fn what_the_schema_takes_is_taken() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    for text in [
        "",
        "trusted_networks: { a: 10.0.0.0/8, b: [] }\n",
        "bans: { failed_auth: off, waf_block: { ban: 600 } }\n",
        "limits: { header_size: 8192 }\n",
        "listeners: { bind: ':1', tls: { certificates: { cert: a, key: b }, min_version: 1.3 } }\n",
    ] {
        let yaml = format!("{LEAST}{text}");
        assert!(
            validator.is_valid(&json_of(&yaml)),
            "the schema refuses {text}"
        );
        good(&yaml);
    }
}
