//! Every order of the steps by which requests get a unique key, end, and are taken over from.
//!
//! A process is a list of calls, each of which the server carries out at once; between two of them anything may happen, the
//! process may end for ever, and a minute may pass. The search visits every state that some order leads to.

use std::collections::HashSet;
use std::time::Duration;

use super::{Judgement, PATIENCE, judge};
use crate::query::samples::document;
use crate::request::{RequestDocument, RequestState, UniqueKey};

type Id = u8;
type Token = u8;
/// As many requests as there are, and as many processes.
const MANY: usize = 3;
/// The token of no permit.
const NONE: Token = 0;

/// What the servers keep. Times are only old or new: whether a minute has passed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Servers {
    /// Whether each request is open, in the partition of its id.
    requests: [Option<bool>; MANY],
    permits: [Token; MANY],
    /// In the partition of the key. The last number tells values of different times apart, as the time in it does.
    reservation: Option<(Id, Token, u8)>,
    is_old: bool,
    written: u8,
    last_token: Token,
}

/// Where a process stands: what it does next, and what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Permit,
    Reserve { token: Token, instead_of: Option<(Id, Token, u8)> },
    Judge { token: Token, held: (Id, Token, u8), is_old: bool },
    Revoke { token: Token, held: (Id, Token, u8) },
    Create { token: Token },
    GiveUpPermit { token: Token },
    GiveUpKey { token: Token },
    End,
    Release,
    Done,
}

/// A process submits a request; two of them may repeat the same submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Process {
    id: Id,
    step: Step,
    rounds: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    servers: Servers,
    processes: [Process; MANY],
}

/// Which guards of the design are in force; the search has to find what each prevents.
#[derive(Clone, Copy)]
struct Rules {
    creation_needs_permit: bool,
    takeover_revokes: bool,
    release_names_token: bool,
    /// How often a process whose permit was revoked begins anew.
    rounds: u8,
}

const ALL: Rules = Rules { creation_needs_permit: true, takeover_revokes: true, release_names_token: true, rounds: 1 };

/// The rule itself, for each request that a reservation may name and for both ages.
struct Judge([[Judgement; 2]; 3]);

impl Judge {
    fn new() -> Self {
        let key = UniqueKey::new("k").unwrap();
        let with = |state| RequestDocument { unique_key: Some(key.clone()), state, ..document("r") };
        let (open, ended) = (with(RequestState::Created), with(RequestState::Canceled));
        let ages = |found: Option<&RequestDocument>| [Duration::ZERO, PATIENCE].map(|age| judge(&key, found, age));
        Self([ages(None), ages(Some(&ended)), ages(Some(&open))])
    }

    fn of(&self, servers: &Servers, holder: Id, is_old: bool) -> Judgement {
        let found = servers.requests[usize::from(holder)].map_or(0, |is_open| 1 + usize::from(is_open));
        self.0[found][usize::from(is_old)]
    }
}

/// The next state of the process, after its next call.
fn advance(servers: &mut Servers, process: &Process, rules: Rules, judge: &Judge) -> Option<Process> {
    let (id, at) = (process.id, usize::from(process.id));
    let is_stored = |servers: &Servers, id: Id| servers.requests[usize::from(id)].is_some();
    let mut rounds = process.rounds;
    let step = match process.step {
        Step::Permit if is_stored(servers, id) => Step::Create { token: 0 },
        Step::Permit => {
            if servers.permits[at] == NONE {
                servers.last_token += 1;
                servers.permits[at] = servers.last_token;
            }
            Step::Reserve { token: servers.permits[at], instead_of: None }
        }
        Step::Reserve { token, instead_of } => match servers.reservation {
            Some((holder, held, _)) if (holder, held) == (id, token) => Step::Create { token },
            Some(held) if held.0 != id && instead_of != Some(held) => {
                Step::Judge { token, held, is_old: servers.is_old }
            }
            _ => {
                servers.written += 1;
                servers.reservation = Some((id, token, servers.written));
                servers.is_old = false;
                Step::Create { token }
            }
        },
        Step::Judge { token, held, is_old } => match judge.of(servers, held.0, is_old) {
            Judgement::Stands => Step::GiveUpPermit { token },
            Judgement::IsFree => Step::Reserve { token, instead_of: Some(held) },
            Judgement::IsAbandoned if rules.takeover_revokes => Step::Revoke { token, held },
            Judgement::IsAbandoned => Step::Reserve { token, instead_of: Some(held) },
        },
        Step::Revoke { token, held } => {
            servers.permits[usize::from(held.0)] = NONE;
            if is_stored(servers, held.0) {
                Step::Judge { token, held, is_old: true }
            } else {
                Step::Reserve { token, instead_of: Some(held) }
            }
        }
        // A repetition finds its request.
        Step::Create { .. } if is_stored(servers, id) => Step::Done,
        Step::Create { token } if !rules.creation_needs_permit || servers.permits[at] == token => {
            servers.permits[at] = NONE;
            servers.requests[at] = Some(true);
            Step::End
        }
        Step::Create { .. } => {
            rounds += 1;
            if rounds > rules.rounds { Step::Done } else { Step::Permit }
        }
        Step::GiveUpPermit { token } => {
            servers.permits[at] = NONE;
            if is_stored(servers, id) { Step::Done } else { Step::GiveUpKey { token } }
        }
        Step::GiveUpKey { token } => {
            let is_own = |(holder, held, _)| holder == id && (!rules.release_names_token || held == token);
            servers.reservation = servers.reservation.filter(|held| !is_own(*held));
            Step::Done
        }
        Step::End => {
            servers.requests[at] = Some(false);
            Step::Release
        }
        Step::Release => {
            servers.reservation = servers.reservation.filter(|(holder, ..)| *holder != id);
            Step::Done
        }
        Step::Done => return None,
    };
    Some(Process { id, step, rounds })
}

