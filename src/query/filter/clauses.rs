//! The descriptions of queries, and of filters with values.

use std::collections::BTreeSet;
use std::fmt;

use crate::request::Value;

/// `subject first, second, order`.
pub(crate) fn sentence(
    f: &mut fmt::Formatter<'_>,
    subject: &str,
    clauses: &[String],
    order: &dyn fmt::Display,
) -> fmt::Result {
    let space = if clauses.is_empty() { "" } else { " " };
    write!(f, "{subject}{space}{}, {order}", clauses.join(", "))
}

pub(crate) fn joined<T: fmt::Display>(set: &BTreeSet<T>, between: &str) -> String {
    set.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// A value as a reader writes it: text is in quotes, so that it does not look like a number.
pub(super) struct ShownValue<'a>(pub(super) &'a Value);

impl fmt::Display for ShownValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Text(value) => write!(f, "{value:?}"),
            Value::Bytes(value) => write!(f, "{} bytes", value.len()),
            Value::Time(value) => write!(f, "{value}"),
            Value::List(values) => write!(f, "a list of {}", values.len()),
            Value::Map(values) => write!(f, "a map of {}", values.len()),
        }
    }
}
