//! Rules from which a draft gets its approvals.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ApprovalId, ApprovalTarget, DeciderRule, EscalationRule, Metadata, Period, Quorum, QuorumGroup, QuorumRejection,
    ReasonRule, Step, Timestamp,
};
use crate::error::{Error, InvalidValue};
use crate::json::Strict;

/// A demand for approval, as a policy states it; submission makes the [`Approval`](super::Approval)s of a request from
/// it.
///
/// A rule without a step gets its position among the rules of its request as its step: 1, 2, …
///
/// It can be read from JSON or TOML, as part of a policy: every rule that can be built can be written there, and no
/// other. A field that is not known is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<Fields>")]
pub struct ApprovalRule {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) targets: Vec<ApprovalTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quorum: Option<Quorum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<ApprovalId>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_after: Option<Period>,
    #[serde(skip_serializing_if = "DeciderRule::is_default")]
    pub(crate) decider: DeciderRule,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) mandatory: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) escalation: Option<EscalationRule>,
    #[serde(skip_serializing_if = "ReasonRule::is_default")]
    pub(crate) reasons: ReasonRule,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub(crate) metadata: Metadata,
}

impl ApprovalRule {
    /// Whoever the target names has to approve: one approval.
    pub fn of(target: ApprovalTarget) -> Self {
        Self::with_targets(vec![target], None)
    }

    /// The actor with this id has to approve.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`ActorId`](super::ActorId).
    pub fn actor(id: impl Into<String>) -> Result<Self, InvalidValue> {
        ApprovalTarget::actor(id).map(Self::of)
    }

    /// One holder of this role has to approve.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`Role`](super::Role).
    pub fn role(role: impl Into<String>) -> Result<Self, InvalidValue> {
        ApprovalTarget::role(role).map(Self::of)
    }

    /// One member of this group has to approve.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`Group`](super::Group).
    pub fn group(group: impl Into<String>) -> Result<Self, InvalidValue> {
        ApprovalTarget::group(group).map(Self::of)
    }

    /// Every one of the targets has to approve, in any order: one approval each, in one step.
    ///
    /// # Errors
    /// [`Error::InvalidApprovalConfiguration`] when there is no target.
    pub fn each(targets: impl IntoIterator<Item = ApprovalTarget>) -> Result<Self, Error> {
        let targets: Vec<_> = targets.into_iter().collect();
        if targets.is_empty() {
            return Err(Error::invalid_approval_configuration("a rule without any target; nobody could approve"));
        }
        Ok(Self::with_targets(targets, None))
    }

    /// `required` of the members have to approve: one approval each, in one step, decided together. Nobody counts
    /// twice, and the requester counts only if [they may decide](Self::requester_may_decide): submitting a draft with
    /// too few members is an error.
    ///
    /// # Errors
    /// [`InvalidValue`] when the name is not valid, and [`Error::InvalidApprovalConfiguration`] when `required` is 0 or
    /// greater than the number of members.
    pub fn quorum(
        group: impl Into<String>,
        required: u32,
        members: impl IntoIterator<Item = ApprovalTarget>,
    ) -> Result<Self, Error> {
        let group = QuorumGroup::new(group)?;
        let members: Vec<_> = members.into_iter().collect();
        let possible = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let Some(required) = NonZeroU32::new(required).filter(|required| required.get() <= possible) else {
            return Err(Error::invalid_approval_configuration(format!(
                "quorum group {group} asks for {required} grants of {possible} members; it must ask for 1 to {possible}"
            )));
        };
        let quorum = Quorum { group, required, rejection: QuorumRejection::Any };
        Ok(Self::with_targets(members, Some(quorum)))
    }

    fn with_targets(targets: Vec<ApprovalTarget>, quorum: Option<Quorum>) -> Self {
        Self {
            targets,
            quorum,
            id: None,
            description: String::new(),
            name: None,
            step: None,
            expires_at: None,
            expires_after: None,
            decider: DeciderRule::NotTheRequester,
            mandatory: false,
            escalation: None,
            reasons: ReasonRule::Optional,
            metadata: Metadata::new(),
        }
    }

    /// Sets the id of the approval; with several targets, each gets this id followed by `-1`, `-2`, …
    ///
    /// Defaults to `approval-1`, `approval-2`, …, numbered through the whole request.
    pub fn with_id(mut self, id: ApprovalId) -> Self {
        self.id = Some(id);
        self
    }

