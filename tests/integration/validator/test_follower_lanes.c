// A follower of one lane, in a deployment with companies in two: what it loads, follows and vouches for, and
// what it leaves to others.
#include "services/validator/image/quiescence.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/unit.h"

static struct scene scene;

// Of companies 1 and 2, which are in these lanes.
static const struct lane_set first = {1 << 1}, second = {1 << 2};

static void make_second_company(void) {
    scene_run(&scene, "INSERT INTO latchkey.company (company_id, name) VALUES ($c2, 'Second');"
                      "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l2, $c2);"
                      "INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES ($c2, $l2);"
                      "INSERT INTO latchkey.token (token_id, company_id, kind, channels, permissions)"
                      " VALUES ($t2, $c2, 'a', 1, '{charges.*}');"
                      "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                      " VALUES ($s2, $t2, $c2, 'lk_a_x9Qz')");
}

static int set_up(void **state) {
    (void)state;
    scene_init(&scene);
    make_second_company();
    scene.options.lanes = first;
    return 0;
}

static int set_up_serving(void **state) {
    set_up(state);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scene_fini(&scene);
    return 0;
}

static void expect_first_alone(void) {
    assert_non_null(scene_find(&scene, 1));
    assert_null(scene_find(&scene, 2));
    struct image_statistics of = image_get_statistics(scene_get_image(&scene));
    assert_int_equal(of.companies, 1);
    assert_int_equal(of.tokens, 1);
}

static void it_loads_the_companies_of_its_lanes_alone(void **state) {
    (void)state;
    expect_first_alone();
    assert_int_equal(scene_get_position(&scene, 2), 0);
    assert_true(scene_get_position(&scene, 1) > 0);
    assert_true(scene_get_position(&scene, LANE_DEPLOYMENT) > 0);
}

static void changes_in_other_lanes_are_none_of_its_business(void **state) {
    (void)state;
    int64_t position = scene_get_position(&scene, 1);
    scene_run(&scene, "UPDATE latchkey.token SET channels = 3 WHERE token_id = $t2");
    scene_run(&scene, "UPDATE latchkey.token SET channels = 3 WHERE token_id = $t1");
    scene_run(&scene, "NOTIFY latchkey_change");
    scene_await_answer(&scene, "SELECT positions[2] FROM latchkey.validator", position + 1);
    assert_int_equal(scene_find(&scene, 1)->channels, 3);
    expect_first_alone();
    assert_int_equal(scene_get_state(&scene), LEASE_SERVING);
}

static void its_row_has_no_position_where_it_serves_nobody(void **state) {
    (void)state;
    follower_wake(scene.follower);
    scene_await_answer(&scene,
                       "SELECT count(*) FROM latchkey.validator v, generate_subscripts(v.positions, 1) AS i"
                       " WHERE (v.positions[i] IS NOT NULL) = (i IN (2, 65))",
                       LANE_COUNT);
}

static void the_catalogue_is_everybodys(void **state) {
    (void)state;
    int64_t position = scene_get_position(&scene, LANE_DEPLOYMENT);
    scene_run(&scene, "INSERT INTO latchkey.permission (name) VALUES ('refunds.create')");
    scene_run(&scene, "NOTIFY latchkey_change");
    scene_await_answer(&scene, "SELECT positions[65] FROM latchkey.validator", position + 1);
}

static void a_history_that_is_lost_elsewhere_is_not_lost_here(void **state) {
    (void)state;
    scene_run(&scene, "UPDATE latchkey.change_lane SET head = head - 1 WHERE lane = 2");
    scene_forget_states(&scene);
    int64_t position = scene_get_position(&scene, 1);
    scene_run(&scene, "UPDATE latchkey.token SET channels = 2 WHERE token_id = $t1");
    scene_run(&scene, "NOTIFY latchkey_change");
    scene_await_answer(&scene, "SELECT positions[2] FROM latchkey.validator", position + 1);
    assert_false(scene_has_seen(&scene, LEASE_HISTORY_LOST));
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report"), 0);
}

// The database counts over all lanes; room is made for a share.
static void it_makes_room_for_its_share_alone(void **state) {
    (void)state;
    struct buffer text = {0};
    struct metrics_writer writer = {.to = &text};
    scene_run(&scene, "INSERT INTO latchkey.token (token_id, company_id, kind, channels)"
                      " SELECT gen_random_uuid(), $c2, 'a', 1 FROM generate_series(1, 640);"
                      "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                      " SELECT uuid_send(token_id) || uuid_send(token_id), token_id, company_id, 'lk_a_x9Qz'"
                      " FROM latchkey.token WHERE company_id = $c2 AND token_id <> $t2;"
                      "ANALYZE latchkey.token_secret");
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    follower_write_metrics(&writer, scene.follower);
    buffer_append_byte(&text, '\0');
    assert_non_null(strstr((const char *)text.data, "latchkey_follower_load_expected_rows 10\n"));
    buffer_fini(&text);
}

static bool says_timeline(struct scene *of) {
    return scene_says(of, "timeline");
}

// What one remembers of its lanes lets nobody start who would serve others.
static void a_timeline_is_accepted_for_its_own_lanes_and_no_others(void **state) {
    (void)state;
    scene_run(&scene, "DELETE FROM latchkey.accepted_timeline");
    scene_kill_backend(&scene);
    follower_wake(scene.follower);
    scene_await_answer(&scene, "SELECT coalesce(max(lanes), 0) FROM latchkey.accepted_timeline", 1 << 1);
    scene_stop(&scene);

    scene.options.lanes = second;
    scene_start(&scene);
    scene_await(&scene, says_timeline);
    assert_null(scene_get_image(&scene));
    scene_stop(&scene);

    scene.options.lanes = first; // without memory, too
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    scene_stop(&scene);

    scene_run(&scene, "SELECT latchkey.timeline_accept('another', 4)");
    scene.options.lanes = (struct lane_set){first.companies | second.companies};
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_non_null(scene_find(&scene, 1));
    assert_non_null(scene_find(&scene, 2));
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.accepted_timeline WHERE lanes = 6"), 1);
}

int main(void) {
#define CASE(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(it_loads_the_companies_of_its_lanes_alone, set_up_serving),
        CASE(changes_in_other_lanes_are_none_of_its_business, set_up_serving),
        CASE(its_row_has_no_position_where_it_serves_nobody, set_up_serving),
        CASE(the_catalogue_is_everybodys, set_up_serving),
        CASE(a_history_that_is_lost_elsewhere_is_not_lost_here, set_up_serving),
        CASE(it_makes_room_for_its_share_alone, set_up),
        CASE(a_timeline_is_accepted_for_its_own_lanes_and_no_others, set_up_serving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
