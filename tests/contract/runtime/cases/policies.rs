//! A service with policies: each draft meets them, whoever submits it and however.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::policy::PolicySet;
use mutator_governance::workflow::{Amendment, resubmission_draft};
use mutator_governance::{Error, ManyOptions, MutationRequest, PolicyError, Status, WriteId};

use super::flavour::{Governance, GovernanceBuilder, Store};
use super::{World, dual};
use crate::runtime::people::{approved, at, draft, id, needing, user};

const ACCESS: &str = r#"
[[policies]]
name = "access"
when = { categories = ["Access"] }
deadline = "PT1H"
approvals = [{ targets = [{ actor_ids = ["bob"] }] }]
"#;

impl World {
    fn builder(&self) -> GovernanceBuilder<Arc<dyn Store>> {
        Governance::builder().store(Arc::clone(&self.store)).clock(self.clock.clone())
    }

    /// The service with these policies.
    fn with_policies(&self, text: &str) -> Governance {
        self.builder().policies(PolicySet::from_toml(text, "policies.toml").unwrap()).build()
    }
}

/// Its approvers in their order, and how many seconds after second 0 it expires.
fn demanded(request: &MutationRequest) -> (Vec<String>, Option<u64>) {
    let end = request.state.pending().and_then(|pending| pending.expires_at);
    let approvers = request.approvals.iter().map(|approval| approval.target.to_string());
    (approvers.collect(), end.map(|end| end.duration_since(at(0)).as_secs()))
}

fn bobs(end: u64) -> (Vec<String>, Option<u64>) {
    (vec!["bob".to_owned()], Some(end))
}

#[dual]
pub(crate) async fn each_draft_meets_the_policies_of_the_service(world: World) {
    let governance = world.with_policies(ACCESS);
    let previewed = governance.preview_submit(draft("plain")).await.unwrap();
    let submitted = governance.submit(draft("plain")).await.unwrap();
    assert_eq!((demanded(&previewed), demanded(&submitted)), (bobs(3_600), bobs(3_600)));
    let own = governance.submit(needing("own", &["alice"])).await.unwrap();
    assert_eq!(demanded(&own).0, ["alice", "bob"]);
    let many = governance.submit_many(&[draft("m-1"), draft("m-2")], &ManyOptions::default()).await.unwrap();
    for result in &many.results {
        let stored = world.stored(&result.id).await;
        assert_eq!(demanded(&stored), bobs(3_600));
    }
    let applied = PolicySet::from_toml(ACCESS, "policies.toml").unwrap().draft(draft("twice"), at(0)).unwrap();
    let twice = governance.submit(applied).await.unwrap();
    assert_eq!(demanded(&twice), bobs(3_600), "applied by the caller as well");
    let without = world.governance.submit(draft("without")).await.unwrap();
    assert_eq!(without.state.status(), Status::Created, "a service without policies");
}

#[dual]
pub(crate) async fn what_policies_do_not_allow_is_not_written(world: World) {
    let governance = world.with_policies(ACCESS);
    let excluding = draft("request-1").excluding([mutator_governance::ActorId::new("bob").unwrap()]);
    for draft in [approved("request-1"), excluding] {
        let previewed = governance.preview_submit(draft.clone()).await.unwrap_err();
        let error = governance.submit(draft).await.unwrap_err();
        assert_eq!((error.code(), error.to_string()), ("policy.unsatisfiable", previewed.to_string()));
        assert!(matches!(&error, Error::Policy(policy) if matches!(**policy, PolicyError::Unsatisfiable { .. })));
        let stored = world.governance.get(&id("request-1")).await.unwrap();
        assert_eq!(stored, None);
    }
}

#[dual]
pub(crate) async fn a_submission_is_repeated_although_the_policies_have_changed(world: World) {
    let write_id = WriteId::generate();
    let first = world.with_policies(ACCESS).submit_as(draft("request-1"), write_id).await.unwrap();
    world.clock.set(at(60));
    let stricter = ACCESS.replace("bob", "carol");
    let impossible = ACCESS.replace("\"bob\"", "\"requester\"");
    for text in [ACCESS, &stricter, &impossible] {
        let again = world.with_policies(text).submit_as(draft("request-1"), write_id).await.unwrap();
        assert_eq!(again, first);
    }
    let other = world.with_policies(ACCESS).submit_as(needing("request-1", &["alice"]), write_id).await.unwrap_err();
    assert!(matches!(other, Error::WriteIdReused { .. }), "{other}");
}

#[dual]
pub(crate) async fn a_resubmission_meets_the_policies_as_they_are_then(world: World) {
    let governance = world.with_policies(ACCESS);
    for (name, then, expected) in [
        ("same", ACCESS.to_owned(), bobs(600 + 3_600)),
        ("longer", ACCESS.replace("PT1H", "PT2H"), bobs(600 + 7_200)),
        ("stricter", ACCESS.replace("PT1H", "PT1M"), bobs(600 + 60)),
    ] {
        world.clock.set(at(0));
        let first = governance.submit(draft(name)).await.unwrap();
        let ended = governance.cancel(&first.id, user("admin")).await.unwrap();
        world.clock.set(at(600));
        let changed = world.with_policies(&then);
        let again = changed.resubmit(&ended.id, user("requester"), Amendment::new()).await.unwrap();
        assert_eq!(demanded(&again), expected, "{name}");
    }
    // Without the policies, what they demanded is taken over.
    world.clock.set(at(0));
    let first = governance.submit(draft("plain")).await.unwrap();
    let ended = world.governance.cancel(&first.id, user("admin")).await.unwrap();
    let later = at(0).saturating_add(Duration::from_mins(10));
    world.clock.set(later);
    let draft = resubmission_draft(&ended, Amendment::new(), user("requester"), later).unwrap();
    let again = world.governance.submit(draft).await.unwrap();
    assert_eq!(demanded(&again), bobs(600 + 3_600));
}
