//! Base64 that stands for text.

use base64::{
    Engine as _,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// The shortest value that is taken for Base64: many a word of four letters decodes to something.
const SHORTEST: usize = 8;

/// The text that `value` is the Base64 of, from end to end; `None` where it is none, or stands
/// for something else than text.
pub(super) fn text(value: &[u8]) -> Option<Vec<u8>> {
    let digits = without_prefix(value);
    if digits.len() < SHORTEST {
        return None;
    }
    // A form makes a space of the plus sign that its sender did not escape; other spaces lenient
    // readers leave out.
    let readings: &[Option<u8>] = if digits.contains(&b' ') {
        &[Some(b'+'), None]
    } else {
        &[None]
    };
    let mut decoded = readings.iter().filter_map(|space| decode(digits, *space));
    decoded.find(|decoded| is_text(decoded))
}

/// What follows `data:…;base64,`.
fn without_prefix(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii_start();
    let is_data = value
        .get(..5)
        .is_some_and(|s| s.eq_ignore_ascii_case(b"data:"));
    if !is_data {
        return value;
    }
    let Some(comma) = memchr::memchr(b',', value) else {
        return value;
    };
    let (head, digits) = value.split_at(comma);
    if head.to_ascii_lowercase().ends_with(b";base64") {
        digits.get(1..).unwrap_or_default()
    } else {
        value
    }
}

/// Decodes with another byte for each space.
fn decode(value: &[u8], space: Option<u8>) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(value.len());
    let mut url_safe = false;
    for &b in value {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' => digits.push(b),
            b'-' | b'_' => {
                url_safe = true;
                digits.push(b);
            }
            b' ' => digits.extend(space),
            b'\t' | b'\r' | b'\n' => {}
            _ => return None,
        }
    }
    // Lenient readers mind neither missing padding nor bits left over.
    let engine = if url_safe { &SAFE } else { &PLAIN };
    engine.decode(&digits).ok()
}

const PLAIN: GeneralPurpose = engine(&STANDARD);
const SAFE: GeneralPurpose = engine(&URL_SAFE);

const fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

/// Whether at least seven in eight bytes belong to printable UTF-8 text.
fn is_text(bytes: &[u8]) -> bool {
    let printable: usize = bytes
        .utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars())
        .filter(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'))
        .map(char::len_utf8)
        .sum();
    !bytes.is_empty() && printable * 8 >= bytes.len() * 7
}
