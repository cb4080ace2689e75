//! How messages speak of what was found.

use gateway_policy::grammar::Excerpt;
use serde::de::Unexpected;

use super::{Node, Value};

/// The known word that `found` was most likely meant to be: few edits away for its length, or
/// the only one that it starts.
pub(crate) fn nearest<'a>(
    found: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let found = fold(found);
    // The names that people mistype are short; an essay is nobody's typing mistake.
    if found.is_empty() || found.len() > 64 {
        return None;
    }
    let distance = |word: &str| {
        let word = fold(word);
        let edits = strsim::damerau_levenshtein(&found, &word);
        let close = edits <= 1 + word.len() / 4;
        let begun = found.len() >= 3 && (word.starts_with(&found) || found.starts_with(&word));
        (close || begun).then_some(edits)
    };
    known
        .into_iter()
        .filter_map(|word| distance(word).map(|edits| (edits, word)))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

/// The end of a message about an unknown word: a guess, and all that would do.
pub(super) fn suggestion(found: &str, known: &[&str]) -> String {
    let mut sorted = known.to_vec();
    sorted.sort_unstable();
    let list = sorted.join(", ");
    match nearest(found, known.iter().copied()) {
        Some(guess) => format!("did you mean `{guess}`? (known: {list})"),
        None => format!("known: {list}"),
    }
}

/// Text between back quotes, cut and escaped.
pub(super) fn quoted(text: &str) -> String {
    Excerpt::of(text).to_string()
}

/// What was found, when it is not what serde expected.
pub(super) fn unexpected(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(b) => format!("`{b}`"),
        Unexpected::Unsigned(n) => format!("the number {n}"),
        Unexpected::Signed(n) => format!("the number {n}"),
        Unexpected::Float(n) => format!("the number {n}"),
        Unexpected::Str(text) => quoted(text),
        Unexpected::Unit | Unexpected::Option => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a map".into(),
        Unexpected::Char(c) => quoted(&c.to_string()),
        Unexpected::Bytes(_)
        | Unexpected::NewtypeStruct
        | Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant
        | Unexpected::Other(_) => found.to_string(),
    }
}

/// What stands at a node.
pub(super) fn found(node: &Node) -> String {
    unexpected(match &node.value {
        Value::Null => Unexpected::Unit,
        Value::Bool(b) => Unexpected::Bool(*b),
        Value::Unsigned(n) => Unexpected::Unsigned(*n),
        Value::Signed(n) => Unexpected::Signed(*n),
        Value::Float(n) => Unexpected::Float(*n),
        Value::Text(text) => Unexpected::Str(text),
        Value::List(_) => Unexpected::Seq,
        Value::Map(_) => Unexpected::Map,
    })
}

/// A Rust type's name as words: `PacketLimits` is `packet limits`.
pub(super) fn spoken(type_name: &str) -> String {
    let mut words = String::new();
    for c in type_name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_what_was_meant() {
        let known = [
            "packet_limits",
            "rate_limits",
            "roles",
            "routes",
            "log",
            "paths",
            "waf",
        ];
        for (found, meant) in [
            ("packet_limit", Some("packet_limits")),
            ("packet-limits", Some("packet_limits")),
            ("PacketLimits", Some("packet_limits")),
            ("rotues", Some("routes")),
            ("logging", Some("log")),
            ("waff", Some("waf")),
            ("path", Some("paths")),
            ("elephant", None),
            ("", None),
        ] {
            assert_eq!(nearest(found, known), meant, "{found}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }

    #[test]
    fn type_names_are_spoken() {
        assert_eq!(spoken("PacketLimits"), "packet limits");
        assert_eq!(spoken("Tls"), "tls");
    }
}
