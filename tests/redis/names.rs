//! Ids and state ids that try to escape a key, a pattern, a script or a list of arguments.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]

use std::cell::Cell;
use std::sync::OnceLock;

use common::requests::{actor, moved_on, second, submit};
use common::{Flavour, Options, Oracle, Raw, Store};
use common::{redis_url, unique_namespace};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, ApprovalRule, DecisionQuery, Error, IdComparison, Intent, MutationRequest, PageRequest,
    PendingApprovalQuery, RequestDraft, RequestId, RequestQuery, StateId, StoreErrorKind, Target, WriteId,
};
use proptest::prelude::*;

/// What an attacker would put into a name.
const HOSTILE: &[&str] = &[
    "\"",
    "'",
    "\\",
    "{",
    "}",
    "{n:0}:",
    "*",
    "?",
    "[a]",
    ":",
    "::",
    ":r:",
    "}:r:",
    ":i:a",
    "feed",
    "meta",
    "$",
    "\r\n",
    "\n",
    "\0",
    "$5\r\nhello\r\n",
    "*1\r\n",
    "');redis.call('FLUSHALL')--",
    "]]",
    "--",
    "%s%n",
    "../",
    "\u{feff}",
    "ü",
    "名",
    "\u{202e}",
    "\u{7f}",
    " ",
    "\t",
    ",",
    "=",
    "-",
    "+",
    "(",
    "[",
    "-inf",
    "+inf",
    "0",
    "\u{10ffff}",
];

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        2 => "[ -~]{1,6}",
        1 => "\\PC{1,4}",
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

fn store() -> &'static (Store, String) {
    static STORE: OnceLock<(Store, String)> = OnceLock::new();
    STORE.get_or_init(|| {
        let namespace = unique_namespace("names");
        let flavour = *Flavour::all().last().unwrap();
        (flavour.open(&Options::new(redis_url(), &namespace).partitions(4)).unwrap(), namespace)
    })
}

fn request(id: RequestId, state: &StateId, at: u64) -> MutationRequest {
    let target = Target::new(state.as_str(), "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant", "Access").unwrap();
    let draft = RequestDraft::new(target, intent, actor("alice")).with_id(id);
    submit(draft.waiting_for(mutator_governance::PendingReason::Schedule), second(at))
}

/// Files, changes and reads back a request, and finds it on the lists of its state and on no other.
fn round_trip(store: &Store, id: &RequestId, state: &StateId) {
    let stored = match store.create(request(id.clone(), state, 1)) {
        Ok(stored) => stored,
        Err(mutator_governance::Error::AlreadyExists { .. }) => return,
        Err(error) => panic!("{id:?}, {state:?}: {error:?}"),
    };
    assert_eq!(store.get(id).unwrap().as_ref(), Some(&stored));
    assert_eq!(store.get_many(std::slice::from_ref(id)).unwrap().requests, [Some(stored.clone())]);
    let of_state = |list: fn(&Store, &StateId, &PageRequest) -> _, state: &StateId| -> Vec<MutationRequest> {
        let page: mutator_governance::Result<mutator_governance::Page<MutationRequest>> =
            list(store, state, &PageRequest::of(1_000).unwrap());
        page.unwrap().items
    };
    assert!(of_state(Store::by_state, state).contains(&stored));
    let pending = of_state(Store::pending_by_state, state);
    assert!(pending.contains(&stored));
    assert!(pending.iter().all(|request| request.target.state_id == *state), "a list of another state");
    let changed = store.update(moved_on(stored, second(2)), WriteId::generate()).unwrap();
    assert!(!of_state(Store::pending_by_state, state).contains(&changed));
    assert_eq!(store.get(id).unwrap(), Some(changed));
}

