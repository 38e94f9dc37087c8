//! Unique keys that are none.
#![cfg(feature = "blocking")]

use std::sync::Arc;

use common::requests::draft;
use mutator_governance::blocking::{Governance, MemoryStore};
use mutator_governance::{RequestDraft, RequestQuery, UniqueKey};

/// Each is an error that names what is wrong, wherever the key comes from, and nothing is stored.
#[test]
fn a_key_that_is_blank_or_too_long_is_an_error_of_its_own() {
    let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
    let too_long = "x".repeat(257);
    for (text, problem) in [
        ("", "unique key is blank"),
        (" ", "unique key is blank"),
        (too_long.as_str(), "unique key has 257 bytes; at most 256 are allowed"),
        ("restart\n", "unique key contains '\\n'; allowed is any text without control characters"),
    ] {
        let invalid = UniqueKey::new(text).unwrap_err();
        assert!(invalid.to_string().contains(problem), "{invalid}");
        let mut json = serde_json::to_value(draft("r", "s")).unwrap();
        json["unique_key"] = text.into();
        let error = serde_json::from_value::<RequestDraft>(json).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        let error = governance.open_request(text).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        let query = RequestQuery::new().with_unique_keys([text]).unwrap_err();
        assert!(query.to_string().contains(problem), "{query}");
    }
    assert_eq!(governance.count(&RequestQuery::new()).unwrap().number(), 0);
    let longest = UniqueKey::new("x".repeat(256)).unwrap();
    let stored = governance.submit(draft("r", "s").with_unique_key(longest.clone())).unwrap();
    assert_eq!(governance.open_request(longest).unwrap(), Some(stored));
}
