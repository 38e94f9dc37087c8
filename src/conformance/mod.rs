//! The suite that every store must pass, for those who write one.
//!
//! Each case is a function that takes an empty store and panics if the store breaks its contract.
//! [`store_cases!`](crate::store_cases) lists them all.
// Compiled once for each flavour, like the engine, and by the same rules: no `async` blocks, and no `.await` within a
// macro's arguments.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a suite reports by panicking, and takes the store its caller made for the case"
)]

use super::{Governance, MemoryStore, RowQuery, Store, StoreExtension, View, dual, run_concurrently};

mod amending;
mod concurrency;
mod consumers;
mod correcting;
mod deciding;
mod feed;
mod importing;
mod numbers;
mod pages;
mod people;
mod queries;
mod ready;
mod repetitions;
mod requests;
mod time;
mod together;
mod viewing;
mod writes;

pub use amending::{
    a_delegated_escalation_is_found_by_both_it_is_for, a_repeated_amendment_is_made_once,
    an_amended_approval_is_found_by_whom_it_is_for, an_escalated_approval_is_in_more_inboxes_at_once,
};
pub use concurrency::{many_writers_lose_nothing, one_winner_per_revision};
pub use consumers::{
    a_consumer_has_one_holder_at_a_time, consumers_are_listed_with_their_lag_and_removed,
    of_many_who_ask_for_a_consumer_one_gets_it, too_long_a_lease_and_too_many_consumers_are_errors,
};
pub use correcting::{
    a_preview_writes_nothing, what_ended_is_linked_with_what_follows_it, what_is_sent_back_is_amended_and_decided_anew,
};
pub use deciding::{
    a_repeated_decision_of_all_decides_no_more, a_withdrawn_vote_is_asked_for_again,
    all_that_one_actor_decides_is_one_write, what_is_said_about_a_request_is_listed,
};
pub use feed::{
    a_feed_limit_is_that_of_a_page, a_feed_position_of_another_store_is_an_error,
    a_reader_beside_writers_gets_every_write, every_write_adds_one_feed_entry, feed_pages_have_every_entry_once,
    the_end_of_a_feed_is_before_what_comes_then, what_a_short_feed_removed_is_one_gap,
};
pub use importing::{
    an_import_adds_one_feed_entry_for_each_request, an_import_replaces_nothing,
    an_import_that_is_repeated_changes_nothing, an_imported_request_is_the_same_everywhere,
    records_are_those_of_requests,
};
pub use numbers::{a_count_is_that_of_the_rows, statistics_count_what_is_stored};
pub use pages::{
    a_cursor_of_another_query_is_rejected, a_request_that_changes_away_neither_repeats_nor_hides,
    equal_times_page_exactly, lists_are_by_state_and_pending, pages_come_in_created_order,
    what_is_due_comes_by_its_deadline,
};
pub use people::people_are_told_apart_by_the_rule_of_the_store;
pub use queries::{
    a_query_rejects_the_cursor_of_another, an_inbox_holds_nothing_that_would_be_rejected,
    an_inbox_holds_what_its_actor_can_decide_now, decisions_agree_with_history_when_a_clock_was_set_back,
    decisions_come_latest_first, pending_approvals_come_a_row_each, recent_approvals_come_latest_first,
    requests_are_filtered_and_come_either_way, stored_requests_are_those_of_requests,
};
pub use ready::{
    a_validity_that_ends_is_due, statistics_count_what_is_ready, the_oldest_ready_request_is_still_valid,
    what_is_ready_comes_in_the_order_in_which_it_became_so, what_is_taken_leaves_the_queue_and_comes_back_at_its_end,
    what_is_tried_again_is_ready_after_its_pause,
};
pub use repetitions::{
    a_creation_under_the_id_of_another_write_is_rejected, a_repeated_change_of_no_command_returns_what_is_stored,
    a_repetition_from_another_revision_returns_what_is_stored, a_write_id_answers_only_for_its_own_intent,
    a_write_is_settled_by_its_intent, six_writes_later_a_write_id_is_still_known,
};
pub use time::the_clock_of_a_store_goes_on;
pub use together::{a_repeated_call_for_many_writes_each_request_once, a_waiter_is_woken_by_a_write};
pub use viewing::{
    a_viewer_sees_what_concerns_them, no_read_shows_a_viewer_another_request,
    what_a_viewer_sees_changes_with_the_request,
};
pub use writes::{
    a_creation_makes_revision_0, a_lookup_answers_in_the_order_of_the_ids, a_repeated_creation_returns_what_is_stored,
    a_repeated_update_applies_once, a_rewritten_history_is_rejected, a_second_creation_is_rejected,
    a_stale_update_conflicts, a_stored_request_reads_back_whole, a_write_can_be_settled,
    an_unknown_request_is_not_found, an_update_raises_the_revision, changed_submitted_fields_are_rejected,
};
