//! The content of the change itself.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::InvalidValue;
use crate::json::{Content, Node};

/// The change itself, as bytes of a named content type. Cloning shares the bytes.
///
/// Serialises as its content type and, for JSON, the content itself, if exactly these bytes can be made from it again;
/// as Base64 otherwise. [The page about JSON](crate::guide::json) says which content that is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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

/// Whether content of this type is JSON: `application/json`, `text/json` and every type that ends with `+json`.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(&*essence, "application/json" | "text/json") || essence.ends_with("+json")
}

/// The JSON form: the content either as JSON or as Base64.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    /// The content type.
    #[cfg_attr(feature = "schemars", schemars(length(min = 1, max = 256)))]
    content_type: String,
    /// The content, if its type is JSON. The bytes are compact JSON.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<AnyJson>"))]
    json: Option<Node>,
    /// The order of the keys in the bytes. Defaults to sorted keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    key_order: Vec<String>,
    /// The bytes in Base64, for any other content.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// So that the content `null` is content.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Node>, D::Error> {
    Node::deserialize(deserializer).map(Some)
}

impl From<&Payload> for Fields {
    fn from(payload: &Payload) -> Self {
        let content_type = payload.content_type.to_string();
        let content = if is_json(&content_type) { Content::of_bytes(&payload.bytes) } else { None };
        if let Some(Content { root, key_order }) = content {
            return Self { content_type, json: Some(root), key_order, base64: None };
        }
        Self { content_type, json: None, key_order: Vec::new(), base64: Some(STANDARD.encode(&payload.bytes)) }
    }
}

impl TryFrom<Fields> for Payload {
    type Error = InvalidValue;

    fn try_from(Fields { content_type, json, key_order, base64 }: Fields) -> Result<Self, InvalidValue> {
        let invalid = |problem| InvalidValue::new("payload", problem);
        let bytes = match (json, base64) {
            (Some(_), None) if !is_json(&content_type) => {
                let problem = format!("of type {content_type:?} is not JSON; give its bytes as base64");
                return Err(invalid(problem));
            }
            (Some(root), None) => Content::of_tree(root, key_order).map_err(invalid)?.to_bytes(),
            (None, Some(base64)) if key_order.is_empty() => {
                STANDARD.decode(base64).map_err(|error| invalid(format!("is no Base64: {error}")))?
            }
            _ => return Err(invalid("has one of json, with or without key_order, and base64".to_owned())),
        };
        Self::new(content_type, bytes)
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields::from(self).serialize(serializer)
    }
}

#[cfg(feature = "schemars")]
use schema::AnyJson;

#[cfg(feature = "schemars")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Fields, Payload};

    pub(super) struct AnyJson;

    impl JsonSchema for AnyJson {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "AnyJson".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            true.into()
        }
    }

    impl JsonSchema for Payload {
        fn schema_name() -> Cow<'static, str> {
            "Payload".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let mut schema = Fields::json_schema(generator);
            let alternatives = json_schema!({ "oneOf": [{ "required": ["json"] }, { "required": ["base64"] }] });
            if let Some(alternatives) = alternatives.get("oneOf") {
                schema.insert("oneOf".to_owned(), alternatives.clone());
            }
            schema
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(content_type: &str, bytes: &[u8]) -> serde_json::Value {
        let payload = Payload::new(content_type, bytes).unwrap();
        let json = serde_json::to_string(&payload).unwrap();
        assert_eq!(serde_json::from_str::<Payload>(&json).unwrap(), payload, "{json}");
        // A map that sorts its keys, as serde_json has it by default.
        let value = serde_json::to_value(&payload).unwrap();
        assert_eq!(serde_json::from_value::<Payload>(value.clone()).unwrap(), payload, "{value}");
        value
    }

    #[test]
    fn json_is_embedded_if_its_bytes_return() {
        let json = "application/json";
        assert_eq!(written(json, br#"{"a":1,"b":"x"}"#), json!({"content_type": json, "json": {"a": 1, "b": "x"}}));
        assert_eq!(
            written("application/merge-patch+json; charset=utf-8", br#"{"b":1,"a":[0.5]}"#),
            json!({
                "content_type": "application/merge-patch+json; charset=utf-8",
                "json": {"a": [0.5], "b": 1},
                "key_order": ["b", "a"]
            })
        );
        assert_eq!(written("Text/JSON", b"null"), json!({"content_type": "Text/JSON", "json": null}));
        assert_eq!(written(json, b"{ }"), json!({"content_type": json, "base64": "eyB9"}));
        assert_eq!(written(json, b"1.0"), json!({"content_type": json, "base64": "MS4w"}));
        assert_eq!(written("text/plain", b"{}"), json!({"content_type": "text/plain", "base64": "e30="}));
        assert_eq!(written("json", b""), json!({"content_type": "json", "base64": ""}));
    }

    #[test]
    fn a_payload_without_one_content_is_an_error() {
        let json = "application/json";
        for bad in [
            json!({"content_type": json}),
            json!({"content_type": json, "json": {}, "base64": "e30="}),
            json!({"content_type": json, "key_order": ["a"], "base64": "e30="}),
            json!({"content_type": json, "json": {"a": 1}, "key_order": ["b"]}),
            json!({"content_type": "text/plain", "json": "text"}),
            json!({"content_type": json, "base64": "?"}),
            json!({"content_type": " ", "base64": ""}),
            json!({"content_type": json, "json": 1e300}),
        ] {
            assert!(serde_json::from_value::<Payload>(bad.clone()).is_err(), "{bad}");
        }
    }
}

#[cfg(all(test, feature = "json"))]
mod of_values {
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
