//! The JSON form of metadata values: plain where JSON keeps value and type, else an object with one key that begins
//! with `$`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::{Metadata, Timestamp, Value};
use crate::json::{Number, number_text, parse_text, plain_integer};

const INTEGER: &str = "$integer";
const FLOAT: &str = "$float";
const BYTES: &str = "$bytes";
const TIME: &str = "$time";
const MAP: &str = "$map";

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(integer) if plain_integer(*integer) => serializer.serialize_i64(*integer),
            Self::Integer(integer) => tagged(serializer, INTEGER, &integer.to_string()),
            Self::Float(float) if Number::of_decimal(*float).is_some() => serializer.serialize_f64(*float),
            Self::Float(float) => tagged(serializer, FLOAT, &float_text(*float)),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => tagged(serializer, BYTES, &STANDARD.encode(bytes)),
            Self::Time(time) => tagged(serializer, TIME, time),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(values) if values.iter().any(|(key, _)| key.starts_with('$')) => tagged(serializer, MAP, values),
            Self::Map(values) => values.serialize(serializer),
        }
    }
}

fn tagged<S: Serializer>(serializer: S, tag: &'static str, content: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, content)?;
    map.end()
}

/// The shortest text that leads back to the same bits; for NaN, all of which have one text otherwise, the bits.
fn float_text(float: f64) -> String {
    if float.is_nan() { format!("{:#018x}", float.to_bits()) } else { format!("{float:?}") }
}

fn parse_float(text: &str) -> Option<f64> {
    let Some(bits) = text.strip_prefix("0x") else { return text.parse().ok() };
    u64::from_str_radix(bits, 16).ok().map(f64::from_bits)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a metadata value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Value, E> {
        Ok(Value::Integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Value, E> {
        let integer = i64::try_from(integer);
        integer.map(Value::Integer).map_err(|_| E::custom("an integer of metadata has at most 63 bits and a sign"))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        float(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.starts_with('$') && values.is_empty() {
                return tagged_value(&key, map);
            }
            if key.starts_with('$') {
                return Err(A::Error::custom(format_args!("{key} does not stand alone; put the map into {MAP}")));
            }
            insert(&mut values, key, map.next_value()?)?;
        }
        Metadata::try_from(values).map(Value::Map).map_err(A::Error::custom)
    }
}

/// Into a tree, as metadata moves all greater keys for each: that would be slow for many that come in no order.
fn insert<E: Error>(values: &mut BTreeMap<String, Value>, key: String, value: Value) -> Result<(), E> {
    match values.entry(key) {
        Entry::Occupied(entry) => Err(E::custom(format_args!("the key {:?} occurs twice", entry.key()))),
        Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
    }
}

/// A plain number that is no integer of 64 bits. Readers also give greater integers so, rounded: these are errors.
fn float<E: Error>(number: f64) -> Result<Value, E> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if number.abs() >= TWO_TO_63 {
        let problem = "a plain number of metadata lies between -2^63 and 2^63";
        return Err(E::custom(format_args!("{problem}; write a greater one as {{\"{FLOAT}\": \"{number:?}\"}}")));
    }
    Ok(Value::Float(number))
}

fn tagged_value<'de, A: MapAccess<'de>>(tag: &str, mut map: A) -> Result<Value, A::Error> {
    let value = match tag {
        INTEGER => Value::Integer(parsed(&mut map)?),
        FLOAT => {
            let text = map.next_value::<String>()?;
            Value::Float(parse_float(&text).ok_or_else(|| A::Error::custom(format_args!("{text:?} is no float")))?)
        }
        BYTES => {
            let bytes = STANDARD.decode(map.next_value::<String>()?);
            Value::Bytes(bytes.map_err(|error| A::Error::custom(format_args!("{BYTES} is no Base64: {error}")))?)
        }
        TIME => Value::Time(map.next_value::<Timestamp>()?),
        MAP => Value::Map(map.next_value()?),
        _ if number_text(tag) => return number(&map.next_value::<String>()?),
        _ => return Err(A::Error::custom(format_args!("{tag} is no type of metadata that this release knows"))),
    };
    match map.next_key::<String>()? {
        Some(other) => Err(A::Error::custom(format_args!("{tag} stands alone, without {other}"))),
        None => Ok(value),
    }
}

fn parsed<'de, A: MapAccess<'de>, T: FromStr<Err: fmt::Display>>(map: &mut A) -> Result<T, A::Error> {
    struct Parsed<T>(T);
    impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            parse_text(deserializer).map(Self)
        }
    }
    map.next_value::<Parsed<T>>().map(|Parsed(value)| value)
}

/// A number as `serde_json` gives it with `arbitrary_precision`.
fn number<E: Error>(text: &str) -> Result<Value, E> {
    match text.parse() {
        Ok(integer) => Ok(Value::Integer(integer)),
        Err(_) => text.parse().map_err(E::custom).and_then(float),
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of metadata values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            insert(&mut values, key, map.next_value()?)?;
        }
        Metadata::try_from(values).map_err(A::Error::custom)
    }
}

