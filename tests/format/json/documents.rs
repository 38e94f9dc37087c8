//! Requests: every document of the stored format, as JSON.

use common::vectors::vectors;
use mutator_governance::stored_format::{DocumentLimit, decode};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, ApprovalId, FormatVersion, MutationRequest, RequestDocument, RequestId, Revision, WriteId,
};

use super::golden::{ByPrograms, returns};
use super::values::{at, small_draft};

pub fn document(name: &str) -> RequestDocument {
    decode(&vectors(FormatVersion::NEWEST.number())[name], DocumentLimit::DEFAULT).unwrap()
}

/// Three approvals in two steps, two of them granted, with the five decisions that led there.
pub fn sample() -> MutationRequest {
    let write_id = WriteId::from_bytes(*b"0123456789abcdef");
    MutationRequest::from_document(document("realistic"), Revision { number: 2, write_id }).unwrap()
}

/// A request as a service submits it, with one of its two approvals granted: four decisions, a payload, six actors.
fn small() -> MutationRequest {
    let (id, write_id) =
        (RequestId::new("0199a4a2-7b1e-7c3a-9d55-0242ac120001").unwrap(), WriteId::from_bytes([7; 16]));
    let grace = ActorContext::user("u-0007").unwrap().named("Grace Hopper").with_role("manager").unwrap();
    let approval = |number| ApprovalId::new(format!("approval-{number}")).unwrap();
    let submitted = workflow::submit(small_draft(), id, write_id, at(0)).unwrap();
    let command = Command::approve_requirement(grace.because("Needed for the migration"), approval(1));
    workflow::apply(submitted, &command, at(5_400)).unwrap().at_revision(Revision { number: 1, write_id })
}

/// Documents whose size is the point: their bytes are tested by the stored format.
const LARGE: [&str; 3] = ["json_payload", "many", "unicode_payload"];

#[test]
fn every_stored_document_has_one_json_form() {
    for (name, bytes) in vectors(FormatVersion::NEWEST.number()) {
        let document = decode(&bytes, DocumentLimit::DEFAULT).unwrap();
        if LARGE.contains(&&*name) {
            let json = serde_json::to_string(&document).unwrap();
            assert!(serde_json::from_str::<RequestDocument>(&json).unwrap() == document, "{name}");
        } else {
            returns(&format!("documents/{name}"), &document, ByPrograms);
        }
    }
}

#[test]
fn a_request_is_its_document_with_a_revision_and_is_small() {
    let sample = small();
    returns("request", &sample, ByPrograms);
    let json = serde_json::to_string(&sample).unwrap();
    assert!(json.len() <= 2_900, "{} bytes: {json}", json.len());
    let mut document = serde_json::to_value(&sample).unwrap();
    assert!(document.as_object_mut().unwrap().remove("revision").is_some());
    assert_eq!(document, serde_json::to_value(sample.document()).unwrap());
}

#[test]
fn reading_a_request_checks_what_building_one_does() {
    let json = serde_json::to_value(sample()).unwrap();
    let read = |change: fn(&mut serde_json::Value)| {
        let mut json = json.clone();
        change(&mut json);
        serde_json::from_value::<MutationRequest>(json).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(read(|_| ()), Ok(()));
    let bad: [(fn(&mut serde_json::Value), &str); 6] = [
        (|json| json["approvals"][1]["id"] = json["approvals"][0]["id"].clone(), "two approvals have the id"),
        (|json| json["approvals"] = serde_json::json!([]), "no approval that anybody could grant"),
        (|json| json["id"] = "a b".into(), "request id"),
        (|json| json["approvals"][0]["target"] = serde_json::json!({}), "nobody could decide it"),
        (|json| json["approvals"][0]["step"] = 0.into(), "nonzero"),
        (|json| json["revision"] = serde_json::Value::Null, "Revision"),
    ];
    for (change, problem) in bad {
        let error = read(change).unwrap_err();
        assert!(error.contains(problem), "{problem}: {error}");
    }
}
