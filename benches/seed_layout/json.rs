//! Documents as the seed's layout stores and reads them.

use mutator_governance::RequestDocument;

/// A document as that layout stores it.
pub(crate) fn json(request: &RequestDocument) -> Vec<u8> {
    serde_json::to_vec(request).unwrap()
}

/// A document as that layout reads it.
pub(crate) fn parse(json: &[u8]) -> RequestDocument {
    serde_json::from_slice(json).unwrap()
}
