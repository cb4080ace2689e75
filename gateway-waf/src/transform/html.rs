//! `htmlEntityDecode`: numeric entities and the handful of named ones that matter to a filter;
//! the closing semicolon may be missing. A code point beyond one byte keeps its low byte.

use super::hex;

pub(super) fn entity_decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.contains(&b'&') {
        return false;
    }
    let mut changed = false;
    let mut rest = input;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        match if b == b'&' { entity(tail) } else { None } {
            Some((byte, after)) => {
                out.push(byte);
                rest = after.strip_prefix(b";").unwrap_or(after);
                changed = true;
            }
            None => out.push(b),
        }
    }
    changed
}

/// Reads the entity after its ampersand; returns the byte and what follows the entity's name.
fn entity(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        _ => {
            let end = text
                .iter()
                .position(|b| !b.is_ascii_alphanumeric())
                .unwrap_or(text.len());
            let (name, after) = text.split_at(end);
            NAMED
                .iter()
                .find(|(known, _)| name.eq_ignore_ascii_case(known))
                .map(|&(_, byte)| (byte, after))
        }
    }
}

const NAMED: &[(&[u8], u8)] = &[
    (b"quot", b'"'),
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"nbsp", 0xa0),
];

fn number(text: &[u8], radix: i64) -> Option<(u8, &[u8])> {
    let digit = |b: u8| hex(b).map(i64::from).filter(|&d| d < radix);
    let end = text
        .iter()
        .position(|&b| digit(b).is_none())
        .unwrap_or(text.len());
    if end == 0 {
        return None;
    }
    let (digits, after) = text.split_at(end);
    let mut value = 0_i64;
    for &b in digits {
        value = value.saturating_mul(radix).saturating_add(digit(b)?);
    }
    let [low, ..] = value.to_le_bytes();
    Some((low, after))
}
