//! `removeNulls`, `replaceNulls`.

pub(super) fn remove(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend(input.iter().filter(|&&b| b != 0));
    out.len() != input.len()
}

pub(super) fn replace(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.contains(&0) {
        return false;
    }
    out.extend(input.iter().map(|&b| if b == 0 { b' ' } else { b }));
    true
}
