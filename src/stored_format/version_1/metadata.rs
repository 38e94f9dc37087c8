//! How version 1 writes metadata. FROZEN.
//!
//! By hand, because a derived decoder recurses as deep as the bytes tell it to.

use std::borrow::Cow;

use bincode::de::read::Reader;
use bincode::de::{BorrowDecode, BorrowDecoder, Decode, Decoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};

use super::super::limits::{Budget, Spent};
use crate::request::{Metadata, Timestamp, Value, metadata_key};

/// Entries in ascending order of their keys, behind their number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Map<'a>(pub(super) Cow<'a, Metadata>);

const NULL: u8 = 0;
const BOOL: u8 = 1;
const INTEGER: u8 = 2;
const FLOAT: u8 = 3;
const TEXT: u8 = 4;
const BYTES: u8 = 5;
const TIME: u8 = 6;
const LIST: u8 = 7;
const MAP: u8 = 8;

impl Encode for Map<'_> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_entries(&self.0, encoder)
    }
}

impl<'de> BorrowDecode<'de, Budget> for Map<'_> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Budget>>(decoder: &mut D) -> Result<Self, DecodeError> {
        decode_entries(decoder, Metadata::MAX_DEPTH).map(|metadata| Self(Cow::Owned(metadata)))
    }
}

fn encode_entries<E: Encoder>(entries: &Metadata, encoder: &mut E) -> Result<(), EncodeError> {
    encode_length(entries.len(), encoder)?;
    for (key, value) in entries {
        key.encode(encoder)?;
        encode_value(value, encoder)?;
    }
    Ok(())
}

fn encode_value<E: Encoder>(value: &Value, encoder: &mut E) -> Result<(), EncodeError> {
    match value {
        Value::Null => NULL.encode(encoder),
        Value::Bool(value) => (BOOL, *value).encode(encoder),
        Value::Integer(value) => (INTEGER, *value).encode(encoder),
        Value::Float(value) => (FLOAT, value.to_bits().to_le_bytes()).encode(encoder),
        Value::Text(value) => (TEXT, value.as_str()).encode(encoder),
        Value::Bytes(value) => (BYTES, value.as_slice()).encode(encoder),
        Value::Time(value) => (TIME, value.as_micros()).encode(encoder),
        Value::List(values) => {
            LIST.encode(encoder)?;
            encode_length(values.len(), encoder)?;
            values.iter().try_for_each(|value| encode_value(value, encoder))
        }
        Value::Map(entries) => {
            MAP.encode(encoder)?;
            encode_entries(entries, encoder)
        }
    }
}

fn decode_entries<'de, D: BorrowDecoder<'de, Context = Budget>>(
    decoder: &mut D,
    levels: usize,
) -> Result<Metadata, DecodeError> {
    let count = decode_length(decoder)?;
    decoder.context().charge_map(count).map_err(spent)?;
    let mut entries = Vec::with_capacity(count);
    let mut last = None;
    for _ in 0..count {
        let key = <&str>::borrow_decode(decoder)?;
        // Ascending keys are unique keys, and the only order in which equal metadata has equal bytes.
        if last.replace(key).is_some_and(|last| last >= key) {
            return Err(DecodeError::OtherString(format!("the metadata key {key:?} is not in ascending order")));
        }
        let value = decode_value(decoder, levels)?;
        entries.push((metadata_key(key), value));
    }
    Ok(Metadata::of_checked(entries))
}

fn decode_value<'de, D: BorrowDecoder<'de, Context = Budget>>(
    decoder: &mut D,
    levels: usize,
) -> Result<Value, DecodeError> {
    let Some(left) = levels.checked_sub(1) else {
        return Err(DecodeError::Other("metadata nests deeper than 16 levels"));
    };
    Ok(match u8::borrow_decode(decoder)? {
        NULL => Value::Null,
        BOOL => Value::Bool(bool::borrow_decode(decoder)?),
        INTEGER => Value::Integer(i64::borrow_decode(decoder)?),
        FLOAT => Value::Float(f64::from_bits(u64::from_le_bytes(<[u8; 8]>::borrow_decode(decoder)?))),
        TEXT => Value::Text(<&str>::borrow_decode(decoder)?.to_owned()),
        BYTES => Value::Bytes(<&[u8]>::borrow_decode(decoder)?.to_vec()),
        TIME => Value::Time(
            Timestamp::from_micros(u64::borrow_decode(decoder)?)
                .map_err(|error| DecodeError::OtherString(format!("metadata: {error}")))?,
        ),
        LIST => {
            let count = decode_length(decoder)?;
            decoder.context().charge(count, Budget::VALUE).map_err(spent)?;
            let mut values = Vec::with_capacity(count);
            for _ in 0..count {
                values.push(decode_value(decoder, left)?);
            }
            Value::List(values)
        }
        MAP => Value::Map(decode_entries(decoder, left)?),
        unknown => return Err(DecodeError::OtherString(format!("metadata has no kind of value {unknown}"))),
    })
}

pub(super) fn encode_length<E: Encoder>(length: usize, encoder: &mut E) -> Result<(), EncodeError> {
    (length as u64).encode(encoder)
}

/// How many things follow. Each takes a byte at least, so that more than there are bytes left is a lie.
pub(super) fn decode_length<D: Decoder>(decoder: &mut D) -> Result<usize, DecodeError> {
    let length = u64::decode(decoder)?;
    let length = usize::try_from(length).map_err(|_| DecodeError::OutsideUsizeRange(length))?;
    if decoder.reader().peek_read(length).is_none() {
        return Err(DecodeError::OtherString(format!("{length} things are announced, which the body has no room for")));
    }
    Ok(length)
}

pub(super) fn spent(Spent: Spent) -> DecodeError {
    DecodeError::LimitExceeded
}
