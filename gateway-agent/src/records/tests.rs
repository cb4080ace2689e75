//! Writing and reading, and what hostile bytes make of it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A record as a keeper would write it.
pub(crate) fn record(request: &str, at: u64) -> Record {
    Record {
        request: request.to_owned(),
        time_unix_ms: at,
        client: [192, 0, 2, 7].into(),
        subject: None,
        route: Some("/**".to_owned()),
        mode: "block".to_owned(),
        action: "passed".to_owned(),
        rule: None,
        status: 200,
        score: None,
        matches: Vec::new(),
        copy: Request::default(),
    }
}

fn line(request: &str, at: u64) -> Vec<u8> {
    let mut line = serde_json::to_vec(&record(request, at)).unwrap();
    line.push(b'\n');
    line
}

fn bounds(size: u64) -> Bounds {
    Bounds {
        size,
        age: Duration::from_secs(3600),
    }
}

fn size(dir: &TempDir) -> u64 {
    let files = fs::read_dir(dir.path()).unwrap();
    files.map(|f| f.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn the_oldest_goes_and_the_newest_stays() {
    let dir = TempDir::new().unwrap();
    let mut ring = Ring::open(dir.path().to_owned(), bounds(8192)).unwrap();
    for i in 0..200 {
        ring.write_all(&line(&format!("r{i}"), i)).unwrap();
        assert!(size(&dir) <= 8192, "{} bytes after {i}", size(&dir));
    }
    let archive = Archive::at(dir.path().to_owned());
    let (oldest, kept) = archive.find("r0").unwrap();
    assert!(oldest.is_none());
    assert!(kept.records >= 15, "{kept:?}");
    assert_eq!(kept.since, Some(200 - kept.records));
    assert_eq!(archive.find("r199").unwrap().0.unwrap().time_unix_ms, 199);
    assert!(ring.counts().removed() > 0);
    let file = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap();
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_new_ring_goes_on_behind_the_old_one() {
    let dir = TempDir::new().unwrap();
    for run in 0..3 {
        let mut ring = Ring::open(dir.path().to_owned(), bounds(1 << 20)).unwrap();
        ring.write_all(&line(&format!("r{run}"), run)).unwrap();
    }
    let mut seen = Vec::new();
    let archive = Archive::at(dir.path().to_owned());
    let kept = archive.each(|record| {
        seen.push(record.request);
        true
    });
    assert_eq!(seen, ["r0", "r1", "r2"]);
    assert_eq!(kept.unwrap().since, Some(0));
}

#[test]
fn what_is_too_old_is_removed_while_nothing_is_written() {
    let dir = TempDir::new().unwrap();
    let mut ring = Ring::open(dir.path().to_owned(), bounds(1 << 20)).unwrap();
    ring.write_all(&line("old", 1)).unwrap();
    let hour = Duration::from_secs(3600);
    assert_eq!(Ring::expire(dir.path(), hour).unwrap(), 0);
    let file = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap();
    let file = fs::File::options().append(true).open(file.path()).unwrap();
    file.set_modified(SystemTime::now() - 2 * hour).unwrap();
    assert_eq!(Ring::expire(dir.path(), hour).unwrap(), 1);
    let archive = Archive::at(dir.path().to_owned());
    assert_eq!(archive.find("old").unwrap(), (None, Kept::default()));
}

#[test]
fn damaged_lines_are_counted_and_passed_over() {
    let dir = TempDir::new().unwrap();
    let mut text = line("first", 1);
    text.extend(b"{\"request\": \"cut\n\xff\xfe\n\n");
    text.extend(line("last", 2));
    text.extend(b"{\"request\":");
    fs::write(dir.path().join("records-0000000001.jsonl"), text).unwrap();
    fs::write(dir.path().join("records-x.jsonl"), "not mine").unwrap();
    let archive = Archive::at(dir.path().to_owned());
    let (found, kept) = archive.find("last").unwrap();
    assert_eq!(found.unwrap().time_unix_ms, 2);
    assert_eq!((kept.records, kept.damaged), (2, 4));
}

#[test]
fn text_is_printable_and_reads_back() {
    for (bytes, shown) in [
        (&b"a b"[..], "a b"),
        (b"a\\b", "a\\\\b"),
        (b"\xff\x00\n", "\\xff\\x00\\x0a"),
        ("ü\u{1b}[2J".as_bytes(), "ü\\x1b[2J"),
        ("\u{202e}".as_bytes(), "\\xe2\\x80\\xae"),
    ] {
        assert_eq!(Text::from(bytes).to_string(), shown);
    }
    for broken in ["\\", "\\x", "\\x1", "\\xzz", "\\n"] {
        assert_eq!(Text::parse(broken), None, "{broken}");
    }
}

proptest! {
    #[test]
    fn any_bytes_read_back(bytes: Vec<u8>) {
        let text = Text(bytes);
        let json = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text.clone());
        prop_assert!(!text.to_string().chars().any(char::is_control));
    }
}
