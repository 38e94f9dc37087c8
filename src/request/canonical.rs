//! Canonical bytes of plain values, for fingerprints.

use std::fmt;

use serde::ser::{self, Serialize};

/// The bytes of a value: equal values give equal bytes and different values different ones. Each part is preceded by
/// its kind and its length.
///
/// Empty fields (no value, an empty list, set or map) are left out, so that a field added in a later release changes no
/// fingerprint of a value that does not use it. Fields and variants go by name, maps and sets by their order.
pub(crate) fn canonical_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut writer = Canonical(Vec::with_capacity(512));
    match value.serialize(&mut writer) {
        Ok(()) => writer.0,
        // Only a type whose own serialisation fails gets here; none of ours does. The error text stands for it.
        Err(Unserialisable(problem)) => problem.into_bytes(),
    }
}

const NOTHING: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;
const LIST: u8 = 4;
const VARIANT: u8 = 5;
const END: u8 = 6;
const BYTE: u8 = 7;
const MAP: u8 = 8;

struct Canonical(Vec<u8>);

#[derive(Debug)]
struct Unserialisable(String);

impl fmt::Display for Unserialisable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unserialisable {}

impl ser::Error for Unserialisable {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self(problem.to_string())
    }
}

impl Canonical {
    /// 16 bytes for every type, so that widening an integer changes nothing.
    fn number(&mut self, number: i128) {
        self.0.push(NUMBER);
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn part(&mut self, kind: u8, bytes: &[u8]) {
        self.0.push(kind);
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Unserialisable> {
        let before = self.0.len();
        self.part(TEXT, name.as_bytes());
        let at = self.0.len();
        value.serialize(&mut *self)?;
        if matches!(self.0.get(at..), Some([NOTHING] | [LIST | MAP, END])) {
            self.0.truncate(before);
        }
        Ok(())
    }
}

macro_rules! numbers {
    ($($name:ident: $number:ty,)*) => {
        $(fn $name(self, number: $number) -> Result<(), Unserialisable> {
            self.number(number.into());
            Ok(())
        })*
    };
}

impl<'a> ser::Serializer for &'a mut Canonical {
    type Ok = ();
    type Error = Unserialisable;
    type SerializeSeq = &'a mut Canonical;
    type SerializeTuple = &'a mut Canonical;
    type SerializeTupleStruct = &'a mut Canonical;
    type SerializeTupleVariant = &'a mut Canonical;
    type SerializeMap = &'a mut Canonical;
    type SerializeStruct = &'a mut Canonical;
    type SerializeStructVariant = &'a mut Canonical;

    numbers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unserialisable> {
        self.part(VARIANT, if value { b"true" } else { b"false" });
        Ok(())
    }

    /// Short, since bytes arrive as a list of these.
    fn serialize_u8(self, byte: u8) -> Result<(), Unserialisable> {
        self.0.extend_from_slice(&[BYTE, byte]);
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Result<(), Unserialisable> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Unserialisable> {
        self.part(BYTES, &number.to_bits().to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, character: char) -> Result<(), Unserialisable> {
        self.serialize_str(character.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Unserialisable> {
        self.part(TEXT, text.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Unserialisable> {
        self.part(BYTES, bytes);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unserialisable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unserialisable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unserialisable> {
        self.0.push(NOTHING);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Unserialisable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unserialisable> {
        self.part(VARIANT, variant.as_bytes());
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Unserialisable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unserialisable> {
        self.part(VARIANT, variant.as_bytes());
        value.serialize(self)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Self, Unserialisable> {
        self.0.push(LIST);
        Ok(self)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self, Unserialisable> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self, Unserialisable> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Self, Unserialisable> {
        self.part(VARIANT, variant.as_bytes());
        self.serialize_seq(None)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Self, Unserialisable> {
        self.0.push(MAP);
        Ok(self)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, Unserialisable> {
        self.serialize_seq(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Self, Unserialisable> {
        self.part(VARIANT, variant.as_bytes());
        self.serialize_seq(None)
    }
}

macro_rules! lists {
    ($($list:ident::$add:ident,)*) => {
        $(impl ser::$list for &mut Canonical {
            type Ok = ();
            type Error = Unserialisable;
            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unserialisable> {
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Unserialisable> {
                self.0.push(END);
                Ok(())
            }
        })*
    };
}

lists! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

impl ser::SerializeMap for &mut Canonical {
    type Ok = ();
    type Error = Unserialisable;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unserialisable> {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unserialisable> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Unserialisable> {
        self.0.push(END);
        Ok(())
    }
}

macro_rules! structs {
    ($($kind:ident,)*) => {
        $(impl ser::$kind for &mut Canonical {
            type Ok = ();
            type Error = Unserialisable;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unserialisable> {
                self.field(name, value)
            }
            fn end(self) -> Result<(), Unserialisable> {
                self.0.push(END);
                Ok(())
            }
        })*
    };
}

structs! {
    SerializeStruct,
    SerializeStructVariant,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Serialize;

    use super::canonical_bytes;
    use crate::request::{Metadata, Value};

    #[derive(Serialize)]
    struct Older {
        name: &'static str,
    }

    #[derive(Serialize)]
    struct Newer {
        name: &'static str,
        note: Option<&'static str>,
        tags: Vec<&'static str>,
    }

    #[test]
    fn a_field_that_holds_nothing_changes_nothing() {
        let older = canonical_bytes(&Older { name: "a" });
        let newer = |note, tags| canonical_bytes(&Newer { name: "a", note, tags });
        assert_eq!(newer(None, vec![]), older);
        assert_ne!(newer(Some(""), vec![]), older);
        assert_ne!(newer(None, vec![""]), older);
    }

    #[test]
    fn different_values_are_different_bytes() {
        let noted = |value: Value| Metadata::new().with("key", value).unwrap();
        let values = [
            noted(Value::Null),
            noted(Value::Bool(true)),
            noted(Value::Integer(1)),
            noted(Value::Integer(-1)),
            noted(Value::Float(1.0)),
            noted(Value::Float(-0.0)),
            noted(Value::Float(0.0)),
            noted(Value::Text("1".to_owned())),
            noted(Value::Bytes(b"1".to_vec())),
            noted(Value::List(vec![])),
            noted(Value::List(vec![Value::Null])),
            noted(Value::List(vec![Value::List(vec![]), Value::Null])),
            noted(Value::List(vec![Value::List(vec![Value::Null])])),
            noted(Value::Map(Metadata::new())),
            noted(Value::Map(noted(Value::Null))),
            Metadata::new(),
            Metadata::new().with("other", Value::Null).unwrap(),
        ];
        let bytes: BTreeSet<Vec<u8>> = values.iter().map(canonical_bytes).collect();
        assert_eq!(bytes.len(), values.len());
        assert_ne!(canonical_bytes(&("ab", "c")), canonical_bytes(&("a", "bc")));
        assert_ne!(
            canonical_bytes(&(vec!["a"], Vec::<&str>::new())),
            canonical_bytes(&(Vec::<&str>::new(), vec!["a"]))
        );
    }
}
