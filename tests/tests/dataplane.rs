//! The loaded program, asked by test runs. Needs root.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use gateway_agent::datapath::{Datapath, DatapathError};
use gateway_common::{Verdict, lists::Entry, tables::List};

/// A pin directory of this test's own, removed with it.
struct Pinned(PathBuf);

impl Pinned {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("/sys/fs/bpf/gateway-test-{}-{n}", std::process::id()).into())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_denied_source_is_dropped_and_lists_outlive_the_agent() -> Result<(), DatapathError> {
    let pins = Pinned::new();
    let mut datapath = Datapath::load(&pins.0)?;
    let source = "198.51.100.7".parse().unwrap();
    assert_eq!(datapath.probe(source)?.verdict, Verdict::Pass);
    let entry = Entry {
        rule: 42,
        ..Entry::default()
    };
    datapath.insert(List::Deny, "198.51.100.7".parse().unwrap(), entry)?;
    let probe = datapath.probe(source)?;
    assert_eq!((probe.verdict, probe.rule), (Verdict::DeniedExact, 42));
    drop(datapath);

    let mut datapath = Datapath::open(&pins.0)?;
    assert_eq!(datapath.probe(source)?.verdict, Verdict::DeniedExact);
    datapath.remove(List::Deny, "198.51.100.7".parse().unwrap())?;
    assert_eq!(datapath.probe(source)?.verdict, Verdict::Pass);
    datapath.insert(List::Deny, "2001:db8::/32".parse().unwrap(), entry)?;
    let probe = datapath.probe("2001:db8:1::1".parse().unwrap())?;
    assert_eq!((probe.verdict, probe.rule), (Verdict::DeniedPrefix, 42));
    Ok(())
}
