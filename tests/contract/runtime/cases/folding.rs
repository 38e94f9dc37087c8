//! A store that compares ids of people without regard to case, and the service over it.

use std::sync::Arc;

use mutator_governance::{ActorContext, ApprovalError, ApprovalRule, Error, IdComparison, Status, StoreErrorKind};

use super::{World, dual, flavour, folding_redis_store};
use crate::runtime::people::{approval, approval_error, draft, targets, user};
use flavour::{Governance, MemoryStore, Store};

/// Of memory and of Redis, whatever the world is made of.
#[dual]
async fn folding() -> Vec<Governance> {
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::comparing_ids(IdComparison::FoldCase));
    let redis: Arc<dyn Store> = folding_redis_store().await;
    [memory, redis].map(|store| Governance::builder().store(store).fold_case(true).unwrap().build()).into()
}

fn kind(error: Error) -> StoreErrorKind {
    match error {
        Error::Store(error) => error.kind,
        other => panic!("not about the store: {other}"),
    }
}

/// The service goes by its store, and is not built where that has another rule than the program wants.
#[dual]
pub(crate) async fn a_service_and_its_store_agree_about_case(world: World) {
    let exact = || Governance::builder().store(Arc::clone(&world.store));
    assert!(exact().fold_case(false).is_ok());
    let error = exact().fold_case(true).map(drop).unwrap_err();
    assert!(error.to_string().contains("FoldCase") && error.to_string().contains("fold_case(true)"), "{error}");
    assert_eq!(kind(error), StoreErrorKind::Incompatible);
    for governance in folding().await {
        let store = Arc::clone(governance.store());
        let error = Governance::builder().store(store).fold_case(false).map(drop).unwrap_err();
        assert_eq!(kind(error), StoreErrorKind::Incompatible);
    }
}

/// Whoever asked, decided or voted did so under every spelling of their id; the history keeps the one they used.
#[dual]
pub(crate) async fn one_person_is_one_under_every_spelling(_world: World) {
    for governance in folding().await {
        let quorum =
            ApprovalRule::quorum("board", 2, targets(&["Mona@X.org", "mona@x.org", "Straße", "ΣΟΦΟΣ"])).unwrap();
        let request = governance.submit(draft("folded").requires_approval(quorum)).await.unwrap();
        let (first, second) = (approval("approval-1"), approval("approval-2"));

        let granted = governance.approve_requirement(&request.id, &first, user("MONA@x.org")).await.unwrap();
        assert_eq!(granted.decisions.last().unwrap().by.id.as_ref().unwrap(), "MONA@x.org");
        let again = governance.approve_requirement(&request.id, &second, user("mona@X.ORG")).await.unwrap_err();
        assert!(matches!(approval_error(again), ApprovalError::AlreadyVoted { .. }));
        let decidable = governance.decidable_by(&request.id, &user("Mona@x.org")).await.unwrap();
        assert!(decidable.is_empty(), "a second vote under another spelling");
        let strasse = governance.decidable_by(&request.id, &user("STRASSE")).await.unwrap();
        assert_eq!(strasse.len(), 1);
        let stranger =
            governance.approve_requirement(&request.id, &approval("approval-4"), user("sofos")).await.unwrap_err();
        assert!(matches!(approval_error(stranger), ApprovalError::NotAddressed { .. }));
        let approved =
            governance.approve_requirement(&request.id, &approval("approval-4"), user("σοφος")).await.unwrap();
        assert_eq!(approved.state.status(), Status::Approved);

        let lead = ApprovalRule::role("Lead").unwrap();
        let own = governance.submit(draft("own").requires_approval(lead)).await.unwrap();
        let requester = ActorContext::user("REQUESTER").unwrap().with_role("LEAD").unwrap();
        let error = governance.approve_requirement(&own.id, &first, requester).await.unwrap_err();
        assert!(matches!(approval_error(error), ApprovalError::OwnRequest { .. }));
    }
}

/// Two spellings of one person cannot give two grants.
#[dual]
pub(crate) async fn a_quorum_of_one_person_in_two_spellings_is_rejected(world: World) {
    let quorum = || ApprovalRule::quorum("board", 2, targets(&["Mona", "mona"])).unwrap();
    world.governance.submit(draft("exact").requires_approval(quorum())).await.unwrap();
    for governance in folding().await {
        let error = governance.submit(draft("folded").requires_approval(quorum())).await.unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
        let requester = ApprovalRule::actor("Requester").unwrap();
        let error = governance.submit(draft("own").requires_approval(requester)).await.unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
    }
}
