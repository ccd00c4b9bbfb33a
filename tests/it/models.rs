//! Every model passes the checks of the protocol.
//!
//! Goal: what a client is promised does not depend on how the server runs its sessions; and what a
//! model cannot do is known. Method: the checks are those of the other files. There they are tests
//! of the model `thread`; here the same functions are called with servers of the other three. Some
//! need one client at a time, and only those can be asked of `iterative`; some need what processes
//! do not share. Behind the lists stands what each model has of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;

use harness::actor::Ferryd;
use harness::content::{bytes, sum_line};
use harness::{Peer, eventually, models};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::console::{Desk, admin};
use crate::ears::{Ears, guest_enters, guest_leaves, said_by_guest};
use crate::people::{PASSWORD, administrator, stage};
use crate::talk::{
    ask, assert_goes_on, assert_ok, assert_refused, begin, get, hold, names, put, quick,
    quick_with, say,
};

/// A test for each check, with servers of this model.
macro_rules! under {
    ($model:literal; $($file:ident { $($check:ident)* })*) => { $(
        mod $file { $(
            #[test]
            fn $check() {
                harness::models::under($model, crate::$file::$check);
            }
        )* }
    )* };
}

/// What needs one client at a time.
macro_rules! alone {
    ($model:literal) => {
        under! { $model;
            accounts {
                a_session_goes_on_as_whoever_logged_in_last_and_a_failed_login_changes_nothing
                an_account_is_one_file_that_only_the_server_s_own_account_can_read
                capitals_do_not_make_another_user
                the_shortest_password_is_a_setting
                what_cannot_be_a_name_is_refused_and_makes_nothing
                where_registration_is_closed_only_those_who_have_accounts_come_in
            }
            bodies {
                a_body_longer_than_announced_is_refused_whole
                a_body_sent_without_waiting_for_a_refusal_ends_the_session
                a_body_sent_without_waiting_for_a_welcome_is_taken
                a_checksum_line_without_an_end_ends_the_session
                a_file_that_is_a_request_is_kept_as_a_file
                an_eager_body_over_the_limit_ends_the_session
                an_eager_body_that_is_thrown_away_may_come_later
                the_body_behind_a_put_that_cannot_be_read_ends_the_session
                the_eager_body_of_a_taken_name_is_thrown_away
                what_stands_behind_a_body_and_is_no_checksum_ends_the_session
            }
            cuts {
                a_checksum_line_that_is_all_there_but_its_end_publishes_nothing
                a_name_is_free_again_as_soon_as_its_upload_is_cut
                a_small_upload_that_is_closed_at_any_byte_leaves_nothing
                a_small_upload_that_is_half_closed_at_any_byte_leaves_nothing
                a_small_upload_that_is_reset_at_any_byte_leaves_nothing
                an_upload_of_several_chunks_that_is_cut_leaves_nothing
                an_upload_that_arrived_whole_is_kept_although_nobody_waits_for_the_answer
                an_upload_that_is_cut_anywhere_leaves_nothing
                what_was_whole_before_the_cut_is_kept
            }
            homes {
                a_name_that_is_renamed_to_itself_exists
                a_relative_path_starts_in_the_library_for_a_guest_and_at_home_for_a_user
                an_owner_deletes_files_and_empty_folders_and_the_home_itself_stays
                from_a_fresh_server_to_a_file_at_home_it_is_two_requests
            }
            hostile {
                a_line_of_one_byte_more_ends_the_session
                a_line_that_is_begun_must_be_ended_soon
                a_line_without_an_end_is_not_read_to_its_end
                folders_can_be_nested_as_deep_as_a_path_can_say
                the_largest_eager_body_is_taken_and_one_byte_more_ends_the_session
                the_longest_line_is_answered
                the_longest_name_is_kept_and_one_byte_more_is_a_bad_name
                the_longest_path_is_looked_for_and_one_byte_more_is_a_bad_name
                whatever_is_sent_the_server_answers_in_lines_and_serves_the_next
            }
            listing {
                a_page_of_the_longest_and_widest_names_arrives_whole
                an_empty_folder_is_empty_and_not_an_empty_page
                an_entry_has_its_name_kind_size_and_time
                exactly_a_hundred_entries_are_one_page
                only_a_folder_that_is_there_can_be_listed
                the_root_holds_the_library_and_nothing_else
                two_hundred_and_fifty_entries_are_pages_of_100_100_and_50
                what_is_hidden_linked_or_special_is_not_listed
                what_other_programs_named_is_listed_and_served
            }
            reasons {
                bad_name_is_a_name_that_some_system_could_not_keep
                bad_request_is_a_line_that_is_no_request_and_the_session_goes_on
                checksum_mismatch_keeps_nothing_and_the_session_goes_on
                denied_is_what_only_an_administrator_may
                login_required_is_a_home_without_a_user
                no_space_is_told_before_a_byte_is_sent
                not_found_is_what_is_not_there
                timeout_is_told_to_a_silent_client_before_it_is_closed
                too_large_is_over_the_largest_file
            }
            requests {
                a_guest_removes_and_renames_nothing
                a_line_may_end_as_windows_and_telnet_end_theirs
                mkdir_makes_one_folder_below_one_that_exists
                mkdir_of_a_taken_name_says_exists_and_what_is_there
                quit_closes_without_another_word
                requests_sent_ahead_are_answered_in_their_order
                stat_tells_a_file_from_a_folder
                sum_is_the_checksum_of_what_is_on_disk_now
                the_same_name_twice_in_one_breath_is_ok_once_and_then_exists
                what_is_owed_before_a_quit_arrives_whatever_stands_behind_it
            }
            resume_put {
                a_beginning_that_is_not_this_file_s_is_found_out_and_thrown_away
                a_beginning_that_was_damaged_on_disk_is_found_out_before_the_rest_is_sent
                after_a_crash_an_upload_goes_on_from_what_was_certainly_on_disk
                an_upload_that_is_cut_again_and_again_sends_each_byte_once
                only_the_same_file_of_the_same_sender_to_the_same_place_goes_on
                what_was_kept_for_a_day_is_gone
                who_does_not_ask_to_go_on_begins_anew_and_the_old_beginning_is_gone
            }
            transfers {
                a_client_that_has_closed_its_side_still_gets_its_answer
                a_download_begins_where_it_was_asked_to
                a_file_changed_by_hand_does_not_carry_its_old_checksum
                a_file_keeps_the_time_it_was_sent_with
                a_file_placed_by_hand_carries_its_checksum_once_somebody_asked_for_it
                a_file_placed_by_hand_is_served_without_a_recorded_checksum
                a_guest_overwrites_not_even_what_it_has_just_sent
                a_guest_overwrites_nothing_but_may_say_so_for_a_free_name
                a_name_is_taken_by_what_was_sent_last_and_not_by_what_that_replaced
                a_taken_name_is_exists_with_what_is_there_and_stays_as_it_was
                only_a_file_can_be_got
                put_needs_a_name_in_a_folder_that_is_there
                what_was_put_is_what_is_got
                what_was_put_without_waiting_is_what_is_got
            }
        }
    };
}

