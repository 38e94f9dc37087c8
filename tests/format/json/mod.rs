//! The JSON form of every public value, as `docs/json.md` describes it: the files below `tests/fixtures/json` have it.
//!
//! Each is read back equal and written again with the same bytes, fits the schemas of its type, and shows whether an
//! unknown field is an error.

mod documents;
mod golden;
mod policies;
mod reports;
mod values;
