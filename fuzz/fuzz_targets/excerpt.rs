#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mutator_governance::fuzzing::excerpt(data));
