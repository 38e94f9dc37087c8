//! A request with everything that a store keeps of it.

use crate::request::{MutationRequest, Revision};
use crate::service::settle::RememberedWrite;
use crate::stored_format::StoredRequest;

/// A request with everything that a store keeps of it: its document, its revision, and the writes it remembers. What a store
/// imports from it is the same request, down to the write ids.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    request: StoredRequest,
    writes: Vec<RememberedWrite>,
}

/// What became of a record that a store was to import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is stored now.
    Added,
    /// The same request was there already, at the same revision. Nothing was written.
    Unchanged,
    /// Another request has the id, or the same one at another revision. Nothing was written.
    Differs {
        /// What is stored.
        stored: Revision,
    },
}

impl RequestRecord {
    /// The greatest number of writes that a record holds: the seven newest, and the one that created the request.
    pub const MAX_WRITES: usize = 8;

    /// The record of a request and of the writes that its store remembers, in any order. Leaves out writes that this revision
    /// cannot have, and those beyond [`MAX_WRITES`](Self::MAX_WRITES).
    pub fn new(request: StoredRequest, writes: impl IntoIterator<Item = RememberedWrite>) -> Self {
        let Revision { number, write_id } = request.revision();
        let is_possible =
            |write: &RememberedWrite| write.number < number || write.number == number && write.id == write_id;
        let mut writes: Vec<RememberedWrite> = writes.into_iter().filter(is_possible).collect();
        writes.sort_by_key(|write| std::cmp::Reverse(write.number));
        writes.dedup_by_key(|write| write.number);
        let newest = Self::MAX_WRITES as u64 - 1;
        writes.retain(|write| write.number == 0 || number - write.number < newest);
        Self { request, writes }
    }

    /// The request.
    pub const fn request(&self) -> &StoredRequest {
        &self.request
    }

    /// The request, by value.
    pub fn into_request(self) -> StoredRequest {
        self.request
    }

    /// The remembered writes, the newest first. Without the write of the revision when a repair made it.
    pub fn writes(&self) -> &[RememberedWrite] {
        &self.writes
    }
}

impl Imported {
    /// What becomes of importing `record` where `stored` is.
    pub fn beside(record: &MutationRequest, stored: &MutationRequest) -> Self {
        if record == stored { Self::Unchanged } else { Self::Differs { stored: stored.revision() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ActorContext, Intent, RequestDraft, RequestId, Target, Timestamp, WriteId};
    use crate::workflow;

    fn stored(number: u64) -> StoredRequest {
        let target = Target::new("s", "State", "Change").unwrap();
        let intent = Intent::new("change", "Test").unwrap();
        let draft = RequestDraft::new(target, intent, ActorContext::user("rita").unwrap());
        let id = RequestId::new("r").unwrap();
        let request = workflow::submit(draft, id, WriteId::generate(), Timestamp::now()).unwrap();
        request.at_revision(Revision { number, write_id: write(number).id }).into()
    }

    fn write(number: u64) -> RememberedWrite {
        let request = workflow_request();
        let id = WriteId::from_bytes([u8::try_from(number).unwrap(); 16]);
        RememberedWrite { number, id, intent: request.creation_intent() }
    }

    fn workflow_request() -> MutationRequest {
        let target = Target::new("s", "State", "Change").unwrap();
        let intent = Intent::new("change", "Test").unwrap();
        let draft = RequestDraft::new(target, intent, ActorContext::user("rita").unwrap());
        workflow::submit(draft, RequestId::new("r").unwrap(), WriteId::generate(), Timestamp::MIN).unwrap()
    }

    #[test]
    fn it_holds_the_seven_newest_writes_and_the_first() {
        let record = RequestRecord::new(stored(20), (0..=20).map(write));
        let numbers: Vec<u64> = record.writes().iter().map(|write| write.number).collect();
        assert_eq!(numbers, [20, 19, 18, 17, 16, 15, 14, 0]);
    }

    #[test]
    fn it_leaves_out_writes_that_the_revision_cannot_have() {
        let other = RememberedWrite { number: 3, ..write(9) };
        let record = RequestRecord::new(stored(3), [write(0), write(2), write(2), other, write(4)]);
        assert_eq!(record.writes(), [write(2), write(0)]);
    }
}
