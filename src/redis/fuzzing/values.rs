//! Random replies.

use redis::{Value, VerbatimFormat};

use super::input::Input;

/// Any reply of a server; its words are those of our scripts, and those given.
pub(super) fn value(input: &mut Input<'_>, words: &[&[u8]], depth: usize) -> Value {
    const WORDS: [&str; 18] = [
        "created",
        "exists",
        "updated",
        "repeated",
        "conflict",
        "history",
        "submitted fields changed",
        "missing",
        "unreadable",
        "wrongtype",
        "noperm",
        "denied",
        "changed",
        "checked",
        "extra",
        "1",
        "0",
        "team",
    ];
    let bulk = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
    match input.below(16) {
        0..3 if depth > 0 => Value::Array((0..input.below(8)).map(|_| value(input, words, depth - 1)).collect()),
        3 if depth > 0 => Value::Set((0..input.below(4)).map(|_| value(input, words, depth - 1)).collect()),
        4 if depth > 0 => {
            let mut pair = || (value(input, words, depth - 1), value(input, words, depth - 1));
            Value::Map(vec![pair()])
        }
        0..5 => Value::Nil,
        5 => Value::Int(i64::from(input.byte()) - 1),
        6 => Value::Int(input.number().cast_signed()),
        7 | 8 => bulk(input.one(&WORDS).as_bytes()),
        9 | 10 if !words.is_empty() => bulk(input.one(words)),
        9..12 => bulk(input.bytes()),
        12 => Value::SimpleString(String::from_utf8_lossy(input.bytes()).into_owned()),
        13 => Value::VerbatimString {
            format: VerbatimFormat::Text,
            text: String::from_utf8_lossy(input.bytes()).into_owned(),
        },
        14 => Value::Double(f64::from_bits(input.number())),
        _ => input.one(&[Value::Okay, Value::Boolean(true), Value::Nil]),
    }
}

/// The value, or sometimes any other.
pub(super) fn or_any(input: &mut Input<'_>, words: &[&[u8]], usual: Value) -> Value {
    if input.happens(12) { value(input, words, 3) } else { usual }
}
