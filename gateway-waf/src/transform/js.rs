//! `jsDecode`: the escapes of JavaScript strings.

use super::{fold_code_unit, hex_code_unit, hex_pair};

pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.contains(&b'\\') {
        return false;
    }
    let mut rest = input;
    while let Some((&b, tail)) = rest.split_first() {
        let (byte, used) = if b == b'\\' { escape(tail) } else { (b, 0) };
        out.push(byte);
        rest = tail.get(used..).unwrap_or_default();
    }
    out != input
}

/// The byte an escape stands for and how many bytes after the backslash it spans.
fn escape(text: &[u8]) -> (u8, usize) {
    match text {
        [] => (b'\\', 0),
        [b'u', digits @ ..] => match hex_code_unit(digits) {
            Some((high, low)) => (fold_code_unit(high, low), 5),
            None => (b'u', 1),
        },
        [b'x', digits @ ..] => hex_pair(digits).map_or((b'x', 1), |byte| (byte, 3)),
        [b'0'..=b'7', ..] => octal(text),
        [b'a', ..] => (0x07, 1),
        [b'b', ..] => (0x08, 1),
        [b'f', ..] => (0x0c, 1),
        [b'n', ..] => (b'\n', 1),
        [b'r', ..] => (b'\r', 1),
        [b't', ..] => (b'\t', 1),
        [b'v', ..] => (0x0b, 1),
        [other, ..] => (*other, 1),
    }
}

/// Up to three octal digits, two when three would not fit a byte.
fn octal(text: &[u8]) -> (u8, usize) {
    let longest = if matches!(text.first(), Some(b'0'..=b'3')) {
        3
    } else {
        2
    };
    let mut value = 0_u8;
    let mut used = 0;
    for &b in text.iter().take(longest) {
        match b {
            b'0'..=b'7' => value = value << 3 | (b - b'0'),
            _ => break,
        }
        used += 1;
    }
    (value, used)
}
