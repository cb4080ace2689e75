//! Lists in others' formats.

use std::collections::BTreeSet;

use gateway_policy::{
    grammar::Prefix,
    import::{Format, Imported, Options, read},
};

/// Entries per family that the list takes here.
const CAPACITY: usize = 200;

/// A file, behind a byte that says as which format it is read.
pub(super) fn import(data: &[u8]) {
    let Some((format, file)) = data.split_first() else {
        return;
    };
    let format = match format % 6 {
        1 => Some(Format::Plain),
        2 => Some(Format::Csv),
        3 => Some(Format::Json),
        4 => Some(Format::Ipset),
        5 => Some(Format::Nft),
        _ => None,
    };
    let options = Options {
        format,
        capacity: CAPACITY,
        ..Options::default()
    };
    let imported = match read(file, &options) {
        Ok(imported) => imported,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let prefixes = prefixes(&imported);
    assert_eq!(
        prefixes.len(),
        imported.entries.len(),
        "a prefix came twice"
    );
    for four in [true, false] {
        let count = prefixes.iter().filter(|p| p.network().is_ipv4() == four);
        assert!(count.count() <= CAPACITY, "more than the list takes");
    }
    // Written as a plain list, it is the same list.
    let plain: String = prefixes
        .iter()
        .map(|prefix| format!("{prefix}\n"))
        .collect();
    let options = Options {
        format: Some(Format::Plain),
        ..options
    };
    let again = read(plain.as_bytes(), &options);
    match again {
        Ok(again) => assert_eq!(self::prefixes(&again), prefixes),
        // An empty file may be refused.
        Err(error) => assert!(prefixes.is_empty(), "{error}"),
    }
}

fn prefixes(imported: &Imported) -> BTreeSet<Prefix> {
    imported.entries.iter().map(|entry| entry.prefix).collect()
}
