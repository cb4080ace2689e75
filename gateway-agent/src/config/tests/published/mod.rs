//! What is published about the configuration says what the code does.
//!
//! `docs/gateway.schema.json` is generated from the structs in `raw` and their comments, and the
//! tables in `docs/config.md` from the schema. After a change run the tests with `BLESS=1`.

mod reference;
mod schema;
mod shapes;

use std::path::{Path, PathBuf};

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name)
}

/// Compares a published file with what it should be, or writes it.
fn compare(name: &str, expected: &str) {
    let path = docs(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == expected,
        "docs/{name} does not say what the code does; run the tests with BLESS=1 and look at the \
         difference"
    );
}
