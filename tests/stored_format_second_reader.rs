//! Another implementation of bincode's encoding, `oxicode`, reads the bodies of version 1 as bincode does and writes the
//! same bytes again: the bytes can be kept when bincode cannot. See docs/adr/0004.
//!
//! The structures are written down once more, out of docs/stored-format.md.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub, reason = "this is a test, all of it")]

mod stored_format_support;

use bincode::{Decode as ByBincode, Encode as ToBincode};
use mutator_governance::stored_format::{DocumentLimit, FormatVersion, decode, encode_as};
use oxicode::{Decode as ByOxicode, Encode as ToOxicode};
use stored_format_support::{body, seal, vectors};

type Text = String;
type Set = Vec<String>;
type Time = u64;
type Metadata = Vec<(String, Value)>;
/// An enum without fields, as the number of its variant.
type Kind = u32;

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct Document {
    names: (Text, Text, Text, Text),
    intent: Intent,
    requested_by: Actor,
    payload: Option<(Text, Vec<u8>)>,
    state: State,
    requirements: Vec<(Text, Text, Metadata, bool)>,
    approvals: Vec<Approval>,
    approval_round: u32,
    decisions: Vec<Decision>,
    side_effects: Vec<SideEffect>,
    versions: (Option<Text>, Option<Text>),
    execution: Execution,
    times: (Time, Time),
    metadata: Metadata,
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct Intent {
    names: (Text, Text, Option<Text>),
    risk: Kind,
    reversible: bool,
    blast_radius: Option<(Kind, Option<u64>, Option<Text>)>,
    tags: Set,
    metadata: Metadata,
    created_at: Option<Time>,
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct Actor {
    kind: Kind,
    names: (Option<Text>, Option<Text>),
    roles: Set,
    groups: Set,
    reason: Option<Text>,
    mode: Kind,
    ids: (Option<Text>, Option<Text>, Option<Text>),
    place: (Option<Text>, Option<Text>, Option<Text>, Option<Text>),
    at: Option<Time>,
    metadata: Metadata,
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
enum State {
    Created,
    Pending(Kind, Option<Time>),
    Approved,
    Rejected,
    Canceled,
    Expired,
    Superseded(Text),
    Executed(Time, Option<Text>),
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct Approval {
    id: Text,
    target: (Set, Set, Set),
    description: Text,
    name: Option<Text>,
    step: u32,
    quorum: Option<(Text, u32, Kind)>,
    expires_at: Option<Time>,
    decider: Kind,
    state: ApprovalState,
    metadata: Metadata,
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
enum ApprovalState {
    Pending,
    Approved(Verdict),
    Rejected(Verdict, Option<(Text, Option<Text>, Text, Metadata)>),
    Satisfied(Time),
    Expired(Time),
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct Verdict {
    by: Actor,
    at: Time,
    reason: Option<Text>,
    digest: [u8; 32],
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct Decision {
    kind: DecisionKind,
    by: Actor,
    reason: Option<Text>,
    at: Time,
    metadata: Metadata,
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
enum DecisionKind {
    Lifecycle(Kind),
    Approval(Kind),
    VersionResolution(Kind),
    Execution(Kind),
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct SideEffect {
    names: (Text, Text),
    severity: Kind,
    data: Option<Metadata>,
    contract_id: Option<Text>,
    at: Time,
    requires_action: bool,
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
struct Execution {
    kind: ExecutionKind,
    links: Vec<(Kind, Text)>,
    claim: Option<([u8; 16], Actor, Time, Time)>,
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
enum ExecutionKind {
    Standard,
    Compensation(Text, Kind, Kind, Set, Option<Text>),
}

#[derive(ToBincode, ByBincode, ToOxicode, ByOxicode, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float([u8; 8]),
    Text(Text),
    Bytes(Vec<u8>),
    Time(Time),
    List(Vec<Value>),
    Map(Metadata),
}

#[test]
fn another_implementation_reads_and_writes_the_golden_vectors_of_version_1() {
    for (name, bytes) in vectors(1) {
        let body = body(&bytes);
        let (by_bincode, _): (Document, _) = bincode::decode_from_slice(body, bincode::config::standard()).unwrap();
        let (by_oxicode, read): (Document, _) =
            oxicode::decode_from_slice_with_config(body, oxicode::config::standard()).unwrap();
        assert_eq!(by_oxicode, by_bincode, "{name}");
        assert_eq!(read, body.len(), "{name}: bytes are left over");
        let written = oxicode::encode_to_vec_with_config(&by_oxicode, oxicode::config::standard()).unwrap();
        assert_eq!(written, body, "{name}: other bytes when written again");

        // And what it wrote is the document that we read, and write, in the same bytes.
        let document = decode(&seal(1, &written), DocumentLimit::DEFAULT).unwrap();
        assert_eq!(
            encode_as(&document, FormatVersion::new(1).unwrap(), DocumentLimit::DEFAULT).unwrap(),
            bytes,
            "{name}"
        );
        assert_eq!(by_oxicode.names.0, document.id.as_str(), "{name}");
        assert_eq!(by_oxicode.decisions.len(), document.decisions.len(), "{name}");
        let times = (document.created_at.as_micros(), document.updated_at.as_micros());
        assert_eq!(by_oxicode.times, times, "{name}");
    }
}

/// Version 2 takes nothing but its integers from bincode.
#[test]
fn another_implementation_writes_integers_as_bincode_does() {
    let edges = [0, 1, 250, 251, 252, 65_535, 65_536, 4_294_967_295, 4_294_967_296, u64::MAX];
    for number in edges {
        let signed = number.cast_signed();
        for number in [signed, signed.wrapping_neg(), signed >> 1] {
            let by_bincode =
                bincode::encode_to_vec((number, number.cast_unsigned()), bincode::config::standard()).unwrap();
            let config = oxicode::config::standard();
            let by_oxicode = oxicode::encode_to_vec_with_config(&(number, number.cast_unsigned()), config).unwrap();
            assert_eq!(by_oxicode, by_bincode, "{number}");
        }
    }
}
