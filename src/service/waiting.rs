//! What to wait for, and what came of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;
use crate::request::{MutationRequest, Status};

/// What a caller of `Governance::wait` waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Fields", into = "Fields")]
pub enum WaitUntil {
    /// The request is neither [`Created`](Status::Created) nor [`Pending`](Status::Pending): it was approved, or it has
    /// ended.
    Decided,
    /// The request has a status that it never leaves, such as [`Executed`](Status::Executed).
    Final,
    /// The request has one of these statuses; at least one is needed.
    Status(BTreeSet<Status>),
    /// The number of the request's [revision](crate::Revision) is this or a greater one.
    Revision(u64),
}

/// How [`WaitUntil`] is written: `{"type":"Status","statuses":["Approved"]}`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "type")]
    kind: Kind,
    /// Any of these: with `Status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statuses: Option<BTreeSet<Status>>,
    /// The least number of the revision: with `Revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(inline))]
enum Kind {
    Decided,
    Final,
    Status,
    Revision,
}

impl From<WaitUntil> for Fields {
    fn from(until: WaitUntil) -> Self {
        let of = |kind| Self { kind, statuses: None, revision: None };
        match until {
            WaitUntil::Decided => of(Kind::Decided),
            WaitUntil::Final => of(Kind::Final),
            WaitUntil::Status(statuses) => Self { statuses: Some(statuses), ..of(Kind::Status) },
            WaitUntil::Revision(number) => Self { revision: Some(number), ..of(Kind::Revision) },
        }
    }
}

impl TryFrom<Fields> for WaitUntil {
    type Error = InvalidValue;

    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        let until = match (fields.kind, fields.statuses, fields.revision) {
            (Kind::Decided, None, None) => Self::Decided,
            (Kind::Final, None, None) => Self::Final,
            (Kind::Status, Some(statuses), None) => Self::Status(statuses),
            (Kind::Revision, None, Some(number)) => Self::Revision(number),
            _ => {
                let problem = "has `statuses` with the type Status, `revision` with Revision, and neither with another";
                return Err(InvalidValue::new(FIELD, problem));
            }
        };
        until.check()?;
        Ok(until)
    }
}

/// What an error calls it.
const FIELD: &str = "what to wait for";

/// How far a request is from what somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Distance {
    Met,
    Ahead,
    OutOfReach,
}

impl WaitUntil {
    /// Waits for any of these statuses.
    pub fn status(statuses: impl IntoIterator<Item = Status>) -> Self {
        Self::Status(statuses.into_iter().collect())
    }

    /// Whether the request is what is waited for.
    pub fn is_met_by(&self, request: &MutationRequest) -> bool {
        self.distance(request) == Distance::Met
    }

    pub(crate) fn check(&self) -> Result<(), InvalidValue> {
        match self {
            Self::Status(statuses) if statuses.is_empty() => {
                Err(InvalidValue::new(FIELD, "names no status, so no request could meet it; name at least one"))
            }
            _ => Ok(()),
        }
    }

    fn distance(&self, request: &MutationRequest) -> Distance {
        let status = request.state.status();
        let is_met = match self {
            Self::Decided => !matches!(status, Status::Created | Status::Pending),
            Self::Final => status.is_terminal(),
            Self::Status(statuses) => statuses.contains(&status),
            Self::Revision(number) => request.revision().number >= *number,
        };
        match self {
            _ if is_met => Distance::Met,
            Self::Status(_) if status.is_terminal() => Distance::OutOfReach,
            _ => Distance::Ahead,
        }
    }

    /// The answer to who waits for this, if the request already gives one.
    pub(crate) fn answer(&self, request: &MutationRequest) -> Option<Waited> {
        match self.distance(request) {
            Distance::Met => Some(Waited::Met(request.clone())),
            Distance::OutOfReach => Some(Waited::OutOfReach(request.clone())),
            Distance::Ahead => None,
        }
    }

