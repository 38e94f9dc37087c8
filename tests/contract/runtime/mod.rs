//! The service around the rules: racing commands, execution, compensation, sweeping, errors.
//!
//! Each case is written once and compiled for each flavour, as the engine is; it runs on every store and runtime.
#![cfg(feature = "redis")]
#![cfg(test)] // so that clippy knows the helpers for what they are
#![allow(
    clippy::needless_pass_by_value,
    clippy::needless_range_loop,
    clippy::double_ended_iterator_last,
    clippy::duration_suboptimal_units,
    clippy::semicolon_if_nothing_returned,
    clippy::similar_names,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unused_self,
    reason = "each case is compiled for both flavours, and what one has no use for the other needs"
)]

mod people;

#[cfg(any(feature = "tokio", feature = "smol"))]
mod dropping;
#[cfg(feature = "blocking")]
mod interleaving;
#[cfg(feature = "blocking")]
mod parity;
#[cfg(feature = "blocking")]
mod unreadable;

use std::time::Duration;

/// Two cores serve many test binaries at once: long enough that only a real hang fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Of calls to Redis: well below the lease of 60 s that the cases ask for.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Hands every case, with the module it is in, to `register!`.
macro_rules! every_case {
    ($register:ident) => {
        $register! { racing:
            approvers_of_different_approvals_both_land,
            eight_members_of_a_quorum_all_land,
            with_fail_the_conflict_says_what_happened,
            a_conflict_says_when_the_two_do_not_commute,
            a_command_made_invalid_fails_with_its_own_error,
            rebase_gives_up_after_so_many_times,
            no_rebase_is_begun_after_the_deadline,
            one_approval_is_granted_once,
            sixty_four_approvers_at_once_all_land,
            a_crowd_is_let_in_and_who_came_too_late_gets_an_error_that_says_so,
            who_keeps_being_overtaken_lands_in_the_end,
        }
        $register! { executing:
            it_runs_once_and_records_what_came_of_it,
            a_failure_rejects_or_keeps_approved,
            a_stale_request_is_rejected_without_running,
            a_stale_request_is_renewed_without_running,
            a_stale_request_is_revalidated_and_runs,
            without_approvals_there_is_nothing_to_renew,
            a_claim_keeps_others_out_until_its_lease_ends,
            a_late_executor_records_nothing_over_its_successor,
            a_late_executor_without_successor_records_what_it_did,
            a_result_is_recorded_whoever_else_writes,
            of_sixteen_executors_one_runs,
            the_closure_borrows_from_its_surroundings,
        }
        $register! { retrying:
            each_attempt_is_one_decision_until_the_last_rejects,
            a_submitted_policy_binds_who_executes_by_commands,
            a_later_attempt_knows_that_it_was_revalidated,
        }
        $register! { interrupted:
            a_claim_that_was_not_written_is_tried_again_at_once,
            a_claim_whose_reply_was_lost_holds_until_its_lease_ends,
            a_result_that_was_not_written_is_not_repeated_within_the_lease,
            a_result_that_was_not_written_can_be_recorded_later,
            a_result_that_is_written_but_unconfirmed_is_not_called_unrecorded,
            a_result_whose_reply_was_lost_is_never_repeated,
        }
        $register! { leasing:
            a_lease_that_the_answer_to_its_claim_could_outlast_is_rejected,
            a_claim_that_is_answered_late_is_renewed_before_it_runs,
            nothing_runs_when_every_answer_is_late,
            nothing_runs_when_somebody_took_over_before_the_answer_came,
            nothing_runs_when_somebody_is_done_before_the_answer_comes,
            the_function_sees_how_much_of_its_lease_is_left,
        }
        $register! { compensating:
            it_links_both_requests,
            an_interrupted_link_is_completed_without_running_again,
            a_result_recorded_later_is_linked_by_executing_again_as_its_error_says,
            a_link_made_by_many_at_once_is_recorded_once,
            what_was_not_executed_is_not_made_up_for,
            what_does_not_exist_is_not_made_up_for,
            a_second_compensation_is_executed_only_when_the_first_failed,
            of_compensations_executed_at_once_one_runs,
            what_an_attempt_that_failed_left_behind_is_made_up_for,
        }
        $register! { ending:
            attempts_that_fail_again_and_again_end_at_a_claim,
            whatever_comes_of_an_attempt_is_recorded,
        }
        $register! { superseding:
            the_one_in_its_place_is_there_and_is_not_superseded_itself,
            what_cannot_be_superseded_leaves_the_other_as_it_is,
            an_interrupted_superseding_keeps_nobody_from_anything,
            a_ring_of_supersedings_at_once_never_closes,
        }
        $register! { approving:
            a_grant_is_bound_to_the_digest_its_approver_saw,
            what_changed_after_its_approval_is_not_executed,
            an_override_needs_a_reason_and_an_id,
            explanations_follow_the_clock,
            what_is_decidable_can_be_decided,
        }
        $register! { deciding:
            one_call_decides_all_its_actor_may_decide,
            approvers_at_once_both_land,
            an_approver_who_comes_second_decides_what_is_left,
            an_approval_whose_reply_was_lost_decides_nothing_more,
            who_has_nothing_to_decide_learns_why_and_changes_nothing,
            ids_are_taken_in_every_form,
            a_vote_is_withdrawn_before_the_claim_or_not_at_all,
        }
        $register! { amending:
            an_amendment_that_comes_second_is_checked_again,
            an_amendment_that_is_not_allowed_writes_nothing,
            each_bad_delegation_removal_and_withdrawal_has_its_own_error,
        }
        $register! { votes:
            an_earlier_vote_makes_way_for_a_later_one,
            who_acts_for_another_has_their_rights_and_counts_as_both,
            a_vote_that_uses_up_who_is_needed_elsewhere_is_rejected,
            the_excluded_do_not_decide_and_nobody_decides_twice_if_the_draft_says_so,
            a_demanded_reason_is_given_or_nothing_is_decided,
        }
        $register! { discussing:
            comments_are_stored_and_listed_latest_first,
            a_comment_is_in_nobodys_way,
            a_comment_that_says_nothing_or_too_much_is_not_written,
        }
        $register! { correcting:
            a_request_is_sent_back_amended_and_approved_anew,
            nothing_is_written_when_a_correction_is_not_allowed,
            who_decides_while_it_is_sent_back_or_amended_decides_on_nothing_else,
            whoever_amends_for_the_requester_no_longer_decides,
            an_amendment_whose_reply_was_lost_is_made_once,
            a_rejected_request_is_resubmitted_once_and_linked_both_ways,
            only_what_ended_without_being_executed_is_resubmitted,
            an_interrupted_resubmission_is_completed_by_the_next_one,
            a_resubmission_takes_no_id_from_another_request,
            of_many_resubmissions_at_once_one_is_made,
        }
        $register! { previewing:
            a_preview_is_what_the_command_does_or_its_very_error,
            a_preview_knows_the_limits_of_the_store_and_of_other_requests,
            a_preview_of_a_submission_is_what_it_does_or_its_very_error,
            who_only_simulates_or_validates_previews,
        }
        $register! { policies:
            each_draft_meets_the_policies_of_the_service,
            what_policies_do_not_allow_is_not_written,
            a_submission_is_repeated_although_the_policies_have_changed,
            a_resubmission_meets_the_policies_as_they_are_then,
        }
        $register! { deadlines:
            from_its_own_deadline_on_a_request_only_ends,
            what_expired_unswept_is_rejected_by_the_sweep_and_not_by_who_grants,
            nothing_is_dated_before_what_it_follows,
        }
        $register! { binding:
            nothing_is_executed_before_its_time_and_a_schedule_opens_it,
            a_bad_time_is_an_error_of_its_own_and_writes_nothing,
            an_approval_that_nobody_claims_binds_at_its_end_and_expires_once,
            what_is_revalidated_keeps_its_grants_and_is_executed,
        }
        $register! { sweeping:
            the_longest_overdue_expires_first,
            due_approvals_expire_with_what_follows,
            many_sweepers_record_each_expiry_once,
            what_expired_but_is_unconfirmed_counts_and_is_reported,
            one_that_fails_does_not_keep_the_others,
            those_that_always_fail_starve_nobody,
            a_sweep_goes_on_behind_any_number_that_always_fail,
            a_store_that_is_down_is_not_asked_for_each,
            a_limit_of_nothing_is_rejected,
        }
        $register! { sweeper:
            it_sweeps_reports_and_stops,
            stopping_waits_for_the_sweep_under_way,
            dropping_it_ends_it,
            a_backlog_is_swept_without_a_rest,
            it_survives_a_store_that_fails,
            it_goes_on_behind_any_number_that_always_fail,
            a_limit_by_which_nothing_would_be_swept_is_rejected,
            a_report_that_panics_ends_nothing_and_is_reported_when_it_stops,
            a_store_that_panics_ends_no_sweeper,
        }
        $register! { executors:
            of_three_executors_each_request_is_run_once,
            no_more_run_at_once_than_are_allowed,
            a_type_without_a_handler_and_what_is_not_ready_are_left_alone,
            what_fails_rests_and_keeps_nobody_waiting,
            a_handler_that_panics_has_failed,
            without_a_version_it_is_not_claimed_and_tried_again,
            stopping_claims_no_more_and_names_what_still_runs,
            who_outlives_the_lease_records_nothing_over_its_successor,
            a_result_that_could_not_be_written_is_recorded_later,
            a_report_that_panics_ends_no_executor,
        }
        $register! { following:
            every_write_is_handed_over_once_in_order,
            of_three_followers_one_delivers_and_the_next_goes_on,
            who_fails_gets_the_same_again_and_nothing_after_it,
            only_a_handler_that_says_so_skips,
            a_store_that_fails_costs_no_delivery,
            after_one_that_died_another_continues_when_its_lease_ends,
            who_outlives_its_lease_delivers_no_further,
            a_gap_is_told_until_the_handler_has_read_again,
            a_new_consumer_may_begin_at_the_end,
            stopping_finishes_the_page_or_leaves_it_to_the_next,
            a_report_that_panics_is_told_when_it_stops,
        }
        $register! { waiting:
            a_waiter_gets_the_request_that_meets_what_it_waits_for,
            a_wait_of_no_time_answers_at_once,
            a_wait_that_nothing_ends_times_out_with_the_request_as_it_is,
            what_does_not_exist_and_what_nothing_meets_are_errors,
            what_has_ended_otherwise_is_out_of_reach,
            a_thousand_waiters_share_one_reader_and_are_woken_at_once,
            the_reader_ends_with_the_last_waiter,
            a_feed_that_fails_or_has_gaps_keeps_nobody_asleep,
            a_feed_that_loses_entries_silently_is_made_up_for,
        }
        $register! { many:
            each_request_has_its_result_in_its_place,
            a_repeated_call_applies_nothing_twice,
            a_call_that_is_stopped_names_what_it_did_not_start,
            a_store_that_is_down_is_not_asked_for_each,
            what_one_call_may_not_name_is_an_error,
            drafts_are_submitted_once_each_under_its_own_id,
            many_are_canceled_and_rejected,
        }
        $register! { archiving:
            an_archive_comes_back_as_it_was,
            an_archive_answers_the_same_queries,
            a_query_is_exported_to_a_directory,
            an_empty_archive_is_one,
            an_interrupted_export_is_resumed,
            each_damage_has_its_error,
            a_bad_line_is_named_and_skipped_by_choice,
            a_conflict_is_named_and_skipped_by_choice,
            what_a_store_cannot_keep_is_a_bad_line,
            an_import_reports_and_stops,
        }
        $register! { retaining:
            what_is_due_is_archived_read_back_and_removed,
            a_plan_lists_what_is_due_and_writes_nothing,
            an_archive_that_is_not_read_back_whole_removes_nothing,
            many_at_once_remove_each_request_once,
            what_is_linked_to_an_open_request_stays_and_is_named,
            a_retention_works_reports_and_stops_and_another_goes_on,
        }
        $register! { proving:
            every_write_of_a_service_with_keys_is_chained_and_sealed,
            what_was_forged_in_the_store_is_named,
            a_checkpoint_finds_what_is_gone_or_set_back,
            a_checkpoint_is_collected_page_by_page,
        }
        $register! { resolving:
            resolving_stores_only_on_request,
            a_request_is_resolved_again_and_again,
            only_approved_requests_that_exist_are_resolved,
        }
        $register! { calling:
            approvals_are_asked_for_with_an_end,
            a_request_is_rejected_and_expired,
            a_rejection_is_stored_with_its_reason,
            requests_are_read_by_state_and_by_ids,
        }
        $register! { modes:
            who_only_simulates_or_validates_changes_nothing,
        }
        $register! { bad_input:
            who_may_not_decide_gets_the_reason,
            the_second_vote_and_the_wrong_order_are_rejected,
            what_is_over_is_not_decided,
            impossible_orders_are_rejected,
            unknown_requests_are_named,
        }
        $register! { repeating:
            a_command_whose_reply_was_lost_is_applied_once,
            a_command_that_was_not_written_is_applied_by_its_repetition,
            a_repetition_returns_what_the_request_has_become,
            a_command_that_could_be_done_again_is_not,
            many_repetitions_at_once_apply_once,
            an_open_write_is_repeated_under_its_own_id,
            an_overtaken_command_keeps_its_write_id,
            a_repetition_from_another_address_is_one,
            a_repeated_renewal_returns_the_stored_lease,
            a_write_id_of_another_command_is_rejected,
            finding_out_costs_one_read,
            attempts_that_race_are_answered_with_what_is_stored,
            a_repetition_that_met_a_conflict_is_still_one,
        }
        $register! { folding:
            a_service_and_its_store_agree_about_case,
            one_person_is_one_under_every_spelling,
            a_quorum_of_one_person_in_two_spellings_is_rejected,
        }
        $register! { submission:
            a_repeated_submission_files_once,
            many_submissions_at_once_file_once,
            a_repetition_returns_what_the_request_has_become,
            an_id_that_is_taken_is_rejected,
            without_an_id_a_submission_cannot_be_repeated,
            a_repetition_in_other_circumstances_is_one,
            a_write_id_of_another_draft_is_rejected,
        }
    };
}

