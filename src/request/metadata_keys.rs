//! The keys of metadata that this crate writes. The table at [`Decision`](crate::Decision) says which decision has
//! which, and [`Requirement::data`](crate::Requirement) has some of them.
//!
//! ```
//! use mutator_governance::{Decision, Value, metadata_keys};
//!
//! fn digest_of(decision: &Decision) -> Option<&Value> {
//!     decision.metadata.get(metadata_keys::DIGEST)
//! }
//! ```

use std::borrow::Cow;

/// A key of metadata.
pub(crate) type MetadataKey = Cow<'static, str>;

/// One row per key: its name in the code, its text, and what its value is.
macro_rules! metadata_keys {
    ($($KEY:ident = $text:literal, $doc:literal;)+) => {
        $(
            #[doc = concat!("`", $text, "`: ", $doc, ".")]
            pub const $KEY: &str = $text;
        )+

        /// The key with this text. Those of the table repeat in every decision of a document, so they are not allocated.
        pub(crate) fn metadata_key(text: &str) -> MetadataKey {
            match text {
                $($text => Cow::Borrowed($text),)+
                _ => Cow::Owned(text.to_owned()),
            }
        }

        #[cfg(test)]
        const ALL: &[&str] = &[$($KEY,)+];
    };
}

metadata_keys! {
    AMENDED = "amended", "the names of the fields that the requester changed";
    APPROVAL = "approval", "the id of the approval";
    APPROVALS = "approvals", "how many approvals there are; in a requirement, the ids of its approvals";
    ATTEMPTS = "attempts", "how many attempts failed";
    BATCH = "batch", "the batch of the compensation";
    CATEGORY = "category", "the category of the rejection";
    CLAIM = "claim", "the id of the claim";
    CODE = "code", "the code of the rejection or of the failure";
    COMPENSATED_BY = "compensated_by", "the id of the request that compensates this one";
    COMPENSATES = "compensates", "the id of the request that this one compensates";
    COMPENSATION = "compensation", "the kind of the compensation";
    CONTENT = "content", "the SHA-256 of what an amendment can change, after it; the chain of the history covers it";
    CURRENT_VERSION = "current_version", "the version that the state has now";
    DEMANDED_BY = "demanded_by", "in an approval, the names of the policies that demanded it";
    DETAILS_LEFT_OUT = "details_left_out", "how many details of the failure the store had no room for";
    DIGEST = "digest", "the digest of the request that was decided on";
    EXPECTED_VERSION = "expected_version", "the version of the state that the request was written for";
    EXPIRES_AT = "expires_at", "the deadline of the approval or of the wait";
    FROM = "from", "the status before; of an amended approval, to whom it was addressed before";
    LEASE_ENDS_AT = "lease_ends_at", "when the lease of the claim ends";
    MESSAGE = "message", "the message of the rejection or of the failure";
    MISSING = "missing", "how many approvals are still needed";
    NOT_BEFORE = "not_before", "the time before which the request is not executed";
    MOVED = "moved", "which votes moved within the quorum group to make way: for the id of each approval that of where its vote went";
    OVERRIDDEN = "overridden", "the ids of the approvals that were overridden";
    PENDING_REASON = "pending_reason", "what the request waits for now";
    POLICY = "policy", "in a requirement, the name of a policy that applied to the draft";
    POLICY_DEADLINE = "policy_deadline", "in a requirement, how long the policy lets the request wait from its submission, as ISO 8601";
    POLICY_DIGEST = "policy_digest", "in a requirement, the SHA-256 of the policy";
    POLICY_VERSION = "policy_version", "in a requirement, the version of the policy";
    PREVIOUS_CLAIM = "previous_claim", "the id of the claim that was taken over";
    PREVIOUS_CONTENT = "previous_content", "the same SHA-256 before the amendment";
    PREVIOUS_DIGEST = "previous_digest", "the digest of the request before it was amended";
    QUORUM_GROUP = "quorum_group", "the quorum group of the approval";
    PREVIOUSLY_NOT_BEFORE = "previously_not_before", "the time before which it was not to be executed until then";
    REASON = "reason", "in an approval, why a requirement demanded it";
    REJECTED = "rejected", "the ids of the approvals whose rejection rejected the request, if it was several at once";
    REOPENED = "reopened", "the ids of the approvals that are open again";
    REQUIRED = "required", "how many approvals the quorum group needs";
    RESULTING_VERSION = "resulting_version", "the version of the state that the execution resulted in";
    RESUBMITS = "resubmits", "the id of the request that this one follows";
    ROUND = "round", "the round of approvals";
    SATISFIED = "satisfied", "the ids of the approvals that are no longer needed";
    SIDE_EFFECTS = "side_effects", "how many side effects were recorded";
    SIDE_EFFECTS_LEFT_OUT = "side_effects_left_out", "how many side effects the store had no room for";
    STEP = "step", "the step of the approval";
    SUPERSEDED_BY = "superseded_by", "the id of the request that superseded this one";
    TARGET = "target", "to whom the approval is addressed";
    TEXT = "text", "what the comment says";
    TO = "to", "to whom the approval is addressed now; of an escalation, to whom also";
    TRIGGER = "trigger", "what caused the compensation";
    VALID_UNTIL = "valid_until", "when the approval of the request ended";
    WAITED_FOR = "waited_for", "what the request waited for until then";
    WITHDRAWN = "withdrawn", "the kind of the vote that was taken back";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_key_is_its_text_whether_it_is_in_the_table_or_not() {
        for text in ALL {
            assert!(matches!(metadata_key(text), Cow::Borrowed(known) if known == *text));
        }
        for text in ["", "Approval", "steps", "ticket", "what the workflow never writes"] {
            assert!(matches!(metadata_key(text), Cow::Owned(own) if own == text));
        }
    }

    #[test]
    fn each_constant_is_named_as_its_text() {
        let source = include_str!("metadata_keys.rs");
        for text in ALL {
            assert!(source.contains(&format!("    {} = \"{text}\", ", text.to_uppercase())), "{text}");
        }
    }

    /// The table at `Decision` names every key, and no other.
    #[test]
    fn the_docs_of_decisions_name_every_key_and_no_other() {
        let rows = include_str!("decision.rs").lines().filter(|line| line.starts_with("/// | "));
        let keys = rows.filter_map(|row| row.split(" | ").nth(2)).flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let named: BTreeSet<&str> = keys.collect();
        assert_eq!(named, ALL.iter().copied().collect::<BTreeSet<_>>());
    }
}