#[test]
fn names_that_try_to_escape_stay_names() {
    let (store, namespace) = store();
    let neighbour_namespace = unique_namespace("neighbour");
    let flavour = Flavour::all()[0];
    let neighbour = flavour.open(&Options::new(redis_url(), &neighbour_namespace)).unwrap();
    neighbour.create(request(RequestId::new("r").unwrap(), &StateId::new("s").unwrap(), 1)).unwrap();
    let mut raw = Raw::to(&redis_url());
    let before = raw.dump(&neighbour_namespace);

    let (ids, states) = (Cell::new(0), Cell::new(0));
    proptest!(ProptestConfig::with_cases(400), |(id in hostile_text(), state in hostile_text())| {
        let (id, state) = (RequestId::new(id), StateId::new(state));
        // What is rejected never comes near a server; each accepted one is tried with an ordinary other.
        if let Ok(id) = &id {
            let text = id.as_str();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}*?[]\\".contains(&byte)), "{text:?}");
            round_trip(store, id, &StateId::new("s").unwrap());
            ids.set(ids.get() + 1);
        }
        if let Ok(state) = &state {
            prop_assert!(!state.as_str().contains(char::is_control));
            round_trip(store, &RequestId::generate(), state);
            states.set(states.get() + 1);
        }
    });
    assert!(ids.get() > 20 && states.get() > 50, "{ids:?}, {states:?}: too few names were accepted to try anything");
    assert_eq!(raw.dump(&neighbour_namespace), before, "a neighbour was touched");
    Oracle::new(namespace, 4).check(&mut raw, store);
    assert!(store.verify().unwrap().is_clean());
}

/// The names that are no id and no state: each becomes part of a key, or an argument of a script.
#[derive(Debug)]
struct Names {
    state_type: String,
    mutation_type: String,
    category: String,
    tag: String,
    requester: String,
    approver: String,
    role: String,
    group: String,
}

/// A hostile name, where that is allowed; else an ordinary one.
fn name<T, E>(text: &str, accepted: fn(&str) -> Result<T, E>) -> String {
    if accepted(text).is_ok() { text.to_owned() } else { "ordinary".to_owned() }
}

impl Names {
    fn of(texts: &[String]) -> Self {
        Self {
            state_type: name(&texts[0], |text| Target::new("s", text, "m")),
            mutation_type: name(&texts[1], |text| Target::new("s", "t", text)),
            category: name(&texts[2], |text| Intent::new("a", text)),
            tag: name(&texts[3], |text| Intent::new("a", "c").unwrap().with_tag(text)),
            requester: name(&texts[4], |text| ActorContext::user(text)),
            approver: name(&texts[5], |text| ApprovalRule::actor(text)),
            role: name(&texts[6], |text| ApprovalRule::role(text)),
            group: name(&texts[7], |text| ApprovalRule::group(text)),
        }
    }

    fn request(&self) -> MutationRequest {
        let target = Target::new("s", &self.state_type, &self.mutation_type).unwrap();
        let intent = Intent::new("grant", &self.category).unwrap().with_tag(&self.tag).unwrap();
        let draft = RequestDraft::new(target, intent, ActorContext::user(&self.requester).unwrap());
        // Approver and requester may have got the same name.
        let by_approver = ApprovalRule::actor(&self.approver).unwrap().requester_may_decide();
        let draft = draft.with_id(RequestId::generate()).requires_approval(by_approver);
        let draft = draft.requires_approval(ApprovalRule::role(&self.role).unwrap());
        submit(draft.requires_approval(ApprovalRule::group(&self.group).unwrap()), second(3))
    }