/// How many states are reachable; an error names the first with two open requests.
fn search(ids: &[Id], rules: Rules) -> Result<usize, World> {
    let process = |place: usize| match ids.get(place) {
        Some(&id) => Process { id, step: Step::Permit, rounds: 0 },
        None => Process { id: 0, step: Step::Done, rounds: 0 },
    };
    let processes = [process(0), process(1), process(2)];
    let mut open = vec![World { servers: Servers::default(), processes }];
    let (mut seen, judge) = (HashSet::new(), Judge::new());
    while let Some(world) = open.pop() {
        if world.servers.requests.iter().filter(|is_open| **is_open == Some(true)).count() > 1 {
            return Err(world);
        }
        if !seen.insert(world) {
            continue;
        }
        if world.servers.reservation.is_some() && !world.servers.is_old {
            let mut later = world;
            later.servers.is_old = true;
            open.push(later);
        }
        for place in 0..MANY {
            let mut next = world;
            if let Some(process) = advance(&mut next.servers, &world.processes[place], rules, &judge) {
                next.processes[place] = process;
                open.push(next);
                // It ends for ever before this call; where the others stand does not tell it from one that has finished.
                let mut without = world;
                without.processes[place].step = Step::Done;
                open.push(without);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn no_order_of_steps_leaves_two_open_requests() {
    for (ids, rounds) in [(&[0, 1][..], 1), (&[0, 0, 1], 0)] {
        let states = search(ids, Rules { rounds, ..ALL }).unwrap_or_else(|world| panic!("two are open: {world:?}"));
        assert!(states > 100, "{ids:?}: {states} states");
    }
}

/// The same for three submissions, and for two of which one is repeated and begins anew.
#[test]
#[ignore = "takes long; `cargo test --lib redis::unique -- --ignored` runs it"]
fn no_order_of_more_steps_leaves_two_open_requests() {
    for (ids, rounds) in [(&[0, 1, 2][..], 0), (&[0, 0, 1], 1)] {
        search(ids, Rules { rounds, ..ALL }).unwrap_or_else(|world| panic!("two are open: {world:?}"));
    }
}

#[test]
fn the_search_finds_what_each_guard_prevents() {
    assert!(search(&[0, 1], Rules { creation_needs_permit: false, ..ALL }).is_err());
    assert!(search(&[0, 1], Rules { takeover_revokes: false, ..ALL }).is_err());
    assert!(search(&[0, 0, 1], Rules { release_names_token: false, ..ALL }).is_err());
}

/// Whatever ended and whenever, who asks a minute later gets the key, unless a request with it is open.
#[test]
fn nobody_is_kept_from_a_key_for_ever() {
    let judge = Judge::new();
    for reserved_for in [None, Some(0), Some(1)] {
        for request in [None, Some(true), Some(false)] {
            for permit in [NONE, 1] {
                let mut servers = Servers { is_old: true, last_token: 1, written: 1, ..Servers::default() };
                servers.reservation = reserved_for.map(|id| (id, 1, 1));
                servers.requests[0] = request;
                servers.permits[0] = permit;
                // An open request has its key reserved.
                if request == Some(true) && reserved_for != Some(0) {
                    continue;
                }
                let mut process = Process { id: 2, step: Step::Permit, rounds: 0 };
                while process.step != Step::Done && process.step != Step::End {
                    process = advance(&mut servers, &process, ALL, &judge).unwrap();
                }
                assert_eq!(servers.requests[2].is_some(), request != Some(true), "{reserved_for:?} {request:?}");
            }
        }
    }
}
