//! Metadata: text keys and values that keep their type.

use std::collections::BTreeMap;
use std::{fmt, mem, slice};

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::metadata_keys::MetadataKey;
use crate::error::InvalidValue;

/// Typed values under text keys, in key order.
///
/// Values keep their type through every store, and equality is exact: integer 3 is not float 3.0. Values nest at most
/// [`Metadata::MAX_DEPTH`] levels deep.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>", into = "BTreeMap<String, Value>")]
pub struct Metadata(
    /// In ascending order of the keys, each once. Metadata has few keys; a tree has room for eleven in its first node.
    Vec<(MetadataKey, Value)>,
);

/// Keys and values of [`Metadata`], in key order.
#[derive(Clone, Debug)]
pub struct MetadataIter<'a>(slice::Iter<'a, (MetadataKey, Value)>);

/// One value of [`Metadata`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number, compared by its bits: NaN equals itself, 0.0 is not -0.0. JSON has no NaN and no
    /// infinity, so there these are the text of their bits.
    Float(#[serde(with = "super::float")] f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A time.
    Time(Timestamp),
    /// Values in order.
    List(Vec<Value>),
    /// Values under keys.
    Map(Metadata),
}

impl Metadata {
    /// How many levels lists and maps may nest; a plain value is one level.
    pub const MAX_DEPTH: usize = 16;

    /// Empty metadata.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same metadata with `value` under `key`, replacing any previous value.
    ///
    /// # Errors
    /// [`InvalidValue`] when the value nests deeper than [`Metadata::MAX_DEPTH`].
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Result<Self, InvalidValue> {
        self.insert(key, value)?;
        Ok(self)
    }

    /// Puts `value` under `key` and returns the previous value.
    ///
    /// # Errors
    /// [`InvalidValue`] when the value nests deeper than [`Metadata::MAX_DEPTH`].
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Result<Option<Value>, InvalidValue> {
        let (key, value) = (key.into(), value.into());
        check_depth(&key, &value)?;
        Ok(self.put(key.into(), value))
    }

    /// Removes and returns the value under `key`.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.place(key).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Metadata of these values, whose order and depth the caller has checked.
    pub(crate) fn of_checked(values: Vec<(MetadataKey, Value)>) -> Self {
        debug_assert!(values.is_sorted_by(|(one, _), (other, _)| one < other));
        debug_assert!(values.iter().all(|(key, value)| check_depth(key, value).is_ok()));
        Self(values)
    }

    /// Puts a value that cannot nest under `key`.
    pub(crate) fn note(&mut self, key: &'static str, value: impl Into<Scalar>) {
        self.put(key.into(), value.into().0);
    }

    fn put(&mut self, key: MetadataKey, value: Value) -> Option<Value> {
        let place = self.place(&key);
        if let Ok(place) = place
            && let Some((_, known)) = self.0.get_mut(place)
        {
            return Some(mem::replace(known, value));
        }
        let (Ok(place) | Err(place)) = place;
        self.0.insert(place, (key, value));
        None
    }

    /// The position of `key`, or where to insert it.
    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(key))
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(self.place(key).ok()?).map(|(_, value)| value)
    }

    /// Keys and values in key order.
    pub fn iter(&self) -> MetadataIter<'_> {
        MetadataIter(self.0.iter())
    }

    /// How many keys there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check_depth(key: &str, value: &Value) -> Result<(), InvalidValue> {
    if value.is_deeper_than(Metadata::MAX_DEPTH) {
        let problem = format!("{key:?} nests deeper than {} levels", Metadata::MAX_DEPTH);
        return Err(InvalidValue::new("metadata", problem));
    }
    Ok(())
}