    /// Stores a request of these names, and finds it under each of them.
    fn round_trip(&self, store: &Store) {
        let stored = store.create(self.request()).unwrap();
        let all = PageRequest::of(1_000).unwrap();
        let queries = [
            RequestQuery::new().with_state_types([&self.state_type]).unwrap(),
            RequestQuery::new().with_mutation_types([&self.mutation_type]).unwrap(),
            RequestQuery::new().with_categories([&self.category]).unwrap(),
            RequestQuery::new().with_any_tag([&self.tag]).unwrap(),
            RequestQuery::new().with_actor_ids([&self.requester]).unwrap(),
        ];
        for query in queries {
            let found = store.requests(&query, &all).unwrap().items;
            assert!(found.contains(&stored), "{query:?} does not find {self:?}");
            assert!(found.iter().all(|request| query.matches(request)), "{query:?} finds too much");
        }
        let queries = [
            PendingApprovalQuery::new().with_approver_ids([&self.approver]).unwrap(),
            PendingApprovalQuery::new().with_roles([&self.role]).unwrap(),
            PendingApprovalQuery::new().with_groups([&self.group]).unwrap(),
            PendingApprovalQuery::new().with_categories([&self.category]).unwrap(),
        ];
        for query in queries {
            let found = store.pending_approvals(&query, &all).unwrap().items;
            assert!(found.iter().any(|row| row.request.id == stored.id), "{query:?} does not find {self:?}");
        }
        let query = DecisionQuery::new().with_actor_ids([&self.requester]).unwrap();
        let found = store.decisions(&query, &all).unwrap().items;
        assert!(found.iter().any(|row| row.request.id == stored.id), "{query:?} does not find {self:?}");
    }
}

#[test]
fn every_other_name_stays_a_name() {
    let namespace = unique_namespace("other-names");
    let flavour = *Flavour::all().last().unwrap();
    let store = flavour.open(&Options::new(redis_url(), &namespace).partitions(2)).unwrap();
    let hostile = Cell::new(0);
    proptest!(ProptestConfig::with_cases(50), |(texts in proptest::collection::vec(hostile_text(), 8))| {
        let names = Names::of(&texts);
        hostile.set(hostile.get() + u32::from(names.tag != "ordinary") + u32::from(names.role != "ordinary"));
        names.round_trip(&store);
    });
    assert!(hostile.get() > 20, "{hostile:?}: too few names were accepted to try anything");
    Oracle::new(&namespace, 2).check(&mut Raw::to(&redis_url()), &store);
}

#[test]
fn the_longest_names_and_those_that_look_like_keys_work_in_every_flavour() {
    let pieces = ["a:b", ":", "r:x", "i:a", "feed", "-", "+", "(a", "0", "'", "\"", "%", "$1", "req-1/2", "~", "a,b"];
    let longest_id = "x".repeat(RequestId::MAX_BYTES);
    // 256 bytes of three-byte characters and one byte.
    let wide = format!("{}x", "名".repeat(85));
    assert_eq!(wide.len(), StateId::MAX_BYTES);
    let states =
        [wide.as_str(), "ü", "a", "a:", ":a", "p", "Pending", "{n:0}:i:a", "x}:r:y", "\"'\\", "\u{10ffff}", "si:a"];
    for flavour in Flavour::all() {
        for partitions in [1, 4] {
            let namespace = unique_namespace("longest");
            let store = flavour.open(&Options::new(redis_url(), &namespace).partitions(partitions)).unwrap();
            for (number, id) in pieces.iter().copied().chain([longest_id.as_str()]).enumerate() {
                let state = StateId::new(states[number % states.len()]).unwrap();
                round_trip(&store, &RequestId::new(id).unwrap(), &state);
            }
            let documents = Oracle::new(&namespace, partitions).check(&mut Raw::to(&redis_url()), &store);
            assert_eq!(documents.len(), pieces.len() + 1);
            let report = store.verify().unwrap();
            assert!(report.is_clean() && report.records == documents.len() as u64, "{report:?}");
        }
    }
    for (id, is_good) in [("x".repeat(129), false), ("a\nb".to_owned(), false), ("{a}".to_owned(), false)] {
        assert_eq!(RequestId::new(id.clone()).is_ok(), is_good, "{id:?}");
    }
    assert!(StateId::new(format!("{wide}y")).is_err() && StateId::new("a\nb").is_err());
}

