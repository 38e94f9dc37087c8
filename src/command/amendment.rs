//! Amendments: what the requester of a request that was sent back may change. What is fixed has no place in one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;
use crate::request::{Metadata, Payload, RequestDocument, RequestDraft, StateVersion, Timestamp};

/// What changes when a request is amended; everything that it does not name stays.
///
/// The target, the requester, the id, and everything else that is fixed at submission cannot be named. In JSON, such a
/// field is an error, and what is to be removed is listed in `remove`.
///
/// ```
/// use mutator_governance::workflow::Amendment;
/// use mutator_governance::{Payload, StateVersion};
///
/// # fn main() -> Result<(), mutator_governance::Error> {
/// let amendment = Amendment::new()
///     .payload(Payload::new("text/plain", &b"grant for 30 days"[..])?)
///     .expected_version(StateVersion::new("8")?)
///     .without_description();
/// assert!(!amendment.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Fields", deny_unknown_fields)]
pub struct Amendment {
    /// The new payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    /// The new description of the intent.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The new metadata of the request, in place of all it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    /// The version of the state that the request is written for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_version: Option<StateVersion>,
    /// The time before which the request is not executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    /// What is removed; nothing that has a new value.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    remove: BTreeSet<Amendable>,
}

/// What an amendment can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Amendable {
    Payload,
    Description,
    Metadata,
    ExpectedVersion,
    NotBefore,
}

impl Amendment {
    /// An amendment that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the payload.
    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = Some(payload);
        self.keeping(Amendable::Payload)
    }

    /// Removes the payload.
    pub fn without_payload(mut self) -> Self {
        self.payload = None;
        self.removing(Amendable::Payload)
    }

    /// Replaces the description of the intent.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self.keeping(Amendable::Description)
    }

    /// Removes the description of the intent.
    pub fn without_description(mut self) -> Self {
        self.description = None;
        self.removing(Amendable::Description)
    }

    /// Replaces all metadata of the request; empty metadata removes what it has.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        if metadata.is_empty() {
            self.metadata = None;
            return self.removing(Amendable::Metadata);
        }
        self.metadata = Some(metadata);
        self.keeping(Amendable::Metadata)
    }

    /// Expects this version of the state.
    pub fn expected_version(mut self, version: StateVersion) -> Self {
        self.expected_version = Some(version);
        self.keeping(Amendable::ExpectedVersion)
    }

    /// Expects no version of the state any more: every version fits.
    pub fn without_expected_version(mut self) -> Self {
        self.expected_version = None;
        self.removing(Amendable::ExpectedVersion)
    }

    /// Lets the request not be executed before this time.
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self.keeping(Amendable::NotBefore)
    }

    /// Lets the request be executed as soon as it is approved.
    pub fn without_not_before(mut self) -> Self {
        self.not_before = None;
        self.removing(Amendable::NotBefore)
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn keeping(mut self, field: Amendable) -> Self {
        self.remove.remove(&field);
        self
    }

    fn removing(mut self, field: Amendable) -> Self {
        self.remove.insert(field);
        self
    }

    /// Changes the document, and returns the names of what differs now.
    pub(crate) fn amend(&self, document: &mut RequestDocument) -> Vec<&'static str> {
        self.replace(&mut Places {
            payload: &mut document.payload,
            description: &mut document.intent.description,
            metadata: &mut document.metadata,
            expected_version: &mut document.versioning.expected,
            not_before: &mut document.execution.not_before,
        })
    }

    /// The draft with these changes.
    pub(crate) fn amend_draft(self, mut draft: RequestDraft) -> RequestDraft {
        self.replace(&mut Places {
            payload: &mut draft.payload,
            description: &mut draft.intent.description,
            metadata: &mut draft.metadata,
            expected_version: &mut draft.expected_version,
            not_before: &mut draft.not_before,
        });
        draft
    }

    fn replace(&self, places: &mut Places<'_>) -> Vec<&'static str> {
        let changed = [
            (Amendable::Payload, self.replace_one(Amendable::Payload, self.payload.as_ref(), places.payload)),
            (
                Amendable::Description,
                self.replace_one(Amendable::Description, self.description.as_ref(), places.description),
            ),
            (Amendable::Metadata, self.replace_metadata(places.metadata)),
            (
                Amendable::ExpectedVersion,
                self.replace_one(Amendable::ExpectedVersion, self.expected_version.as_ref(), places.expected_version),
            ),
            (Amendable::NotBefore, self.replace_one(Amendable::NotBefore, self.not_before.as_ref(), places.not_before)),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(field, _)| field.as_str()).collect()
    }

    /// Whether the new value, if there is one, differs from the one it replaces.
    fn replace_one<T: Clone + PartialEq>(&self, field: Amendable, new: Option<&T>, place: &mut Option<T>) -> bool {
        let is_kept = new.is_none() && !self.remove.contains(&field);
        let differs = !is_kept && place.as_ref() != new;
        if differs {
            *place = new.cloned();
        }
        differs
    }

    fn replace_metadata(&self, place: &mut Metadata) -> bool {
        let mut metadata = Some(std::mem::take(place));
        let before = metadata.clone();
        self.replace_one(Amendable::Metadata, self.metadata.as_ref(), &mut metadata);
        *place = metadata.unwrap_or_default();
        before.as_ref() != Some(&*place)
    }
}

