//! JSON as a validator may rely on it: what is read here, every parser reads alike.
//!
//! A schema judges one value, and the upstream may read another out of the same bytes: the last
//! of two equal keys instead of the first, a number that wraps around. So whatever parsers are
//! known to differ on is refused (RFC 8259 section 4 and 6, RFC 7493 section 2).

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may stand in one another.
const MAX_DEPTH: usize = 64;
/// How many values a text may hold, those inside of others included.
const MAX_VALUES: usize = 200_000;

/// Why a text is not taken as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// It breaks the grammar; UTF-8, byte order marks and what stands behind the value are part
    /// of it.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// An object has the same key twice.
    DuplicateKey,
    /// Arrays and objects stand too deep in one another.
    TooDeep,
    /// There are too many values.
    TooMany,
    /// An integer does not fit into 64 bits.
    BigInteger,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column } => {
                write!(f, "it is no JSON at line {line}, column {column}")
            }
            Self::DuplicateKey => f.write_str("an object has the same key twice"),
            Self::TooDeep => write!(f, "it is nested deeper than {MAX_DEPTH} levels"),
            Self::TooMany => write!(f, "it has more than {MAX_VALUES} values"),
            Self::BigInteger => f.write_str("an integer is larger than 64 bits"),
        }
    }
}

/// Reads one value, and how many it consists of.
///
/// # Errors
/// When the text is no JSON, or parsers could read it in two ways.
pub(super) fn parse(text: &[u8]) -> Result<(Value, usize), JsonFault> {
    let reading = Reading::default();
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = reading
        .seed(0)
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value));
    match (value, reading.fault.take()) {
        (_, Some(fault)) => Err(fault),
        (Err(error), None) => Err(JsonFault::Syntax {
            line: error.line(),
            column: error.column(),
        }),
        (Ok(_), None) if has_big_integer(text) => Err(JsonFault::BigInteger),
        (Ok(value), None) => Ok((value, reading.values.get())),
    }
}

/// What the values of one text have in common.
#[derive(Default)]
struct Reading {
    values: Cell<usize>,
    fault: RefCell<Option<JsonFault>>,
}

impl Reading {
    fn seed(&self, depth: usize) -> Seed<'_> {
        Seed {
            reading: self,
            depth,
        }
    }

    /// Notes a fault; the parser's own error only ends the reading.
    fn fail<E: Error>(&self, fault: JsonFault) -> E {
        self.fault.borrow_mut().get_or_insert(fault);
        E::custom("refused")
    }
}

/// One value at a depth.
#[derive(Clone, Copy)]
struct Seed<'r> {
    reading: &'r Reading,
    depth: usize,
}

impl<'r> Seed<'r> {
    fn inner<E: Error>(self) -> Result<Seed<'r>, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.reading.fail(JsonFault::TooDeep));
        }
        Ok(self.reading.seed(self.depth + 1))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let values = self.reading.values.get() + 1;
        self.reading.values.set(values);
        if values > MAX_VALUES {
            return Err(self.reading.fail(JsonFault::TooMany));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut entries = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.contains_key(&key) {
                return Err(self.reading.fail(JsonFault::DuplicateKey));
            }
            entries.insert(key, map.next_value_seed(inner)?);
        }
        Ok(Value::Object(entries))
    }
}

/// Whether a text that is JSON has an integer, written without fraction and exponent, that no
/// 64 bits hold. The parser makes a float of it; others cut it off.
fn has_big_integer(text: &[u8]) -> bool {
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = match first {
            b'"' => behind_string(behind),
            b'-' | b'0'..=b'9' => {
                let is_part =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let end = rest.iter().position(|byte| !is_part(byte));
                let (number, behind) = rest.split_at(end.unwrap_or(rest.len()));
                if is_big_integer(number) {
                    return true;
                }
                behind
            }
            _ => behind,
        };
    }
    false
}

fn behind_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [] => return rest,
            [b'"', behind @ ..] => return behind,
            [b'\\', _, behind @ ..] | [_, behind @ ..] => behind,
        };
    }
}

fn is_big_integer(number: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(number) else {
        return false;
    };
    !text.contains(['.', 'e', 'E']) && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_parsers_read_alike_is_read() {
        let text = br#" {"a": [1, -2, 3.5, 1e300, 18446744073709551615], "b\u00e9": {"a": null}, "s": "\"99999999999999999999\\"} "#;
        let (value, count) = parse(text).unwrap();
        assert_eq!(
            value,
            json!({"a": [1, -2, 3.5, 1e300, u64::MAX], "b\u{e9}": {"a": null}, "s": "\"99999999999999999999\\"})
        );
        assert_eq!(count, 10);
        assert_eq!(parse(b"true"), Ok((json!(true), 1)));
    }

    #[test]
    fn what_they_read_differently_is_refused() {
        let syntax = |text: &[u8]| matches!(parse(text), Err(JsonFault::Syntax { .. }));
        for (text, fault) in [
            (&br#"{"a": 1, "a": 2}"#[..], JsonFault::DuplicateKey),
            (br#"{"a": 1, "\u0061": 2}"#, JsonFault::DuplicateKey),
            (br#"[{"x": {"y": 1, "y": 1}}]"#, JsonFault::DuplicateKey),
            (b"18446744073709551616", JsonFault::BigInteger),
            (
                br#"{"a": "\\", "b": [-9223372036854775809]}"#,
                JsonFault::BigInteger,
            ),
        ] {
            assert_eq!(parse(text), Err(fault), "{}", String::from_utf8_lossy(text));
        }
        for text in [
            &b""[..],
            b" ",
            b"\xef\xbb\xbf{}",
            b"{} {}",
            b"{}\0",
            b"[1,]",
            b"{\"a\":1,}",
            b"NaN",
            b"[Infinity]",
            b"-",
            b"01",
            b"+1",
            b"1e999",
            b"'a'",
            b"{a: 1}",
            b"\"\xff\"",
            br#""\ud800""#,
            b"\"\n\"",
            b"// x\n1",
            b"[1",
        ] {
            assert!(syntax(text), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&nested(MAX_DEPTH + 1)), Err(JsonFault::TooDeep));
        assert_eq!(parse(&nested(1_000_000)), Err(JsonFault::TooDeep));
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES - 2));
        assert_eq!(parse(many.as_bytes()).unwrap().1, MAX_VALUES);
        let more = format!("[{}0]", "0,".repeat(MAX_VALUES - 1));
        assert_eq!(parse(more.as_bytes()), Err(JsonFault::TooMany));
    }

    proptest::proptest! {
        /// Whatever is read is what serde_json reads, and what it writes is read again.
        #[test]
        fn it_agrees_with_serde_json(text in ".{0,40}") {
            if let Ok((value, _)) = parse(text.as_bytes()) {
                proptest::prop_assert_eq!(&value, &serde_json::from_str::<Value>(&text).unwrap());
                proptest::prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap().0, value);
            }
        }

        #[test]
        fn strings_are_skipped_as_they_are_read(text: String, number in 0u64..9) {
            let value = json!([text, number]);
            proptest::prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap().0, value);
        }
    }
}