/// What needs several at once.
macro_rules! together {
    ($model:literal) => {
        under! { $model;
            accounts {
                a_password_has_6_to_1024_bytes_whatever_they_are
                of_sixty_four_who_register_one_name_at_once_one_is_ok
                only_who_knows_the_old_password_sets_a_new_one_and_then_only_the_new_one_works
                who_one_is_is_said_by_register_login_and_who_in_the_same_words
            }
            bodies {
                a_put_spelled_with_escapes_is_a_put_also_when_it_cannot_be_read
                the_eager_body_of_every_refusal_is_thrown_away
            }
            claims {
                a_name_taken_meanwhile_by_other_means_is_not_replaced
                a_wait_is_as_long_as_was_asked_for
                another_name_does_not_wait
                many_names_sent_ahead_in_opposite_orders_do_not_lock_each_other_out
                nobody_waits_for_a_name_while_holding_another
                of_sixteen_who_send_one_name_at_once_exactly_one_is_ok_and_the_file_is_theirs
                one_who_leaves_the_line_does_not_stop_it
                what_is_being_received_cannot_be_seen
                who_waits_gets_the_name_when_the_holder_s_checksum_is_wrong
                who_waits_gets_the_name_when_the_holder_vanishes
            }
            crowd {
                a_reader_sees_none_of_a_file_or_all_of_it
                every_second_of_many_files_sent_ahead_may_be_refused_and_the_answers_keep_their_order
                many_small_files_survive_their_common_sync
                sixty_four_clients_at_once_each_get_what_was_put
                three_hundred_small_files_sent_ahead_are_all_ok_and_all_on_disk
            }
            homes {
                a_name_that_another_session_writes_is_busy_for_delete_and_rename
                an_overwrite_that_fails_keeps_the_old_file
                an_owner_renames_within_the_home_and_nothing_is_ever_replaced
                until_the_new_file_is_whole_everybody_reads_the_old_one
                who_reads_while_a_file_is_replaced_again_and_again_reads_one_whole_version
            }
            hostile {
                the_connections_of_the_patient_are_not_the_limit_of_the_honest
            }
            lifetime {
                a_client_that_never_reads_costs_only_itself
                a_holder_that_sends_nothing_more_is_no_hindrance_to_a_stop
                a_session_ends_for_itself_only
                a_stop_ends_idle_sessions_at_once
                a_stop_lets_a_download_finish
                a_stop_lets_an_upload_finish_and_then_ends_its_session
                clients_that_leave_in_any_phase_leave_nothing
                what_an_earlier_server_left_behind_is_swept_and_what_it_published_is_served
                what_does_not_end_within_the_grace_is_cut_and_leaves_nothing
            }
            reasons {
                busy_comes_when_the_server_s_own_patience_is_over
                full_is_told_at_the_door_and_the_next_is_let_in_when_somebody_leaves
                the_silence_that_counts_is_between_requests_only
            }
            requests {
                the_server_greets_first_with_its_name_protocol_and_a_new_session_number
            }
            resume_put {
                an_upload_cut_at_any_byte_goes_on_from_that_byte
                nobody_takes_over_a_guest_s_upload_or_another_file_of_their_own
            }
            slow {
                a_body_that_stands_still_ends_and_its_name_is_free
                a_byte_now_and_then_buys_no_time_for_a_body_however_fast_it_began
                a_byte_now_and_then_buys_no_time_for_a_line_or_for_what_is_thrown_away
                a_hundred_who_trickle_are_gone_soon_and_everybody_else_is_served_meanwhile
                who_asks_and_never_listens_is_let_go
                who_keeps_the_pace_may_take_longer_than_a_standstill_may_last
                who_reads_nothing_of_a_file_or_a_byte_now_and_then_is_let_go
            }
            transfers {
                a_reader_that_leaves_in_the_middle_costs_nobody_else_anything
            }
        }
    };
}

