//! What the agent believes the kernel holds, and what it holds.

use gateway_agent::datapath::{Datapath, DatapathError, Mirror};
use gateway_common::{lists::Entry, settings::Settings, tables::List};
use gateway_policy::grammar::Prefix;
use gateway_tests::{
    kernel::Kernel,
    model::Lists,
    oracle::Memory,
    random::{self, Op},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

const LISTS: [List; 3] = [List::Deny, List::Allow, List::Zone];

fn entries(datapath: &mut Datapath) -> Result<Vec<(List, Prefix, Entry)>, DatapathError> {
    let mut all = Vec::new();
    for list in LISTS {
        let found = datapath.entries(list)?;
        all.extend(found.map(|(prefix, entry)| (list, prefix, *entry)));
    }
    Ok(all)
}

#[test]
fn mirror_and_kernel_agree_after_many_changes() -> Result<(), DatapathError> {
    let mut kernel = Kernel::empty()?;
    let seed = kernel.datapath.settings().seed;
    let mut memory = Memory::new(seed);
    let mut lists = Lists::default();
    let mut runner = TestRunner::new(random::config(1));
    let some = random::ops(60, random::prefix());
    for _ in 0..10 {
        for op in some.new_tree(&mut runner).unwrap().current() {
            match &op {
                Op::Insert(item) => {
                    kernel.datapath.insert(item.list, item.prefix, item.entry)?;
                }
                Op::Remove(index) if !lists.items().is_empty() => {
                    let item = index.get(lists.items());
                    assert!(kernel.datapath.remove(item.list, item.prefix)?);
                }
                Op::Remove(_) => {}
            }
            random::apply(&op, &mut memory, &mut lists);
        }
    }
    let same = |kernel: &Kernel| {
        let (words4, words6) = kernel.words();
        words4 == memory.words().0 && words6 == memory.words().1
    };
    assert!(same(&kernel), "the kernel's summary is not the mirror's");

    // Made at once of what is left, the mirror is the same; and so is one that is read back.
    let mut mirror = Mirror::new(seed);
    mirror.extend(
        lists
            .items()
            .iter()
            .map(|item| (item.list, item.key(), item.entry)),
    );
    assert!(mirror.words4() == memory.words().0 && mirror.words6() == memory.words().1);
    let mut described: Settings = *kernel.datapath.settings();
    mirror.describe(&mut described);
    assert_eq!(described, *kernel.datapath.settings());

    let held = entries(&mut kernel.datapath)?;
    assert_eq!(held.len(), lists.items().len());
    let mut opened = Datapath::open(kernel.pins().path())?;
    assert_eq!(entries(&mut opened)?, held);
    let mut loaded = Datapath::load(kernel.pins().path())?;
    assert_eq!(entries(&mut loaded)?, held);
    assert!(same(&kernel), "loading changed the summary");
    assert_eq!(loaded.settings(), kernel.datapath.settings());
    Ok(())
}
