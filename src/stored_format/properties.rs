//! Properties of any document and any bytes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::document;
use super::golden::holds;
use super::{Compression, DocumentLimit, FormatVersion, decode, encode, encode_as, encode_compressed, envelope};
use crate::request::{MutationRequest, RequestDocument, Revision, WriteId};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_document_survives_every_version_and_has_one_form_in_each(document in document()) {
        for version in FormatVersion::all().filter(|version| holds(*version, &document)) {
            let bytes = encode_as(&document, version, DocumentLimit::DEFAULT).unwrap();
            let read = decode(&bytes, DocumentLimit::DEFAULT).unwrap();
            prop_assert_eq!(&read, &document);
            let again = encode_as(&read, version, DocumentLimit::DEFAULT).unwrap();
            prop_assert_eq!(again, bytes);
            let compressed =
                encode_compressed(&document, version, Compression::of_payloads_from(0), DocumentLimit::DEFAULT).unwrap();
            prop_assert_eq!(&decode(&compressed, DocumentLimit::DEFAULT).unwrap(), &document);
        }
    }

    #[test]
    fn any_document_returns_from_json(document in document()) {
        let json = serde_json::to_string(&document).unwrap();
        let read: RequestDocument = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &document);
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), json);
        // A tree that sorts the keys of all objects.
        let tree = serde_json::to_value(&document).unwrap();
        prop_assert_eq!(&serde_json::from_value::<RequestDocument>(tree.clone()).unwrap(), &document);
        if let Ok(request) = MutationRequest::from_document(document, Revision::first(WriteId::from_bytes([7; 16]))) {
            let json = serde_json::to_string(&request).unwrap();
            let read: MutationRequest = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read.digest(), request.digest());
            prop_assert_eq!(read, request);
        }
    }

    #[test]
    fn what_is_written_within_a_limit_is_read_within_it(document in document(), short in 0..400_usize) {
        for version in FormatVersion::all() {
            let limit = DocumentLimit::of_bytes(short * 16);
            if let Ok(bytes) = encode_as(&document, version, limit) {
                prop_assert_eq!(&decode(&bytes, limit).unwrap(), &document);
            }
        }
    }

    #[test]
    fn any_bytes_at_all_are_rejected_with_an_error(bytes in vec(any::<u8>(), 0..64), version in 0..4_u16) {
        let _ = decode(&bytes, DocumentLimit::DEFAULT).unwrap_err();
        let mut sealed = envelope::begin(0);
        sealed.extend_from_slice(&bytes);
        let sealed = envelope::seal(sealed, version, DocumentLimit::DEFAULT).unwrap();
        if let Ok(document) = decode(&sealed, DocumentLimit::DEFAULT) {
            // Not impossible, only very unlikely: then it must be a document that can be written.
            prop_assert!(encode(&document, DocumentLimit::DEFAULT).is_ok());
        }
    }
}
