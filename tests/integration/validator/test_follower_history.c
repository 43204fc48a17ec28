// A database that lacks changes which a follower has applied: who serves, who reports it, and what happens
// once an operator has settled it.
#include <stdlib.h>

#include "services/validator/image/quiescence.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/unit.h"

// Every change from now on is another one than was applied.
#define ANOTHER_HISTORY \
    "UPDATE latchkey.change SET mark = mark + 1; UPDATE latchkey.change_lane SET mark = mark + 1;"
#define SETTLE "UPDATE latchkey.loss_report SET settled_at = now(), settled_by = 'a test'"
#define REPORT_BY_ANOTHER                                                                           \
    "SELECT latchkey.loss_report_keep($c7, 'another validator', array_agg(head + 1 ORDER BY lane)," \
    " array_agg(mark ORDER BY lane)) FROM latchkey.change_lane"
#define STUCK_IN_A_COPY                                                         \
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%permission%'" \
    " AND datname = current_database() AND wait_event_type = 'Lock'"
#define COMPARED_REPORTS "SELECT count(*) FROM latchkey.loss_report WHERE compared_at IS NOT NULL"

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

static void await_loss(void) {
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
}

static bool is_deactivated(void) {
    return scene_find(&scene, 1)->is_deactivated;
}

// The database forgets that the token was deactivated.
static void lose_a_deactivation(void) {
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now()");
    scene_follow(&scene);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = NULL;" ANOTHER_HISTORY);
    await_loss();
}

static void a_loss_is_reported_with_what_the_memory_says_otherwise(void **state) {
    (void)state;
    lose_a_deactivation();
    assert_true(scene_says(&scene, "latchkey recover"));
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.lost_change"), 1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.lost_change WHERE company_id = $c1"
                                       " AND object_id = $t1 AND what = 'token.deactivated'"),
                     1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report r, unnest(r.lanes) AS lane"
                                       " WHERE r.validator = 'validator under test'"),
                     65);
    assert_true(is_deactivated()); // the memory is kept
}

// In the other lanes the memory is only behind.
static void what_is_new_in_a_lane_that_lost_nothing_is_not_told(void **state) {
    (void)state;
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now()");
    scene_follow(&scene);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = NULL;"
                      "INSERT INTO latchkey.company (company_id, name) VALUES ($c2, 'Beta');"
                      "UPDATE latchkey.change SET mark = mark + 1 WHERE lane = 1;"
                      "UPDATE latchkey.change_lane SET mark = mark + 1 WHERE lane = 1");
    await_loss();
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.lost_change"), 1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.lost_change WHERE company_id = $c1"),
                     1);
}

// A load is needed, and while it is under way another database takes the place of the one that was followed.
static void a_load_does_not_take_the_place_of_what_the_database_lacks(void **state) {
    (void)state;
    struct scene_lock loading, renewing;
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now()");
    scene_follow(&scene);
    scene_lock(&scene, &renewing, "validator");
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true");
    scene_run(&scene, "UPDATE latchkey.company SET suspended = false");
    scene_run(&scene, "DELETE FROM latchkey.change c USING latchkey.change_lane l"
                      " WHERE c.lane = 1 AND l.lane = 1 AND c.seq = l.head - 1");
    scene_lock(&scene, &loading, "permission");
    scene_unlock(&renewing);
    follower_wake(scene.follower);
    database_await(scene.database.url, STUCK_IN_A_COPY, 1);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = NULL;" ANOTHER_HISTORY);
    scene_kill_backend(&scene);
    scene_unlock(&loading);
    await_loss();
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.lost_change WHERE object_id = $t1"
                                       " AND what = 'token.deactivated'"),
                     1);
    scene_run(&scene, SETTLE);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
}

