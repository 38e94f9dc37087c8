//! A record in Redis that cannot be read: named, and in nobody's way.

use std::sync::Arc;

use mutator_governance::workflow::Completion;
use mutator_governance::{ClaimedRequest, Error, FormatError, Pending, PendingReason, Status};

use crate::runtime::blocking::{World, redis_store};
use crate::runtime::people::{at, draft, id, order, user};
use common::{redis_url, unique_namespace};

/// Changes the last byte of what is stored for this request.
fn damage(namespace: &str, request: &str) {
    let mut connection = redis::Client::open(redis_url()).unwrap().get_connection().unwrap();
    let pattern = format!("{{{namespace}:*{request}");
    let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let mut bytes: Vec<u8> = redis::cmd("GET").arg(&keys[0]).query(&mut connection).unwrap();
    *bytes.last_mut().unwrap() ^= 0xff;
    redis::cmd("SET").arg(&keys[0]).arg(bytes).exec(&mut connection).unwrap();
}

#[test]
fn a_damaged_request_keeps_no_other_from_expiring() {
    let namespace = unique_namespace("damaged");
    let world = World::over(Arc::new(redis_store(&namespace)));
    for (name, seconds) in [("damaged-1", 1), ("damaged-2", 2), ("fine-1", 3), ("fine-2", 4)] {
        let pending = Pending { reason: PendingReason::Schedule, expires_at: Some(at(seconds)) };
        world.governance.submit(draft(name).waiting_for(pending)).unwrap();
    }
    damage(&namespace, "damaged-1");
    damage(&namespace, "damaged-2");

    world.clock.set(at(10));
    for expected in ["fine-1", "fine-2"] {
        let swept = world.governance.expire_due(user("sweeper"), 1).unwrap();
        assert_eq!(swept.expired, [id(expected)]);
        let named: Vec<&str> = swept.failed.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(named, ["damaged-1", "damaged-2"]);
        let is_named =
            |error: &Error| matches!(error, Error::Unreadable { error: FormatError::ChecksumMismatch { .. }, .. });
        assert!(swept.failed.iter().all(|(_, error)| is_named(error)), "{:?}", swept.failed);
        assert_eq!(world.stored(&id(expected)).state.status(), Status::Expired);
    }
}

#[test]
fn a_damaged_request_is_not_executed() {
    let namespace = unique_namespace("damaged");
    let world = World::over(Arc::new(redis_store(&namespace)));
    world.governance.submit(draft("damaged-1").already_approved()).unwrap();
    damage(&namespace, "damaged-1");
    let run = |_: &ClaimedRequest| -> Result<Completion, _> { panic!("it must not run") };
    let error = world.governance.execute(&id("damaged-1"), &order(), run).unwrap_err();
    assert!(error.to_string().contains("restore the value from a backup"), "{error}");
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}
