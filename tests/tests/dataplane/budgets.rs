//! What the data plane may cost.

use aya::maps::{MapInfo, MapType};
use gateway_agent::datapath::DatapathError;
use gateway_common::{
    abi::maps,
    counter::{Counter, Hits},
    event::DropEvent,
    hits::Bucket,
    lists::{Entry, Key4, Key6},
    settings::{Limit, Settings},
    syncookie::Endpoint,
};
use gateway_tests::kernel::Kernel;

/// Instructions that the verifier may walk through; it gives up at a million. Linux 6.1 walks
/// through 304,000, Linux 6.18 through little more than half of that.
const INSTRUCTIONS: u32 = 400_000;

/// Bytes that are taken whether or not the lists hold anything, less what each processor's
/// counters take. 35 MiB are in use.
const FIXED: u64 = 36 << 20;

/// Bytes of one processor's counters: 16 KiB by verdict, 128 KiB by rule.
const PER_CPU: u64 = 144 << 10;

#[test]
fn the_verifier_is_not_near_its_end() -> Result<(), DatapathError> {
    let kernel = Kernel::empty()?;
    match kernel.program.verified_instructions()? {
        Some(count) => {
            println!("{count} instructions verified");
            assert!(count <= INSTRUCTIONS, "{count} instructions");
        }
        None => println!("skipped: this kernel does not tell"),
    }
    Ok(())
}

#[test]
fn fixed_maps_stay_within_their_memory() -> Result<(), DatapathError> {
    let kernel = Kernel::empty()?;
    let (mut fixed, mut per_cpu) = (0, 0);
    for name in maps::ALL {
        let info = MapInfo::from_pin(kernel.pins().map(name)).expect(name);
        let value = u64::from(info.value_size()).next_multiple_of(8);
        let bytes = value * u64::from(info.max_entries());
        let kind = info.map_type().expect(name);
        if kind == MapType::Array {
            fixed += bytes;
        } else if kind == MapType::RingBuf {
            fixed += u64::from(info.max_entries());
        } else if kind == MapType::PerCpuArray {
            per_cpu += bytes;
        } else {
            assert!(
                matches!(kind, MapType::Hash | MapType::PerCpuHash),
                "{name}"
            );
            // Elements are made when entries are added (BPF_F_NO_PREALLOC).
            assert_eq!(info.map_flags() & 1, 1, "{name} is preallocated");
        }
    }
    println!("{fixed} bytes, and {per_cpu} a processor");
    assert!(fixed <= FIXED, "{fixed} bytes");
    assert!(per_cpu <= PER_CPU, "{per_cpu} bytes a processor");
    Ok(())
}

/// These are read by programs of other versions; whoever changes one raises `ABI_VERSION`.
#[test]
fn shared_structs_keep_their_size() {
    assert_eq!(size_of::<Settings>(), 1688);
    assert_eq!(size_of::<Limit>(), 24);
    assert_eq!(size_of::<Entry>(), 16);
    assert_eq!(size_of::<Key4>(), 8);
    assert_eq!(size_of::<Key6>(), 20);
    assert_eq!(size_of::<Counter>(), 32);
    assert_eq!(size_of::<DropEvent>(), 56);
    assert_eq!(size_of::<Endpoint>(), 20);
    assert_eq!(size_of::<Hits>(), 16);
    assert_eq!(size_of::<Bucket>(), 32);
    assert_eq!(gateway_common::abi::ABI_VERSION, 4);
}
