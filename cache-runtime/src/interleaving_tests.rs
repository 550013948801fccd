//! The rules of the call path, one by one, in interleavings of the code itself: a scheduler orders
//! the uses of every primitive of `sync`, by chance and by priorities, one schedule after another.
//! Run by `cargo xtask interleave`, which says how many there are in all. Orders of memory weaker
//! than sequential consistency are not explored, nor is anything that goes over a network.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, Runner};

mod appending;
mod calling;
mod flying;
mod following;
mod handing_over;
mod holding;
mod judging;
mod oracle;
mod sharing;
mod storing;

/// What part each test has of all schedules: the more, the more there is to go wrong in it.
const PARTS: &[(&str, usize)] = &[
    // judging
    ("the_head_is_noted_before_the_compute", 40),
    ("tags_are_published_before_the_epoch", 60),
    ("the_floor_is_published_before_the_epoch", 40),
    ("a_judge_reads_the_epoch_before_the_tags", 60),
    ("what_several_parts_say_is_of_one_epoch", 40),
    ("a_full_bucket_forgets_no_tag", 40),
    // appending
    ("a_record_is_applied_before_it_is_acknowledged", 50),
    ("an_own_record_is_not_taken_back", 40),
    ("what_is_put_is_no_older_than_its_handle", 40),
    // following
    ("a_view_that_starts_anew_is_not_judged_meanwhile", 40),
    ("a_view_that_leaves_its_log_calls_nothing_current", 30),
    ("a_catch_up_and_own_records_lose_nothing", 40),
    ("an_answer_that_the_view_has_moved_past_is_not_kept", 40),
    ("trust_that_has_ended_does_not_come_back", 20),
    // holding
    ("what_is_owed_is_not_current", 40),
    ("what_is_under_a_mark_is_not_current", 40),
    ("a_debt_and_a_mark_on_one_tag_both_hold_it", 40),
    ("a_move_of_what_is_held_is_not_forgotten", 40),
    ("a_bucket_full_of_debts_opens_up_unseen", 40),
    // flying
    ("who_comes_after_an_invalidation_joins_no_older_flight", 60),
    ("a_follower_takes_nothing_that_moved_before_it_joined", 60),
    ("a_tag_of_the_result_is_tested_at_the_landing", 60),
    ("a_flight_leaves_the_map_before_it_lands", 40),
    ("one_key_has_one_leader_at_a_time", 60),
    ("without_an_invalidation_one_compute_is_enough", 40),
    ("a_circle_of_waits_is_not_closed", 40),
    // handing_over
    ("a_leader_that_goes_has_one_heir", 40),
    ("an_heir_that_goes_passes_on_what_it_had", 30),
    ("the_last_to_go_clears_a_vacant_flight", 40),
    ("a_flight_that_is_prepared_lands_in_any_case", 30),
    ("a_call_may_be_dropped_at_any_wait", 60),
    ("a_wait_may_end_at_any_time", 60),
    ("an_alarm_misses_no_advance_of_its_clock", 20),
    ("a_blocked_thread_misses_no_wake", 20),
    // sharing
    ("no_process_serves_what_another_has_outdated", 40),
    ("strict_reads_wait_for_no_note", 40),
    ("a_lease_has_one_holder", 40),
    ("a_call_that_is_dropped_frees_its_lease", 40),
    // storing
    ("an_older_value_replaces_no_newer_one", 40),
    ("a_look_up_beside_evictions_gets_its_own_value", 30),
    // calling
    (
        "a_call_returns_nothing_older_than_what_was_acknowledged",
        60,
    ),
    ("an_outer_value_goes_with_the_inner_one", 60),
    ("sync_calls_keep_the_promise_too", 40),
];

/// How many schedules all tests together explore, where nobody says.
const ALL: usize = 10_000;

/// Runs a scenario in schedules by chance, and in three times as many by priorities that change at a
/// few points: by chance all threads come along about as fast, and what needs one to stand still
/// while others make whole calls is hardly ever met. `AFRESH_SCHEDULE` is one to run again.
fn explore(test: &str, scenario: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    // A call with a call in its body, unoptimised.
    config.stack_size = 0x8_0000;
    config.silence_warnings = true;
    if let Ok(schedule) = std::env::var("AFRESH_SCHEDULE") {
        let replay = ReplayScheduler::new_from_encoded(&schedule);
        Runner::new(replay, config).run(scenario);
        return;
    }
    let all = match std::env::var("AFRESH_SCHEDULES") {
        Ok(number) => number.parse().expect("a number of schedules"),
        Err(_) => ALL,
    };
    let sum: usize = PARTS.iter().map(|(_, part)| part).sum();
    let part = PARTS.iter().find(|(name, _)| *name == test);
    let part = part.expect("a part of the schedules").1;
    let most = (all * part).div_ceil(sum);
    let begun = Arc::new(AtomicUsize::new(0));
    let _told = Told {
        test,
        begun: Arc::clone(&begun),
    };
    let scenario = Arc::new(scenario);
    let by_chance = RandomScheduler::new(most.div_ceil(4));
    let by_priority = PctScheduler::new(3, most - most.div_ceil(4));
    let began = std::time::Instant::now();
    let mut done = 0;
    let schedulers: [Box<dyn Scheduler + Send>; 2] = [Box::new(by_chance), Box::new(by_priority)];
    for scheduler in schedulers {
        let (begun, scenario) = (Arc::clone(&begun), Arc::clone(&scenario));
        done += Runner::new(scheduler, config.clone()).run(move || {
            begun.fetch_add(1, Ordering::Relaxed);
            scenario();
        });
    }
    println!(
        "{test}: {done} schedules in {:.1} s",
        began.elapsed().as_secs_f64()
    );
}

/// How far a test has come, which it tells where it fails.
struct Told<'a> {
    test: &'a str,
    begun: Arc<AtomicUsize>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let begun = self.begun.load(Ordering::Relaxed);
            eprintln!("{}: failed in schedule {begun}", self.test);
        }
    }
}

#[test]
fn each_test_has_one_part() {
    let mut names: Vec<_> = PARTS.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PARTS.len());
}