impl Value {
    fn is_deeper_than(&self, levels: usize) -> bool {
        let Some(left) = levels.checked_sub(1) else {
            return true;
        };
        match self {
            Self::List(values) => values.iter().any(|value| value.is_deeper_than(left)),
            Self::Map(values) => values.iter().any(|(_, value)| value.is_deeper_than(left)),
            _ => false,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}
impl Eq for Metadata {}

/// A value that cannot nest, so that putting it into metadata cannot fail.
pub(crate) struct Scalar(Value);

macro_rules! scalar_from {
    ($($from:ty => $variant:ident($convert:expr)),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(($convert)(value))
            }
        }
        impl From<$from> for Scalar {
            fn from(value: $from) -> Self {
                Self(Value::from(value))
            }
        }
    )*};
}

scalar_from! {
    bool => Bool(|v| v),
    i64 => Integer(|v| v),
    i32 => Integer(i64::from),
    u32 => Integer(i64::from),
    f64 => Float(|v| v),
    &str => Text(str::to_owned),
    String => Text(|v| v),
    Vec<u8> => Bytes(|v| v),
    Timestamp => Time(|v| v),
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::List(values)
    }
}

impl From<Metadata> for Value {
    fn from(values: Metadata) -> Self {
        Self::Map(values)
    }
}

impl TryFrom<BTreeMap<String, Value>> for Metadata {
    type Error = InvalidValue;
    fn try_from(values: BTreeMap<String, Value>) -> Result<Self, InvalidValue> {
        values.iter().try_for_each(|(key, value)| check_depth(key, value))?;
        Ok(Self(values.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }
}

impl From<Metadata> for BTreeMap<String, Value> {
    fn from(metadata: Metadata) -> Self {
        metadata.0.into_iter().map(|(key, value)| (key.into_owned(), value)).collect()
    }
}

impl<'a> Iterator for MetadataIter<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (&**key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for MetadataIter<'_> {}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<'a> IntoIterator for &'a Metadata {
    type Item = (&'a str, &'a Value);
    type IntoIter = MetadataIter<'a>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Value {
        (1..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]))
    }

    #[test]
    fn an_integer_is_not_the_equal_float() {
        assert_ne!(Value::from(3_i64), Value::from(3.0));
        assert_eq!(Value::from(f64::NAN), Value::from(f64::NAN));
        assert_ne!(Value::from(0.0), Value::from(-0.0));
    }

    #[test]
    fn keys_stand_in_order_each_once() {
        let mut metadata = Metadata::new();
        for (number, key) in ["m", "b", "z", "", "b"].into_iter().enumerate() {
            let replaced = metadata.insert(key, i64::try_from(number).unwrap()).unwrap();
            assert_eq!(replaced, (number == 4).then_some(Value::Integer(1)));
        }
        let entries: Vec<_> = metadata.iter().map(|(key, value)| (key, value.clone())).collect();
        let expected = [("", 3), ("b", 4), ("m", 0), ("z", 2)].map(|(key, number)| (key, Value::Integer(number)));
        assert_eq!((entries, metadata.iter().len()), (expected.to_vec(), 4));
        assert_eq!(metadata.get("m"), Some(&Value::Integer(0)));
        assert_eq!(metadata.remove("m"), Some(Value::Integer(0)));
        assert_eq!((metadata.remove("m"), metadata.len()), (None, 3));
        assert_eq!(metadata.get("m"), None);
    }

    #[test]
    fn sixteen_levels_are_allowed_and_seventeen_are_not() {
        assert!(Metadata::new().with("deep", nested(16)).is_ok());
        assert!(Metadata::new().with("deep", nested(17)).is_err());
    }

    #[test]
    fn json_keeps_the_types_and_the_depth_limit() {
        let metadata = Metadata::new().with("count", 3_i64).unwrap().with("ratio", 3.0).unwrap();
        let json = serde_json::to_string(&metadata).unwrap();
        assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap(), metadata);
        let deep = BTreeMap::from([("deep".to_owned(), nested(17))]);
        assert!(serde_json::from_str::<Metadata>(&serde_json::to_string(&deep).unwrap()).is_err());
    }
}