/// What an amendment changes, of a document or a draft.
struct Places<'a> {
    payload: &'a mut Option<Payload>,
    description: &'a mut Option<String>,
    metadata: &'a mut Metadata,
    expected_version: &'a mut Option<StateVersion>,
    not_before: &'a mut Option<Timestamp>,
}

impl Amendable {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Description => "description",
            Self::Metadata => "metadata",
            Self::ExpectedVersion => "expected_version",
            Self::NotBefore => "not_before",
        }
    }
}

/// An amendment as it is read.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Fields {
    payload: Option<Payload>,
    description: Option<String>,
    metadata: Option<Metadata>,
    expected_version: Option<StateVersion>,
    not_before: Option<Timestamp>,
    #[serde(default)]
    remove: BTreeSet<Amendable>,
}

impl TryFrom<Fields> for Amendment {
    type Error = InvalidValue;

    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        let Fields { payload, description, metadata, expected_version, not_before, remove } = fields;
        let given = [
            (Amendable::Payload, payload.is_some()),
            (Amendable::Description, description.is_some()),
            (Amendable::Metadata, metadata.is_some()),
            (Amendable::ExpectedVersion, expected_version.is_some()),
            (Amendable::NotBefore, not_before.is_some()),
        ];
        if let Some((field, _)) = given.into_iter().find(|(field, given)| *given && remove.contains(field)) {
            let problem = format!("has a new {0} and removes it; leave out one of the two", field.as_str());
            return Err(InvalidValue::new("amendment", problem));
        }
        let amendment = Self { payload, description, metadata: None, expected_version, not_before, remove };
        Ok(metadata.into_iter().fold(amendment, Self::metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Amendment, String> {
        serde_json::from_str(json).map_err(|error: serde_json::Error| error.to_string())
    }

    #[test]
    fn what_is_fixed_is_an_error_that_says_what_can_be_amended() {
        for fixed in ["target", "requested_by", "id", "intent", "category", "tags", "risk", "approvals", "created_at"] {
            let error = read(&format!(r#"{{"description":"new","{fixed}":{{}}}}"#)).unwrap_err();
            assert!(error.starts_with(&format!("unknown field `{fixed}`, expected one of `payload`")), "{error}");
            for amendable in ["`description`", "`metadata`", "`expected_version`", "`not_before`", "`remove`"] {
                assert!(error.contains(amendable), "{error}");
            }
        }
        let fixed = read(r#"{"remove":["target"]}"#).unwrap_err();
        assert!(fixed.contains("unknown variant `target`, expected one of `payload`"), "{fixed}");
    }

    #[test]
    fn the_last_word_on_a_field_counts_and_json_has_only_one() {
        let version = || StateVersion::new("8").unwrap();
        let removed = Amendment::new().expected_version(version()).without_expected_version();
        assert_eq!(removed, Amendment::new().without_expected_version());
        assert_eq!(removed.expected_version(version()), Amendment::new().expected_version(version()));
        assert_eq!(read(r#"{"metadata":{}}"#).unwrap(), Amendment::new().metadata(Metadata::new()));
        assert_eq!(read(r#"{"payload":null}"#).unwrap(), Amendment::new(), "null is no wish to remove it");
        let both = read(r#"{"description":"new","remove":["description"]}"#).unwrap_err();
        assert!(both.contains("has a new description and removes it"), "{both}");
    }

    #[test]
    fn json_is_read_back_as_it_was_written() {
        let amendment = Amendment::new().description("for 30 days").without_payload().metadata(Metadata::new());
        let json = serde_json::to_string(&amendment).unwrap();
        assert_eq!(json, r#"{"description":"for 30 days","remove":["payload","metadata"]}"#);
        assert_eq!(read(&json).unwrap(), amendment);
    }
}
