//! Checks of a namespace: their modes, positions, findings and reports.

mod json;
pub(crate) mod node_walk;
pub(crate) mod rebuild;
pub(crate) mod reply;
pub(crate) mod salvaged;

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(feature = "schemars")]
use self::json::Readable;
use self::json::{cursor_text, member_text, readable};
use self::node_walk::NodeWalk;
use crate::error::{Outcome, Result, StoreError, StoreErrorKind};
use crate::redis::command::UniqueHash;
use crate::request::{RequestId, Revision, UniqueKey};
use crate::stored_format::FormatError;

/// Whether a check only reports what it finds, or also repairs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckMode {
    /// Nothing is changed.
    Report,
    /// Indexes and headers are made to agree with the documents. Documents are never changed, and what cannot be read is
    /// left as it is, with its index entries.
    Repair,
    /// As [`Repair`](Self::Repair), and documents in another version of the stored format than the one this store writes
    /// are written in that one, with the same content and the same revision.
    Migrate,
}

/// Where a check of a namespace is to go on. It can be saved, and taken up by another process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct CheckPosition(pub(crate) Phase);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "phase")]
pub(crate) enum Phase {
    /// Every record: do the indexes hold what it asks for? The cursor is that of SCAN.
    Records {
        #[serde(with = "cursor_text")]
        #[cfg_attr(feature = "schemars", schemars(with = "String"))]
        cursor: u64,
        /// The nodes of a cluster, one of which the cursor belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Box<NodeWalk>>,
    },
    /// Every index: does a record ask for what it holds?
    Indexes {
        /// That of SCAN; none when every index has been seen.
        #[serde(default, with = "cursor_text", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
        cursor: Option<u64>,
        /// The nodes of a cluster, one of which the cursor belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Box<NodeWalk>>,
        /// The indexes still to be read of those that SCAN returned.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<String>,
        /// The member behind which the first of them is read on.
        #[serde(default, with = "member_text", skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "schemars", schemars(with = "String"))]
        after: Vec<u8>,
    },
    /// The reservations of unique keys and the permits of each partition: is there, or may there be, a request that has it?
    UniqueKeys(UniqueWalk),
}

impl Default for Phase {
    fn default() -> Self {
        Self::Records { cursor: 0, nodes: None }
    }
}

impl Phase {
    pub(crate) const fn name(&self) -> CheckPhase {
        match self {
            Self::Records { .. } => CheckPhase::Records,
            Self::Indexes { .. } => CheckPhase::Indexes,
            Self::UniqueKeys(_) => CheckPhase::UniqueKeys,
        }
    }

    pub(crate) const fn all_unique_keys() -> Self {
        Self::UniqueKeys(UniqueWalk { partition: 0, hash: UniqueHash::Reservations, cursor: 0 })
    }

    pub(crate) const fn all_indexes() -> Self {
        Self::Indexes { cursor: Some(0), nodes: None, keys: Vec::new(), after: Vec::new() }
    }
}

/// A place among the reservations and permits of all partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub(crate) struct UniqueWalk {
    pub(crate) partition: u16,
    pub(crate) hash: UniqueHash,
    /// That of HSCAN.
    #[serde(with = "cursor_text")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub(crate) cursor: u64,
}

impl UniqueWalk {
    /// The place after this one, where HSCAN returned this cursor, of so many partitions.
    pub(crate) const fn next(self, cursor: u64, partitions: u16) -> Option<Self> {
        let Self { partition, hash, .. } = self;
        match hash {
            _ if cursor != 0 => Some(Self { cursor, ..self }),
            UniqueHash::Reservations => Some(Self { partition, hash: UniqueHash::Permits, cursor }),
            UniqueHash::Permits if partition + 1 < partitions => {
                Some(Self { partition: partition + 1, hash: UniqueHash::Reservations, cursor })
            }
            UniqueHash::Permits => None,
        }
    }
}

/// What a check goes through, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum CheckPhase {
    /// Every record: do the indexes hold what it asks for?
    #[default]
    Records,
    /// Every index: does a record ask for what it holds?
    Indexes,
    /// Every reservation of a [unique key](crate::RequestDraft::with_unique_key): does an open request have the key?
    UniqueKeys,
}

