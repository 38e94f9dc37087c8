//! Plans: any of them finds the same rows.

use std::collections::BTreeSet;
use std::fmt;

use proptest::prelude::*;

use super::in_memory::Indexes;
use super::*;
use crate::query::query_samples::*;
use crate::query::samples::*;
use crate::query::{DecisionQuery, InboxQuery, PendingApprovalQuery, Query, RecentApprovalQuery, RequestQuery};
use crate::request::*;

const NOW: u64 = 3;

/// The data of a store.
struct Indexed<'a> {
    indexes: Indexes,
    requests: &'a [MutationRequest],
}

impl<'a> Indexed<'a> {
    fn new(requests: &'a [MutationRequest], chosen: &ChosenIndexes) -> Self {
        let mut indexes = Indexes::default();
        requests.iter().for_each(|request| indexes.add(request, chosen));
        Self { indexes, requests }
    }

    /// Carries out the plan as a store does: by keys, and reads documents only at the end.
    fn follow<Q: Query>(&self, plan: &Plan<Q>) -> BTreeSet<SortKey> {
        let plan = match plan {
            Plan::ByIds { ids, query } => {
                let named = self.requests.iter().filter(|request| ids.contains(&request.id));
                return named.flat_map(|request| query.rows_of(request, at(NOW))).map(|(key, _)| key).collect();
            }
            Plan::Along(along) => along,
        };
        let (terms, layout) = (&plan.terms, plan.terms.first().unwrap().dimension.layout());
        assert!(terms.iter().all(|term| term.dimension.layout() == layout));
        let read = terms.iter().flat_map(|term| self.indexes.keys_of(term));
        let kept = read.filter(|key| plan.range.contains(key)).filter(|key| {
            plan.probes.iter().all(|probe| {
                let probed = probe.terms.first().unwrap().dimension.layout();
                if probed == layout {
                    self.indexes.holds(&probe.terms, key)
                } else {
                    assert_eq!(probed, KeyLayout::Created);
                    self.indexes.holds(&probe.terms, &layout.request_key(key).unwrap())
                }
            })
        });
        let mut rows = BTreeSet::new();
        for key in kept {
            let request = self.requests.iter().find(|request| Some(&request.id) == key.request_id().as_ref()).unwrap();
            let of_request = plan.residual.rows_of(request, at(NOW)).into_iter().map(|(row, _)| row);
            rows.extend(of_request.filter(|row| layout != Q::LAYOUT || row == key));
        }
        rows
    }
}

/// Whatever the cardinalities and the indexed metadata, the plan finds what the query matches.
fn check_plan<Q: Query + fmt::Display>(query: &Q, requests: &[MutationRequest], sizes: &[u64], chosen: &ChosenIndexes) {
    let indexed = Indexed::new(requests, chosen);
    let asked: BTreeSet<SortKey> =
        requests.iter().flat_map(|request| query.rows_of(request, at(NOW))).map(|(key, _)| key).collect();
    let place = |term: &Term| term.to_string().bytes().map(usize::from).sum::<usize>() % sizes.len();
    for plan in [
        plan(query, chosen, IdComparison::Exact, |term| sizes[place(term)]),
        plan(query, chosen, IdComparison::Exact, |term| indexed.indexes.keys_of(term).count() as u64),
    ] {
        assert_eq!(indexed.follow(&plan), asked, "{query}\n{plan}");
    }
}

fn sizes() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(0..50_u64, 7)
}

fn chosen() -> impl Strategy<Value = ChosenIndexes> {
    let keys = proptest::sample::subsequence(vec!["ticket", "team"], 0..=2);
    let dimensions = proptest::sample::subsequence(vec![Dimension::CorrelationId, Dimension::Participant], 0..=2);
    (keys, dimensions)
        .prop_map(|(keys, dimensions)| dimensions.into_iter().fold(ChosenIndexes::metadata(keys), ChosenIndexes::and))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_plan_for_requests_finds_what_matches(
        query in any_request_query(), requests in any_requests(8), sizes in sizes(), chosen in chosen(),
    ) {
        check_plan(&query, &requests, &sizes, &chosen);
    }

    #[test]
    fn a_plan_for_approvals_finds_what_matches(
        query in any_approval_query(), requests in any_requests(8), sizes in sizes(), chosen in chosen(),
    ) {
        check_plan(&query, &requests, &sizes, &chosen);
    }

    #[test]
    fn a_plan_for_decisions_finds_what_matches(
        query in any_decision_query(), requests in any_requests(8), sizes in sizes(), chosen in chosen(),
    ) {
        check_plan(&query, &requests, &sizes, &chosen);
    }

    #[test]
    fn a_plan_for_recent_approvals_finds_what_matches(
        query in any_recent_query(), requests in any_requests(8), sizes in sizes(), chosen in chosen(),
    ) {
        check_plan(&query, &requests, &sizes, &chosen);
    }

    #[test]
    fn a_plan_for_an_inbox_finds_what_matches(
        query in any_inbox_query(), requests in any_requests(8), sizes in sizes(), chosen in chosen(),
    ) {
        check_plan(&query, &requests, &sizes, &chosen);
    }
}

