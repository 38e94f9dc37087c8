//! Reads commands from JSON: an object with the name of the action, its arguments, and who gives it.
//!
//! Not derived: serde buffers what it reads into a tagged enum, and then misses unknown fields further inside.

use std::sync::Arc;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

use super::{Action, Command};
use super::{AfterFailure, Amendment, Completion, Failure, StaleStrategy};
use crate::json::{IsoDuration, Strict, read_beside};
use crate::request::{
    ActorContext, ActorId, ApprovalId, ApprovalRule, ApprovalTarget, ClaimId, CompensationPlan, Digest, Pending,
    Rejection, RequestId, StateVersion, Timestamp,
};

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields(Arc<ActorContext>, Arguments);
        impl<'de> Deserialize<'de> for Fields {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_beside(deserializer, "by").map(|(by, arguments)| Self(by, arguments))
            }
        }
        let Strict(Fields(by, arguments)) = Strict::deserialize(deserializer)?;
        Ok(Self { action: arguments.into_action().map_err(D::Error::custom)?, by })
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Strict(arguments) = Strict::<Arguments>::deserialize(deserializer)?;
        arguments.into_action().map_err(D::Error::custom)
    }
}

macro_rules! actions {
    ($($name:ident { $($required:ident),* $(; $optional:ident)? })*) => {
        #[derive(Clone, Copy, Debug, serde::Deserialize)]
        enum Name {
            $($name,)*
        }

        impl Arguments {
            /// The action with the arguments it takes.
            fn into_action(mut self) -> Result<Action, String> {
                let name = self.action;
                let action = match name {
                    $(Name::$name => Action::$name {
                        $($required: self.$required.take().ok_or_else(|| missing(name, stringify!($required)))?.into(),)*
                        $($optional: self.$optional.take(),)?
                    },)*
                };
                match self.first_left() {
                    Some(left) => Err(format!("{name:?} takes no argument `{left}`")),
                    None => Ok(action),
                }
            }
        }
    };
}

fn missing(name: Name, argument: &str) -> String {
    format!("{name:?} needs the argument `{argument}`")
}

actions! {
    ApproveRequest {}
    RejectRequest {}
    Cancel {}
    Expire {}
    Supersede { superseding }
    Hold { pending }
    RequestApprovals { ; expires_at }
    Approve { ; digest }
    Reject { ; rejection }
    ApproveRequirement { approval; digest }
    RejectRequirement { approval; rejection }
    Withdraw { ; approval }
    Delegate { approval, to }
    Reassign { approval, target }
    AddApproval { rule }
    RemoveApproval { approval }
    RequestChanges { reason }
    Amend { amendment }
    ExpireApprovals {}
    OverrideApprovals {}
    Schedule { not_before }
    Revalidate {}
    Resolve { current, strategy }
    Claim { claim, lease }
    Release { claim }
    Complete { claim, completion }
    Fail { claim, failure, then }
    Comment { text }
    LinkCompensation { plan, compensating }
}

macro_rules! arguments {
    ($($name:ident: $Type:ty,)*) => {
        /// The name of an action, and the arguments of all.
        #[derive(serde::Deserialize)]
        struct Arguments {
            action: Name,
            $($name: Option<$Type>,)*
        }

        impl Arguments {
            fn first_left(&self) -> Option<&'static str> {
                let left = [$(self.$name.as_ref().map(|_| stringify!($name)),)*];
                left.into_iter().flatten().next()
            }
        }
    };
}

arguments! {
    superseding: RequestId,
    pending: Pending,
    expires_at: Timestamp,
    approval: ApprovalId,
    not_before: Timestamp,
    digest: Digest,
    rejection: Rejection,
    current: StateVersion,
    strategy: StaleStrategy,
    claim: ClaimId,
    lease: IsoDuration,
    completion: Completion,
    failure: Failure,
    then: AfterFailure,
    plan: CompensationPlan,
    compensating: RequestId,
    text: String,
    to: ActorId,
    target: ApprovalTarget,
    rule: ApprovalRule,
    reason: String,
    amendment: Amendment,
}

impl From<IsoDuration> for Duration {
    fn from(IsoDuration(duration): IsoDuration) -> Self {
        duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Command, String> {
        serde_json::from_str(json).map_err(|error: serde_json::Error| error.to_string())
    }

    #[test]
    fn a_command_is_read_with_its_arguments() {
        let by = || ActorContext::user("mona").unwrap();
        let approval = ApprovalId::new("approval-1").unwrap();
        let json = r#"{"by":{"kind":"User","id":"mona"},"action":"ApproveRequirement","approval":"approval-1"}"#;
        assert_eq!(read(json).unwrap(), Command::approve_requirement(by(), approval));
        let claim = ClaimId::from_bytes([0xab; 16]);
        let json =
            format!(r#"{{"action":"Claim","claim":"{claim}","lease":"PT1M","by":{{"kind":"User","id":"mona"}}}}"#);
        assert_eq!(read(&json).unwrap(), Command::claim(by(), claim, Duration::from_secs(60)));
    }

    #[test]
    fn a_command_with_an_unknown_a_missing_or_a_misplaced_field_is_an_error() {
        for (fields, problem) in [
            (r#""action":"Cancel","by":{},"because":"late""#, "unknown field `because`"),
            (r#""action":"Cancel","by":{},"reason":"late""#, "Cancel takes no argument `reason`"),
            (r#""action":"RequestChanges","by":{}"#, "RequestChanges needs the argument `reason`"),
            (
                r#""action":"Amend","by":{},"amendment":{"target":{}}"#,
                "unknown field `target`, expected one of `payload`",
            ),
            (r#""action":"Cancel","by":{"naem":"Mona"}"#, "unknown field `by.naem`"),
            (r#""action":"Hold","by":{},"pending":{"reason":"Quota","until":1}"#, "unknown field `pending.until`"),
            (r#""action":"Hold","by":{}"#, "Hold needs the argument `pending`"),
            (r#""action":"Cancel","by":{},"approval":"a""#, "Cancel takes no argument `approval`"),
            (r#""action":"Cancel""#, "missing field `by`"),
            (r#""by":{}"#, "missing field `action`"),
            (r#""action":"Delete","by":{}"#, "unknown variant `Delete`"),
            (r#""action":"Cancel","by":{},"by":{}"#, "duplicate field `by`"),
        ] {
            let error = read(&format!("{{{fields}}}")).unwrap_err();
            assert!(error.contains(problem), "{fields}: {error}");
        }
    }
}