    /// The answer at the end of the time.
    pub(crate) fn last_answer(&self, request: MutationRequest) -> Waited {
        match self.distance(&request) {
            Distance::Met => Waited::Met(request),
            Distance::OutOfReach => Waited::OutOfReach(request),
            Distance::Ahead => Waited::TimedOut(request),
        }
    }
}

/// How waiting for a request ended, with the request as it was then.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "request")]
pub enum Waited {
    /// The request is what was waited for.
    Met(MutationRequest),
    /// The request has ended in a status that was not waited for and that it never leaves.
    OutOfReach(MutationRequest),
    /// The time passed first.
    TimedOut(MutationRequest),
}

impl Waited {
    /// The request as it was when the waiting ended.
    pub const fn request(&self) -> &MutationRequest {
        match self {
            Self::Met(request) | Self::OutOfReach(request) | Self::TimedOut(request) => request,
        }
    }

    /// The request as it was when the waiting ended.
    pub fn into_request(self) -> MutationRequest {
        match self {
            Self::Met(request) | Self::OutOfReach(request) | Self::TimedOut(request) => request,
        }
    }

    /// Whether the request is what was waited for.
    pub const fn is_met(&self) -> bool {
        matches!(self, Self::Met(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ActorContext, Intent, PendingReason, RequestDraft, RequestId, Target, Timestamp, WriteId};
    use crate::workflow::{self, Command};

    fn request(change: impl FnOnce(RequestDraft) -> RequestDraft) -> MutationRequest {
        let target = Target::new("s", "State", "Change").unwrap();
        let draft =
            RequestDraft::new(target, Intent::new("change", "Test").unwrap(), ActorContext::user("rita").unwrap());
        workflow::submit(change(draft), RequestId::new("r").unwrap(), WriteId::generate(), Timestamp::now()).unwrap()
    }

    #[test]
    fn each_is_met_by_its_requests_and_a_status_is_out_of_reach_after_the_end() {
        let pending = request(|draft| draft.waiting_for(PendingReason::Quota));
        let canceled =
            workflow::apply(pending.clone(), &Command::cancel(ActorContext::user("mona").unwrap()), Timestamp::now());
        let requests = [request(|draft| draft), pending, request(RequestDraft::already_approved), canceled.unwrap()];
        let expected = [
            (WaitUntil::Decided, "--+ +"),
            (WaitUntil::Final, "--- +"),
            (WaitUntil::status([Status::Pending, Status::Approved]), "-++ x"),
            (WaitUntil::status([Status::Executed]), "--- x"),
            (WaitUntil::status(Vec::new()), "--- x"),
            (WaitUntil::Revision(0), "+++ +"),
            // A comment or a compensation raises the revision of a request that has ended.
            (WaitUntil::Revision(1), "--- -"),
        ];
        for (until, expected) in expected {
            let found = requests.each_ref().map(|request| match until.answer(request) {
                Some(Waited::Met(found)) if found == *request => '+',
                Some(Waited::OutOfReach(found)) if found == *request => 'x',
                None => '-',
                other => panic!("{other:?}"),
            });
            assert_eq!(found.iter().collect::<String>(), expected.replace(' ', ""), "{until:?}");
            for request in &requests {
                let last = until.last_answer(request.clone());
                assert_eq!(until.answer(request).unwrap_or_else(|| Waited::TimedOut(request.clone())), last);
                assert_eq!(until.is_met_by(request), last.is_met());
            }
        }
    }

    #[test]
    fn what_nothing_could_meet_is_an_error_and_is_not_read() {
        assert!(WaitUntil::status([]).check().is_err());
        for bad in [
            r#"{"type":"Status"}"#,
            r#"{"type":"Status","statuses":[]}"#,
            r#"{"type":"Revision"}"#,
            r#"{"type":"Decided","revision":1}"#,
            r#"{"type":"Revision","revision":1,"statuses":["Pending"]}"#,
            r#"{"type":"Final","until":1}"#,
            r#""Decided""#,
        ] {
            assert!(serde_json::from_str::<WaitUntil>(bad).is_err(), "{bad}");
        }
    }
}
