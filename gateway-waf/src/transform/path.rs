//! `normalizePath`, `normalizePathWin`: folds `//`, `/./` and `x/../`.

pub(super) fn normalize(input: &[u8], out: &mut Vec<u8>) -> bool {
    fold(input, out);
    out != input
}

/// As `normalize`, backslashes counting as slashes.
pub(super) fn normalize_win(input: &[u8], out: &mut Vec<u8>) -> bool {
    let slashes: Vec<u8> = input
        .iter()
        .map(|&b| if b == b'\\' { b'/' } else { b })
        .collect();
    fold(&slashes, out);
    out != input
}

/// A rooted path never climbs above its root; a relative one keeps the `..` it cannot resolve.
/// A trailing slash stays where the path ended in one, or in a `..` that was resolved.
fn fold(input: &[u8], out: &mut Vec<u8>) {
    let rooted = input.first() == Some(&b'/');
    if rooted {
        out.push(b'/');
    }
    let base = out.len();
    // Where each kept segment that `..` may take away begins.
    let mut starts: Vec<usize> = Vec::new();
    let mut segments = input.split(|&b| b == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            b"" | b"." => {}
            b".." => match starts.pop() {
                Some(start) => out.truncate(start),
                None if rooted => {}
                None => push(out, segment, last),
            },
            _ => {
                starts.push(out.len());
                push(out, segment, last);
            }
        }
    }
    let ends_in_dot = input.ends_with(b"/.") || input.ends_with(b"/..");
    if ends_in_dot && out.len() > base && out.ends_with(b"/") {
        out.pop();
    }
}

fn push(out: &mut Vec<u8>, segment: &[u8], last: bool) {
    out.extend_from_slice(segment);
    if !last {
        out.push(b'/');
    }
}