/// Requests of Rita, each under another spelling, which needs an approval of a lead.
fn of_rita(store: &Store) -> Vec<MutationRequest> {
    let spellings = ["Rita@Example.com", "rita@example.com", "RITA@EXAMPLE.COM"];
    let of = |(spelling, at): (&str, u64)| {
        let draft = RequestDraft::new(
            Target::new("s", "t", "m").unwrap(),
            Intent::new("grant", "Access").unwrap(),
            ActorContext::user(spelling).unwrap(),
        );
        let draft = draft.with_id(RequestId::new(format!("of-rita-{at}")).unwrap());
        let draft = draft
            .requires_approval(ApprovalRule::role(["Lead", "lead", "LEAD"][usize::try_from(at).unwrap()]).unwrap());
        store.create(submit(draft, second(at))).unwrap()
    };
    spellings.into_iter().zip(0..).map(of).collect()
}

fn found(store: &Store, spelling: &str) -> (usize, usize) {
    let of_requester = RequestQuery::new().with_actor_ids([spelling]).unwrap();
    let for_lead = PendingApprovalQuery::new().with_roles(["lead"]).unwrap();
    let page = PageRequest::first();
    let requests = store.requests(&of_requester, &page).unwrap().items;
    (requests.len(), store.pending_approvals(&for_lead, &page).unwrap().items.len())
}

#[test]
fn how_ids_are_compared_is_fixed_for_a_namespace_and_changed_by_reindexing() {
    for flavour in Flavour::all() {
        let options = Options::new(redis_url(), unique_namespace("folding")).partitions(2);
        let folding = options.clone().fold_case(true);
        let exact = flavour.open(&options).unwrap();
        let requests = of_rita(&exact);
        assert_eq!(found(&exact, "rita@example.com"), (1, 1));

        for rejected in [folding.clone(), folding.clone().read_only()] {
            let Err(Error::Store(error)) = flavour.open(&rejected).map(drop) else { panic!("opened") };
            assert_eq!(error.kind, StoreErrorKind::Incompatible);
            for said in ["Exact", "FoldCase", "fold_case(false)", "reindex"] {
                assert!(error.problem.contains(said), "{error}");
            }
        }

        flavour.reindex(&folding).unwrap();
        assert!(flavour.open(&options).is_err(), "opened with the rule of before");
        let store = flavour.open(&folding).unwrap();
        assert_eq!(found(&store, "rITA@example.com"), (3, 3));
        let report = store.verify().unwrap();
        assert!(report.is_clean(), "{report:?}");
        let stored = store.get(&requests[0].id).unwrap().unwrap();
        assert_eq!(stored.id_comparison, IdComparison::FoldCase);
        assert_eq!(stored.requested_by, requests[0].requested_by, "the spelling is kept");
        // What was stored before is written on.
        for request in requests {
            let request = store.get(&request.id).unwrap().unwrap();
            let canceled = workflow::apply(request, &Command::cancel(actor("alice")), second(5)).unwrap();
            store.update(canceled, WriteId::generate()).unwrap();
        }
        assert!(store.verify().unwrap().is_clean());

        flavour.reindex(&options).unwrap();
        assert_eq!(found(&flavour.open(&options).unwrap(), "rita@example.com").0, 1);
    }
}

/// The work of a namespace that is opened so, compared with what its documents say.
#[test]
fn hostile_names_stay_names_without_regard_to_case() {
    let flavour = *Flavour::all().last().unwrap();
    let options = Options::new(redis_url(), unique_namespace("folded-names")).partitions(2).fold_case(true);
    let store = flavour.open(&options).unwrap();
    proptest!(ProptestConfig::with_cases(50), |(texts in proptest::collection::vec(hostile_text(), 8))| {
        Names::of(&texts).round_trip(&store);
    });
    let report = store.verify().unwrap();
    assert!(report.is_clean(), "{report:?}");
}
