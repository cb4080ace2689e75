//! Pins that are not this gateway's, or not this version's, or not there: one sentence each, and
//! nothing is changed.

use std::path::Path;

use aya::maps::{Array, Map, MapData, PerCpuArray};
use gateway_agent::datapath::{Datapath, DatapathError, Pins};
use gateway_common::{
    Verdict,
    abi::{ABI_VERSION, maps},
    settings::Settings,
};
use gateway_tests::{
    kernel::{Kernel, Pinned},
    packet::{Ipv4, Packet, Transport},
    setup::{Setup, deny},
};

/// What loading and opening say, which is the same.
fn refusal(pins: &Path) -> DatapathError {
    let loading = Datapath::load(pins).err().expect("it was loaded");
    let opening = Datapath::open(pins).err().expect("it was opened");
    assert_eq!(loading.to_string(), opening.to_string());
    loading
}

fn settings(pins: &Pinned) -> Array<MapData, Settings> {
    let data = MapData::from_pin(pins.map(maps::SETTINGS)).expect("the settings' pin");
    Array::try_from(Map::Array(data)).expect("the settings")
}

fn denied() -> Vec<u8> {
    Packet::from(Ipv4::new(
        [198, 51, 100, 7],
        [192, 0, 2, 1],
        Transport::syn(),
    ))
    .bytes()
}

#[test]
fn a_map_of_another_shape_is_refused() -> Result<(), DatapathError> {
    let ours = Kernel::empty()?;
    for (foreign, name) in [
        (maps::CELLS4, maps::SETTINGS),
        (maps::ALLOW4, maps::DENY4),
        (maps::DENY4, maps::DENY6),
        (maps::LIMITER, maps::COUNTERS),
    ] {
        let pins = Pinned::new();
        std::fs::create_dir_all(pins.path().join("maps")).unwrap();
        let map = MapData::from_pin(ours.pins().map(foreign)).unwrap();
        map.pin(pins.map(name)).unwrap();
        if name != maps::SETTINGS {
            let map = MapData::from_pin(ours.pins().map(maps::SETTINGS)).unwrap();
            map.pin(pins.map(maps::SETTINGS)).unwrap();
        }
        let error = refusal(pins.path());
        assert!(matches!(error, DatapathError::ForeignPin { .. }), "{error}");
        let words = error.to_string();
        let at = pins.map(name);
        let said = format!("{} is not a map of this gateway (", at.display());
        assert!(words.starts_with(&said), "{words}");
        assert!(
            words.ends_with("remove it, or name another directory with paths.pins"),
            "{words}"
        );
        // Nothing was made beside it.
        assert!(!pins.map(maps::EVENTS).exists());
    }
    Ok(())
}

/// Only sizes were compared: a map of another type with the same sizes passed for ours.
#[test]
fn a_map_of_another_type_is_refused() {
    let pins = Pinned::new();
    std::fs::create_dir_all(pins.path().join("maps")).unwrap();
    PerCpuArray::<_, Settings>::create(1, 0)
        .unwrap()
        .pin(pins.map(maps::SETTINGS))
        .unwrap();
    let error = refusal(pins.path());
    assert!(matches!(error, DatapathError::ForeignPin { .. }), "{error}");
}

#[test]
fn pins_of_another_abi_are_refused_and_pass_everything() -> Result<(), DatapathError> {
    let kernel = Kernel::with(&Setup::of([deny("198.51.100.7", 1)]))?;
    assert_eq!(kernel.probe(&denied())?.verdict, Verdict::DeniedExact);
    let mut map = settings(kernel.pins());
    let other = Settings {
        abi: 999,
        ..map.get(&0, 0).unwrap()
    };
    map.set(0, other, 0).unwrap();

    let pins = kernel.pins().path();
    assert_eq!(
        refusal(pins).to_string(),
        format!(
            "the pins under {} have ABI version 999, this gateway has {ABI_VERSION} and cannot read \
             them: start the version that made them, or run `gateway detach` and start this one, \
             which fills new maps from the store (what the old ones counted is lost, and nothing \
             is filtered in between)",
            pins.display()
        )
    );
    assert_eq!(map.get(&0, 0).unwrap(), other, "the settings were touched");
    // A program that finds lists it cannot read says so and stops nobody.
    assert_eq!(kernel.probe(&denied())?.verdict, Verdict::Unconfigured);
    let (action, moved) = kernel.run(&denied(), 3)?;
    assert_eq!(
        (action, moved[0].verdict, moved[0].packets),
        (2, Verdict::Unconfigured, 3)
    );
    Ok(())
}

#[test]
fn pins_want_a_bpf_file_system() {
    let elsewhere = std::env::temp_dir().join(format!("gateway-pins-{}", std::process::id()));
    let error = Datapath::load(&elsewhere).err().expect("it was loaded");
    assert!(matches!(error, DatapathError::NoBpffs { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not on a bpf file system: mount one there (`mount -t bpf bpf DIR`) or keep \
             the pins under /sys/fs/bpf",
            elsewhere.display()
        )
    );
    assert!(!elsewhere.exists());
}

#[test]
fn nothing_is_opened_where_nothing_was_loaded() -> Result<(), DatapathError> {
    let pins = Pinned::new();
    let absent = |pins: &Path| {
        let error = Datapath::open(pins).err().expect("it was opened");
        assert!(matches!(error, DatapathError::NotThere { .. }), "{error}");
        let said = format!("no data plane is loaded under {}: ", pins.display());
        assert!(error.to_string().starts_with(&said), "{error}");
    };
    absent(pins.path());
    assert!(!pins.path().exists());

    // Maps whose agent died before it had written its settings hold no lists to open, and it
    // would be another seed that the next agent keys them with.
    let kernel = Kernel::empty()?;
    settings(kernel.pins())
        .set(0, Settings::default(), 0)
        .unwrap();
    absent(kernel.pins().path());
    let loaded = Datapath::load(kernel.pins().path())?;
    assert_ne!(loaded.settings().seed, 0);
    Datapath::open(kernel.pins().path())?;
    Ok(())
}

#[test]
fn removing_the_pins_removes_them_all() -> Result<(), DatapathError> {
    let kernel = Kernel::with(&Setup::of([deny("198.51.100.7", 1)]))?;
    let pins = Pins::at(kernel.pins().path());
    assert!(pins.exist());
    pins.remove()?;
    assert!(!pins.exist() && !pins.root().exists());
    let mut fresh = Datapath::load(kernel.pins().path())?;
    assert_eq!(fresh.count(gateway_common::tables::List::Deny)?, (0, 0));
    Ok(())
}
