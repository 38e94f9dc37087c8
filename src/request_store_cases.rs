/// Makes a test of every case of the conformance suite: `$test` is a macro that gets the name of one.
///
/// ```ignore
/// macro_rules! on_my_store {
///     ($case:ident) => {
///         #[test]
///         fn $case() {
///             mutator_governance::blocking::conformance::$case(std::sync::Arc::new(MyStore::empty()));
///         }
///     };
/// }
/// mutator_governance::request_store_cases!(on_my_store);
/// ```
#[macro_export]
macro_rules! request_store_cases {
    ($test:ident) => {
        $test!(a_stored_request_reads_back_whole);
        $test!(an_unknown_request_is_not_found);
        $test!(a_second_creation_is_refused);
        $test!(a_repeated_creation_returns_what_is_stored);
        $test!(a_creation_makes_revision_0);
        $test!(an_update_raises_the_revision);
        $test!(a_stale_update_conflicts);
        $test!(a_repeated_update_applies_once);
        $test!(a_write_can_be_settled);
        $test!(a_rewritten_history_is_refused);
        $test!(a_lookup_answers_in_the_order_of_the_ids);
        $test!(pages_come_in_created_order);
        $test!(equal_times_page_exactly);
        $test!(lists_are_by_state_and_pending);
        $test!(a_request_that_changes_away_neither_repeats_nor_hides);
        $test!(a_cursor_of_another_query_is_refused);
        $test!(one_winner_per_revision);
        $test!(many_writers_lose_nothing);
    };
}
