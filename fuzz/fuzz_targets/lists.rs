//! Changes to the lists: the summary and its look-ups against the plain model.
#![no_main]

use gateway_tests::fuzz::named;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| (named("lists").run)(data));
