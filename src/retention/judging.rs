//! What a policy says about one request.

use serde::Serialize;

use super::{RetentionPolicy, RetentionRule};
use crate::request::{MutationRequest, PolicyName, Timestamp};
use crate::workflow;

/// What a policy says about a request at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement<'a> {
    /// It is due: this rule says what is done.
    Due(&'a RetentionRule),
    /// It stays.
    Kept(KeptBecause),
}

/// Why a request stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum KeptBecause {
    /// It has not ended.
    NotEnded,
    /// Its metadata puts it on [legal hold](crate::Removal::LEGAL_HOLD).
    OnHold,
    /// A hold of the policy is about it.
    Held {
        /// The name of the hold.
        by: PolicyName,
    },
    /// No rule is about it.
    NoRule,
    /// It is not due yet.
    NotDue {
        /// The rule that decides.
        rule: PolicyName,
        /// When it will be due.
        at: Timestamp,
    },
}

impl RetentionPolicy {
    /// What is to become of a request at this time, without a look at the requests that it is linked to.
    pub fn judge(&self, request: &MutationRequest, now: Timestamp) -> Judgement<'_> {
        if !request.state.status().is_terminal() {
            return Judgement::Kept(KeptBecause::NotEnded);
        } else if workflow::check_removable(request).is_err() {
            return Judgement::Kept(KeptBecause::OnHold);
        }
        if let Some(hold) = self.holds().iter().find(|hold| hold.requests().matches(request)) {
            return Judgement::Kept(KeptBecause::Held { by: hold.name().clone() });
        }
        let Some(rule) = self.rules().iter().find(|rule| rule.is_about(request)) else {
            return Judgement::Kept(KeptBecause::NoRule);
        };
        let at = request.updated_at.saturating_add(rule.after());
        if at > now {
            return Judgement::Kept(KeptBecause::NotDue { rule: rule.name().clone(), at });
        }
        Judgement::Due(rule)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::query::RequestQuery;
    use crate::removal::Removal;
    use crate::request::{
        ActorContext, Intent, Metadata, RequestDraft, RequestId, Requirement, Status, Target, WriteId,
    };
    use crate::retention::RetentionAction::{Archive, Purge};
    use crate::workflow::Command;

    const DAY: Duration = Duration::from_secs(86_400);

    fn at(days: u32) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000).unwrap().saturating_add(days * DAY)
    }

    fn draft(state: &str) -> RequestDraft {
        let target = Target::new(state, "State", "Change").unwrap();
        RequestDraft::new(target, Intent::new("change", "Test").unwrap(), ActorContext::user("rita").unwrap())
    }

    fn canceled(draft: RequestDraft) -> MutationRequest {
        let request = workflow::submit(draft, RequestId::generate(), WriteId::generate(), at(0)).unwrap();
        workflow::apply(request, &Command::cancel(ActorContext::user("rita").unwrap()), at(0)).unwrap()
    }

    fn policy() -> RetentionPolicy {
        let executed = RequestQuery::new().with_statuses([Status::Executed]).unwrap();
        let rules = [
            RetentionRule::new("long", 100 * DAY, Archive).unwrap().of_class("long").unwrap(),
            RetentionRule::new("short", 10 * DAY, Purge).unwrap().of_requests(executed),
            RetentionRule::new("acme", 20 * DAY, Purge)
                .unwrap()
                .of_requests(RequestQuery::of_state("acme".try_into().unwrap())),
        ];
        let held = RequestQuery::of_state("held".try_into().unwrap());
        RetentionPolicy::new(rules).unwrap().holding("case-7", held).unwrap()
    }

    #[test]
    fn the_first_rule_about_a_request_decides_and_a_hold_before_all_rules() {
        let policy = policy();
        let kept = |request: &MutationRequest, days| match policy.judge(request, at(days)) {
            Judgement::Kept(because) => because,
            Judgement::Due(rule) => panic!("due by {}", rule.name()),
        };
        let name = |text: &str| PolicyName::new(text).unwrap();
        let acme = canceled(draft("acme"));
        assert_eq!(
            kept(&acme, 19),
            KeptBecause::NotDue { rule: name("acme"), at: acme.updated_at.saturating_add(20 * DAY) }
        );
        assert!(matches!(policy.judge(&acme, at(21)), Judgement::Due(rule) if *rule.name() == name("acme")));

        let mut long = draft("acme");
        let class = Metadata::new().with(RetentionRule::CLASS, "long").unwrap();
        let requirement = Requirement::new(RetentionRule::REQUIREMENT, "the law").unwrap().with_data(class);
        long = long.requires(requirement);
        let long = canceled(long);
        assert!(matches!(kept(&long, 50), KeptBecause::NotDue { rule, .. } if rule == name("long")));
        assert!(matches!(policy.judge(&long, at(101)), Judgement::Due(rule) if rule.action() == Archive));

        assert_eq!(kept(&canceled(draft("other")), 9_999), KeptBecause::NoRule);
        assert_eq!(kept(&canceled(draft("held")), 9_999), KeptBecause::Held { by: name("case-7") });
        let on_hold = Metadata::new().with(Removal::LEGAL_HOLD, true).unwrap();
        assert_eq!(kept(&canceled(draft("acme").with_metadata(on_hold)), 9_999), KeptBecause::OnHold);
        let open = workflow::submit(draft("acme"), RequestId::generate(), WriteId::generate(), at(0)).unwrap();
        assert_eq!(kept(&open, 9_999), KeptBecause::NotEnded);
    }

    #[test]
    fn a_policy_reads_back_from_json_and_rejects_what_it_does_not_know() {
        let json = serde_json::to_string(&policy()).unwrap();
        assert!(json.contains(r#""after":"P100D""#) || json.contains(r#""after":"PT2400H""#), "{json}");
        assert_eq!(serde_json::from_str::<RetentionPolicy>(&json).unwrap(), policy());
        assert!(serde_json::from_str::<RetentionPolicy>(&json.replace("\"after\"", "\"afer\"")).is_err());
        assert!(serde_json::from_str::<RetentionPolicy>(r#"{"rules":[]}"#).is_err());
        let twice = RetentionRule::new("one", DAY, Purge).unwrap();
        assert!(RetentionPolicy::new([twice.clone(), twice]).is_err());
    }
}
