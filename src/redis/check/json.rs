//! The JSON form of parts of checks.

use serde::{Serialize, Serializer};

use crate::request::MutationRequest;
use crate::stored_format::FormatError;

/// A cursor of SCAN, which may use all of its 64 bits, as text.
pub(super) mod cursor_text {
    use std::fmt::Display;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(in crate::redis::check) trait Cursor: Sized {
        fn number(&self) -> Option<u64>;
        fn of(number: Option<u64>) -> Option<Self>;
    }

    impl Cursor for u64 {
        fn number(&self) -> Option<u64> {
            Some(*self)
        }

        fn of(number: Option<u64>) -> Option<Self> {
            number
        }
    }

    impl Cursor for Option<u64> {
        fn number(&self) -> Option<u64> {
            *self
        }

        fn of(number: Option<u64>) -> Option<Self> {
            Some(number)
        }
    }

    pub(in crate::redis::check) fn serialize<C: Cursor, S: Serializer>(
        cursor: &C,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        cursor.number().map(|number| number.to_string()).serialize(serializer)
    }

    pub(in crate::redis::check) fn deserialize<'de, C: Cursor, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<C, D::Error> {
        let invalid = |problem: &dyn Display| de::Error::custom(format_args!("a cursor of SCAN: {problem}"));
        let text = Option::<String>::deserialize(deserializer)?;
        let number = text.map(|text| text.parse()).transpose().map_err(|error| invalid(&error))?;
        C::of(number).ok_or_else(|| invalid(&"is missing"))
    }
}

/// A member of an index, which need not be text, as Base64.
pub(super) mod member_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(in crate::redis::check) fn serialize<S: Serializer>(member: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(member))
    }

    pub(in crate::redis::check) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(|error| de::Error::custom(format_args!("a member is no Base64: {error}")))
    }
}

/// A request, or why it cannot be read, as it serialises.
#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub(super) struct Readable<'a> {
    /// The request, if it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a MutationRequest>,
    /// Why it cannot be read, otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

pub(super) fn readable<S: Serializer>(
    request: &Result<MutationRequest, FormatError>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let unreadable = request.as_ref().err().map(ToString::to_string);
    Readable { request: request.as_ref().ok(), unreadable }.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{CheckPosition, Inspection, Phase};
    use crate::request::{Revision, WriteId};
    use crate::stored_format::FormatError;

    #[test]
    fn an_inspection_has_the_request_or_why_it_cannot_be_read() {
        let write_id = WriteId::from_bytes([7; 16]);
        let inspection = Inspection {
            key: "{billing:0}:r:r-1".to_owned(),
            revision: Revision { number: 2, write_id },
            write_ids: vec![write_id],
            current_indexes: Vec::new(),
            record_bytes: 700,
            document_bytes: 600,
            request: Err(FormatError::DamagedHeader),
        };
        let expected = json!({
            "key": "{billing:0}:r:r-1",
            "revision": { "number": 2, "write_id": "07070707070707070707070707070707" },
            "write_ids": ["07070707070707070707070707070707"],
            "record_bytes": 700,
            "document_bytes": 600,
            "unreadable": FormatError::DamagedHeader.to_string()
        });
        assert_eq!(serde_json::to_value(&inspection).unwrap(), expected);
    }

    #[test]
    fn a_position_returns_with_all_bits_of_its_cursor() {
        let position = |phase| CheckPosition(phase);
        let (keys, after) = (vec!["status".to_owned()], vec![0, 255]);
        for position in [
            position(Phase::Records { cursor: u64::MAX, nodes: None }),
            position(Phase::all_indexes()),
            position(Phase::Indexes { cursor: None, nodes: None, keys, after }),
        ] {
            let json = serde_json::to_value(&position).unwrap();
            assert_eq!(serde_json::from_value::<CheckPosition>(json).unwrap(), position);
        }
        let json = r#"{"phase":"Records","cursor":"18446744073709551615"}"#;
        assert_eq!(
            serde_json::to_string(&CheckPosition(Phase::Records { cursor: u64::MAX, nodes: None })).unwrap(),
            json
        );
        for bad in [r#"{"phase":"Records"}"#, r#"{"phase":"Records","cursor":"-1"}"#, r#"{"phase":"Later"}"#] {
            assert!(serde_json::from_str::<CheckPosition>(bad).is_err(), "{bad}");
        }
    }
}
