//! `cssDecode`: the escapes of CSS 2.x, as browsers fold them to bytes.

use super::{fold_code_unit, hex, is_space};

pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.contains(&b'\\') {
        return false;
    }
    let mut rest = input;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b != b'\\' {
            out.push(b);
            continue;
        }
        let digits = tail
            .iter()
            .take(6)
            .take_while(|b| hex(**b).is_some())
            .count();
        if digits > 0 {
            out.push(code_point(tail.get(..digits).unwrap_or_default()));
            rest = tail.get(digits..).unwrap_or_default();
            // One white space ends the escape and belongs to it.
            if rest.first().is_some_and(|b| is_space(*b)) {
                rest = rest.get(1..).unwrap_or_default();
            }
        } else if let Some((&next, after)) = tail.split_first() {
            // A backslash before a newline joins lines; before anything else it is dropped.
            if next != b'\n' {
                out.push(next);
            }
            rest = after;
        }
    }
    true
}

fn code_point(digits: &[u8]) -> u8 {
    let value = digits.iter().fold(0_u32, |v, b| {
        v << 4 | u32::from(hex(*b).unwrap_or_default())
    });
    let [low, high, upper, _] = value.to_le_bytes();
    if upper == 0 {
        fold_code_unit(high, low)
    } else {
        low
    }
}
