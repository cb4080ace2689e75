//! Every committed input of every fuzz target once more: what was found stays found, without the
//! tools that found it. `BLESS=1` writes the inputs that fuzzing begins with.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests are made of this: a broken assumption is a failed test"
)]

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use gateway_tests::{
    fuzz::{TARGETS, Target, seeds},
    random::Mixer,
};

/// Bytes of all inputs together: they are in everybody's clone.
const MOST: u64 = 128 << 10;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn corpus(target: &Target) -> PathBuf {
    folder().join("corpus").join(target.name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn committed_inputs_hold() {
    for target in &TARGETS {
        let folder = corpus(target);
        for name in names(&folder) {
            let input = fs::read(folder.join(&name)).unwrap();
            let run = target.run;
            if catch_unwind(|| run(&input)).is_err() {
                panic!("{}/{name}: see above", target.name);
            }
        }
    }
}

/// The same inputs, damaged: what a fuzzer would try first, and the same at every run.
/// `GATEWAY_FUZZ_ROUNDS` says how often each is damaged.
#[test]
fn damaged_inputs_hold() {
    let rounds = std::env::var("GATEWAY_FUZZ_ROUNDS").map_or(2, |text| text.parse().unwrap());
    for target in &TARGETS {
        let folder = corpus(target);
        let inputs: Vec<_> = names(&folder)
            .into_iter()
            .map(|name| fs::read(folder.join(name)).unwrap())
            .collect();
        let mut mixer = Mixer::new(7);
        for round in 0..rounds {
            for input in &inputs {
                let damaged = damaged(input, &inputs, &mut mixer);
                let run = target.run;
                if catch_unwind(|| run(&damaged)).is_err() {
                    panic!(
                        "{} in round {round}: {}",
                        target.name,
                        damaged.escape_ascii()
                    );
                }
            }
        }
    }
}

/// An input with a few bytes changed, left out, repeated, or taken from another one.
fn damaged(input: &[u8], others: &[Vec<u8>], mixer: &mut Mixer) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=mixer.below(4) {
        let place = |mixer: &mut Mixer, length: usize| {
            mixer.below(u32::try_from(length).unwrap() + 1) as usize
        };
        let at = place(mixer, bytes.len());
        let end = (at + place(mixer, 16)).min(bytes.len());
        match mixer.below(5) {
            0 => {
                let more = bytes[at..end].to_vec();
                bytes.splice(at..at, more);
            }
            1 => drop(bytes.drain(at..end)),
            2 => bytes[at..end]
                .iter_mut()
                .for_each(|byte| *byte ^= mixer.draw() as u8),
            3 => {
                let odd = [0, 0xff, b'%', b'"', b'\'', b'\\', b'\n', b'<', b'{', b'0'];
                bytes.insert(at, odd[mixer.below(odd.len() as u32) as usize]);
            }
            _ => {
                let other = &others[mixer.below(others.len() as u32) as usize];
                let from = place(mixer, other.len());
                let to = (from + place(mixer, 64)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn every_target_has_its_seeds() {
    let mut bytes = 0;
    for target in &TARGETS {
        let folder = corpus(target);
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            for (name, seed) in seeds::of(target.name) {
                fs::write(folder.join(name), seed).unwrap();
            }
        }
        // What they were made from goes on; they are good inputs all the same.
        let inputs = names(&folder);
        assert!(
            !inputs.is_empty(),
            "no inputs for {}: run BLESS=1 cargo test -p gateway-tests --test fuzz",
            target.name
        );
        for name in inputs {
            bytes += folder.join(name).metadata().unwrap().len();
        }
    }
    assert!(bytes <= MOST, "{bytes} bytes of inputs");
}

/// `cargo fuzz` runs a program for each target, and there are no others.
#[test]
fn every_target_has_a_program() {
    let wanted: BTreeSet<_> = TARGETS.iter().map(|t| t.name.to_owned()).collect();
    let programs: BTreeSet<_> = names(&folder().join("fuzz_targets"))
        .into_iter()
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(programs, wanted);
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in &wanted {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name} is not in fuzz/Cargo.toml"
        );
        let program = folder().join("fuzz_targets").join(format!("{name}.rs"));
        let text = fs::read_to_string(program).unwrap();
        assert!(text.contains(&format!("named(\"{name}\")")), "{name}");
    }
}