/// What needs one memory for all: first come, first served; how far others are; quotas; ending
/// one's own lost connection; the room and the console; faults that are counted in one process.
macro_rules! in_one_memory {
    ($model:literal) => {
        under! { $model;
            claims {
                first_come_first_served
                who_waits_is_told_for_whom_and_then_exists_when_they_finish
            }
            console {
                an_administrator_elsewhere_has_the_same_console_and_nobody_else_has
                what_the_administrator_says_reaches_everybody_who_listens
                whoever_is_kicked_is_told_and_whatever_they_do_ends
            }
            homes {
                home_and_homes_are_two_names_of_one_place_with_one_claim_for_each_file
            }
            notices {
                a_file_in_the_library_is_told_to_the_room_and_to_who_asked_and_to_nobody_else
                of_many_files_the_last_is_told_with_how_many_more_there_were_and_none_is_forgotten
                one_s_own_files_are_no_news
                what_is_put_into_a_home_is_nobody_else_s_business
            }
            panics {
                when_the_writer_dies_every_upload_fails_and_the_server_ends_itself
                when_the_writer_dies_nobody_waits_for_an_answer_it_cannot_give
                wherever_a_session_panics_it_ends_alone_and_leaves_nothing
            }
            privacy {
                an_administrator_sees_all_homes_and_may_do_everything_there
                no_way_changes_or_makes_anything_in_somebody_else_s_home
                no_way_shows_anything_in_somebody_else_s_home
            }
            quota {
                a_home_that_is_deeper_than_a_path_can_say_is_measured_all_the_same
                a_hundred_uploads_at_once_into_a_home_that_is_nearly_full_never_overfill_it
                a_new_server_measures_anew_and_finds_the_same
                an_administrator_who_puts_into_a_home_fills_that_home
                an_upload_is_charged_when_it_begins_and_one_that_fails_gives_its_charge_back
                the_library_is_charged_to_nobody
                what_an_administrator_deletes_before_its_owner_has_come_is_counted_once
                what_does_not_fit_is_refused_and_the_message_says_what_is_left
                what_is_put_counts_what_is_deleted_does_not_and_a_new_name_changes_nothing
                who_and_stat_say_how_full_a_home_is_and_only_a_home
                who_waits_in_line_is_not_charged_before_their_turn
            }
            reasons {
                busy_names_who_holds_the_name_and_how_far_they_are
            }
            resume_get {
                a_client_that_is_stopped_or_killed_leaves_what_it_has_for_the_next
                a_download_cut_off_again_and_again_ends_whole_and_no_byte_comes_twice
                a_file_that_changed_on_the_server_is_fetched_anew_and_that_is_said
                a_part_that_was_damaged_here_is_found_out_and_thrown_away
                an_empty_file_is_whole_at_once
                another_file_of_the_same_name_has_nothing_of_this_one
                two_at_once_do_not_write_into_one_part
                when_only_the_checksum_is_missing_only_that_is_asked
                whoever_says_no_resume_gets_every_byte_anew
            }
            resume_put {
                a_stopped_server_keeps_what_came_and_the_next_goes_on_with_it
                a_user_takes_over_from_their_own_lost_connection_at_once
                an_administrator_s_upload_into_a_home_is_kept_for_the_administrator_and_charged_to_the_home
                what_is_kept_counts_against_the_quota_and_goes_on_within_it
                what_is_kept_makes_room_for_what_is_sent
            }
            rights {
                every_row_of_the_table_is_reached
                every_verb_in_every_place_for_every_role_under_every_policy_is_as_the_table_says
            }
            room {
                a_class_that_votes_at_once_is_told_once_a_second_how_the_vote_stands
                a_file_is_never_cut_by_what_is_said
                a_line_that_is_none_is_refused_and_one_without_an_end_ends_its_own_session_only
                a_newcomer_hears_the_last_fifty_lines_in_order
                a_private_line_reaches_every_session_of_one_person_and_nobody_else
                a_stop_dismisses_the_room_and_who_listens_at_once
                a_user_is_called_as_their_account_and_a_guest_by_a_name_nobody_has
                an_account_that_is_called_like_the_administrator_speaks_only_if_it_is_one
                an_account_that_is_closed_is_out_of_the_room_with_its_next_word
                everybody_hears_who_comes_what_is_said_and_who_goes_but_not_themselves
                joining_tells_ones_name_and_how_many_people_are_there
                nobody_becomes_somebody_else_in_the_room
                several_sessions_of_one_account_come_and_go_as_one_person
                what_acts_on_a_terminal_or_is_too_long_is_not_said_and_nobody_else_notices
                where_guests_may_not_look_they_may_not_hear
                who_is_not_in_the_room_says_nothing_there_and_who_is_need_not_come_twice
                who_listens_may_be_silent_for_as_long_as_they_like_and_is_seen_by_nobody
                who_speaks_too_fast_is_told_how_long_to_wait_and_the_line_is_not_said
                whoever_goes_without_a_word_is_no_ghost
            }
            room_crowd {
                the_order_is_the_same_for_everybody
                who_does_not_read_is_told_what_they_missed_and_put_out_and_delays_nobody
            }
            scripts {
                asked_ahead_the_answers_are_the_same_as_one_by_one
                whatever_is_asked_in_whatever_order_the_answers_are_those_of_the_model
            }
            slow {
                a_slow_disk_of_the_server_does_not_make_its_client_too_slow
            }
            watch {
                a_guest_in_the_room_is_shown_as_a_guest_with_the_name_they_have_there
                a_server_that_stops_does_not_wait_for_those_who_watch
                a_user_s_thread_says_whose_it_is_and_what_came_and_went
                the_table_comes_again_and_again_until_the_watcher_says_something
                those_who_wait_for_a_name_stand_in_their_order
                whoever_looks_on_takes_no_lock_that_guards_data
            }
        }
    };
}

