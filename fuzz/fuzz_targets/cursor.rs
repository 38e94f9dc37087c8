#![no_main]

#[path = "../checks/cursor.rs"]
mod cursor;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cursor::cursor(data));
