//! What the JSON form of public values is made of; `docs/json.md` describes the form. Knows no other folder but `error`.

mod beside;
mod content;
mod content_text;
mod iso_duration;
mod number;
mod schema;
mod strict;

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use beside::read_beside;
#[cfg(feature = "archive")]
pub(crate) use beside::read_beside_if_there;
pub(crate) use content::{Content, Node};
pub(crate) use iso_duration::IsoDuration;
pub(crate) use number::{Number, number_text, plain_integer};
pub(crate) use schema::{schema_of_text, serde_as_text};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize as _, Serializer};
pub(crate) use strict::Strict;

/// Reads a text and parses it.
pub(crate) fn parse_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// Writes what a value prints, such as the sentence of an error: for `#[serde(serialize_with)]`.
pub(crate) fn print<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes a duration as ISO 8601, for `#[serde(serialize_with)]`.
pub(crate) fn write_duration<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    IsoDuration(*duration).serialize(serializer)
}
