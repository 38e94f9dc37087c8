//! Reads a demand for approval that a policy engine states as data.

use std::collections::BTreeMap;

use super::{ApprovalRule, ApprovalTarget, Metadata, QuorumGroup, Requirement, Step, Timestamp, Value, metadata_keys};
use crate::error::{Error, Result};

/// The keys, as they are compared: without `_` and `-`, in lower case.
const KEYS: &[(&str, Key)] = &[
    ("approver", Key::Approver),
    ("approvers", Key::Approvers),
    ("approverrole", Key::Role),
    ("approvergroup", Key::Group),
    ("approvername", Key::Name),
    ("steporder", Key::Step),
    ("step", Key::Step),
    ("requiredapprovals", Key::Required),
    ("quorum", Key::Required),
    ("approvalgroupid", Key::GroupId),
    ("groupid", Key::GroupId),
    ("expiresat", Key::ExpiresAt),
    ("reason", Key::Reason),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Approver,
    Approvers,
    Role,
    Group,
    Name,
    Step,
    Required,
    GroupId,
    ExpiresAt,
    Reason,
}

impl ApprovalRule {
    /// Reads a requirement of the kind `Approval` whose data says whose approval is demanded, as policy engines state it.
    ///
    /// `ordinal` is its position among the approvals that are demanded, from 1. Upper and lower case, `_` and `-` in keys
    /// make no difference: `ApproverRole`, `approverRole` and `approver_role` are one key.
    ///
    /// | key | value | meaning |
    /// |---|---|---|
    /// | `Approver` | text | the id of a person who may approve |
    /// | `Approvers` | list of text | the ids of several, instead of `Approver` |
    /// | `ApproverRole` | text | beside those, whoever has this role |
    /// | `ApproverGroup` | text | beside those, whoever is in this group |
    /// | `RequiredApprovals`, `Quorum` | integer | how many of them have to approve. Defaults to 1. |
    /// | `ApprovalGroupId`, `GroupId` | text | the name of the quorum group. Defaults, for several, to one made of the ordinal. |
    /// | `StepOrder`, `Step` | integer | the step. Defaults to the ordinal. |
    /// | `ApproverName` | text | the name to show for the decider |
    /// | `ExpiresAt` | time, or text as in RFC 3339 | from then on it can no longer be decided |
    /// | `Reason` | text | kept in the metadata of the approval, as [`REASON`](crate::metadata_keys::REASON) |
    ///
    /// # Errors
    /// [`Error::InvalidApprovalConfiguration`] when the requirement is of another kind or demands more approvals than it
    /// names targets, when it names none, and for an unknown key, a key that is there twice, and a value of another type.
    /// [`Error::Invalid`] when a value breaks the rule of its type, such as a blank id.
    ///
    /// ```
    /// use mutator_governance::{ApprovalRule, Metadata, Requirement};
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let data = Metadata::new().with("ApproverRole", "manager")?.with("StepOrder", 1)?;
    /// let requirement = Requirement::new("Approval", "The manager agrees")?.with_data(data);
    /// let rule = ApprovalRule::from_requirement(&requirement, 1)?;
    /// assert_eq!(rule, ApprovalRule::role("manager")?.described_as("The manager agrees").at_step(mutator_governance::Step::FIRST));
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_requirement(requirement: &Requirement, ordinal: u32) -> Result<Self> {
        let data = Data::read(requirement)?;
        let targets = data.targets()?;
        let group = match data.text(Key::GroupId)? {
            Some(group) => Some(group.to_owned()),
            None if targets.len() > 1 => Some(format!("approval-group-{ordinal}")),
            None => None,
        };
        let required = data.number(Key::Required)?.unwrap_or(1);
        let mut rule = match group {
            Some(group) => {
                Self::quorum(QuorumGroup::new(group)?, required, targets).map_err(|error| data.about(&error))?
            }
            None if required == 1 => Self::each(targets)?,
            None => return Err(data.problem(&format!("demands {required} approvals of 1 target"))),
        };
        rule.step = Some(Step::new(data.number(Key::Step)?.unwrap_or(ordinal))?);
        rule.description.clone_from(&requirement.description);
        rule.name = data.text(Key::Name)?.map(str::to_owned);
        rule.expires_at = data.time(Key::ExpiresAt)?;
        if let Some(reason) = data.text(Key::Reason)? {
            rule.metadata = Metadata::new().with(metadata_keys::REASON, reason)?;
        }
        Ok(rule)
    }
}