mod iterative {
    mod alone {
        alone!("iterative");
    }
}

mod process {
    mod alone {
        alone!("process");
    }
    mod together {
        together!("process");
    }
}

mod select {
    mod alone {
        alone!("select");
    }
    mod together {
        together!("select");
    }
    mod in_one_memory {
        in_one_memory!("select");
    }
}

/// Whether nothing has come over a connection by now.
#[track_caller]
fn assert_silent(stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let error = stream.peek(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
}

#[test]
fn of_two_clients_of_an_iterative_server_the_second_is_connected_and_not_served() {
    models::under("iterative", || {
        let server = quick();
        let mut first = server.peer();
        let second = TcpStream::connect(server.address()).unwrap();
        for n in 0..100 {
            assert_ok(&put(&mut first, &format!("f{n}"), b"mine"));
        }
        assert_silent(&second);
        drop(first);
        let mut second = Peer::over(second);
        assert_eq!(second.greeting["session"], 2);
        assert_eq!(names(&mut second, "").len(), 100);
    });
}

#[test]
fn who_only_listens_to_an_iterative_server_does_not_keep_the_others_waiting_for_ever() {
    models::under("iterative", || {
        let server = quick_with(&["--idle-timeout", "1"]);
        let mut listener = server.peer();
        assert_ok(&ask(&mut listener, &json!({"cmd": "LISTEN"})));
        // It is greeted once the first has been sent away.
        let mut second = Peer::over(TcpStream::connect(server.address()).unwrap());
        assert_eq!(second.greeting["session"], 2);
        assert_ok(&put(&mut second, "f", b"mine"));
        assert_eq!(listener.line()["reason"], "timeout");
    });
}

#[test]
fn an_iterative_server_stops_although_its_client_says_nothing_and_another_waits_at_the_door() {
    models::under("iterative", || {
        let server = quick();
        let mut idle = server.peer();
        let _at_the_door = TcpStream::connect(server.address()).unwrap();
        server.stop();
        assert!(idle.is_closed());
    });
}

#[test]
fn the_one_client_of_an_iterative_server_has_the_room_for_itself_and_the_console_sees_it() {
    models::under("iterative", || {
        let server = quick();
        let mut alone = Ears::guest(&server, "bob");
        alone.say("hello?");
        alone.hears_nothing();
        assert_ok(&alone.ask(&json!({"cmd": "LEAVE"})));
        drop(alone);
        let mut teacher = Ears::of(administrator(&server, "teacher"));
        assert_ok(&teacher.ask(&json!({"cmd": "JOIN"})));
        assert_ok(&teacher.ask(&json!({"cmd": "ADMIN", "line": "say are you there"})));
        teacher.hears_that(&guest_enters("bob"));
        teacher.hears_that(&said_by_guest("bob", "hello?"));
        teacher.hears_that(&guest_leaves("bob"));
        teacher.hears_that(&json!({"event": "admin", "text": "are you there"}));
    });
    let mut desk = Desk::take(&["--model", "iterative"]);
    let peer = desk.peer();
    desk.asks("who", "c01");
    drop(peer);
    desk.screen.types("shutdown now\r");
    desk.is_left_as_found(0);
}

#[test]
fn processes_have_no_room_no_console_and_no_table_and_say_why() {
    models::under("process", || {
        let server = quick();
        let mut teacher = administrator(&server, "teacher");
        for request in [
            json!({"cmd": "JOIN"}),
            json!({"cmd": "LISTEN", "notices": true}),
            json!({"cmd": "SAY", "text": "hello"}),
            json!({"cmd": "LEAVE"}),
            json!({"cmd": "VOTE"}),
            json!({"cmd": "ADMIN", "line": "who"}),
        ] {
            let answer = ask(&mut teacher, &request);
            assert_refused(&answer, "denied");
            let message = answer["message"].as_str().unwrap();
            assert!(message.contains("processes share no memory"), "{message}");
        }
        for request in [json!({"cmd": "WATCH"}), json!({"cmd": "WATCH", "every": 1})] {
            let answer = ask(&mut teacher, &request);
            assert_refused(&answer, "denied");
            let message = answer["message"].as_str().unwrap();
            assert!(message.contains("each client has a process of its own"), "{message}");
        }
        assert_goes_on(&mut teacher);
        // What only an administrator may ask is nobody else's business here either.
        let refused = admin(&mut server.peer(), "who");
        assert_refused(&refused, "denied");
        assert!(refused["message"].as_str().unwrap().contains("only an administrator"));
    });
}

#[test]
fn the_console_of_the_parent_does_what_it_can_without_the_memory_of_its_processes() {
    let mut desk = Desk::take(&["--model", "process"]);
    let (mut stays, mut goes) = (desk.peer(), desk.peer());
    desk.asks("who", "process ");
    desk.asks("stats", "2 now, 2 at most, 2 in all");
    desk.screen.shows("not known here");
    for line in ["files", "say hello", "ask really yes no", "tally"] {
        desk.asks(line, "processes share no memory");
    }
    desk.asks("kick c02", "sent away: c02");
    assert!(goes.is_closed());
    assert_goes_on(&mut stays);
    desk.screen.types("shutdown now\r");
    assert!(stays.is_closed());
    desk.is_left_as_found(0);
}

/// The processes whose parent this is, with the letter of their state.
fn children(of: u32) -> Vec<(u32, char)> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stat = |name: &str| {
        let pid = name.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name, which may have anything in it: the state, the parent.
        let mut words = stat.rsplit(')').next()?.split_whitespace();
        let (state, parent) = (words.next()?.chars().next()?, words.next()?);
        (parent == of.to_string()).then_some((pid, state))
    };
    processes.filter_map(|process| stat(process.file_name().to_str()?)).collect()
}

