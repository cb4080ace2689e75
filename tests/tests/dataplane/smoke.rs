//! Lists that outlive the agent.

use gateway_agent::datapath::{Datapath, DatapathError};
use gateway_common::{Verdict, lists::Entry, tables::List};
use gateway_tests::kernel::Pinned;

#[test]
fn a_denied_source_is_dropped_and_lists_outlive_the_agent() -> Result<(), DatapathError> {
    let pins = Pinned::new();
    let mut datapath = Datapath::load(pins.path())?;
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

    let mut datapath = Datapath::open(pins.path())?;
    assert_eq!(datapath.probe(source)?.verdict, Verdict::DeniedExact);
    datapath.remove(List::Deny, "198.51.100.7".parse().unwrap())?;
    assert_eq!(datapath.probe(source)?.verdict, Verdict::Pass);
    datapath.insert(List::Deny, "2001:db8::/32".parse().unwrap(), entry)?;
    let probe = datapath.probe("2001:db8:1::1".parse().unwrap())?;
    assert_eq!((probe.verdict, probe.rule), (Verdict::DeniedPrefix, 42));
    Ok(())
}
