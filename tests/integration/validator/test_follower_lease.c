// When a follower lets the validator serve and when it does not: the lease, the clocks, the history, and a
// database that comes and goes.
#include <stdlib.h>
#include <string.h>

#include "services/validator/image/quiescence.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/unit.h"

#define LEASE_NS (INT64_C(3600000) * 1000000)

static struct scene scene;

static int set_up(void **state) {
    (void)state;
    scene_init(&scene);
    return 0;
}

static int set_up_serving(void **state) {
    (void)state;
    scene_init_serving(&scene);
    scene_forget_states(&scene);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scene_fini(&scene);
    return 0;
}

static bool says_timeline(struct scene *of) {
    return scene_says(of, "timeline");
}

static bool says_database(struct scene *of) {
    return scene_says(of, "the database ");
}

static bool has_seen_stale(struct scene *of) {
    return scene_has_seen(of, LEASE_STALE);
}

// --- the lease ---

static void a_killed_session_costs_no_lease(void **state) {
    (void)state;
    scene_kill_backend(&scene);
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true");
    scene_follow(&scene);
    assert_true(image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->is_suspended);
    assert_false(scene_has_seen(&scene, LEASE_STALE));
}

static void a_lease_runs_out_without_the_database_and_comes_back_with_it(void **state) {
    (void)state;
    scene_close_database(&scene);
    follower_wake(scene.follower);
    assert_int_equal(scene_get_state(&scene), LEASE_SERVING);
    atomic_store(&scene.added_boottime_ns, LEASE_NS);
    assert_int_equal(scene_get_state(&scene), LEASE_STALE);
    scene_await(&scene, says_database);
    assert_true(scene_says(&scene, "validator: stale: the database "));
    scene_open_database(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_false(scene_says(&scene, "validator"));
}

static void a_lease_counts_from_before_the_renewal_was_sent(void **state) {
    (void)state;
    struct scene_lock lock;
    uint64_t until_ns = atomic_load(&scene.validator.lease.until_ns);
    scene_lock(&scene, &lock, "validator");
    follower_wake(scene.follower);
    scene_await_stuck(&scene);
    // The renewal has been sent; while its answer is on the way the machine sleeps for longer than a lease.
    atomic_store(&scene.added_boottime_ns, LEASE_NS + LEASE_NS / 2);
    scene_forget_states(&scene);
    scene_unlock(&lock);
    scene_await(&scene, has_seen_stale);
    assert_true(atomic_load(&scene.validator.lease.until_ns) < until_ns + (uint64_t)LEASE_NS / 2);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
}

static void a_row_that_is_gone_is_made_again_before_it_serves(void **state) {
    (void)state;
    scene_run(&scene, "CREATE TABLE latchkey.old_row AS SELECT * FROM latchkey.validator;"
                      "DELETE FROM latchkey.validator");
    const struct image *image = scene_get_image(&scene);
    follower_wake(scene.follower);
    scene_await_answer(&scene,
                       "SELECT count(*) FROM latchkey.validator v JOIN latchkey.old_row o USING (instance)"
                       " WHERE v.registered_at > o.registered_at AND v.renewal <> o.renewal",
                       1);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(scene_has_seen(&scene, LEASE_STALE));
    assert_ptr_equal(scene_get_image(&scene), image); // what is in memory stays good
}

// --- clocks ---

static void a_database_with_another_time_is_not_trusted(void **state) {
    (void)state;
    atomic_store(&scene.added_realtime_ns, INT64_C(60000000000));
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_STALE);
    assert_true(scene_says(&scene, "clock"));
    atomic_store(&scene.added_realtime_ns, 0);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
}

static bool has_correction(struct scene *of) {
    return atomic_load(&of->validator.clock_correction_ms) != 0;
}

static void a_small_difference_is_corrected(void **state) {
    (void)state;
    atomic_store(&scene.added_realtime_ns, INT64_C(3000000000));
    follower_wake(scene.follower);
    scene_await(&scene, has_correction);
    int64_t correction_ms = atomic_load(&scene.validator.clock_correction_ms);
    assert_in_range(-correction_ms, 1000, 3000);
    assert_int_equal(scene_get_state(&scene), LEASE_SERVING);
}

// --- history ---

static void a_head_below_the_own_position_is_another_history(void **state) {
    (void)state;
    scene_run(&scene, "UPDATE latchkey.change_lane SET head = head - 1 WHERE lane = 1");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    assert_true(scene_says(&scene, "validator: history lost: "));
    assert_true(scene_says(&scene, "lane 1"));
    scene_run(&scene, "UPDATE latchkey.change_lane SET head = head + 1 WHERE lane = 1");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
}

