//! The digest that binds a cursor to its query.

use std::collections::BTreeSet;
use std::fmt;

use sha2::Digest as _;

use crate::request::{Digest, Metadata, Value};

/// Eight bytes that identify a query, the same on every machine and in every later version.
///
/// Every part follows its length, so two queries with different parts never give the same input.
pub(crate) struct QueryDigest(sha2::Sha256);

impl QueryDigest {
    /// The digest of a query of this read: the same filters over another kind of row are another query.
    pub(crate) fn of(read: &str) -> Self {
        let mut digest = Self(sha2::Sha256::new());
        digest.bytes(b"mutator-governance query 1");
        digest.bytes(read.as_bytes());
        digest
    }

    /// 16 bytes that identify a metadata value, in hexadecimal.
    pub(crate) fn of_value(value: &Value) -> String {
        let mut digest = Self::of("value");
        digest.value(value);
        digest.into_text()
    }

    /// 16 bytes that identify a text, in hexadecimal.
    pub(crate) fn of_text(text: &str) -> String {
        let mut digest = Self::of("text");
        digest.bytes(text.as_bytes());
        digest.into_text()
    }

    fn into_text(self) -> String {
        let mut text = Digest::from_bytes(self.0.finalize().into()).to_string();
        text.truncate(32);
        text
    }

    pub(crate) fn finish(self) -> [u8; 8] {
        let mut first = [0; 8];
        first.iter_mut().zip(self.0.finalize()).for_each(|(to, from)| *to = from);
        first
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.bytes(name.as_bytes());
        self.bytes(text.as_bytes());
    }

    pub(crate) fn set<T: fmt::Display>(&mut self, name: &str, set: &BTreeSet<T>) {
        self.bytes(name.as_bytes());
        self.count(set.len());
        for item in set {
            self.bytes(item.to_string().as_bytes());
        }
    }

    pub(crate) fn range<T: fmt::Display>(&mut self, name: &str, ends: [Option<T>; 2]) {
        self.bytes(name.as_bytes());
        for end in ends {
            self.bytes(&[u8::from(end.is_some())]);
            if let Some(end) = end {
                self.bytes(end.to_string().as_bytes());
            }
        }
    }

    pub(crate) fn metadata(&mut self, name: &str, metadata: &Metadata) {
        self.bytes(name.as_bytes());
        self.count(metadata.len());
        for (key, value) in metadata {
            self.bytes(key.as_bytes());
            self.value(value);
        }
    }

    /// The type is part of the digest: integer 3 is not float 3.0.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes(b"null"),
            Value::Bool(value) => self.text("bool", if *value { "true" } else { "false" }),
            Value::Integer(value) => self.text("integer", &value.to_string()),
            Value::Float(value) => self.text("float", &value.to_bits().to_string()),
            Value::Text(value) => self.text("text", value),
            Value::Bytes(value) => {
                self.bytes(b"bytes");
                self.bytes(value);
            }
            Value::Time(value) => self.text("time", &value.as_micros().to_string()),
            Value::List(values) => {
                self.bytes(b"list");
                self.count(values.len());
                for value in values {
                    self.value(value);
                }
            }
            Value::Map(values) => {
                self.bytes(b"map");
                self.count(values.len());
                for (key, value) in values {
                    self.bytes(key.as_bytes());
                    self.value(value);
                }
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }
}
