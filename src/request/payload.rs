//! The content of the change itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;

/// The change itself, as bytes of a named content type. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Payload {
    content_type: Box<str>,
    bytes: Arc<[u8]>,
}

impl Payload {
    /// Bytes of this content type, for example `application/json`.
    ///
    /// # Errors
    /// [`InvalidValue`] when the content type is blank or longer than 256 bytes.
    pub fn new(content_type: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Result<Self, InvalidValue> {
        let content_type = content_type.into();
        if content_type.trim().is_empty() || content_type.len() > 256 {
            return Err(InvalidValue::new("content type", "must have 1 to 256 bytes and not be blank"));
        }
        Ok(Self { content_type: content_type.into_boxed_str(), bytes: bytes.into() })
    }

    /// What kind of content the bytes are.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[derive(Deserialize)]
struct Fields {
    content_type: String,
    bytes: Vec<u8>,
}

impl TryFrom<Fields> for Payload {
    type Error = InvalidValue;
    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        Self::new(fields.content_type, fields.bytes)
    }
}
