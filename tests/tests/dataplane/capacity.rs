//! Full lists: said in words, and nothing is evicted.

use std::net::Ipv4Addr;

use aya::maps::{HashMap, Map, MapData};
use gateway_agent::datapath::{Datapath, DatapathError};
use gateway_common::{
    Verdict,
    abi::{ALLOW_CAPACITY, maps},
    lists::{Entry, Key4},
    tables::List,
};
use gateway_policy::grammar::Prefix;
use gateway_tests::{
    kernel::Kernel,
    packet::{Ipv4, Packet, Transport},
};

const FIRST: u32 = 0x0b00_0000;

fn nth(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(FIRST + n)
}

fn entry(n: u32) -> (Prefix, Entry) {
    let entry = Entry {
        rule: n + 1,
        ..Entry::default()
    };
    (Prefix::host(nth(n).into()), entry)
}

fn assert_full(result: Result<(), DatapathError>, prefix: Prefix) {
    let error = result.expect_err("a full list took an entry");
    assert!(matches!(error, DatapathError::ListFull { .. }), "{error}");
    let words = error.to_string();
    let said =
        format!("the allow list is full ({ALLOW_CAPACITY} IPv4 entries): {prefix} was not added");
    assert!(words.starts_with(&said), "{words}");
}

#[test]
fn a_full_list_says_so_and_loses_nothing() -> Result<(), DatapathError> {
    let mut kernel = Kernel::empty()?;
    let full = Datapath::capacity(List::Allow);
    let entries: Vec<_> = (0..full).map(entry).collect();
    kernel.datapath.insert_all(List::Allow, &entries)?;

    let (extra, value) = entry(full);
    assert_full(kernel.datapath.insert(List::Allow, extra, value), extra);
    // All or nothing: the first two of these are there already and change, the third is new.
    let changed = |n| {
        let (prefix, entry) = entry(n);
        (prefix, Entry { rule: 9, ..entry })
    };
    let some = [changed(0), changed(1), (extra, value)];
    assert_full(kernel.datapath.insert_all(List::Allow, &some), extra);

    assert_eq!(kernel.datapath.count(List::Allow)?, (full as usize, 0));
    let data = MapData::from_pin(kernel.pins().map(maps::ALLOW4)).expect("the safelist's pin");
    let map: HashMap<_, Key4, Entry> = Map::HashMap(data).try_into().expect("the safelist");
    assert_eq!(map.keys().count(), full as usize);
    let says = |n| -> Result<(Verdict, u32), DatapathError> {
        let packet = Ipv4::new(nth(n), [192, 0, 2, 1], Transport::syn());
        let outcome = kernel.probe(&Packet::from(packet).bytes())?;
        Ok((outcome.verdict, outcome.rule))
    };
    for n in [0, 1, 77_777, full - 1] {
        assert_eq!(says(n)?, (Verdict::Safelisted, n + 1), "entry {n}");
    }
    assert_eq!(says(full)?, (Verdict::Pass, 0));

    // Replacing needs no room, and what is removed makes some.
    let (prefix, value) = changed(5);
    kernel.datapath.insert(List::Allow, prefix, value)?;
    assert!(kernel.datapath.remove(List::Allow, prefix)?);
    let (extra, value) = entry(full);
    kernel.datapath.insert(List::Allow, extra, value)?;
    let packet = Ipv4::new(nth(full), [192, 0, 2, 1], Transport::syn());
    let outcome = kernel.probe(&Packet::from(packet).bytes())?;
    assert_eq!(outcome.verdict, Verdict::Safelisted);
    Ok(())
}
