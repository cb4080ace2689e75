//! The tables in `docs/config.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::{compare, docs, schema};

/// Where a table begins: `<!-- keys of Tls -->`. It ends with the first empty line behind it.
const BEGIN: &str = "<!-- keys of ";

#[test]
fn every_key_is_in_the_reference() {
    let schema = schema::schema();
    let text = std::fs::read_to_string(docs("config.md")).unwrap();
    let mut seen = BTreeSet::new();
    let mut expected = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        writeln!(expected, "{line}").unwrap();
        if let Some(rest) = line.strip_prefix(BEGIN) {
            let name = rest.strip_suffix(" -->").unwrap();
            expected += &Reference {
                schema: &schema,
                text: &text,
            }
            .table(name);
            expected += "\n";
            seen.insert(name.to_owned());
            for _ in lines.by_ref().take_while(|line| !line.is_empty()) {}
        }
    }
    compare("config.md", &expected);
    let with_keys = schema["$defs"].as_object().unwrap().iter();
    let mut all: BTreeSet<String> = with_keys
        .filter(|(_, def)| def.get("properties").is_some())
        .map(|(name, _)| name.clone())
        .collect();
    all.insert("ConfigFile".to_owned());
    assert_eq!(
        seen, all,
        "docs/config.md has a table for each map of the configuration"
    );
}

#[test]
fn the_examples_in_the_reference_load() {
    let text = std::fs::read_to_string(docs("config.md")).unwrap();
    let blocks = text
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let whole: Vec<&str> = blocks
        .filter(|block| block.contains("listeners:"))
        .collect();
    assert!(!whole.is_empty());
    for block in whole {
        let (_, warnings) = crate::config::tests::good(block);
        assert_eq!(warnings, [""; 0], "{block}");
    }
}

struct Reference<'a> {
    schema: &'a Value,
    /// The reference as it is, for its headings.
    text: &'a str,
}

impl Reference<'_> {
    fn table(&self, name: &str) -> String {
        let map = match name {
            "ConfigFile" => self.schema,
            _ => &self.schema["$defs"][name],
        };
        let required = |key: &str| {
            let required = map.get("required").and_then(Value::as_array);
            required.is_some_and(|list| list.iter().any(|r| r == key))
        };
        let mut table = String::from("| key | value | meaning |\n| --- | --- | --- |\n");
        for (key, property) in map["properties"].as_object().unwrap() {
            let must = if required(key) {
                " **Must be given.**"
            } else {
                ""
            };
            let meaning = property["description"].as_str().unwrap();
            let kind = self.kind(property);
            writeln!(table, "| `{key}` | {kind} | {meaning}{must} |").unwrap();
        }
        table
    }

    /// What may stand behind a key.
    fn kind(&self, schema: &Value) -> String {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        if let Some(title) = text("title") {
            return title.to_owned();
        }
        if let Some(words) = list("enum") {
            let words = words
                .iter()
                .filter_map(Value::as_str)
                .map(|w| format!("`{w}`"));
            return words.collect::<Vec<_>>().join(", ");
        }
        if let Some(word) = text("const") {
            return format!("`{word}`");
        }
        if let Some(reference) = text("$ref") {
            let name = reference.strip_prefix("#/$defs/").unwrap();
            let def = &self.schema["$defs"][name];
            return match def.get("properties") {
                Some(_) => self.link(name),
                None => self.kind(def),
            };
        }
        if let Some(options) = list("anyOf").or(list("oneOf")) {
            return self.any(options);
        }
        if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
            let keys = keys
                .iter()
                .map(|(key, value)| format!("`{key}:` {}", self.kind(value)));
            return keys.collect::<Vec<_>>().join(", ");
        }
        let named = schema
            .get("additionalProperties")
            .expect("something is known of each key");
        format!("names, each with {}", self.kind(named))
    }

    fn any(&self, options: &[Value]) -> String {
        // One, or a list of the same.
        if let [one, list] = options
            && list.get("items") == Some(one)
        {
            return format!("{}, or a list", self.kind(one));
        }
        let kinds: Vec<String> = options.iter().map(|option| self.kind(option)).collect();
        kinds.join(" or ")
    }

    /// A link to the heading above the table of that map.
    fn link(&self, name: &str) -> String {
        let marker = format!("{BEGIN}{name} -->");
        let above = self.text.split(&marker).next().unwrap_or_default();
        let mut headings = above.lines().filter(|line| line.starts_with("##"));
        let heading = headings
            .next_back()
            .unwrap_or_default()
            .trim_start_matches('#')
            .trim();
        let anchor = heading.to_lowercase().replace(' ', "-");
        format!("[{}](#{anchor})", heading.to_lowercase())
    }
}
