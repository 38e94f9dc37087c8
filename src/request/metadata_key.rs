//! The keys of decision metadata that this crate writes.

use std::borrow::Cow;

/// A key of metadata.
pub(crate) type MetadataKey = Cow<'static, str>;

/// The keys that the workflow uses, by length. They repeat in every decision of a document, so they are not allocated.
const fn noted(length: usize) -> &'static [&'static str] {
    match length {
        4 => &["code", "from", "step"],
        5 => &["claim", "count", "round"],
        6 => &["digest", "target"],
        7 => &["message", "missing", "renewed"],
        8 => &["approval", "category", "required"],
        9 => &["approvals", "satisfied"],
        10 => &["expires_at", "overridden"],
        12 => &["quorum_group", "side_effects"],
        13 => &["lease_ends_at", "superseded_by"],
        14 => &["compensated_by", "pending_reason", "previous_claim"],
        15 => &["current_version"],
        16 => &["expected_version"],
        17 => &["resulting_version"],
        _ => &[],
    }
}

/// The key with this text.
pub(crate) fn metadata_key(text: &str) -> MetadataKey {
    match noted(text.len()).iter().find(|noted| **noted == text) {
        Some(noted) => Cow::Borrowed(noted),
        None => Cow::Owned(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_text_whether_it_is_noted_or_not() {
        for length in 0..32 {
            for text in noted(length) {
                assert_eq!((text.len(), &*metadata_key(text)), (length, *text));
            }
        }
        for text in ["", "Approval", "steps", "ticket", "what the workflow never notes"] {
            assert_eq!(metadata_key(text), text);
        }
        assert!(matches!(metadata_key("approval"), Cow::Borrowed(_)));
        assert!(matches!(metadata_key("ticket"), Cow::Owned(_)));
    }
}