fn signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(process).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn each_client_has_a_process_and_none_stays_a_zombie() {
    models::under("process", || {
        let server = quick();
        let parent = server.process().unwrap();
        let mut peers: Vec<Peer> = (0..5).map(|_| server.peer()).collect();
        peers.iter_mut().for_each(assert_goes_on);
        assert_eq!(children(parent).len(), 5);
        for how in 0..5 {
            let mut peer = peers.pop().unwrap();
            match how {
                0 => drop(peer),
                1 => say(&mut peer, &json!({"cmd": "QUIT"})),
                2 => hold(&mut peer, "cut"),
                3 => peer.send("{\"cmd\":\"PUT\",\"size\":-1}\n"),
                _ => peer.half_close(),
            }
        }
        // Not even for the time of one more client.
        eventually("all children are reaped", || children(parent).is_empty());
        assert_goes_on(&mut server.peer());
    });
}

#[test]
fn a_process_that_is_killed_ends_its_own_session_alone_and_gives_back_its_name_and_place() {
    models::under("process", || {
        let server = quick_with(&["--max-clients", "2"]);
        let parent = server.process().unwrap();
        let mut doomed = server.peer();
        hold(&mut doomed, "f");
        let mut peer = {
            let its_own = children(parent)[0].0;
            let mut peer = server.peer();
            assert_refused(&server.peer().greeting, "full");
            assert_goes_on(&mut peer);
            signal(its_own, Signal::KILL);
            peer
        };
        assert!(doomed.is_closed());
        assert_ok(&put(&mut peer, "f", b"mine"));
        eventually("its place is free", || server.peer().greeting["status"] == "OK");
    });
}