fn nothing() -> ChosenIndexes {
    ChosenIndexes::default()
}

/// The sizes of terms by their text; all others hold a million.
fn sized<'a>(sizes: &'a [(&'a str, u64)]) -> impl Fn(&Term) -> u64 + 'a {
    |term| sizes.iter().find(|(text, _)| *text == term.to_string()).map_or(1_000_000, |(_, size)| *size)
}

/// The plan of a query without ids.
fn along_plan<Q: Query>(
    query: &Q,
    chosen: &ChosenIndexes,
    ids: IdComparison,
    cardinality: impl Fn(&Term) -> u64,
) -> Along<Q> {
    let Plan::Along(along) = plan(query, chosen, ids, cardinality) else { panic!("reads by ids") };
    along
}

#[track_caller]
fn drives<Q: Query>(plan: &Along<Q>, expected: &[&str]) {
    assert_eq!(plan.terms.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

fn probed<Q>(plan: &Along<Q>) -> Vec<String> {
    plan.probes.iter().map(|probe| probe.terms.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect()
}

#[test]
fn the_cheapest_condition_drives_and_the_sum_over_its_terms_counts() {
    let query = RequestQuery::new().with_state_ids(["a", "b"]).unwrap().with_categories(["Access"]).unwrap();
    let mostly_states = sized(&[("state-id:a", 6), ("state-id:b", 6), ("category:Access", 11)]);
    let found = along_plan(&query, &nothing(), IdComparison::Exact, mostly_states);
    drives(&found, &["category:Access"]);
    assert_eq!(probed(&found), ["state-id:a|state-id:b"]);
    assert_eq!(found.residual, RequestQuery::new(), "the indexes answer all of it");

    let mostly_category = sized(&[("state-id:a", 5), ("state-id:b", 5), ("category:Access", 11)]);
    drives(&along_plan(&query, &nothing(), IdComparison::Exact, mostly_category), &["state-id:a", "state-id:b"]);
}

#[test]
fn named_ids_drive_when_they_are_fewer_than_anything_else() {
    let query = RequestQuery::new().with_ids(["x", "y"]).unwrap().with_categories(["Access"]).unwrap();
    let found = plan(&query, &nothing(), IdComparison::Exact, sized(&[("category:Access", 2)]));
    assert!(matches!(&found, Plan::ByIds { ids, .. } if ids.len() == 2), "{found}");
    drives(
        &along_plan(&query, &nothing(), IdComparison::Exact, sized(&[("category:Access", 1)])),
        &["category:Access"],
    );
}

#[test]
fn without_any_condition_everything_is_read_along() {
    drives(&along_plan(&RequestQuery::new(), &nothing(), IdComparison::Exact, |_| 7), &["all"]);
    drives(
        &along_plan(&PendingApprovalQuery::new(), &nothing(), IdComparison::Exact, |_| 7),
        &["pending-reason:Approval"],
    );
    drives(
        &along_plan(&PendingApprovalQuery::new(), &nothing(), IdComparison::Exact, sized(&[("approval", 3)])),
        &["approval"],
    );
    drives(
        &along_plan(&PendingApprovalQuery::new().of_any_request(), &nothing(), IdComparison::Exact, |_| 7),
        &["all"],
    );
    drives(&along_plan(&DecisionQuery::new(), &nothing(), IdComparison::Exact, |_| 7), &["decision"]);
    drives(&along_plan(&RecentApprovalQuery::new(), &nothing(), IdComparison::Exact, |_| 7), &["approval-activity"]);
}

#[test]
fn pending_requests_of_a_state_have_one_index() {
    let state = StateId::new("tenant:acme").unwrap();
    let found = along_plan(&RequestQuery::pending_of_state(state), &nothing(), IdComparison::Exact, |_| 7);
    drives(&found, &["pending-of-state:tenant:acme"]);
    assert_eq!(probed(&found), [""; 0]);
    assert_eq!(found.residual, RequestQuery::new());
}

#[test]
fn approvals_are_found_through_few_requests_rather_than_among_many_approvals() {
    let query = PendingApprovalQuery::new()
        .with_roles(["manager"])
        .unwrap()
        .of_requests(RequestQuery::new().with_state_ids(["a"]).unwrap());
    let found = along_plan(&query, &nothing(), IdComparison::Exact, sized(&[("pending-of-state:a", 3)]));
    drives(&found, &["pending-of-state:a"]);
    assert_eq!(probed(&found), ["pending-reason:Approval"], "a role is not known of a request");
    assert!(found.residual.to_string().contains("for role manager"), "{found}");

    let found = along_plan(&query, &nothing(), IdComparison::Exact, sized(&[("approver-role:manager", 3)]));
    drives(&found, &["approver-role:manager"]);
    assert_eq!(probed(&found), ["pending-of-state:a"]);
}

#[test]
fn an_inbox_reads_along_all_that_may_address_the_actor() {
    let manager = Role::new("manager").unwrap();
    let query =
        InboxQuery::new(ActorId::new("alice").unwrap(), [manager].into(), [Group::new("legal").unwrap()].into())
            .unwrap();
    drives(
        &along_plan(&query, &nothing(), IdComparison::Exact, |_| 7),
        &["inbox-actor:alice", "inbox-role:manager", "inbox-group:legal"],
    );
}

#[test]
fn decisions_about_requests_are_looked_up_under_the_request() {
    let query = DecisionQuery::execution_outcomes().of_requests(RequestQuery::new().with_state_ids(["a"]).unwrap());
    let found =
        along_plan(&query, &nothing(), IdComparison::Exact, sized(&[("state-id:a", 1), ("decision", 9_000_000)]));
    assert_eq!(found.terms.len(), 5, "one for each outcome");
    assert_eq!(probed(&found), ["state-id:a"]);
    assert_eq!(found.residual, DecisionQuery::new());
}

#[test]
fn only_chosen_metadata_is_looked_up() {
    let query = RequestQuery::new().with_metadata("ticket", "7").unwrap().with_metadata("team", "x").unwrap();
    let found =
        along_plan(&query, &ChosenIndexes::metadata(["ticket"]), IdComparison::Exact, |term| term.text.len() as u64);
    assert_eq!(found.residual, RequestQuery::new().with_metadata("team", "x").unwrap());
    assert_eq!(along_plan(&query, &nothing(), IdComparison::Exact, |_| 1).residual, query);
}

#[test]
fn correlation_ids_are_looked_up_only_where_that_was_chosen() {
    let query = RequestQuery::new().with_correlation_ids(["import-7", "import-8"]).unwrap();
    let indexed = nothing().and(Dimension::CorrelationId);
    let found = along_plan(&query, &indexed, IdComparison::Exact, |term| if term.text.is_empty() { 100 } else { 7 });
    let terms = ["import-7", "import-8"].map(|id| Term::of_long_text(Dimension::CorrelationId, id).to_string());
    assert_eq!(found.terms.iter().map(ToString::to_string).collect::<BTreeSet<_>>(), terms.into());
    assert_eq!(found.residual, RequestQuery::new());

    let found = along_plan(&query, &nothing(), IdComparison::Exact, |_| 7);
    drives(&found, &["all"]);
    assert_eq!(found.residual, query);
}

#[test]
fn a_wide_list_drives_or_is_checked_on_the_document_but_never_probed() {
    let wide = (0..17).map(|number| format!("s{number}"));
    let query = RequestQuery::new().with_state_ids(wide).unwrap().with_categories(["Access"]).unwrap();
    let found = along_plan(&query, &nothing(), IdComparison::Exact, sized(&[("category:Access", 1)]));
    assert_eq!(probed(&found), [""; 0]);
    assert!(found.residual.to_string().contains("state id s0"), "{found}");
}

#[test]
fn a_plan_explains_itself() {
    let query = RequestQuery::pending_of_state(StateId::new("tenant:acme").unwrap())
        .with_categories(["Access"])
        .unwrap()
        .created_between(at(1), None)
        .unwrap()
        .with_actor_names(["Alice"])
        .unwrap();
    let found = along_plan(
        &query,
        &nothing(),
        IdComparison::Exact,
        sized(&[("pending-of-state:tenant:acme", 12), ("category:Access", 1_200)]),
    );
    assert_eq!(
        found.to_string(),
        "read along pending-of-state:tenant:acme (12 keys)\n\
         only the keys in the requested time\n\
         look each up in category:Access (1200 keys)\n\
         check on each document: requests submitted by somebody named Alice, oldest first"
    );
}
