//! Rule files of the WAF.
#![no_main]

use gateway_tests::fuzz::named;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| (named("rules").run)(data));
