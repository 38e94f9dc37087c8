//! The names of the conformance suite's cases.

/// Hands each case of the conformance suite to `$test`, a macro that gets the name of one.
///
/// A case is a function that takes an empty store as `Arc<dyn Store>`. In the asynchronous flavour it is an `async fn` of
/// `nonblocking::conformance`; await it on any runtime.
///
/// ```
/// # #[cfg(feature = "blocking")] {
/// use std::sync::Arc;
/// use mutator_governance::blocking::{MemoryStore, conformance};
///
/// macro_rules! on_my_store {
///     ($case:ident) => {
///         // Among tests, a test each: #[test] fn $case() { … }
///         conformance::$case(Arc::new(MemoryStore::new()));
///     };
/// }
/// mutator_governance::store_cases!(on_my_store);
/// # }
/// ```
#[macro_export]
macro_rules! store_cases {
    ($test:ident) => {
        $test!(a_stored_request_reads_back_whole);
        $test!(an_unknown_request_is_not_found);
        $test!(a_second_creation_is_rejected);
        $test!(a_repeated_creation_returns_what_is_stored);
        $test!(a_creation_makes_revision_0);
        $test!(an_update_raises_the_revision);
        $test!(a_stale_update_conflicts);
        $test!(a_repeated_update_applies_once);
        $test!(a_write_can_be_settled);
        $test!(a_write_id_answers_only_for_its_own_intent);
        $test!(a_creation_under_the_id_of_another_write_is_rejected);
        $test!(a_repetition_from_another_revision_returns_what_is_stored);
        $test!(a_repeated_change_of_no_command_returns_what_is_stored);
        $test!(a_write_is_settled_by_its_intent);
        $test!(six_writes_later_a_write_id_is_still_known);
        $test!(all_that_one_actor_decides_is_one_write);
        $test!(a_repeated_decision_of_all_decides_no_more);
        $test!(a_withdrawn_vote_is_asked_for_again);
        $test!(an_amended_approval_is_found_by_whom_it_is_for);
        $test!(an_escalated_approval_is_in_more_inboxes_at_once);
        $test!(a_delegated_escalation_is_found_by_both_it_is_for);
        $test!(a_repeated_amendment_is_made_once);
        $test!(what_is_said_about_a_request_is_listed);
        $test!(what_is_sent_back_is_amended_and_decided_anew);
        $test!(what_ended_is_linked_with_what_follows_it);
        $test!(a_preview_writes_nothing);
        $test!(a_rewritten_history_is_rejected);
        $test!(changed_submitted_fields_are_rejected);
        $test!(a_lookup_answers_in_the_order_of_the_ids);
        $test!(pages_come_in_created_order);
        $test!(equal_times_page_exactly);
        $test!(lists_are_by_state_and_pending);
        $test!(what_is_due_comes_by_its_deadline);
        $test!(what_is_ready_comes_in_the_order_in_which_it_became_so);
        $test!(what_is_taken_leaves_the_queue_and_comes_back_at_its_end);
        $test!(statistics_count_what_is_ready);
        $test!(the_oldest_ready_request_is_still_valid);
        $test!(a_validity_that_ends_is_due);
        $test!(a_request_that_changes_away_neither_repeats_nor_hides);
        $test!(a_cursor_of_another_query_is_rejected);
        $test!(the_clock_of_a_store_goes_on);
        $test!(one_winner_per_revision);
        $test!(many_writers_lose_nothing);
        $test!(requests_are_filtered_and_come_either_way);
        $test!(stored_requests_are_those_of_requests);
        $test!(pending_approvals_come_a_row_each);
        $test!(recent_approvals_come_latest_first);
        $test!(decisions_come_latest_first);
        $test!(an_inbox_holds_what_its_actor_can_decide_now);
        $test!(an_inbox_holds_nothing_that_would_be_rejected);
        $test!(decisions_agree_with_history_when_a_clock_was_set_back);
        $test!(a_count_is_that_of_the_rows);
        $test!(statistics_count_what_is_stored);
        $test!(a_query_rejects_the_cursor_of_another);
        $test!(people_are_told_apart_by_the_rule_of_the_store);
        $test!(a_viewer_sees_what_concerns_them);
        $test!(no_read_shows_a_viewer_another_request);
        $test!(what_a_viewer_sees_changes_with_the_request);
        $test!(every_write_adds_one_feed_entry);
        $test!(feed_pages_have_every_entry_once);
        $test!(the_end_of_a_feed_is_before_what_comes_then);
        $test!(a_feed_position_of_another_store_is_an_error);
        $test!(a_feed_limit_is_that_of_a_page);
        $test!(a_reader_beside_writers_gets_every_write);
        $test!(a_consumer_has_one_holder_at_a_time);
        $test!(of_many_who_ask_for_a_consumer_one_gets_it);
        $test!(consumers_are_listed_with_their_lag_and_removed);
        $test!(too_long_a_lease_and_too_many_consumers_are_errors);
        $test!(a_waiter_is_woken_by_a_write);
        $test!(a_repeated_call_for_many_writes_each_request_once);
        $test!(an_imported_request_is_the_same_everywhere);
        $test!(an_import_that_is_repeated_changes_nothing);
        $test!(an_import_adds_one_feed_entry_for_each_request);
        $test!(an_import_replaces_nothing);
        $test!(records_are_those_of_requests);
    };
}
