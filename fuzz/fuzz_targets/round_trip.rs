#![no_main]

#[path = "../checks/stored_format.rs"]
mod stored_format;

libfuzzer_sys::fuzz_target!(|data: &[u8]| stored_format::round_trip(data));
