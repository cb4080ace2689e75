//! `lowercase`, `uppercase`: ASCII only.

pub(super) fn lower(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.iter().any(u8::is_ascii_uppercase) {
        return false;
    }
    out.extend(input.iter().map(u8::to_ascii_lowercase));
    true
}

pub(super) fn upper(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    out.extend(input.iter().map(u8::to_ascii_uppercase));
    true
}
