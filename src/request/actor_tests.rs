//! The builders of actor contexts.

use super::*;

#[test]
fn each_builder_sets_its_own_field() {
    let metadata = Metadata::new().with("request", 7).unwrap();
    let roles = [Role::new("manager").unwrap(), Role::new("lead").unwrap()];
    let by = ActorContext::service("api")
        .unwrap()
        .with_roles(&roles)
        .unwrap()
        .with_roles(["lead", "owner"])
        .unwrap()
        .with_groups(["board".to_owned()])
        .unwrap()
        .in_mode(ActorMode::Validate)
        .with_correlation_id("order-1")
        .with_causation_id("event-1")
        .with_session_id("session-1")
        .with_source_address(std::net::SocketAddr::from(([10, 0, 0, 7], 80)))
        .with_user_agent("curl")
        .with_time_zone("Europe/Vienna")
        .with_culture("de-AT")
        .acting_at(Timestamp::MAX)
        .acting_for("bob", "deputy")
        .unwrap()
        .with_metadata(metadata.clone());
    let text = |text: &str| Some(text.to_owned());
    let expected = ActorContext {
        kind: ActorKind::Service,
        id: Some(ActorId::new("api").unwrap()),
        name: None,
        roles: ["lead", "manager", "owner"].map(|role| Role::new(role).unwrap()).into(),
        groups: BTreeSet::from([Group::new("board").unwrap()]),
        reason: None,
        mode: ActorMode::Validate,
        correlation_id: text("order-1"),
        causation_id: text("event-1"),
        session_id: text("session-1"),
        source_address: text("10.0.0.7:80"),
        user_agent: text("curl"),
        time_zone: text("Europe/Vienna"),
        culture: text("de-AT"),
        at: Some(Timestamp::MAX),
        metadata,
        acting_for: Some(ActingFor::new("bob", "deputy").unwrap()),
    };
    assert_eq!(by, expected);
    assert!(ActorContext::system().with_roles(["ok", " "]).is_err());
    assert!(ActorContext::system().with_groups(["\u{200b}"]).is_err());
}
