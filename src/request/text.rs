//! Validated names: the constructor checks the text once.

use super::person_id;
use crate::error::InvalidValue;
use crate::json::schema_of_text;

/// What a name may consist of.
#[derive(Clone, Copy)]
enum Rule {
    /// Visible ASCII without spaces and without the special characters of keys and patterns.
    Id,
    /// Any text without control characters that is not blank.
    Name,
    /// Text that cannot be mistaken for another, as [`person_id`] defines.
    Person,
}

const FORBIDDEN_IN_IDS: &str = r"{}*?[]\";

fn check(field: &'static str, text: &str, longest: usize, rule: Rule) -> Result<(), InvalidValue> {
    if is_simple(text.as_bytes(), longest, rule) {
        return Ok(());
    }
    let problem = if text.trim().is_empty() {
        "is blank".to_owned()
    } else if text.len() > longest {
        format!("has {} bytes; at most {longest} are allowed", text.len())
    } else if let Rule::Person = rule {
        match person_id::problem_of(text) {
            Some(problem) => problem,
            None => return Ok(()),
        }
    } else {
        let offender = text.chars().find(|&c| match rule {
            Rule::Id => !c.is_ascii_graphic() || FORBIDDEN_IN_IDS.contains(c),
            Rule::Name | Rule::Person => c.is_control(),
        });
        let Some(offender) = offender else {
            return Ok(());
        };
        let allowed = match rule {
            Rule::Id => r"visible ASCII without spaces and without { } * ? [ ] \",
            Rule::Name | Rule::Person => "any text without control characters",
        };
        format!("contains {offender:?}; allowed is {allowed}")
    };
    Err(InvalidValue::new(field, problem))
}

/// Whether this is plain ASCII that needs no further check, as nearly all names are. No early exit, so that the
/// compiler checks many bytes at once: every read of a document checks its names again.
#[allow(clippy::needless_bitwise_bool, reason = "see above")]
fn is_simple(text: &[u8], longest: usize, rule: Rule) -> bool {
    let allowed = match rule {
        Rule::Id => text.iter().fold(true, |ok, byte| ok & (byte.is_ascii_alphanumeric() || *byte == b'-')),
        Rule::Name => is_printable(text),
        Rule::Person => is_printable(text) && text.last() != Some(&b' '),
    };
    allowed && text.len() <= longest && text.first().is_some_and(|first| *first != b' ')
}

/// Whether every byte is one of `b' '..=b'~'`, checked eight at a time.
fn is_printable(text: &[u8]) -> bool {
    match text.last_chunk() {
        // The last eight overlap the previous ones, which saves a loop over the remainder.
        Some(last) => {
            let (eights, _) = text.as_chunks();
            eights.iter().fold(unprintable(*last), |found, eight| found | unprintable(*eight)) == 0
        }
        None => text.iter().all(|byte| (b' '..=b'~').contains(byte)),
    }
}

/// Zero if all eight bytes are one of `b' '..=b'~'`.
const fn unprintable(eight: [u8; 8]) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    let bytes = u64::from_le_bytes(eight);
    let (without_delete, above) = (bytes ^ (EACH * 0x7f), EACH * 0x80);
    // A borrow from one byte to the next requires a byte that is found anyway.
    let controls = bytes.wrapping_sub(EACH * 0x20);
    let deletes = without_delete.wrapping_sub(EACH);
    (bytes | controls | deletes) & above
}

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident: $rule:ident, $longest:literal, $field:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The maximum length in bytes.
            pub const MAX_BYTES: usize = $longest;

            /// Checks the text and keeps it.
            ///
            /// # Errors
            /// [`InvalidValue`] when the text is blank, too long or has a character that is not allowed.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidValue> {
                let text = text.into();
                check($field, &text, $longest, Rule::$rule)?;
                Ok(Self(text.into_boxed_str()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        schema_of_text!($name, { "type": "string", "minLength": 1, "maxLength": $longest });

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidValue;
            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidValue;
            fn try_from(text: &str) -> Result<Self, InvalidValue> {
                check($field, text, $longest, Rule::$rule)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;
            fn try_from(text: String) -> Result<Self, InvalidValue> {
                Self::new(text)
            }
        }

        impl TryFrom<&String> for $name {
            type Error = InvalidValue;
            fn try_from(text: &String) -> Result<Self, InvalidValue> {
                Self::try_from(text.as_str())
            }
        }

        impl From<&$name> for $name {
            fn from(name: &$name) -> Self {
                name.clone()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.into_string()
            }
        }
    )*};
}