#[cfg(feature = "schemars")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{BYTES, FLOAT, INTEGER, MAP, Metadata, TIME, Timestamp, Value};

    fn tagged(tag: &str, content: &Schema) -> Schema {
        json_schema!({
            "type": "object", "properties": { tag: content }, "required": [tag], "additionalProperties": false
        })
    }

    impl JsonSchema for Value {
        fn schema_name() -> Cow<'static, str> {
            "Value".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let text = json_schema!({ "type": "string" });
            let base64 = json_schema!({ "type": "string", "contentEncoding": "base64" });
            json_schema!({
                "description": "One value of metadata: plain, or an object with one key that says the type.",
                "anyOf": [
                    { "type": ["null", "boolean", "string"] },
                    {
                        "type": "number",
                        "minimum": -9_223_372_036_854_775_808.0,
                        "exclusiveMaximum": 9_223_372_036_854_775_808.0
                    },
                    { "type": "array", "items": generator.subschema_for::<Self>() },
                    tagged(INTEGER, &text),
                    tagged(FLOAT, &text),
                    tagged(BYTES, &base64),
                    tagged(TIME, &generator.subschema_for::<Timestamp>()),
                    tagged(MAP, &generator.subschema_for::<Metadata>()),
                    {
                        "type": "object",
                        "propertyNames": { "pattern": "^([^$]|$)" },
                        "additionalProperties": generator.subschema_for::<Self>()
                    }
                ]
            })
        }
    }

    impl JsonSchema for Metadata {
        fn schema_name() -> Cow<'static, str> {
            "Metadata".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<Value>() })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(value: &Value) -> serde_json::Value {
        let json = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<Value>(&json).unwrap(), value, "{json}");
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn plain_where_json_keeps_the_type_and_tagged_elsewhere() {
        let map = |key: &str| Value::Map(Metadata::new().with(key, 1).unwrap());
        for (value, expected) in [
            (Value::Null, json!(null)),
            (Value::Bool(true), json!(true)),
            (Value::Integer(3), json!(3)),
            (Value::Integer(i64::MIN), json!({"$integer": "-9223372036854775808"})),
            (Value::Float(2.5), json!(2.5)),
            (Value::Float(3.0), json!({"$float": "3.0"})),
            (Value::Float(-0.0), json!({"$float": "-0.0"})),
            (Value::Float(1e300), json!({"$float": "1e300"})),
            (Value::Float(f64::NEG_INFINITY), json!({"$float": "-inf"})),
            (Value::Float(f64::from_bits(0xfff0_0000_0000_0001)), json!({"$float": "0xfff0000000000001"})),
            (Value::Text("$time".to_owned()), json!("$time")),
            (Value::Bytes(vec![0, 255]), json!({"$bytes": "AP8="})),
            (Value::Time(Timestamp::MIN), json!({"$time": "1970-01-01T00:00:00.000000Z"})),
            (Value::List(vec![Value::Null, map("a")]), json!([null, {"a": 1}])),
            (map(""), json!({"": 1})),
            (map("$time"), json!({"$map": {"$time": 1}})),
            (Value::Map(Metadata::new()), json!({})),
        ] {
            assert_eq!(written(&value), expected);
        }
        let top = Metadata::new().with("$bytes", 1).unwrap();
        assert_eq!(serde_json::to_value(&top).unwrap(), json!({"$bytes": 1}), "the top is never a value");
    }

    #[test]
    fn what_is_no_value_is_an_error() {
        for bad in [
            r#"{"$float":"0xno"}"#,
            r#"{"$float":1.5}"#,
            r#"{"$integer":"1.5"}"#,
            r#"{"$bytes":"?"}"#,
            r#"{"$time":"yesterday"}"#,
            r#"{"$later":1}"#,
            r#"{"$time":"1970-01-01T00:00:00Z","a":1}"#,
            r#"{"a":1,"$time":"1970-01-01T00:00:00Z"}"#,
            r#"{"a":1,"a":2}"#,
            "9223372036854775808",
            "18446744073709551616",
            "-9223372036854775809",
            "1e300",
            r#"{"$serde_json::private::Number":"18446744073709551616"}"#,
            r#"{"$serde_json::private::Number":"1e400"}"#,
        ] {
            assert!(serde_json::from_str::<Value>(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Metadata>(r#"{"a":1,"a":2}"#).is_err());
    }

    #[test]
    fn many_keys_in_any_order_are_read_in_no_time() {
        let fields: Vec<String> = (0..300_000).rev().map(|key| format!("\"{key:06}\":1")).collect();
        let (json, begin) = (format!("{{{}}}", fields.join(",")), std::time::Instant::now());
        assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap().len(), 300_000);
        assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_number_of_arbitrary_precision_is_a_number() {
        for (text, value) in [("3", Value::Integer(3)), ("2.5", Value::Float(2.5)), ("3.0", Value::Float(3.0))] {
            let json = json!({"$serde_json::private::Number": text});
            assert_eq!(serde_json::from_value::<Value>(json).unwrap(), value);
        }
    }
}