    /// Describes what is to be approved.
    pub fn described_as(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the name to show for the decider.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Puts the rule into this step; all approvals of lower steps come first.
    pub fn at_step(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    /// From this time on the approvals can no longer be decided. Replaces a [duration](Self::expiring_after).
    ///
    /// Asking for them at that time or later is an error.
    pub fn expiring_at(mut self, time: Timestamp) -> Self {
        (self.expires_at, self.expires_after) = (Some(time), None);
        self
    }

    /// This long after they are asked for, the approvals can no longer be decided; each time they are asked for, the
    /// time starts anew. Replaces a [date](Self::expiring_at).
    ///
    /// # Errors
    /// [`InvalidValue`] when the duration is shorter than a microsecond.
    pub fn expiring_after(mut self, duration: Duration) -> Result<Self, InvalidValue> {
        (self.expires_at, self.expires_after) = (None, Some(Period::of("deadline of an approval", duration)?));
        Ok(self)
    }

    /// Allows the requester to decide too.
    pub fn requester_may_decide(mut self) -> Self {
        self.decider = DeciderRule::Anyone;
        self
    }

    /// Makes its approvals mandatory: nobody can [remove](crate::workflow::Command::remove_approval) them. Defaults to
    /// approvals that can be removed with a reason.
    pub fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    /// From this duration on after they are requested, the approvals are also addressed to this target, until they are
    /// decided; those they were for may decide them too. Counts in whole microseconds. Defaults to never.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mutator_governance::{ApprovalRule, ApprovalTarget};
    ///
    /// let four_hours = Duration::from_secs(4 * 60 * 60);
    /// let rule = ApprovalRule::actor("bob")?.escalates_after(four_hours, ApprovalTarget::role("director")?)?;
    /// # Ok::<(), mutator_governance::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] when the duration is zero. Submitting is an error when the approvals expire before.
    pub fn escalates_after(mut self, after: Duration, target: ApprovalTarget) -> Result<Self, InvalidValue> {
        self.escalation = Some(EscalationRule::new(after, target)?);
        Ok(self)
    }

    /// Demands a reason of whoever rejects.
    pub fn demanding_reason_for_rejecting(mut self) -> Self {
        self.reasons = self.reasons.max(ReasonRule::ForRejecting);
        self
    }

    /// Demands a reason of whoever approves or rejects.
    pub fn demanding_reason(mut self) -> Self {
        self.reasons = ReasonRule::Always;
        self
    }

    /// A rejection rejects the request only if the quorum has become impossible. Without a quorum this has no effect.
    pub fn rejected_when_impossible(mut self) -> Self {
        if let Some(quorum) = &mut self.quorum {
            quorum.rejection = QuorumRejection::WhenImpossible;
        }
        self
    }

    /// Sets the metadata of the approvals.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }
}

/// A rule as it is read.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    #[cfg_attr(feature = "schemars", schemars(length(min = 1)))]
    targets: Vec<ApprovalTarget>,
    quorum: Option<Quorum>,
    id: Option<ApprovalId>,
    #[serde(default)]
    description: String,
    name: Option<String>,
    step: Option<Step>,
    expires_at: Option<Timestamp>,
    expires_after: Option<Period>,
    #[serde(default)]
    decider: DeciderRule,
    #[serde(default)]
    mandatory: bool,
    escalation: Option<EscalationRule>,
    #[serde(default)]
    reasons: ReasonRule,
    #[serde(default)]
    metadata: Metadata,
}

impl TryFrom<Strict<Fields>> for ApprovalRule {
    type Error = Error;

    fn try_from(Strict(fields): Strict<Fields>) -> Result<Self, Error> {
        let mut rule = match fields.quorum {
            None => Self::each(fields.targets)?,
            Some(Quorum { group, required, rejection }) => {
                let rule = Self::quorum(group, required.get(), fields.targets)?;
                if rejection == QuorumRejection::WhenImpossible { rule.rejected_when_impossible() } else { rule }
            }
        };
        let Fields { id, description, name, step, expires_at, expires_after, decider, .. } = fields;
        if expires_at.is_some() && expires_after.is_some() {
            return Err(Error::invalid_approval_configuration(
                "a rule with both expires_at and expires_after; leave out one of the two",
            ));
        }
        rule.expires_after = expires_after;
        (rule.id, rule.description, rule.name, rule.step) = (id, description, name, step);
        (rule.expires_at, rule.decider) = (expires_at, decider);
        (rule.reasons, rule.mandatory, rule.escalation) = (fields.reasons, fields.mandatory, fields.escalation);
        rule.metadata = fields.metadata;
        Ok(rule)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn members(n: usize) -> Vec<ApprovalTarget> {
        (0..n).map(|i| ApprovalTarget::actor(format!("member-{i}")).unwrap()).collect()
    }

    #[test]
    fn a_quorum_of_none_or_of_more_than_its_members_cannot_be_built() {
        for required in [0, 3] {
            let error = ApprovalRule::quorum("security", required, members(2)).unwrap_err();
            assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
        }
        assert!(ApprovalRule::quorum("security", 2, members(2)).is_ok());
    }

    #[test]
    fn a_rule_for_nobody_cannot_be_built() {
        assert!(ApprovalRule::each([]).is_err());
        assert!(ApprovalTarget::actor(" ").is_err());
        assert!(ApprovalTarget::any_of(BTreeSet::new(), BTreeSet::new(), BTreeSet::new()).is_err());
        assert!(serde_json::from_str::<ApprovalTarget>("{}").is_err());
    }
}
