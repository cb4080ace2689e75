//! Lists in others' formats.
#![no_main]

use gateway_tests::fuzz::named;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| (named("import").run)(data));
