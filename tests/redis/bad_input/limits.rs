//! What is too large is rejected before it is sent.

use std::time::Duration;

use mutator_governance::stored_format;
use mutator_governance::workflow::{self, Command, Completion};
use mutator_governance::{
    ActorContext, ApprovalId, ApprovalRule, ApprovalTarget, ClaimId, DocumentLimit, Error, Intent, MutationRequest,
    Outcome, Payload, Pending, PendingReason, RequestDraft, RequestId, Status, Tag, Target, WriteId,
};

use common::requests::{actor, draft, id, moved_on, pending, second, submit};
use common::{Flavour, Options, Raw, Store};
use common::{PrivateServer, unique_namespace};

#[test]
fn an_oversize_document_is_rejected_before_it_is_sent() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("large")).limit(DocumentLimit::of_bytes(2_000));
        let store = flavour.open(&options).unwrap();
        let small = store.create(pending("small", "s", second(0))).unwrap();
        let writes = |raw: &mut Raw| -> Vec<u64> {
            let counts = raw.command_counts();
            ["evalsha", "eval", "set", "get"].iter().map(|name| counts.get(*name).copied().unwrap_or(0)).collect()
        };
        let before = writes(&mut raw);
        let payload = mutator_governance::Payload::new("application/json", vec![b'1'; 4_000]).unwrap();
        let large = submit(draft("large", "s").with_payload(payload.clone()), second(0));
        let error = store.create(large).unwrap_err();
        assert!(matches!(&error, Error::TooLarge { id, limit: 464, .. } if *id == "large"), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
        let mut document = moved_on(small.clone(), second(1)).into_document();
        document.payload = Some(payload);
        let grown = MutationRequest::from_document(document, small.revision()).unwrap();
        let error = store.update(grown, WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
        assert_eq!(writes(&mut raw), before, "{flavour:?} sent it");
    }
}

#[test]
fn a_request_with_more_index_entries_than_a_script_should_write_is_rejected_before_it_is_sent() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("entries"));
        let store = flavour.open(&options).unwrap();
        let tagged = |count: usize| {
            let mut intent = Intent::new("grant-role", "Access").unwrap();
            intent.tags = (0..count).map(|tag| Tag::new(format!("tag-{tag}")).unwrap()).collect();
            let target = Target::new("s", "Tenant", "RoleGrant").unwrap();
            submit(RequestDraft::new(target, intent, ActorContext::user("rita").unwrap()).with_id(id("r")), second(0))
        };
        let keys = raw.ask::<u64>(&["DBSIZE"]);
        let error = store.create(tagged(70_000)).unwrap_err();
        assert!(
            matches!(&error, Error::TooManyEntries { id, entries: 70_000.., limit, .. } if *id == "r" && *limit < 70_000),
            "{error:?}"
        );
        assert_eq!(raw.ask::<u64>(&["DBSIZE"]), keys, "{flavour:?} wrote something");
        let request = store.create(tagged(2_000)).unwrap();
        assert_eq!(store.get(&request.id).unwrap(), Some(request), "{flavour:?}");
    }
}

/// So many approvals leave no room for the document, however large it is.
#[test]
fn what_very_many_approvals_take_is_reported_as_it_is() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let store = flavour.open(&Options::new(server.url(), unique_namespace("many"))).unwrap();
        for (approvals, most) in [(2_000_usize, 1_048_576 - 2_000 * 512), (4_000, 0)] {
            let rules = (0..approvals).map(|number| ApprovalRule::actor(format!("approver-{number}")).unwrap());
            let draft = rules.fold(draft("many", "s"), RequestDraft::requires_approval);
            let request = submit(draft, second(0));
            let bytes = stored_format::encode(request.document(), DocumentLimit::MAX).unwrap().len();
            let error = store.create(request).unwrap_err();
            let Error::TooLarge { size, limit, kept, .. } = &error else { panic!("{error:?}") };
            assert_eq!((*size, *limit, *kept), (bytes, most, approvals * 512), "{flavour:?}: {error}");
            let said = format!("takes {bytes} bytes; the limit is {most}, since {} bytes", approvals * 512);
            assert!(error.to_string().contains(&said), "{error}");
        }
    }
}

