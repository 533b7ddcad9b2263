//! The conformance suite: one table of tests, each run on SQLite and on PostgreSQL.
//!
//! A test is an `async fn(&Bench)` under `suite`; the table below gives it a `#[test]` for each
//! database. What compares the two databases with each other is under `both`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's failure is its panic"
)]

mod bench;
mod both;
mod cluster;
mod fixture;
mod import;
mod make;
mod suite;

macro_rules! conformance {
    ($($noun:ident: $($test:ident),+;)+) => {
        conformance!(@database sqlite, on_sqlite, $($noun: $($test),+;)+);
        conformance!(@database postgres, on_postgres, $($noun: $($test),+;)+);
    };
    (@database $database:ident, $run:ident, $($noun:ident: $($test:ident),+;)+) => {
        mod $database {
            $(mod $noun {
                $(#[test]
                fn $test() {
                    crate::bench::$run(crate::suite::$noun::$test);
                })+
            })+

            /// Every test of this database.
            pub const TESTS: &[&str] = &[$($(concat!(stringify!($noun), "::", stringify!($test))),+),+];
        }
    };
}

conformance! {
    batches:
        a_failure_anywhere_undoes_all,
        a_missed_expectation_undoes_all_and_names_the_place,
        a_wrong_statement_is_told_from_an_outage,
        parameters_go_by_number_not_by_place,
        a_long_batch_keeps_its_order,
        an_abandoned_batch_is_all_or_nothing;
    client_credentials:
        credentials_come_back_change_and_follow_their_client;
    clients:
        a_deleted_client_or_api_leaves_no_arriving_grant,
        a_client_comes_back_as_it_was,
        clients_are_listed_by_id,
        grants_come_back_and_follow_their_client,
        one_grant_for_a_client_and_audience;
    block_notices:
        an_owner_is_told_once_a_block,
        counters_are_found_and_reset_by_prefix;
    conflicts:
        every_key_names_itself,
        every_key_of_a_user_names_itself,
        of_several_taken_keys_the_first_is_named,
        a_changed_key_conflicts_like_a_new_one;
    connections:
        a_connection_comes_back_as_it_was,
        unchanged_configuration_keeps_its_ciphertext,
        connections_are_listed_by_name,
        a_realm_belongs_to_one_connection,
        a_deleted_connection_takes_its_users_and_jobs;
    counters:
        a_window_counts_and_ends,
        any_text_names_a_counter,
        racing_events_are_all_counted,
        a_limit_holds_in_a_race;
    deletions:
        a_deleted_connection_leaves_no_arriving_user,
        a_deleted_user_leaves_no_arriving_factor,
        a_deleted_connection_leaves_no_arriving_factor;
    factors:
        a_factor_comes_back_with_what_is_known_of_it,
        a_raced_step_is_taken_once,
        a_recovery_code_is_used_once_and_replaced,
        a_challenge_is_answered_once_and_in_time,
        a_passkey_comes_back_and_its_counter_moves_once;
    identities:
        who_is_vouched_for_is_found_by_the_identity,
        what_is_linked_can_be_parted,
        racing_links_make_one;
    import_pairs:
        two_batches_are_written_at_once_where_the_database_can,
        a_second_batch_that_meets_a_taken_key_is_left_for_later,
        a_second_batch_waits_for_a_first_one_that_went_well,
        two_abandoned_batches_leave_the_files_beginning;
    import_races:
        crossing_jobs_write_each_person_once,
        a_job_beside_arrivals_and_deletions_accounts_for_every_row,
        a_connection_deleted_in_the_middle_of_a_job_leaves_nothing,
        a_job_deleted_in_the_middle_leaves_no_errors,
        a_taken_over_job_is_written_by_one_worker,
        an_abandoned_import_is_all_or_nothing,
        a_panic_in_the_middle_writes_nothing_and_the_store_goes_on,
        a_cut_connection_writes_nothing_and_the_store_goes_on;
    imports:
        a_full_row_comes_back_as_it_was,
        exotic_rows_come_back,
        a_taken_key_is_named,
        twice_in_a_file_is_told_from_stored,
        a_row_is_judged_by_what_came_before_it,
        an_upsert_changes_what_it_may,
        an_upsert_replaces_only_an_unproven_hash,
        an_upsert_gives_a_linked_identity_its_password_alone,
        offset_counters_and_errors_move_with_the_rows,
        a_lost_lease_or_connection_writes_nothing,
        a_row_with_nul_refuses_its_batch,
        a_big_batch_is_written_whole;
    jobs:
        row_errors_go_on_after_a_row,
        a_full_queue_takes_no_more_even_at_once,
        jobs_of_one_connection_run_one_after_the_other,
        a_job_comes_back_as_it_was,
        a_mail_is_an_ended_job,
        a_lease_is_held_renewed_lost_and_released,
        racing_workers_take_each_job_once,
        one_of_many_takes_over_after_a_crash;
    keys:
        keys_rotate_and_are_forgotten,
        what_tokens_are_signed_by_is_known,
        one_of_many_rotations_wins,
        a_key_is_revoked_once_and_never_while_it_signs;
    legacy_ids:
        a_row_meets_whom_its_legacy_id_names,
        a_row_with_a_legacy_id_goes_by_every_policy,
        a_legacy_id_is_of_one_connection,
        a_legacy_id_and_a_user_of_that_id_exclude_each_other;
    lists:
        a_filter_finds_by_address_and_by_id,
        pages_join_to_the_whole_list_in_every_order,
        text_sorts_by_bytes_and_absent_last,
        a_filter_counts_only_its_connection;
    logs:
        an_event_comes_back_as_it_was,
        events_are_listed_by_id;
    migrations:
        opening_again_changes_nothing,
        many_openers_at_once_make_one_schema,
        a_changed_migration_is_refused,
        a_newer_schema_is_refused,
        another_master_key_is_refused,
        of_two_first_openers_one_key_wins,
        a_place_that_can_not_be_opened_is_an_outage,
        rows_of_version_1_are_read;
    outbox:
        only_old_sent_mails_are_forgotten,
        dead_letters_are_counted_and_forgotten,
        a_mail_is_claimed_retried_and_sent,
        racing_senders_share_the_mails;
    password_history:
        the_youngest_hashes_are_kept;
    races:
        one_of_many_creators_of_an_address_wins,
        one_of_many_creators_of_an_id_wins,
        creators_of_different_people_all_win,
        one_of_many_writers_of_a_version_wins,
        one_of_many_first_logins_adopts_the_password,
        racing_logins_refresh_once_and_all_count,
        changes_of_one_user_never_wait_for_each_other_for_good,
        reserved_rows_are_disjoint,
        two_stores_over_one_database_share_rows_and_see_each_other;
    refresh_tokens:
        a_family_comes_back_rotates_and_is_revoked,
        of_twenty_racing_rotations_one_wins,
        a_deleted_user_takes_all_tokens,
        a_deleted_client_takes_its_tokens,
        a_revoked_family_is_forgotten_in_its_time,
        a_device_is_answered_once_and_ends_once,
        a_pushed_request_is_taken_once;
    resource_servers:
        an_api_comes_back_as_it_was,
        an_identifier_names_one_api_and_takes_its_grants,
        one_read_tells_what_a_machine_may_do;
    login_transactions:
        a_transaction_moves_on_once_and_ends_once,
        raced_steps_are_taken_once;
    consents:
        a_consent_grows_and_is_withdrawn,
        what_came_of_a_consent_goes_with_it;
    logout_notices:
        a_notice_is_claimed_by_one_sender_and_retried,
        no_client_takes_the_place_of_others,
        each_end_tells_whom_it_concerns,
        whoever_is_linked_away_is_logged_out,
        a_client_is_told_where_it_says_last;
    sealed:
        no_secret_is_readable_in_the_tables,
        a_sealed_value_opens_only_where_it_was_sealed,
        no_error_prints_a_secret;
    sessions:
        a_session_lives_until_idle_or_old,
        a_raced_renewal_leaves_one_token,
        sessions_go_with_their_clients,
        a_proof_counts_until_the_password_or_the_sessions_end;
    settings:
        a_setting_is_set_and_set_again,
        a_setting_with_secrets_is_sealed_and_changed_once,
        the_store_answers_and_says_what_it_is;
    spool:
        chunks_come_back_byte_for_byte,
        uploads_that_became_no_job_are_forgotten;
    tickets:
        a_ticket_comes_back_is_used_once_and_given_back,
        tickets_about_one_address_are_voided_together,
        a_raced_ticket_is_used_once,
        a_deleted_user_or_connection_takes_its_tickets;
    used_tokens:
        a_name_is_used_once_until_it_is_forgotten,
        of_many_at_once_one_uses_a_name;
    users:
        every_attribute_comes_back_as_it_was,
        what_is_absent_stays_absent,
        every_exotic_text_comes_back,
        two_spellings_of_one_address_are_one,
        different_letters_are_different_people,
        a_login_is_found_by_address_or_username,
        an_update_moves_the_keys_along,
        an_old_version_writes_nothing,
        a_password_is_adopted_once_and_refreshed_only_when_proven,
        factors_are_replaced_in_their_order,
        logins_are_counted,
        claims_name_who_holds_which_key,
        a_deleted_user_leaves_nothing,
        unknown_ids_are_nobody,
        a_text_with_nul_is_refused_whole,
        a_user_of_a_connection_that_is_not_there_is_not_written;
}

/// Printed past the test harness, which keeps what a passing test prints to itself.
#[test]
fn the_same_tests_run_on_both_databases() {
    use std::io::Write as _;
    assert_eq!(sqlite::TESTS, postgres::TESTS);
    let (sqlite, postgres) = (sqlite::TESTS.len(), postgres::TESTS.len());
    writeln!(
        std::io::stdout(),
        "conformance: {sqlite} tests on SQLite, {postgres} tests on PostgreSQL"
    )
    .unwrap();
}
