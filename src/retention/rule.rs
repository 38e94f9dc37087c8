//! One rule: which requests it is about, when they are due, and what is done then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;
use crate::json::{IsoDuration, Strict};
use crate::query::RequestQuery;
use crate::request::{MutationRequest, PolicyName, Requirement, Value};

/// Which requests a rule is about, for how long they stay after their last change, and what is done then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<Fields>")]
pub struct RetentionRule {
    name: PolicyName,
    #[serde(skip_serializing_if = "is_everything")]
    of: RequestQuery,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    after: IsoDuration,
    action: RetentionAction,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    name: PolicyName,
    #[serde(default)]
    of: RequestQuery,
    class: Option<String>,
    after: IsoDuration,
    action: RetentionAction,
}

impl TryFrom<Strict<Fields>> for RetentionRule {
    type Error = InvalidValue;

    fn try_from(Strict(Fields { name, of, class, after, action }): Strict<Fields>) -> Result<Self, InvalidValue> {
        let class = class.map(checked_class).transpose()?;
        Ok(Self { name, of: of.without_order(), class, after, action })
    }
}

fn checked_class(class: String) -> Result<String, InvalidValue> {
    if class.trim().is_empty() {
        return Err(InvalidValue::new("retention class", "is blank"));
    }
    Ok(class)
}

fn is_everything(query: &RequestQuery) -> bool {
    *query == RequestQuery::default()
}

/// What is done with a request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum RetentionAction {
    /// It is written to an archive, read back from there, and then removed. Needs the feature `archive`.
    Archive,
    /// It is removed.
    Purge,
}

impl RetentionRule {
    /// The kind of a requirement that gives a request a retention class, which is the text under [`CLASS`](Self::CLASS) of its
    /// data. A policy can demand it: `requirements = [{ kind = "Retention", data = { class = "7y" } }]`.
    pub const REQUIREMENT: &'static str = "Retention";
    /// The key of the class in the data of such a requirement.
    pub const CLASS: &'static str = "class";

    /// A rule about all requests that have ended: this long after their last change this is done.
    ///
    /// # Errors
    /// [`InvalidValue`] when the name is not valid.
    pub fn new(name: impl Into<String>, after: Duration, action: RetentionAction) -> Result<Self, InvalidValue> {
        Ok(Self {
            name: PolicyName::new(name)?,
            of: RequestQuery::new(),
            class: None,
            after: IsoDuration(after),
            action,
        })
    }

    /// Only about requests that this query finds; its order is ignored.
    #[must_use]
    pub fn of_requests(mut self, query: RequestQuery) -> Self {
        self.of = query.without_order();
        self
    }

    /// Only about requests of this retention class, which a [requirement](Self::REQUIREMENT) gives them. It is fixed at
    /// submission, so no later change shortens the time.
    ///
    /// # Errors
    /// [`InvalidValue`] when the class is blank.
    pub fn of_class(mut self, class: impl Into<String>) -> Result<Self, InvalidValue> {
        self.class = Some(checked_class(class.into())?);
        Ok(self)
    }

    /// Whether the rule is about this request, if it has ended.
    pub fn is_about(&self, request: &MutationRequest) -> bool {
        let class_of = |requirement: &Requirement| match requirement.data.get(Self::CLASS) {
            Some(Value::Text(class)) if requirement.kind.as_str() == Self::REQUIREMENT => Some(class.clone()),
            _ => None,
        };
        let is_of_class =
            |class: &String| request.requirements.iter().filter_map(class_of).any(|found| found == *class);
        self.class.as_ref().is_none_or(is_of_class) && self.of.matches(request)
    }

    /// Its name.
    pub const fn name(&self) -> &PolicyName {
        &self.name
    }

    /// The requests that it is about, if they have ended and are of its [class](Self::class).
    pub const fn requests(&self) -> &RequestQuery {
        &self.of
    }

    /// The retention class that it is about; `None` for all.
    pub fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }

    /// For how long they stay after their last change.
    pub const fn after(&self) -> Duration {
        self.after.0
    }

    /// What is done then.
    pub const fn action(&self) -> RetentionAction {
        self.action
    }
}
