//! `sqlHexDecode`: MySQL's hexadecimal literals (`0x414243`) to the bytes they spell.

use super::hex_pair;

pub(super) fn hex_decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    let mut changed = false;
    let mut rest = input;
    while let Some((&b, tail)) = rest.split_first() {
        let digits = match (b, tail) {
            (b'0', [b'x' | b'X', digits @ ..]) if hex_pair(digits).is_some() => digits,
            _ => {
                out.push(b);
                rest = tail;
                continue;
            }
        };
        changed = true;
        rest = digits;
        while let Some(byte) = hex_pair(rest) {
            out.push(byte);
            rest = rest.get(2..).unwrap_or_default();
        }
    }
    changed
}
