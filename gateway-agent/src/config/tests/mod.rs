//! Whole files against what is said about them.

mod bad;
mod checking;
mod good;
mod hostile;
mod merging;
mod published;
mod routes;

use std::path::Path;

use super::{Config, Faults, Finding, load};

/// A folder with files, the first of which is the main one.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Loads the first of the files, with the folder's name taken out of what is said.
fn load_files(files: &[(&str, &str)]) -> Result<(Config, Vec<String>), Vec<String>> {
    let folder = folder(files);
    let said = |findings: &[Finding]| -> Vec<String> {
        findings
            .iter()
            .map(|f| strip(folder.path(), &f.to_string()))
            .collect()
    };
    match load(&folder.path().join(files[0].0)) {
        Ok((config, warnings)) => Ok((config, said(&warnings))),
        Err(faults) => {
            assert_eq!(faults.to_string().lines().count(), faults.findings().len());
            Err(said(faults.findings()))
        }
    }
}

fn strip(folder: &Path, text: &str) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

/// The faults of a file called `g.yaml`.
fn faults(text: &str) -> Vec<String> {
    load_files(&[("g.yaml", text)]).err().unwrap_or_default()
}

/// The configuration in a file, and the warnings.
pub(crate) fn good(text: &str) -> (Config, Vec<String>) {
    load_files(&[("g.yaml", text)]).unwrap_or_else(|faults| panic!("{faults:#?}\nin\n{text}"))
}

/// The least that is a configuration.
const LEAST: &str = "interfaces: [{ name: eth0 }]\n";

#[test]
fn faults_have_a_json_form() {
    let folder = folder(&[("g.yaml", "listeners: 3\nwaf: {}\n")]);
    let faults: Faults = load(&folder.path().join("g.yaml")).unwrap_err();
    let json = serde_json::to_value(&faults).unwrap();
    let file = folder.path().join("g.yaml").display().to_string();
    assert_eq!(
        json,
        serde_json::json!([
            {"file": file, "line": 1, "column": 12,
             "message": "found the number 3, expected a map: listener, with bind, tls, plaintext"},
        ])
    );
    let missing = load(&folder.path().join("none.yaml")).unwrap_err();
    let json = serde_json::to_value(&missing).unwrap();
    assert_eq!(json[0]["line"], serde_json::Value::Null);
}
