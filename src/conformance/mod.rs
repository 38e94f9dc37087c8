//! The suite that every request store has to pass, for those who write one of their own.
//!
//! Each case is a function that takes an empty store and panics where the store breaks its contract.
//! [`request_store_cases!`](crate::request_store_cases) names those of a [`RequestStore`];
//! [`request_queries_cases!`](crate::request_queries_cases) those of one that answers [`RequestQueries`] as well.
// Compiled once for each flavour, like the engine, and by the same rules: no `async` blocks, and no `.await` within a
// macro's arguments.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a suite reports by panicking, and takes the store its caller made for the case"
)]

use super::{Question, RequestQueries, RequestStore, dual, together};

mod concurrency;
mod numbers;
mod pages;
mod people;
mod questions;
mod repetitions;
mod requests;
mod time;
mod writes;

pub use concurrency::{many_writers_lose_nothing, one_winner_per_revision};
pub use numbers::{a_count_is_that_of_the_rows, statistics_count_what_is_stored};
pub use pages::{
    a_cursor_of_another_query_is_refused, a_request_that_changes_away_neither_repeats_nor_hides,
    equal_times_page_exactly, lists_are_by_state_and_pending, pages_come_in_created_order,
    what_is_due_comes_by_its_deadline,
};
pub use people::people_are_told_apart_by_the_rule_of_the_store;
pub use questions::{
    a_question_refuses_the_cursor_of_another, an_inbox_holds_nothing_that_would_be_refused,
    an_inbox_holds_what_its_actor_can_decide_now, decisions_agree_with_history_when_a_clock_was_set_back,
    decisions_come_latest_first, pending_approvals_come_a_row_each, recent_approvals_come_latest_first,
    requests_are_filtered_and_come_either_way, stored_requests_are_those_of_requests,
};
pub use repetitions::{
    a_creation_under_the_id_of_another_write_is_refused, a_repeated_change_of_no_command_returns_what_is_stored,
    a_repetition_from_another_revision_returns_what_is_stored, a_write_id_answers_only_for_its_own_intent,
    a_write_is_settled_by_its_intent, six_writes_later_a_write_id_is_still_known,
};
pub use time::the_clock_of_a_store_goes_on;
pub use writes::{
    a_creation_makes_revision_0, a_lookup_answers_in_the_order_of_the_ids, a_refiled_request_is_refused,
    a_repeated_creation_returns_what_is_stored, a_repeated_update_applies_once, a_rewritten_history_is_refused,
    a_second_creation_is_refused, a_stale_update_conflicts, a_stored_request_reads_back_whole, a_write_can_be_settled,
    an_unknown_request_is_not_found, an_update_raises_the_revision,
};