/// The data of a requirement by its keys, each with how it is written there.
struct Data<'a> {
    requirement: &'a Requirement,
    values: BTreeMap<Key, (&'a str, &'a Value)>,
}

impl<'a> Data<'a> {
    fn read(requirement: &'a Requirement) -> Result<Self> {
        let mut data = Self { requirement, values: BTreeMap::new() };
        if !requirement.is_approval() {
            return Err(data.problem(&format!("is of the kind {}; only Approval demands approvals", requirement.kind)));
        }
        for (written, value) in &requirement.data {
            let plain: String = written.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_lowercase();
            let Some((_, key)) = KEYS.iter().find(|(known, _)| *known == plain) else {
                return Err(
                    data.problem(&format!("has the unknown key {written:?}; correct its name, or leave it out"))
                );
            };
            if let Some((other, _)) = data.values.insert(*key, (written, value)) {
                return Err(data.problem(&format!("has {other:?} and {written:?}, which are the same; leave one out")));
            }
        }
        Ok(data)
    }

    /// Whoever may approve, one target each: people, then the role, then the group.
    fn targets(&self) -> Result<Vec<ApprovalTarget>> {
        let ids: Vec<&str> = match (self.text(Key::Approver)?, self.values.get(&Key::Approvers)) {
            (Some(_), Some(_)) => return Err(self.problem("has Approver and Approvers; leave one out")),
            (one, None) => one.into_iter().collect(),
            (None, Some((_, Value::List(ids)))) => {
                let text = |id: &'a Value| as_text(id).ok_or_else(|| self.wrong(Key::Approvers, "a list of text"));
                ids.iter().map(text).collect::<Result<_>>()?
            }
            (None, Some(_)) => return Err(self.wrong(Key::Approvers, "a list of text")),
        };
        let mut targets = ids.into_iter().map(ApprovalTarget::actor).collect::<Result<Vec<_>, _>>()?;
        if let Some(role) = self.text(Key::Role)? {
            targets.push(ApprovalTarget::role(role)?);
        }
        if let Some(group) = self.text(Key::Group)? {
            targets.push(ApprovalTarget::group(group)?);
        }
        if targets.is_empty() {
            return Err(self.problem("names no approver, no role and no group; nobody could approve"));
        }
        Ok(targets)
    }

    fn text(&self, key: Key) -> Result<Option<&'a str>> {
        let Some((_, value)) = self.values.get(&key) else { return Ok(None) };
        as_text(value).map(Some).ok_or_else(|| self.wrong(key, "text"))
    }

    fn number(&self, key: Key) -> Result<Option<u32>> {
        let Some((_, value)) = self.values.get(&key) else { return Ok(None) };
        let number = if let Value::Integer(number) = value { u32::try_from(*number).ok() } else { None };
        number.filter(|number| *number > 0).map(Some).ok_or_else(|| self.wrong(key, "a whole number from 1"))
    }

    fn time(&self, key: Key) -> Result<Option<Timestamp>> {
        let time = match self.values.get(&key) {
            None => return Ok(None),
            Some((_, Value::Time(time))) => Some(*time),
            Some((_, Value::Text(text))) => text.parse().ok(),
            Some(_) => None,
        };
        time.map(Some).ok_or_else(|| self.wrong(key, "a time, such as 2026-12-31T12:00:00Z"))
    }

    fn wrong(&self, key: Key, expected: &str) -> Error {
        let written = self.values.get(&key).map_or("", |(written, _)| written);
        self.problem(&format!("has a value of {written:?} that is not {expected}"))
    }

    fn about(&self, error: &Error) -> Error {
        match error {
            Error::InvalidApprovalConfiguration { problem } => self.problem(&format!("cannot be met: {problem}")),
            other => self.problem(&other.to_string()),
        }
    }

    fn problem(&self, problem: &str) -> Error {
        Error::invalid_approval_configuration(format!("the requirement {:?} {problem}", self.requirement.description))
    }
}

