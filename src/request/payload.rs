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

    /// The value as JSON, of content type `application/json`.
    ///
    /// ```
    /// use mutator_governance::Payload;
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let payload = Payload::json(&("grant", 3))?;
    /// assert_eq!((payload.content_type(), payload.bytes()), ("application/json", &br#"["grant",3]"#[..]));
    /// assert_eq!(payload.read_json::<(String, u32)>()?, ("grant".to_owned(), 3));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] when the value cannot be written as JSON, for instance a map whose keys are not text.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Self, InvalidValue> {
        let written = serde_json::to_vec(value);
        let bytes =
            written.map_err(|error| InvalidValue::new("payload", format!("cannot be written as JSON: {error}")))?;
        Self::new("application/json", bytes)
    }

    /// The value that the bytes hold as JSON, whatever the content type.
    ///
    /// # Errors
    /// [`InvalidValue`] when the bytes are not JSON, or not of this type.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn read_json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, InvalidValue> {
        let read = serde_json::from_slice(&self.bytes);
        read.map_err(|error| InvalidValue::new("payload", format!("cannot be read as JSON of this type: {error}")))
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

#[cfg(all(test, feature = "json"))]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_no_json_is_an_error_that_says_so() {
        let unwritable = Payload::json(&BTreeMap::from([((1, 2), 3)])).unwrap_err();
        assert!(unwritable.to_string().starts_with("payload cannot be written as JSON: "), "{unwritable}");
        let payload = Payload::json(&BTreeMap::from([("role", "admin")])).unwrap();
        assert_eq!(payload.bytes(), br#"{"role":"admin"}"#);
        assert_eq!(payload.read_json::<BTreeMap<&str, &str>>().unwrap()["role"], "admin");
        for other in [payload, Payload::new("text/plain", b"{".to_vec()).unwrap()] {
            let unreadable = other.read_json::<Vec<u8>>().unwrap_err();
            assert!(unreadable.to_string().contains("cannot be read as JSON of this type: "), "{unreadable}");
        }
    }
}