#[test]
fn a_stop_reaches_every_process_and_a_transfer_has_its_grace() {
    models::under("process", || {
        let data = tempfile::tempdir().unwrap();
        let mut server = Ferryd::start(stage(), data.path(), &[]).unwrap();
        let (mut idle, mut busy) = (Peer::connect(server.address), Peer::connect(server.address));
        let content = bytes(1, 100_000);
        assert_ok(&begin(&mut busy, "f", content.len()));
        busy.send(&content[..50_000]);
        server.signal(Signal::TERM).unwrap();
        assert!(idle.is_closed());
        busy.send(&content[50_000..]);
        busy.send(sum_line(&content));
        assert_ok(&busy.line());
        assert!(busy.is_closed());
        assert!(server.wait().unwrap().success());
        assert!(fs::read(data.path().join("library/f")).unwrap() == content);
    });
}

#[test]
fn when_the_parent_is_killed_its_processes_end_as_if_told_to_stop() {
    models::under("process", || {
        let data = tempfile::tempdir().unwrap();
        let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
        let mut idle = Peer::connect(server.address);
        assert_goes_on(&mut idle);
        let orphans = children(server.id());
        server.kill().unwrap();
        assert!(idle.is_closed());
        eventually("the process is gone", || {
            orphans.iter().all(|(pid, _)| {
                let status = fs::read_to_string(format!("/proc/{pid}/status"));
                status.map_or(true, |status| status.contains("State:\tZ"))
            })
        });
    });
}