fn as_text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(data: &[(&str, Value)]) -> Requirement {
        let data = data.iter().fold(Metadata::new(), |all, (key, value)| all.with(*key, value.clone()).unwrap());
        Requirement::new("Approval", "Two agree").unwrap().with_data(data)
    }

    fn list(ids: &[&str]) -> Value {
        Value::List(ids.iter().map(|id| Value::from(*id)).collect())
    }

    #[test]
    fn every_key_is_read_in_every_spelling() {
        let end: Timestamp = "2026-12-31T12:00:00Z".parse().unwrap();
        let members = [
            ApprovalTarget::actor("bob").unwrap(),
            ApprovalTarget::actor("carol").unwrap(),
            ApprovalTarget::role("lead").unwrap(),
            ApprovalTarget::group("security").unwrap(),
        ];
        let expected = ApprovalRule::quorum("board", 2, members)
            .unwrap()
            .described_as("Two agree")
            .named("The board")
            .at_step(Step::new(3).unwrap())
            .expiring_at(end)
            .with_metadata(Metadata::new().with("reason", "SOX").unwrap());
        let values = |end: Value| {
            [
                list(&["bob", "carol"]),
                "lead".into(),
                "security".into(),
                2.into(),
                "board".into(),
                3.into(),
                "The board".into(),
                end,
                "SOX".into(),
            ]
        };
        let model = [
            "Approvers",
            "ApproverRole",
            "ApproverGroup",
            "RequiredApprovals",
            "ApprovalGroupId",
            "StepOrder",
            "ApproverName",
            "ExpiresAt",
            "Reason",
        ];
        let ours = [
            "approvers",
            "approver_role",
            "approverGroup",
            "quorum",
            "group-id",
            "step",
            "approver_name",
            "expires_at",
            "REASON",
        ];
        for (keys, end) in [(model, Value::Time(end)), (ours, "2026-12-31T13:00:00+01:00".into())] {
            let data: Vec<_> = keys.into_iter().zip(values(end)).collect();
            assert_eq!(ApprovalRule::from_requirement(&requirement(&data), 7).unwrap(), expected);
        }
    }

    #[test]
    fn step_and_group_default_to_the_ordinal() {
        let of_one = ApprovalRule::from_requirement(&requirement(&[("Approver", "bob".into())]), 2).unwrap();
        let bob = ApprovalRule::actor("bob").unwrap().described_as("Two agree").at_step(Step::new(2).unwrap());
        assert_eq!(of_one, bob);
        let any = requirement(&[("Approver", "bob".into()), ("ApproverRole", "lead".into())]);
        let any = ApprovalRule::from_requirement(&any, 2).unwrap();
        let quorum = any.quorum.unwrap();
        assert_eq!((quorum.group.as_str(), quorum.required.get(), any.targets.len()), ("approval-group-2", 1, 2));
    }

    #[test]
    fn nonsense_is_an_error_that_says_what_is_wrong() {
        let bob = || ("Approver", Value::from("bob"));
        for (data, problem) in [
            (vec![], "names no approver, no role and no group"),
            (vec![("Approvers", list(&[]))], "names no approver, no role and no group"),
            (vec![("Aprover", "bob".into())], "unknown key \"Aprover\""),
            (vec![bob(), ("approver", "carol".into())], "which are the same"),
            (vec![bob(), ("Quorum", 1.into()), ("RequiredApprovals", 1.into())], "which are the same"),
            (vec![bob(), ("Approvers", list(&["carol"]))], "has Approver and Approvers"),
            (vec![("Approver", 7.into())], "\"Approver\" that is not text"),
            (vec![("Approvers", "bob".into())], "not a list of text"),
            (vec![("Approvers", Value::List(vec![7.into()]))], "not a list of text"),
            (vec![("Approver", " ".into())], "blank"),
            (vec![bob(), ("StepOrder", 0.into())], "not a whole number from 1"),
            (vec![bob(), ("StepOrder", Value::Float(1.0))], "not a whole number from 1"),
            (vec![bob(), ("Quorum", "2".into())], "not a whole number from 1"),
            (vec![bob(), ("Quorum", (-1).into())], "not a whole number from 1"),
            (vec![bob(), ("Quorum", 2.into())], "demands 2 approvals of 1 target"),
            (vec![bob(), ("Quorum", 2.into()), ("GroupId", "board".into())], "asks for 2 grants of 1"),
            (vec![bob(), ("ExpiresAt", "soon".into())], "not a time"),
        ] {
            let error = ApprovalRule::from_requirement(&requirement(&data), 1).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        let other = Requirement::new("TwoFactor", "").unwrap();
        let error = ApprovalRule::from_requirement(&other, 1).unwrap_err().to_string();
        assert!(error.contains("of the kind TwoFactor"), "{error}");
    }
}
