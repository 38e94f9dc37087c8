//! One case for each filter: what it finds among the company's requests, which is never nothing and never all.

use mutator_governance::*;

use crate::rows::company::{person, second};

type Found = Vec<&'static str>;

fn as_seen_by(id: &str) -> Viewer {
    Viewer::of(&person(id)).unwrap()
}

pub(crate) fn of_requests() -> Vec<(RequestQuery, Found)> {
    let all = RequestQuery::new;
    let cases: Vec<(Result<RequestQuery, InvalidValue>, Found)> = vec![
        (all().with_ids(["limit-2", "grant-1", "unknown"]), vec!["grant-1", "limit-2"]),
        (all().with_state_ids(["tenant:beta", "none"]), vec!["limit-1", "limit-2"]),
        (all().with_state_types(["Team"]), vec!["access-3", "flag-1", "flag-2"]),
        (all().with_mutation_types(["LimitChange"]), vec!["limit-1", "limit-2", "stale-1"]),
        (all().with_actor_ids(["rita"]), vec!["grant-1", "limit-2"]),
        (all().with_actor_names(["Rita", "Mona"]), vec!["grant-1", "limit-2"]),
        (all().with_correlation_ids(["import-7", "none"]), vec!["limit-1", "flag-1"]),
        (all().with_content_types(["application/json"]), vec!["limit-1", "stale-1"]),
        (Ok(all().visible_to(as_seen_by("omar"))), vec!["grant-2", "limit-2", "stale-1"]),
        (all().with_unique_keys(["limit of beta"]), vec!["limit-1"]),
        (all().with_categories(["Billing"]), vec!["limit-1", "limit-2", "stale-1"]),
        (all().with_any_tag(["urgent", "audit"]), vec!["grant-1", "flag-1"]),
        (all().with_all_tags(["urgent", "audit"]), vec!["grant-1"]),
        (all().with_intent_metadata("flag", true), vec!["flag-1"]),
        (all().with_blast_radius_between(BlastScope::Module, BlastScope::Global), vec!["limit-1"]),
        (all().with_risk_between(RiskLevel::Medium, None), vec!["grant-1"]),
        (all().with_metadata("ticket", 7_i64), vec!["grant-1"]),
        (all().with_metadata("ticket", "7"), vec!["limit-1"]),
        (all().with_statuses([Status::Approved, Status::Canceled]), vec!["flag-1", "flag-2", "stale-1"]),
        (all().with_pending_reasons([PendingReason::ExternalCheck]), vec!["grant-4"]),
        (all().with_decision_categories([DecisionCategory::Execution]), vec!["limit-2"]),
        (all().created_between(second(30), second(40)), vec!["access-3", "limit-2", "flag-1", "flag-2"]),
        (all().created_between(None, second(19)), vec!["grant-1", "grant-2"]),
        (all().created_between(second(50), None), vec!["grant-4", "stale-1"]),
        (all().updated_between(second(65), second(80)), vec!["access-3", "limit-2"]),
        (all().with_side_effect_types(["MailSent"]), vec!["limit-2"]),
        (all().with_contract_ids(["mail/1"]), vec!["limit-2"]),
        (all().with_severities([Severity::Warning]), vec!["limit-2"]),
        (Ok(all().requiring_action(true)), vec!["limit-2"]),
    ];
    cases.into_iter().map(|(query, found)| (query.unwrap(), found)).collect()
}

pub(crate) fn of_approvals() -> Vec<(PendingApprovalQuery, Found)> {
    let open = PendingApprovalQuery::new;
    let any = || open().of_any_request();
    let acme = || RequestQuery::of_state(StateId::new("tenant:acme").unwrap());
    let granted = [ApprovalStatus::Approved, ApprovalStatus::Rejected];
    vec![
        (open().with_approver_ids(["omar", "x"]).unwrap(), vec!["grant-2 board-2 Pending"]),
        (any().with_roles(["manager"]).unwrap(), vec!["grant-4 manager Pending"]),
        (any().visible_to(as_seen_by("omar")).with_groups(["security"]).unwrap(), vec!["grant-2 board-3 Pending"]),
        (open().with_groups(["security"]).unwrap(), vec!["grant-1 security Pending", "grant-2 board-3 Pending"]),
        (
            any().with_categories(["Billing"]).unwrap().with_approval_statuses(granted).unwrap(),
            vec!["limit-2 mona Approved", "stale-1 mona Approved"],
        ),
        (open().with_approval_statuses(granted).unwrap(), vec!["grant-1 manager Approved", "grant-2 board-1 Approved"]),
        (
            any().of_requests(acme()),
            vec![
                "grant-1 security Pending",
                "grant-2 board-2 Pending",
                "grant-2 board-3 Pending",
                "grant-4 manager Pending",
            ],
        ),
        (
            open().of_requests(acme().with_risk_between(RiskLevel::High, None).unwrap()),
            vec!["grant-1 security Pending"],
        ),
        (open().of_requests(RequestQuery::new().with_statuses([Status::Approved]).unwrap()), vec![]),
    ]
}

pub(crate) fn of_decisions() -> Vec<(DecisionQuery, Found)> {
    let all = DecisionQuery::new;
    let executed = "80 limit-2 6 Lifecycle/Executed";
    let stale = || RequestQuery::new().with_ids(["stale-1"]).unwrap();
    vec![
        (all().with_categories([DecisionCategory::Execution]).unwrap(), vec!["70 limit-2 5 Execution/Claimed"]),
        (all().with_kinds([LifecycleDecision::Executed]).unwrap(), vec![executed]),
        (
            all().visible_to(as_seen_by("sam")).with_categories([DecisionCategory::Approval]).unwrap(),
            vec![
                "50 grant-2 3 Approval/Granted",
                "40 grant-1 3 Approval/Granted",
                "10 grant-1 2 Approval/Requested",
                "10 grant-2 2 Approval/Requested",
            ],
        ),
        (
            all().with_actor_ids(["omar"]).unwrap(),
            vec!["85 stale-1 5 VersionResolution/RevalidationRequired", executed, "70 limit-2 5 Execution/Claimed"],
        ),
        (
            all().with_actor_names(["Mona"]).unwrap().decided_between(None, second(50)).unwrap(),
            vec!["50 grant-2 3 Approval/Granted", "40 grant-1 3 Approval/Granted"],
        ),
        (
            all().decided_between(second(81), second(89)).unwrap(),
            vec!["85 stale-1 5 VersionResolution/RevalidationRequired"],
        ),
        (
            all().of_requests(stale()).with_categories([DecisionCategory::Approval]).unwrap(),
            vec!["75 stale-1 3 Approval/Granted", "60 stale-1 2 Approval/Requested"],
        ),
    ]
}