/// A request that so many members of a quorum have to approve, with a payload of this size; due to expire at second 50.
fn asking(approvers: usize, payload: usize) -> MutationRequest {
    let members = (0..approvers).map(|number| ApprovalTarget::actor(format!("approver-{number}")).unwrap());
    let quorum = ApprovalRule::quorum("security", u32::try_from(approvers).unwrap(), members).unwrap();
    let rule = quorum.described_as("that nobody is left out").expiring_at(second(40));
    let draft = draft(RequestId::generate().as_str(), "s").requires_approval(rule);
    let until = Pending { reason: PendingReason::Approval, expires_at: Some(second(50)) };
    let payload = Payload::new("application/octet-stream", vec![b'1'; payload]).unwrap();
    submit(draft.with_payload(payload).waiting_for(until), second(0))
}

fn do_to(store: &Store, request: &MutationRequest, command: &Command, now: u64) -> Result<MutationRequest, Error> {
    store.update(workflow::apply(request.clone(), command, second(now)).unwrap(), WriteId::generate())
}

#[test]
fn the_largest_request_that_can_be_filed_has_room_for_all_that_is_decided_about_it() {
    let server = PrivateServer::start(&[]);
    for (flavour, approvers) in Flavour::all().into_iter().flat_map(|flavour| [(flavour, 1), (flavour, 70)]) {
        let options = Options::new(server.url(), unique_namespace("room")).limit(DocumentLimit::of_bytes(200_000));
        let store = flavour.open(&options).unwrap();
        let error = store.create(asking(approvers, 200_000)).unwrap_err();
        let Error::TooLarge { size, limit, .. } = error else { panic!("{error:?}") };
        let most = 200_000 - (size - limit);
        assert!(matches!(store.create(asking(approvers, most + 1)), Err(Error::TooLarge { .. })));
        let largest = || store.create(asking(approvers, most)).unwrap();

        let sweeper = || ActorContext::service("sweeper").unwrap();
        for command in [
            Command::cancel(actor("alice")),
            Command::reject_request(actor("bob")),
            Command::supersede(actor("alice"), id("next")),
            Command::override_approvals(actor("oncall")),
            Command::expire(sweeper()),
            Command::expire_approvals(sweeper()),
        ] {
            let done = do_to(&store, &largest(), &command, 45);
            assert!(done.is_ok(), "{flavour:?} {command:?}: {done:?}");
        }
        let mut request = largest();
        for number in 0..approvers {
            let approval = ApprovalId::new(format!("approval-{}", number + 1)).unwrap();
            let by = actor(&format!("approver-{number}"));
            request = workflow::apply(request, &Command::approve_requirement(by, approval), second(30)).unwrap();
        }
        request = store.update(request, WriteId::generate()).unwrap();
        assert_eq!(request.state.status(), Status::Approved);
        let (claim, executor) = (ClaimId::generate(), actor("executor"));
        request =
            do_to(&store, &request, &Command::claim(executor.clone(), claim, Duration::from_mins(1)), 60).unwrap();
        request = do_to(&store, &request, &Command::complete(executor, claim, Completion::new()), 61).unwrap();
        assert_eq!(request.state.status(), Status::Executed, "{flavour:?} {approvers}");
    }
}

#[test]
fn a_request_that_has_grown_to_the_limit_can_still_be_ended() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("grown")).limit(DocumentLimit::of_bytes(16_000));
        let store = flavour.open(&options).unwrap();
        let mut request = store.create(pending("grown", "s", second(0))).unwrap();
        let error = loop {
            match store.update(moved_on(request.clone(), second(1)), WriteId::generate()) {
                Ok(grown) => request = grown,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::TooLarge { .. }), "{flavour:?}: {error:?}");
        let canceled = do_to(&store, &request, &Command::cancel(actor("alice")), 2).unwrap();
        assert_eq!(canceled.state.status(), Status::Canceled);
    }
}
