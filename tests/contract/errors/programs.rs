//! A program that ends with an error prints a sentence.

use std::process::Command;

/// What the program printed to standard error; it must have failed.
fn printed(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

const NOT_FOUND: &str =
    "Error: request raise-limit-7 does not exist; check the id and the namespace it was submitted in\n";

#[test]
fn main_with_our_error_prints_a_sentence() {
    assert_eq!(printed(env!("CARGO_BIN_EXE_ends_with_our_error"), ""), NOT_FOUND);
}

#[test]
fn main_with_any_error_prints_a_sentence() {
    let program = env!("CARGO_BIN_EXE_ends_with_any_error");
    assert_eq!(printed(program, "error"), NOT_FOUND);
    let value = printed(program, "value");
    assert!(value.starts_with("Error: actor id ") && !value.contains('{'), "{value}");
    assert_eq!(printed(program, "cause"), "Error: the ledger cannot be written\n  caused by: the disk is full\n");
}
