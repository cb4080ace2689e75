//! For which requests an exclusion is.

use std::collections::BTreeSet;

/// The most paths that are named one by one.
const NAMED: usize = 8;

/// The path of a request, as an operator of `REQUEST_FILENAME`; `None` where that would be as good
/// as all of them.
pub(super) fn of_paths(paths: &BTreeSet<String>, more: bool) -> Option<String> {
    let safe = paths.iter().all(|path| is_plain(path));
    if let (true, false, Some(only), 1) = (safe, more, paths.first(), paths.len()) {
        return Some(format!("@streq {only}"));
    }
    if safe && !more && paths.len() <= NAMED {
        let escaped: Vec<String> = paths.iter().map(|path| path.replace('.', "\\.")).collect();
        return Some(format!("@rx ^(?:{})$", escaped.join("|")));
    }
    let folder = common_folder(paths)?;
    (folder.len() > 1).then(|| format!("@beginsWith {folder}"))
}

/// The folder that all of them are in, with its last slash.
fn common_folder(paths: &BTreeSet<String>) -> Option<&str> {
    let (first, last) = (paths.first()?, paths.last()?);
    // They are sorted: what the first and the last share, all share.
    let shared = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b);
    let shared = first.get(..shared.count())?;
    let mut end = shared.rfind('/')? + 1;
    // What is written with escapes reads otherwise once it is decoded.
    while !is_plain(first.get(..end)?) {
        end = first.get(..end - 1)?.rfind('/')? + 1;
    }
    first.get(..end)
}

/// Whether the text means itself: in a rule's quotes, in a pattern but for dots, decoded, and as a
/// path without steps.
fn is_plain(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-.~".contains(&b);
    let steps = ["//", "/./", "/../"].iter().any(|step| path.contains(step));
    path.starts_with('/') && path.len() <= 512 && path.bytes().all(plain) && !steps
}

/// A host without its port, where it means itself.
pub(super) fn of_hosts(hosts: &BTreeSet<Vec<u8>>) -> Option<String> {
    if hosts.len() != 1 {
        return None;
    }
    let host = std::str::from_utf8(hosts.first()?).ok()?;
    let host = host.split(':').next()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    (!host.is_empty() && host.len() <= 253 && host.bytes().all(plain)).then(|| host.to_owned())
}

/// Collections whose fields may be left out one by one.
const COLLECTIONS: [&str; 8] = [
    "ARGS",
    "ARGS_GET",
    "ARGS_POST",
    "ARGS_NAMES",
    "ARGS_GET_NAMES",
    "ARGS_POST_NAMES",
    "REQUEST_COOKIES",
    "REQUEST_HEADERS",
];

/// The field as a target; `None` where it is no single field, or its name could be read otherwise.
pub(super) fn of_field(variable: &str) -> Option<&str> {
    let (collection, name) = variable.split_once(':')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let is_field = COLLECTIONS.contains(&collection)
        && !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(plain);
    is_field.then_some(variable)
}