static void another_mark_at_the_own_position_is_another_history(void **state) {
    (void)state;
    scene_run(&scene, "UPDATE latchkey.change_lane SET mark = mark + 1 WHERE lane = 64");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    // What happens in that history is nothing to be followed.
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true; DELETE FROM latchkey.validator");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    assert_false(image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->is_suspended);
    scene_run(&scene, "UPDATE latchkey.change_lane SET mark = mark - 1 WHERE lane = 64");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->is_suspended);
}

static void a_log_that_begins_too_high_is_loaded_anew(void **state) {
    (void)state;
    struct scene_lock lock;
    const struct image *image = scene_get_image(&scene);
    scene_lock(&scene, &lock, "validator");
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true");
    scene_run(&scene, "UPDATE latchkey.token SET channels = 3");
    scene_run(&scene, "DELETE FROM latchkey.change WHERE lane = 1");
    scene_unlock(&lock);
    scene_follow(&scene);
    assert_ptr_not_equal(scene_get_image(&scene), image);
    assert_int_equal(scene_find(&scene, 1)->channels, 3);
    assert_false(scene_has_seen(&scene, LEASE_STALE)); // the lease that stood meanwhile was good
    scene_await_answer(&scene,
                       "SELECT count(*) FROM latchkey.validator v JOIN latchkey.change_lane l ON l.lane = 1"
                       " WHERE v.positions[2] = l.head",
                       1);
}

// The change at the own position is there, and so is the head: only the numbers tell.
static void a_log_with_a_gap_is_loaded_anew(void **state) {
    (void)state;
    struct scene_lock lock;
    const struct image *image = scene_get_image(&scene);
    scene_lock(&scene, &lock, "validator");
    scene_run(&scene, "UPDATE latchkey.token SET channels = 3");
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true");
    scene_run(&scene, "DELETE FROM latchkey.change c USING latchkey.change_lane l"
                      " WHERE c.lane = 1 AND l.lane = 1 AND c.seq = l.head - 1");
    scene_unlock(&lock);
    scene_follow(&scene);
    assert_ptr_not_equal(scene_get_image(&scene), image);
    assert_int_equal(scene_find(&scene, 1)->channels, 3);
}

static void a_log_without_its_last_change_is_loaded_anew(void **state) {
    (void)state;
    struct scene_lock lock;
    const struct image *image = scene_get_image(&scene);
    scene_lock(&scene, &lock, "validator");
    scene_run(&scene, "UPDATE latchkey.token SET channels = 3");
    scene_run(&scene, "DELETE FROM latchkey.change c USING latchkey.change_lane l"
                      " WHERE c.lane = 1 AND l.lane = 1 AND c.seq = l.head");
    scene_unlock(&lock);
    scene_follow(&scene);
    assert_ptr_not_equal(scene_get_image(&scene), image);
    assert_int_equal(scene_find(&scene, 1)->channels, 3);
}

static void without_memory_it_waits_for_an_accepted_timeline(void **state) {
    (void)state;
    scene_run(&scene, "DELETE FROM latchkey.accepted_timeline");
    scene_start(&scene);
    scene_await(&scene, says_timeline);
    assert_null(scene_get_image(&scene));
    assert_int_equal(scene_get_state(&scene), LEASE_LOADING);
    scene_run(&scene, "SELECT latchkey.timeline_accept('an operator')");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
}

static void with_memory_it_accepts_the_timeline_that_has_its_history(void **state) {
    (void)state;
    scene_run(&scene, "DELETE FROM latchkey.accepted_timeline");
    scene_kill_backend(&scene);
    follower_wake(scene.follower);
    scene_await_answer(&scene,
                       "SELECT count(*) FROM latchkey.accepted_timeline"
                       " WHERE accepted_by = 'validator under test'",
                       1);
    assert_false(scene_has_seen(&scene, LEASE_STALE));
}

// --- a database that comes and goes ---

static void a_database_that_is_away_at_the_start_is_waited_for(void **state) {
    (void)state;
    scene_close_database(&scene);
    scene_start(&scene);
    scene_await(&scene, says_database);
    assert_true(scene_says(&scene, "validator: loading"));
    scene_open_database(&scene);
    scene_await_state(&scene, LEASE_SERVING);
}

static void a_database_that_is_read_only_by_default_is_followed(void **state) {
    (void)state;
    scene_run(
        &scene,
        "RESET ROLE; DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET default_transaction_read_only = on'',"
        " current_database()); END'");
    scene_kill_backend(&scene);
    scene_run(&scene, "BEGIN READ WRITE; UPDATE latchkey.company SET suspended = true; COMMIT");
    scene_follow(&scene);
    assert_true(image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->is_suspended);
    assert_false(scene_has_seen(&scene, LEASE_STALE));
}

static void it_stops_while_the_database_is_away(void **state) {
    (void)state;
    scene_close_database(&scene);
    scene_start(&scene);
    scene_await(&scene, says_database);
    scene_stop(&scene);
    scene_open_database(&scene);
}

