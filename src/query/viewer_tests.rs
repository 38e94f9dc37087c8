//! A viewer: what makes one, and what queries for one find.

use std::sync::Arc;

use super::samples::*;
use super::{DecisionQuery, InboxQuery, PendingApprovalQuery, Query, RecentApprovalQuery, RequestQuery, Viewer};
use crate::request::*;

fn viewer(id: Option<&str>, roles: &[&str], groups: &[&str]) -> Viewer {
    let roles = roles.iter().map(|role| Role::new(*role).unwrap()).collect();
    let groups = groups.iter().map(|group| Group::new(*group).unwrap()).collect();
    Viewer::new(id.map(|id| ActorId::new(id).unwrap()), roles, groups).unwrap()
}

#[test]
fn nobody_and_too_many_are_no_viewer() {
    let error = Viewer::new(None, [].into(), [].into()).unwrap_err().to_string();
    assert!(error.starts_with("viewer has no id, no role and no group"), "{error}");
    assert!(Viewer::of(&ActorContext::system()).is_err());
    assert!(serde_json::from_str::<Viewer>("{}").is_err());
    assert!(serde_json::from_str::<Viewer>(r#"{"actor_ids":["a"],"role":["b"]}"#).is_err(), "a misspelled field");
    assert!(serde_json::from_str::<RequestQuery>(r#"{"visible_to":{}}"#).is_err());
    let roles = |count: u32| (0..count).map(|number| Role::new(format!("role-{number}")).unwrap()).collect();
    assert!(Viewer::new(None, roles(1_000), [].into()).is_ok());
    let error = Viewer::new(None, roles(1_001), [].into()).unwrap_err().to_string();
    assert!(error.contains("1001 roles; at most 1000"), "{error}");
}

#[test]
fn a_viewer_is_each_of_its_names() {
    let group = request_with("r", |document| {
        document.participants = Participants::new().with_groups(["audit"]).unwrap();
    });
    assert!(viewer(None, &[], &["audit"]).may_read(&group));
    assert!(viewer(Some("x"), &["y"], &["audit", "z"]).may_read(&group));
    assert!(!viewer(Some("audit"), &["audit"], &["Audit"]).may_read(&group), "an id or a role is not a group");
}

#[test]
fn who_acts_for_somebody_reads_as_both() {
    let deputy = ActorContext::user("dora").unwrap().acting_for("bob", "deputy").unwrap();
    let deputy = Viewer::of(&deputy).unwrap();
    for id in ["dora", "bob"] {
        let submitted = request_with("r", |document| {
            document.requested_by = Arc::new(ActorContext::user(id).unwrap());
        });
        assert!(deputy.may_read(&submitted), "{id}");
    }
    assert!(!deputy.may_read(&request(document("of-alice"))));
}

#[test]
fn ids_are_compared_as_the_store_compares_them() {
    let mut written = request_with("r", |document| {
        document.participants = Participants::new().with_roles(["Straße"]).unwrap();
    });
    let spelled = viewer(None, &["STRASSE"], &[]);
    assert!(!spelled.may_read(&written));
    written = written.comparing_ids(IdComparison::FoldCase);
    assert!(spelled.may_read(&written));
}

#[test]
fn another_viewer_is_another_query() {
    let (one, other) = (viewer(Some("a"), &["b"], &[]), viewer(Some("a"), &[], &["b"]));
    fn differ<Q: Query>(none: Q, with: impl Fn(Q, Viewer) -> Q, viewers: [&Viewer; 2]) {
        let prints = [Some(viewers[0]), Some(viewers[1]), None]
            .map(|viewer| viewer.map_or_else(|| none.clone(), |it| with(none.clone(), it.clone())).fingerprint());
        assert!(prints[0] != prints[1] && prints[0] != prints[2] && prints[1] != prints[2]);
        assert!(!none.is_for_a_viewer() && with(none.clone(), viewers[0].clone()).is_for_a_viewer());
    }
    let both = [&one, &other];
    differ(RequestQuery::new(), RequestQuery::visible_to, both);
    differ(RecentApprovalQuery::new(), RecentApprovalQuery::visible_to, both);
    differ(PendingApprovalQuery::new(), PendingApprovalQuery::visible_to, both);
    differ(DecisionQuery::new(), DecisionQuery::visible_to, both);
    let inbox = InboxQuery::new(ActorId::new("c").unwrap(), [].into(), [].into()).unwrap();
    differ(inbox, InboxQuery::visible_to, both);
}

#[test]
fn a_query_for_a_viewer_reads_back_and_says_so() {
    let one = viewer(Some("a"), &["b"], &["c"]);
    let query = RequestQuery::new().visible_to(one.clone());
    assert_eq!(query.to_string(), "requests visible to a or role b or group c, oldest first");
    let saved = serde_json::to_string(&query).unwrap();
    assert_eq!(saved, r#"{"visible_to":{"actor_ids":["a"],"roles":["b"],"groups":["c"]}}"#);
    assert_eq!(serde_json::from_str::<RequestQuery>(&saved).unwrap(), query);
    let inbox = InboxQuery::new(ActorId::new("d").unwrap(), [].into(), [].into()).unwrap().visible_to(one);
    let saved = serde_json::to_string(&inbox).unwrap();
    assert_eq!(serde_json::from_str::<InboxQuery>(&saved).unwrap(), inbox, "{saved}");
    assert!(inbox.to_string().ends_with("can decide now, visible to a or role b or group c, oldest first"), "{inbox}");
}
