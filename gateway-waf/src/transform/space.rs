//! `removeWhitespace`, `compressWhitespace`, `trim`, `trimLeft`, `trimRight`.
//!
//! The first two also take the Latin-1 non-breaking space for white space, `trim` does not.

use super::is_space;

const NO_BREAK_SPACE: u8 = 0xa0;

fn is_wide_space(b: u8) -> bool {
    is_space(b) || b == NO_BREAK_SPACE
}

pub(super) fn remove(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend(input.iter().filter(|&&b| !is_wide_space(b)));
    out.len() != input.len()
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> bool {
    let mut changed = false;
    let mut in_space = false;
    for &b in input {
        if is_wide_space(b) {
            changed |= in_space || b != b' ';
            if !in_space {
                out.push(b' ');
            }
            in_space = true;
        } else {
            out.push(b);
            in_space = false;
        }
    }
    changed
}

pub(super) fn trim(input: &[u8], out: &mut Vec<u8>, left: bool, right: bool) -> bool {
    let mut rest = input;
    if left {
        while let Some((_, tail)) = rest.split_first().filter(|(b, _)| is_space(**b)) {
            rest = tail;
        }
    }
    if right {
        while let Some((_, head)) = rest.split_last().filter(|(b, _)| is_space(**b)) {
            rest = head;
        }
    }
    out.extend_from_slice(rest);
    rest.len() != input.len()
}