/// What one bounded step of a check found.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CheckStep {
    /// What the step went through.
    pub phase: CheckPhase,
    /// How many records, index entries or reservations the call has looked at in this phase, those of this step included.
    pub done: u64,
    /// How many records there were when the call began, in the phase of records. `None` in the other phases,
    /// which nobody counts before, and if the number could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is not as it should be, and what could not be checked; repaired already in [`CheckMode::Repair`], but for what
    /// cannot be read or was busy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// How many records were looked at.
    pub records: u64,
    /// How many index entries were looked at.
    pub entries: u64,
    /// How many reservations of unique keys, and permits, were looked at.
    #[serde(skip_serializing_if = "is_zero")]
    pub reservations: u64,
    /// How many of the records are tombstones of removed requests.
    #[serde(skip_serializing_if = "is_zero")]
    pub tombstones: u64,
    /// How many requests a repartition moved to their new partition.
    #[serde(skip_serializing_if = "is_zero")]
    pub moved: u64,
    /// Where to go on; `None` when the check is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<CheckPosition>,
}

/// What a whole check found.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CheckReport {
    /// What was not as it should be, and what could not be checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// How many records were looked at.
    pub records: u64,
    /// How many index entries were looked at, some of them twice.
    pub entries: u64,
    /// How many of the records are tombstones of removed requests.
    #[serde(skip_serializing_if = "is_zero")]
    pub tombstones: u64,
    /// How many requests a repartition moved to their new partition.
    #[serde(skip_serializing_if = "is_zero")]
    pub moved: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One thing that is not as it should be, or that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Finding {
    /// An index lacks an entry that the document asks for.
    MissingEntry {
        /// The request.
        id: RequestId,
        /// The index.
        index: String,
    },
    /// An index holds an entry that no document asks for.
    ExtraEntry {
        /// The index.
        index: String,
        /// The request that the entry names, where it names one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
    /// An index holds an entry with another score than all have, which keeps it and others from their places: reads along
    /// the index fail as [`Corrupt`](crate::StoreErrorKind::Corrupt) until it is repaired. [`CheckMode::Report`] names up to 1,000 of an index and reads no further in it, since it has no
    /// order; a repair gives all of them their score, and then reads the whole index.
    WrongScore {
        /// The index.
        index: String,
        /// The request that the entry names, where it names one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
    /// The header of a record is damaged, so that nothing reads or writes the request. A repair rebuilds it from the document:
    /// the request is then at a revision of a new number and a new write id, and what earlier writes had for ids is forgotten.
    DamagedHeader {
        /// The request.
        id: RequestId,
        /// What is wrong with the header.
        #[serde(serialize_with = "crate::json::print")]
        #[cfg_attr(feature = "schemars", schemars(with = "String"))]
        error: FormatError,
    },
    /// The header of a record does not agree with its document.
    StaleHeader {
        /// The request.
        id: RequestId,
    },
    /// A document was in another version of the stored format than this store writes.
    OtherFormat {
        /// The request.
        id: RequestId,
        /// The version it was in.
        version: u16,
    },
    /// A record cannot be read. Its index entries are left as they are.
    Unreadable {
        /// The key of the record.
        key: String,
        /// Why it cannot be read.
        #[serde(serialize_with = "crate::json::print")]
        #[cfg_attr(feature = "schemars", schemars(with = "String"))]
        error: FormatError,
    },
    /// Something else is stored at a key of the namespace. It is left as it is; once it is out of the way, a repair restores
    /// what belongs there.
    OtherType {
        /// The key.
        key: String,
    },
    /// A record was written anew each time it was to be compared with the indexes, so it was not. Check again when fewer
    /// write it.
    Busy {
        /// The request.
        id: RequestId,
    },
    /// A record is stored under a key that is not the one of its id.
    Misplaced {
        /// The key of the record.
        key: String,
    },
    /// A unique key is reserved for a request that has ended, or was not created within a minute. Nobody is kept from the
    /// key: the next submission takes it over.
    OrphanReservation {
        /// The unique key, as it is stored.
        key: String,
        /// The request, where the reservation names one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
    /// The unique key of an open request is not reserved for it, so that another one could be submitted with it.
    MissingReservation {
        /// The request.
        id: RequestId,
        /// Its unique key.
        key: UniqueKey,
    },
    /// Two open requests have the same unique key, as a failover that loses writes can leave them. No repair ends a request:
    /// cancel one of them.
    SharedUniqueKey {
        /// The request for which the key is not reserved.
        id: RequestId,
        /// The request for which it is.
        other: RequestId,
        /// The unique key.
        key: UniqueKey,
    },
    /// A permit to create a request with a unique key was not used within a minute.
    OrphanPermit {
        /// The id of the request.
        id: String,
    },
}

/// The stored form of one request, for those who look into a namespace.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Inspection {
    /// The key of the record.
    pub key: String,
    /// The revision that is stored.
    pub revision: crate::request::Revision,
    /// The ids of the last writes, the newest first.
    pub write_ids: Vec<crate::request::WriteId>,
    /// The indexes that hold the request because of where it stands, as the header names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub current_indexes: Vec<String>,
    /// How many bytes the record takes.
    pub record_bytes: usize,
    /// How many of them are the document.
    pub document_bytes: usize,
    /// The request, or why it cannot be read.
    #[serde(flatten, serialize_with = "readable")]
    #[cfg_attr(feature = "schemars", schemars(with = "Readable<'static>"))]
    pub request: Result<crate::request::MutationRequest, FormatError>,
}

impl CheckMode {
    pub(crate) const fn repairs(self) -> bool {
        !matches!(self, Self::Report)
    }
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    records: u64,
    entries: u64,
    reservations: u64,
    total: Option<u64>,
}

impl Progress {
    /// That of a call that begins with so many records.
    pub(crate) fn of(total: Option<u64>) -> Self {
        Self { total, ..Self::default() }
    }

    /// Counts a step, and tells it how far the call has come with it.
    pub(crate) const fn count(&mut self, step: &mut CheckStep) {
        match step.phase {
            CheckPhase::Records => {
                self.records += step.records;
                (step.done, step.total) = (self.records, self.total);
            }
            CheckPhase::Indexes => {
                self.entries += step.entries;
                step.done = self.entries;
            }
            CheckPhase::UniqueKeys => {
                self.reservations += step.reservations;
                step.done = self.reservations;
            }
        }
    }
}

impl CheckReport {
    /// Whether everything was checked, and was as it should be.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// # Errors
    /// [`StoreErrorKind::Incompatible`] when records were too busy to have their indexes rebuilt, or to be moved.
    pub(crate) fn check_rebuilt(&self, call: &str) -> Result<()> {
        let is_busy = |finding: &&Finding| matches!(finding, Finding::Busy { .. });
        let Some(busy) = self.findings.iter().find(is_busy) else { return Ok(()) };
        let problem = format!(
            "the indexes are not complete: {busy}. Close the processes that write to the namespace, and call {call} again"
        );
        Err(StoreError::new(StoreErrorKind::Incompatible, Outcome::Applied, problem).into())
    }

    pub(crate) fn add(&mut self, step: &CheckStep) {
        self.findings.extend(step.findings.iter().cloned());
        self.records += step.records;
        self.entries += step.entries;
        self.moved += step.moved;
        self.tombstones += step.tombstones;
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingEntry { id, index } => write!(f, "request {id} is missing from index {index}"),
            Self::ExtraEntry { index, id: Some(id) } => {
                write!(f, "index {index} holds {id}, which does not belong there")
            }
            Self::ExtraEntry { index, id: None } => write!(f, "index {index} holds an entry that names no request"),
            Self::WrongScore { index, id: Some(id) } => {
                write!(f, "index {index} holds {id} with a score that keeps it from its place")
            }
            Self::WrongScore { index, id: None } => {
                write!(
                    f,
                    "index {index} holds an entry that names no request, with a score that keeps it from its place"
                )
            }
            Self::DamagedHeader { id, error } => write!(f, "the header of request {id} is damaged: {error}"),
            Self::StaleHeader { id } => write!(f, "the header of request {id} does not agree with its document"),
            Self::OtherFormat { id, version } => write!(f, "request {id} is stored in format version {version}"),
            Self::Unreadable { key, error } => write!(f, "{key} cannot be read: {error}"),
            Self::OtherType { key } => {
                write!(f, "{key} is of another type than this store uses; something else uses the key")
            }
            Self::Busy { id } => {
                write!(
                    f,
                    "request {id} was written anew at every attempt to check it, so it was not checked; check again"
                )
            }
            Self::OrphanReservation { key, id: Some(id) } => {
                write!(f, "unique key {key} is reserved for request {id}, which has ended or was never created")
            }
            Self::OrphanReservation { key, id: None } => {
                write!(f, "the reservation of unique key {key} names no request")
            }
            Self::MissingReservation { id, key } => {
                write!(f, "request {id} is open, and its unique key {key} is not reserved for it")
            }
            Self::SharedUniqueKey { id, other, key } => {
                write!(f, "requests {id} and {other} are both open and have unique key {key}; cancel one of them")
            }
            Self::OrphanPermit { id } => write!(f, "the permit to create request {id} was not used"),
            Self::Misplaced { key } => write!(f, "{key} is not where the request it holds belongs"),
        }
    }
}

/// Number and write id, one after the other.
pub(in crate::redis) fn revision_bytes(revision: Revision) -> [u8; 24] {
    let mut bytes = [0; 24];
    let (number, write_id) = bytes.split_at_mut(8);
    number.copy_from_slice(&revision.number.to_be_bytes());
    write_id.copy_from_slice(revision.write_id.as_bytes());
    bytes
}