static void a_session_killed_in_the_middle_of_a_load_leaves_nothing_behind(void **state) {
    (void)state;
    struct scene_lock lock;
    scene_lock(&scene, &lock, "token");
    scene_start(&scene);
    scene_await_stuck(&scene);
    assert_true(scene_says(&scene, "validator: loading"));
    scene_kill_backend(&scene);
    scene_await(&scene, says_database);
    assert_null(scene_get_image(&scene));
    scene_unlock(&lock);
    scene_await_state(&scene, LEASE_SERVING);
    assert_non_null(scene_find(&scene, 1));
}

static void a_session_killed_in_the_middle_of_a_round_moves_no_position(void **state) {
    (void)state;
    struct scene_lock validator_lock, token_lock;
    int64_t seq = scene_get_position(&scene, 1);
    scene_lock(&scene, &validator_lock, "validator");
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true; UPDATE latchkey.token SET channels = 3;"
                      "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l2, $c1);"
                      "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                      " VALUES ($e1, $c1, $l2, '12.0.0.0/8', '12.0.0.0/8');"
                      "UPDATE latchkey.whitelist SET live_list_id = $l2");
    scene_lock(&scene, &token_lock, "token");
    follower_wake(scene.follower);
    scene_unlock(&validator_lock);
    scene_await_stuck(&scene);
    scene_kill_backend(&scene);
    scene_await_stuck(&scene); // again, on another connection
    assert_true(scene_get_position(&scene, 1) == seq);
    assert_int_equal(scene_find(&scene, 1)->channels, 1);
    scene_unlock(&token_lock);
    scene_await_head(&scene);
    assert_int_equal(scene_find(&scene, 1)->channels, 3);
    struct ip_address address;
    assert_int_equal(ip_address_parse(BYTES_LITERAL("12.0.0.1"), &address), IP_PARSE_OK);
    assert_true(
        ip_set_contains(image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->ips, &address, 0));
}

static uint64_t get_round(const struct scene *of) {
    quiescence_go_online();
    uint64_t round = lanes_get_positions(image_get_lanes(scene_get_image(of)))->round;
    quiescence_go_offline();
    return round;
}

static uint64_t round_before;

static bool is_in_a_later_round(struct scene *of) {
    return get_round(of) > round_before;
}

// Who waits for a revision counts on it: with a gap, the next round but one could have begun before it came.
static void rounds_that_fail_leave_no_gap_in_their_numbers(void **state) {
    (void)state;
    enum { FAILURES = 4 };
    struct scene_lock lock;
    scene_lock(&scene, &lock, "validator");
    follower_wake(scene.follower);
    scene_await_stuck(&scene);
    round_before = get_round(&scene);
    for (int i = 0; i < FAILURES; i++) {
        scene_kill_backend(&scene);
        scene_await_stuck(&scene); // again, on another connection
    }
    assert_true(get_round(&scene) == round_before);
    scene_unlock(&lock);
    scene_await(&scene, is_in_a_later_round);
    // One more may have been asked for meanwhile.
    assert_in_range(get_round(&scene), round_before + 1, round_before + 2);
}

int main(void) {
#define CASE(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_killed_session_costs_no_lease, set_up_serving),
        CASE(a_lease_runs_out_without_the_database_and_comes_back_with_it, set_up_serving),
        CASE(a_lease_counts_from_before_the_renewal_was_sent, set_up_serving),
        CASE(a_row_that_is_gone_is_made_again_before_it_serves, set_up_serving),
        CASE(a_database_with_another_time_is_not_trusted, set_up_serving),
        CASE(a_small_difference_is_corrected, set_up_serving),
        CASE(a_head_below_the_own_position_is_another_history, set_up_serving),
        CASE(another_mark_at_the_own_position_is_another_history, set_up_serving),
        CASE(a_log_that_begins_too_high_is_loaded_anew, set_up_serving),
        CASE(a_log_with_a_gap_is_loaded_anew, set_up_serving),
        CASE(a_log_without_its_last_change_is_loaded_anew, set_up_serving),
        CASE(without_memory_it_waits_for_an_accepted_timeline, set_up),
        CASE(with_memory_it_accepts_the_timeline_that_has_its_history, set_up_serving),
        CASE(a_database_that_is_away_at_the_start_is_waited_for, set_up),
        CASE(a_database_that_is_read_only_by_default_is_followed, set_up_serving),
        CASE(it_stops_while_the_database_is_away, set_up),
        CASE(a_session_killed_in_the_middle_of_a_load_leaves_nothing_behind, set_up),
        CASE(a_session_killed_in_the_middle_of_a_round_moves_no_position, set_up_serving),
        CASE(rounds_that_fail_leave_no_gap_in_their_numbers, set_up_serving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