text_types! {
    /// The id of a mutation request: 1–128 bytes of visible ASCII, without spaces and without `{}*?[]\`.
    RequestId: Id, 128, "request id";
    /// The id of an approval within its request, by the same rule as a [`RequestId`].
    ApprovalId: Id, 128, "approval id";
    /// The state a mutation changes, for example `tenant:acme`.
    StateId: Name, 256, "state id";
    /// The type of that state, for example `Tenant`.
    StateType: Name, 256, "state type";
    /// The type of the mutation, for example `RoleGrant`.
    MutationType: Name, 256, "mutation type";
    /// A version of a state, in any form that the application uses.
    StateVersion: Name, 256, "state version";
    /// The id of an actor, as an identity provider knows it. Text without hidden parts: in Unicode normalization form
    /// NFC, without control, format, private-use, unassigned and invisible characters (zero-width spaces and joiners,
    /// direction marks, soft hyphens, variation selectors, fillers), and without white space other than U+0020 inside.
    ///
    /// Ids are compared exactly, or without regard to case in a namespace [opened that way](crate::IdComparison).
    /// Look-alike letters of different scripts, such as the Latin and the Cyrillic `a`, always differ: whoever issues
    /// the ids has to prevent such pairs.
    ActorId: Person, 256, "actor id";
    /// A role of an actor, by the same rule as an [`ActorId`].
    Role: Person, 128, "role";
    /// A group of an actor, by the same rule as an [`ActorId`].
    Group: Person, 128, "group";
    /// The operation an intent names, for example `grant-role`.
    Operation: Name, 256, "operation";
    /// The category an intent belongs to, for example `Access`.
    Category: Name, 128, "category";
    /// A tag of an intent.
    Tag: Name, 128, "tag";
    /// What a policy demanded, for example `Approval` or `TwoFactor`.
    RequirementKind: Name, 128, "requirement kind";
    /// The name of a policy.
    PolicyName: Name, 128, "policy name";
    /// The id of a key that seals histories, by the same rule as a [`RequestId`].
    KeyId: Id, 64, "key id";
    /// The name of a quorum group, whose approvals are decided together. By the same rule as an [`ActorId`], and
    /// compared exactly.
    QuorumGroup: Person, 128, "quorum group";
    /// The contract that describes the data of a side effect.
    ContractId: Name, 256, "contract id";
    /// The batch of a compensation, by the application's own name for it.
    BatchId: Name, 256, "batch id";
    /// By what right somebody acts for another, in words.
    Grounds: Name, 1024, "grounds";
    /// What at most one open request of a namespace is about, in the application's own words: `restart payments`. Compared
    /// exactly.
    UniqueKey: Name, 256, "unique key";
    /// The name of a consumer of the change feed, for example `mailer`, by the same rule as a [`RequestId`].
    ConsumerName: Id, 64, "consumer name";
}

impl RequestId {
    /// A new id: a UUID of version 7 as text, so that ids sort by creation time.
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into_boxed_str())
    }
}

impl ApprovalId {
    /// What a sentence calls the approval. Most ids say what they are of, as those do that approvals get by default.
    pub(crate) fn in_words(&self) -> String {
        if self.as_str().starts_with("approval") { self.to_string() } else { format!("approval {self}") }
    }
}

impl RequirementKind {
    /// The kind of a requirement that approvals fulfil.
    pub const APPROVAL: &str = "Approval";
    /// The kind of a requirement that records a policy.
    pub const POLICY: &str = "Policy";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_visible_ascii_without_pattern_characters() {
        assert_eq!(RequestId::new("req-1:a/b").unwrap().as_str(), "req-1:a/b");
        for bad in ["", " ", "a b", "a{b", "a}b", "a*", "a?", "[a", "a]", r"a\b", "a\n", "é", "\u{7f}"] {
            assert!(RequestId::new(bad).is_err(), "{bad:?} must be an error");
        }
        assert!(RequestId::new("x".repeat(128)).is_ok());
        assert!(RequestId::new("x".repeat(129)).is_err());
    }

    #[test]
    fn a_name_may_be_any_printable_text_but_blank() {
        assert!(StateId::new("Kündigung – Müller").is_ok());
        for bad in ["", "  \t ", "a\u{0}b", "line\nbreak"] {
            assert!(StateId::new(bad).is_err(), "{bad:?} must be an error");
        }
    }

    #[test]
    fn names_of_every_length_are_checked_to_the_last_byte() {
        for length in 1..=24 {
            for place in 0..length {
                for byte in 0..=127_u8 {
                    let mut text = vec![b'a'; length];
                    text[place] = byte;
                    let is_name = StateId::new(String::from_utf8(text.clone()).unwrap()).is_ok();
                    assert_eq!(is_printable(&text), (b' '..=b'~').contains(&byte), "{text:?}");
                    assert_eq!(is_name, !byte.is_ascii_control() && (length > 1 || byte != b' '), "{text:?}");
                }
                let mut text = "a".repeat(length);
                text.replace_range(place..=place, "\u{85}");
                assert!(StateId::new(text).is_err());
            }
        }
    }

    #[test]
    fn the_error_names_field_and_offender() {
        let error = RequestId::new("a b").unwrap_err();
        assert_eq!(
            error.to_string(),
            r"request id contains ' '; allowed is visible ASCII without spaces and without { } * ? [ ] \"
        );
    }

    #[test]
    fn generated_ids_are_valid_and_differ() {
        let (one, two) = (RequestId::generate(), RequestId::generate());
        assert_ne!(one, two);
        assert_eq!(RequestId::new(one.as_str()).unwrap(), one);
    }

    #[test]
    fn deserialising_checks_too() {
        assert!(serde_json::from_str::<RequestId>(r#""a b""#).is_err());
        assert_eq!(serde_json::from_str::<RequestId>(r#""a""#).unwrap(), "a");
    }
}
