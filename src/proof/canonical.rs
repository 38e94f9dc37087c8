//! Canonical bytes of what is hashed: fields with a number and a length, absent ones left out.

use crate::request::{Metadata, Timestamp, Value};

/// Bytes that begin with four that say what they are of, so that no two things hash alike. A field is its number, its
/// length in four bytes, and its bytes; numbers are big-endian. A later release adds fields at the end, and so changes
/// no hash of what does not use them.
pub(super) struct Canonical(Vec<u8>);

impl Canonical {
    pub(super) fn of(domain: [u8; 4]) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(&domain);
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn is_empty(&self, domain: [u8; 4]) -> bool {
        self.0.len() == domain.len()
    }

    pub(super) fn field(&mut self, number: u8, bytes: &[u8]) {
        self.0.push(number);
        self.counted(bytes);
    }

    pub(super) fn text(&mut self, number: u8, text: Option<&str>) {
        if let Some(text) = text {
            self.field(number, text.as_bytes());
        }
    }

    pub(super) fn number(&mut self, number: u8, value: u64) {
        self.field(number, &value.to_be_bytes());
    }

    pub(super) fn time(&mut self, number: u8, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.number(number, time.as_micros());
        }
    }

    /// Texts in their order, each after its length; left out if there is none.
    pub(super) fn texts<T: AsRef<str>>(&mut self, number: u8, texts: impl IntoIterator<Item = T>) {
        self.nested(number, |bytes| {
            for text in texts {
                bytes.counted(text.as_ref().as_bytes());
            }
        });
    }

    /// Metadata without the keys that `is_left_out`; left out if nothing remains.
    pub(super) fn metadata(&mut self, number: u8, metadata: &Metadata, is_left_out: impl Fn(&str) -> bool) {
        if metadata.is_empty() {
            return;
        }
        self.nested(number, |bytes| {
            for (key, value) in metadata.iter().filter(|(key, _)| !is_left_out(key)) {
                bytes.counted(key.as_bytes());
                bytes.value(value);
            }
        });
    }

    fn nested(&mut self, number: u8, write: impl FnOnce(&mut Self)) {
        let before = self.0.len();
        self.0.push(number);
        self.0.extend_from_slice(&[0; 4]);
        let begin = self.0.len();
        write(self);
        let length = length(self.0.len() - begin);
        if length == [0; 4] {
            return self.0.truncate(before);
        }
        if let Some(place) = self.0.get_mut(before + 1..begin) {
            place.copy_from_slice(&length);
        }
    }

    fn counted(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&length(bytes.len()));
        self.0.extend_from_slice(bytes);
    }

    /// Recurses at most as deep as metadata can be built. The numbers are those of the stored format.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(0),
            Value::Bool(false) => self.0.push(1),
            Value::Bool(true) => self.0.push(2),
            Value::Integer(number) => self.kind_and(3, &number.to_be_bytes()),
            Value::Float(number) => self.kind_and(4, &number.to_bits().to_be_bytes()),
            Value::Text(text) => {
                self.0.push(5);
                self.counted(text.as_bytes());
            }
            Value::Bytes(bytes) => {
                self.0.push(6);
                self.counted(bytes);
            }
            Value::Time(time) => self.kind_and(7, &time.as_micros().to_be_bytes()),
            Value::List(values) => {
                self.kind_and(8, &length(values.len()));
                for value in values {
                    self.value(value);
                }
            }
            Value::Map(entries) => {
                self.kind_and(9, &length(entries.len()));
                for (key, value) in entries {
                    self.counted(key.as_bytes());
                    self.value(value);
                }
            }
        }
    }

    fn kind_and(&mut self, kind: u8, bytes: &[u8]) {
        self.0.push(kind);
        self.0.extend_from_slice(bytes);
    }
}

/// Nothing in a document is longer than four bytes can count.
fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(write: impl FnOnce(&mut Canonical)) -> Vec<u8> {
        let mut canonical = Canonical::of(*b"test");
        write(&mut canonical);
        canonical.0
    }

    #[test]
    fn a_field_is_its_number_its_length_and_its_bytes() {
        assert_eq!(bytes(|it| it.text(7, Some("ab"))), b"test\x07\0\0\0\x02ab");
        assert_eq!(bytes(|it| it.text(7, Some(""))), b"test\x07\0\0\0\0");
        assert_eq!(bytes(|it| it.texts(1, ["a", "bc"])), b"test\x01\0\0\0\x0b\0\0\0\x01a\0\0\0\x02bc");
        let noted = Metadata::new().with("k", -1_i64).unwrap();
        let expected = b"test\x02\0\0\0\x0e\0\0\0\x01k\x03\xff\xff\xff\xff\xff\xff\xff\xff";
        assert_eq!(bytes(|it| it.metadata(2, &noted, |_| false)), expected);
    }

    #[test]
    fn what_is_absent_takes_no_byte() {
        let noted = Metadata::new().with("k", -1_i64).unwrap();
        let nothing = bytes(|it| {
            it.text(1, None);
            it.time(2, None);
            it.texts(3, Vec::<&str>::new());
            it.metadata(4, &Metadata::new(), |_| false);
            it.metadata(5, &noted, |key| key == "k");
        });
        assert_eq!(nothing, b"test");
    }

    #[test]
    fn different_values_are_different_bytes() {
        let values = [
            Value::Null,
            Value::Bool(false),
            Value::Bool(true),
            Value::Integer(0),
            Value::Float(0.0),
            Value::Float(-0.0),
            Value::Time(Timestamp::MIN),
            Value::Text(String::new()),
            Value::Bytes(Vec::new()),
            Value::List(Vec::new()),
            Value::List(vec![Value::Null]),
            Value::List(vec![Value::List(vec![Value::Null])]),
            Value::List(vec![Value::List(Vec::new()), Value::Null]),
            Value::Map(Metadata::new()),
            Value::Map(Metadata::new().with("", Value::Null).unwrap()),
        ];
        let all: std::collections::BTreeSet<Vec<u8>> = values.iter().map(|value| bytes(|it| it.value(value))).collect();
        assert_eq!(all.len(), values.len());
    }
}