/// The names of the rows that a server shows, and the model it says it is.
fn rows(watcher: &mut Peer) -> (BTreeSet<String>, String) {
    let table = ask(watcher, &json!({"cmd": "WATCH"}));
    let rows = table["threads"].as_array().unwrap().iter();
    let names = rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    (names, table["model"].as_str().unwrap().to_owned())
}

#[test]
fn the_table_has_the_threads_of_its_model_and_a_row_for_each_session_of_select() {
    for (model, own) in [("iterative", "stopper"), ("select", "hashing")] {
        models::under(model, || {
            let server = quick();
            let mut watcher = server.peer();
            let expected = ["c01", "countdown", "main", "writer", own].map(str::to_owned);
            let expected = (expected.into(), model.to_owned());
            // Its other threads begin as it does; one may take its seat a moment later.
            eventually("all have their seats", || rows(&mut watcher) == expected);
        });
    }
}

#[test]
fn a_session_of_select_is_seen_to_wait_for_as_long_as_it_does() {
    models::under("select", || {
        let server = quick();
        let (mut holder, mut waiting, mut watcher) = (server.peer(), server.peer(), server.peer());
        hold(&mut holder, "a.txt");
        say(&mut waiting, &json!({"cmd": "PUT", "path": "a.txt", "size": 1, "wait": 30}));
        assert_eq!(waiting.line()["status"], "WAIT");
        // It is asked for again twenty times a second; it waits all the same.
        eventually("it has waited for long", || {
            let table = ask(&mut watcher, &json!({"cmd": "WATCH"}));
            let row = &table["threads"].as_array().unwrap().iter().find(|row| row["name"] == "c02");
            let row = row.unwrap();
            assert_eq!((&row["state"], &row["by"]), (&json!("WAIT_FILE"), &json!("c01")));
            assert_eq!((&row["cmd"], &row["on"]), (&json!("PUT a.txt"), &json!("/library/a.txt")));
            row["since_ms"].as_u64() > Some(400)
        });
    });
}

#[test]
fn a_select_server_has_one_thread_for_all_its_clients() {
    models::under("select", || {
        let data = tempfile::tempdir().unwrap();
        let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
        let mut peers: Vec<Peer> = (0..50).map(|_| Peer::connect(server.address)).collect();
        for (n, peer) in peers.iter_mut().enumerate() {
            hold(peer, &format!("f{n}"));
        }
        let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap().flatten();
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap();
        let threads: BTreeSet<String> = tasks.map(|task| name(task).trim().to_owned()).collect();
        let expected = ["countdown", "demo", "hashing", "journal", "signals", "writer"];
        assert_eq!(threads, expected.map(str::to_owned).into());
        assert_eq!(server.threads().unwrap(), expected.len());
    });
}

#[test]
fn passwords_are_hashed_beside_the_select_loop_which_answers_others_meanwhile() {
    const NEWCOMERS: usize = 40;
    models::under("select", || {
        let server = quick();
        let (mut peer, mut last) = (server.peer(), server.peer());
        let newcomers: Vec<Peer> = (0..NEWCOMERS)
            .map(|n| {
                let mut peer = server.peer();
                let user = format!("user{n}");
                say(&mut peer, &json!({"cmd": "REGISTER", "user": user, "password": PASSWORD}));
                peer
            })
            .collect();
        say(&mut last, &json!({"cmd": "REGISTER", "user": "last", "password": PASSWORD}));
        // Forty hashes stand before the last one's; these are answered before it.
        assert_ok(&put(&mut peer, "f", b"served"));
        assert_eq!(get(&mut peer, "f").1, b"served");
        assert_silent(last.stream());
        assert_ok(&last.line());
        for mut peer in newcomers {
            assert_ok(&peer.line());
            assert_ok(&ask(&mut peer, &json!({"cmd": "WHO"})));
        }
    });
}
