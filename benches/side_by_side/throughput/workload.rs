//! The mixed workload.

use fastrand::Rng;
use mutator_governance::blocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::{MutationRequest, PendingReason, RequestId, RequestState, Timestamp, WriteId};

use super::Floor;
use crate::floor;
use crate::monitor::Monitor;
use crate::requests;
use crate::server::Server;

pub(super) const NAMESPACE: &str = "mixed";
/// Where the floor's script writes.
pub(super) const FLOOR: &str = "floor";
pub(super) const STORED: u64 = 10_000;
/// How many requests of its own each caller changes.
const OWN: usize = 8;
const CALLERS: usize = 64;
const FIRST_NEW: u64 = 20_000_000;

/// What callers read and write.
pub(super) struct Workload {
    pub(super) ids: Vec<RequestId>,
    /// What each caller changes, as stored at the start.
    own: Vec<Vec<MutationRequest>>,
    /// A record as stored, to write it raw.
    record: Vec<u8>,
    /// What the floor's script does for the change of each of these requests, and for the next one, which undoes it.
    scripted: Vec<Vec<[redis::Cmd; 2]>>,
}

/// The commands that one caller's steps are on the floor.
pub(super) struct Raw {
    floor: Floor,
    own: Vec<String>,
    record: Vec<u8>,
    scripted: Vec<[redis::Cmd; 2]>,
    /// How often each request of its own was changed.
    changes: [usize; OWN],
}

/// What a caller does next.
pub(super) enum Step {
    Read(usize),
    Write(usize),
}

/// One caller's sequence of steps, the same in every column.
pub(super) struct Steps(Rng);

impl Workload {
    pub(super) fn prepare(server: &Server, store: &RedisStore) -> Self {
        let ids = (0..STORED).map(|number| requests::request(number).id.clone()).collect();
        let mut numbers = FIRST_NEW..;
        let mut create = || store.create(requests::almost_approved(numbers.next().unwrap())).unwrap();
        let own: Vec<Vec<_>> = (0..CALLERS).map(|_| (0..OWN).map(|_| create()).collect()).collect();
        let record = redis::cmd("GET").arg(key(&own[0][0].id)).query(&mut server.connection()).unwrap();
        let floor = floor::Floor::load(&mut server.connection());
        let mut monitor = Monitor::start(server.port(), server.connection());
        let mut hear = |request: &mut MutationRequest| {
            let heard = monitor.hear(|| {
                *request = store.update(changed(request.clone()), WriteId::generate()).unwrap();
            });
            floor.write(&heard, (NAMESPACE, FLOOR))
        };
        let mut both = |request: &MutationRequest| {
            let mut request = request.clone();
            [hear(&mut request), hear(&mut request)]
        };
        let scripted = own.iter().map(|own| own.iter().map(&mut both).collect()).collect();
        Self { ids, own, record, scripted }
    }

    /// The requests this caller changes, as they are stored now.
    pub(super) fn own(&self, caller: usize, store: &RedisStore) -> Vec<MutationRequest> {
        self.own[caller].iter().map(|request| store.get(&request.id).unwrap().unwrap()).collect()
    }

    /// The commands of this caller's steps on a floor.
    pub(super) fn raw(&self, caller: usize, floor: Floor) -> Raw {
        Raw {
            floor,
            // Beside the records, so that raw writes break nothing.
            own: self.own[caller].iter().map(|request| format!("raw:{}", request.id)).collect(),
            record: self.record.clone(),
            scripted: self.scripted[caller].clone(),
            changes: [0; OWN],
        }
    }
}

impl Raw {
    /// The write of this request.
    pub(super) fn write(&mut self, place: usize) -> redis::Cmd {
        let change = self.changes[place];
        self.changes[place] += 1;
        match self.floor {
            Floor::Set => redis::cmd("SET").arg(&self.own[place]).arg(&self.record).clone(),
            Floor::Script => self.scripted[place][change % 2].clone(),
        }
    }
}

impl Steps {
    pub(super) fn of(caller: usize) -> Self {
        Self(Rng::with_seed(caller as u64))
    }

    pub(super) fn next(&mut self) -> Step {
        if self.0.u8(..5) == 0 { Step::Write(self.0.usize(..OWN)) } else { Step::Read(self.0.usize(..STORED as usize)) }
    }
}

/// The request as the next change leaves it: approved if it waits for approval, else waiting again. Its history stays,
/// so that the thousandth change moves as much as the first.
pub(super) fn changed(request: MutationRequest) -> MutationRequest {
    let revision = request.revision();
    let mut document = request.into_document();
    document.state = match document.state {
        RequestState::Approved => RequestState::Pending(PendingReason::Approval.into()),
        _ => RequestState::Approved,
    };
    document.updated_at = Timestamp::from_micros(document.updated_at.as_micros() + 1).unwrap();
    MutationRequest::from_document(document, revision).unwrap()
}

pub(super) fn key(id: &RequestId) -> String {
    format!("{{{NAMESPACE}:0}}:r:{id}")
}