static void it_is_reported_once_and_nobody_serves_until_it_is_settled(void **state) {
    (void)state;
    lose_a_deactivation();
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    scene_forget_states(&scene);
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true;"
                      "CREATE TABLE latchkey.old_row AS SELECT * FROM latchkey.validator");
    scene_kill_backend(&scene);
    follower_wake(scene.follower);
    scene_await_answer(&scene,
                       "SELECT count(*) FROM latchkey.validator v JOIN latchkey.old_row o USING (instance)"
                       " WHERE v.renewal <> o.renewal",
                       1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report"), 1);
    assert_false(scene_has_seen(&scene, LEASE_SERVING));
    scene_run(&scene, SETTLE);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
    assert_false(is_deactivated()); // what the database says counts now
    assert_true(image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->is_suspended);
}

static void a_second_loss_is_reported_as_one_of_its_own(void **state) {
    (void)state;
    lose_a_deactivation();
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    scene_run(&scene, SETTLE);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
    scene_run(&scene, ANOTHER_HISTORY "NOTIFY latchkey_change");
    await_loss();
    scene_await_answer(&scene, COMPARED_REPORTS, 2);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report WHERE settled_at IS NULL"),
                     1);
}

static void after_a_comparison_that_failed_it_compares_again(void **state) {
    (void)state;
    struct scene_lock lock;
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now()");
    scene_follow(&scene);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = NULL;" ANOTHER_HISTORY);
    scene_lock(&scene, &lock, "token");
    follower_wake(scene.follower);
    scene_await_stuck(&scene); // loading
    assert_int_equal(scene_get_state(&scene), LEASE_HISTORY_LOST);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report"), 1); // known at once
    scene_kill_backend(&scene);
    scene_unlock(&lock);
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.lost_change"), 1);
}

static void a_settled_loss_on_a_timeline_that_nobody_has_accepted_is_waited_for(void **state) {
    (void)state;
    lose_a_deactivation();
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    scene_run(&scene, "DELETE FROM latchkey.accepted_timeline;" SETTLE);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_STALE);
    scene_run(&scene, "SELECT latchkey.timeline_accept('an operator')");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
}

static bool says_another(struct scene *of) {
    return scene_says(of, "a validator has reported");
}

static void a_loss_that_another_has_reported_stops_it_too_until_it_is_settled(void **state) {
    (void)state;
    const struct image *image = scene_get_image(&scene);
    scene_run(&scene, REPORT_BY_ANOTHER);
    await_loss();
    scene_await(&scene, says_another);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now();" SETTLE);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
    assert_ptr_equal(scene_get_image(&scene), image); // its memory was good
    assert_true(is_deactivated());
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report"), 1);
}

static void one_that_starts_on_a_reported_loss_waits(void **state) {
    (void)state;
    scene_run(&scene, REPORT_BY_ANOTHER);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    assert_false(scene_has_seen(&scene, LEASE_SERVING));
    scene_run(&scene, SETTLE);
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
}

static void a_loss_that_was_none_is_withdrawn(void **state) {
    (void)state;
    scene_run(&scene, "UPDATE latchkey.change_lane SET head = head - 1 WHERE lane = 1");
    await_loss();
    scene_await_answer(&scene, COMPARED_REPORTS, 1);
    scene_run(&scene, "UPDATE latchkey.change_lane SET head = head + 1 WHERE lane = 1");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report"), 0);
}

int main(void) {
#define CASE(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_loss_is_reported_with_what_the_memory_says_otherwise, set_up_serving),
        CASE(what_is_new_in_a_lane_that_lost_nothing_is_not_told, set_up_serving),
        CASE(a_load_does_not_take_the_place_of_what_the_database_lacks, set_up_serving),
        CASE(it_is_reported_once_and_nobody_serves_until_it_is_settled, set_up_serving),
        CASE(a_second_loss_is_reported_as_one_of_its_own, set_up_serving),
        CASE(after_a_comparison_that_failed_it_compares_again, set_up_serving),
        CASE(a_settled_loss_on_a_timeline_that_nobody_has_accepted_is_waited_for, set_up_serving),
        CASE(a_loss_that_another_has_reported_stops_it_too_until_it_is_settled, set_up_serving),
        CASE(one_that_starts_on_a_reported_loss_waits, set_up),
        CASE(a_loss_that_was_none_is_withdrawn, set_up_serving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
