//! `utf8toUnicode`: each well-formed multi-byte UTF-8 sequence becomes `%uHHHH`.

pub(super) fn utf8_to_unicode(input: &[u8], out: &mut Vec<u8>) -> bool {
    if input.is_ascii() {
        return false;
    }
    let mut changed = false;
    for chunk in input.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_ascii() {
                out.push(u8::try_from(c).unwrap_or_default());
            } else {
                changed = true;
                out.extend_from_slice(format!("%u{:04x}", u32::from(c)).as_bytes());
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
    changed
}