/// The same with the cases that bring a server of their own.
macro_rules! every_case_of_time {
    ($register:ident) => {
        $register! { timing:
            the_time_is_the_servers_whatever_the_hosts_clock_says,
            hosts_an_hour_ahead_expire_nothing_early,
            a_server_that_takes_over_with_another_clock_is_followed,
            a_server_whose_clock_is_set_is_followed_without_a_new_connection,
            a_clock_of_the_application_is_taken_as_it_is,
            an_answer_that_comes_late_never_leads_to_a_second_run,
        }
        $register! { renewing:
            a_function_longer_than_its_lease_keeps_it,
            a_limit_of_the_renewals_binds,
            a_lease_whose_renewals_do_not_arrive_is_lost,
            whoever_claims_by_a_command_renews_by_it,
        }
        $register! { worker_servers:
            three_executors_of_three_stores_run_each_request_once,
            a_server_that_goes_away_and_comes_back_costs_nothing,
        }
        $register! { waiting_failover:
            nobody_sleeps_past_a_write_right_after_a_failover,
        }
        $register! { waiting_servers:
            a_waiter_outlasts_a_server_that_is_killed_and_comes_back,
            a_feed_that_was_trimmed_or_removed_keeps_nobody_asleep,
        }
    };
}

#[cfg(feature = "blocking")]
mod blocking;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod nonblocking;
