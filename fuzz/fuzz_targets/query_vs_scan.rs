#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mutator_governance::fuzzing::query_vs_scan(data));
