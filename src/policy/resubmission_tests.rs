//! What policies demand of a request that is submitted again, and by when.

use super::*;

#[test]
fn a_resubmission_has_each_demand_once_whatever_was_amended() {
    let text = r#"
[[policies]]
name = "access"
deadline = "PT24H"
[[policies.approvals]]
targets = [{ actor_ids = ["bob"] }]
[[policies.approvals]]
targets = [{ actor_ids = ["carol"] }, { actor_ids = ["dave"] }]
quorum = { group = "board", required = 1 }
"#;
    let policies = read(text);
    let admin = || ActorContext::user("admin").unwrap().because("not needed");
    let of = |request: &MutationRequest| -> Vec<_> {
        request.approvals.iter().map(|it| (it.target.to_string(), it.step, it.quorum.clone())).collect()
    };
    let own = ApprovalRule::actor("zoe").unwrap();
    let draft = draft("Access", RiskLevel::Low).distinct_approvers().requires_approval(own);
    let first = submitted(policies.draft(draft, now()).unwrap());
    let bobs = first.approvals.iter().find(|it| it.target.to_string() == "bob").unwrap().id.clone();
    let removed = apply(first.clone(), &Command::remove_approval(admin(), bobs), now()).unwrap();
    for amended in [first.clone(), removed] {
        let ended = apply(amended, &Command::cancel(admin()), now()).unwrap();
        let alice = ActorContext::user("alice").unwrap();
        let draft = resubmission_draft(&ended, Amendment::new(), alice, now()).unwrap();
        let records: Vec<_> = draft.requirements.iter().map(|it| (it.kind.as_str(), it.fulfilled)).collect();
        assert_eq!(records, [("Policy", true)]);
        let draft = policies.draft(policies.draft(draft, now()).unwrap(), now()).unwrap();
        let records = draft.requirements.iter().filter(|it| it.kind == RequirementKind::POLICY).count();
        let again =
            submit(draft.with_id(RequestId::new("again").unwrap()), RequestId::generate(), WriteId::generate(), now());
        let again = again.unwrap();
        assert_eq!((of(&again), records), (of(&first), 1));
        assert_eq!(again.state, first.state);
    }
}

#[test]
fn a_resubmission_keeps_the_deadline_of_a_policy_and_no_other() {
    const HOUR: u64 = 3_600;
    let after = |hours: u64| now().saturating_add(Duration::from_secs(hours * HOUR));
    let text = |hours: u64| {
        format!(
            "[[policies]]\nname = \"access\"\ndeadline = \"PT{hours}H\"\napprovals = [{{ targets = [{{ actor_ids = [\"bob\"] }}] }}]"
        )
    };
    let end = |request: &MutationRequest| request.state.pending().and_then(|pending| pending.expires_at);
    let resubmitted = |request: MutationRequest, policies: Option<&PolicySet>| {
        let ended = apply(request, &Command::cancel(ActorContext::user("admin").unwrap()), after(3)).unwrap();
        let alice = ActorContext::user("alice").unwrap();
        let draft = resubmission_draft(&ended, Amendment::new(), alice, after(3)).unwrap();
        let draft = policies.map_or(draft.clone(), |policies| policies.draft(draft, after(3)).unwrap());
        submit(draft, RequestId::generate(), WriteId::generate(), after(5)).unwrap()
    };
    let first = submitted(read(&text(24)).draft(draft("Access", RiskLevel::Low), now()).unwrap());
    assert_eq!(end(&first), Some(after(24)));
    let again = resubmitted(first.clone(), None);
    assert_eq!(end(&again), Some(after(5 + 24)), "as long as at first, from its own submission");
    assert_eq!(end(&resubmitted(again, None)), Some(after(5 + 24)), "and so does what follows it");
    for hours in [2, 48] {
        let replaced = resubmitted(first.clone(), Some(&read(&text(hours))));
        assert_eq!(end(&replaced), Some(after(5 + hours)), "the policy as it is now");
    }
    let own = draft("Access", RiskLevel::Low)
        .requires_approval(ApprovalRule::actor("bob").unwrap())
        .waiting_for(Pending { reason: PendingReason::Approval, expires_at: Some(after(4)) });
    assert_eq!(end(&resubmitted(submitted(own), None)), None, "a deadline of the draft itself is not taken over");
}

#[test]
fn the_deadline_of_a_policy_counts_from_the_submission() {
    let draft = read(TWO).draft(draft("Access", RiskLevel::High), now()).unwrap();
    let later = now().saturating_add(Duration::from_hours(1));
    let request = submit(draft, RequestId::new("r").unwrap(), WriteId::generate(), later).unwrap();
    let deadline = later.saturating_add(Duration::from_hours(24));
    assert_eq!(request.state.pending().and_then(|pending| pending.expires_at), Some(deadline));
    let records: Vec<_> =
        request.requirements.iter().filter_map(|it| it.data.get(metadata_keys::POLICY_DEADLINE).cloned()).collect();
    assert_eq!(records, [Value::from("PT48H"), Value::from("PT24H")]);
}
