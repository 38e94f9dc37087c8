#![no_main]

#[path = "../checks/workflow_model.rs"]
mod workflow_model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| workflow_model::workflow_model(data));
