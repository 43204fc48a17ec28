// A follower that starts again from its snapshot file knows what one knows that never stopped: all that came
// meanwhile is applied before anybody is served, and a file of no use is as good as none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ip/ip_set.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/snapshot.h"
#include "services/validator/follow/snapshot_dump.h"
#include "services/validator/image/quiescence.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/unit.h"

static struct scene scene;

static int set_up(void **state) {
    (void)state;
    scene_init(&scene);
    scene_keep_file(&scene, 3600000);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scene_fini(&scene);
    return 0;
}

static bool is_deactivated(unsigned secret) {
    quiescence_go_online();
    const struct token_record *record = scene_find(&scene, secret);
    bool is_so = record && record->is_deactivated;
    quiescence_go_offline();
    return is_so;
}

static bool is_known(unsigned secret) {
    quiescence_go_online();
    bool is_so = scene_find(&scene, secret) != NULL;
    quiescence_go_offline();
    return is_so;
}

// Metrics tell where the last load came from: a file holds no estimate of the database's statistics.
static char *get_metrics(void) {
    struct buffer text = {0};
    struct metrics_writer writer = {.to = &text};
    follower_write_metrics(&writer, scene.follower);
    buffer_append_byte(&text, '\0');
    return (char *)text.data;
}

static void a_stop_in_order_leaves_a_file(void **state) {
    (void)state;
    struct stat stat_of;
    scene_stop(&scene);
    assert_int_equal(stat(scene.snapshot_path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.validator"), 0);
}

// While nobody may read the tokens, only a file can tell of them.
static void it_starts_from_the_file_alone(void **state) {
    (void)state;
    scene_stop(&scene);
    scene_run(&scene, "REVOKE SELECT ON latchkey.token_secret FROM latchkey_validator");
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(is_known(1));
}

static void what_was_revoked_meanwhile_is_known_before_it_serves(void **state) {
    (void)state;
    scene_run(&scene, "INSERT INTO latchkey.token (token_id, company_id, kind, channels)"
                      " SELECT gen_random_uuid(), $c1, 'a', 1 FROM generate_series(1, 300);"
                      "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                      " SELECT sha256(uuid_send(token_id)), token_id, company_id, 'x' FROM latchkey.token"
                      " WHERE token_id <> $t1;"
                      "INSERT INTO latchkey.token (token_id, company_id, kind, channels)"
                      " VALUES ($t2, $c1, 'a', 1);"
                      "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                      " VALUES ($s2, $t2, $c1, 'x')");
    scene_follow(&scene);
    scene_stop(&scene);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now() WHERE token_id = $t1;"
                      "DELETE FROM latchkey.token_secret WHERE digest = $s2;"
                      "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                      " VALUES ($s3, $t2, $c1, 'x')");
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(is_deactivated(1));
    assert_false(is_known(2));
    assert_true(is_known(3));
    assert_int_equal(image_get_statistics(scene_get_image(&scene)).tokens, 302);
}

static void a_damaged_file_is_ignored(void **state) {
    (void)state;
    scene_stop(&scene);
    FILE *file = fopen(scene.snapshot_path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    int last = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    assert_int_equal(fputc(last ^ 1, file), last ^ 1);
    fclose(file);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(is_known(1));
}

static void a_file_below_the_log_is_of_no_use(void **state) {
    (void)state;
    scene_stop(&scene);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now();"
                      "UPDATE latchkey.company SET suspended = true");
    scene_run(&scene, "UPDATE latchkey.company SET suspended = false");
    scene_run(&scene, "DELETE FROM latchkey.change WHERE lane = 1 AND seq < (SELECT head FROM"
                      " latchkey.change_lane WHERE lane = 1)");
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(is_deactivated(1));
    char *metrics = get_metrics();
    assert_non_null(strstr(metrics, "latchkey_follower_loads_total 2"));
    free(metrics);
}

static bool has_failed(struct scene *of) {
    (void)of;
    char *metrics = get_metrics();
    bool has = !strstr(metrics, "latchkey_follower_failures_total 0");
    free(metrics);
    return has;
}

static bool is_listed(uint8_t first_byte) {
    const struct ip_address address = {.family = IP_FAMILY_V4, .bytes = {first_byte, 0, 0, 1}};
    quiescence_go_online();
    const struct ip_set *list = image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->ips;
    bool is_so = ip_set_contains(list, &address, 0);
    quiescence_go_offline();
    return is_so;
}

// The pointer to a new list has been read, and its entries have not: for a file that is the new list's.
static void what_was_applied_by_half_at_a_stop_is_not_in_the_file(void **state) {
    (void)state;
    scene_run(&scene, "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                      " SELECT $e1, $c1, live_list_id, 'old', '10.0.0.1' FROM latchkey.whitelist"
                      " WHERE company_id = $c1");
    scene_follow(&scene);
    assert_true(is_listed(10));
    scene_run(&scene, "REVOKE SELECT ON latchkey.whitelist_entry FROM latchkey_validator;"
                      "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l2, $c1);"
                      "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                      " VALUES ($e2, $c1, $l2, 'new', '11.0.0.1');"
                      "UPDATE latchkey.whitelist SET live_list_id = $l2 WHERE company_id = $c1");
    follower_wake(scene.follower);
    scene_await(&scene, has_failed);
    assert_int_equal(scene_get_state(&scene), LEASE_SERVING);
    scene_stop(&scene);
    scene_run(&scene, "GRANT SELECT ON latchkey.whitelist_entry TO latchkey_validator");
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(is_listed(11));
    assert_false(is_listed(10));
}

// The database was put back to before what the file has seen.
static void a_file_of_another_history_lets_nobody_in(void **state) {
    (void)state;
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now()");
    scene_follow(&scene);
    scene_stop(&scene);
    scene_run(&scene, "DELETE FROM latchkey.change WHERE lane = 1 AND seq = (SELECT head FROM"
                      " latchkey.change_lane WHERE lane = 1);"
                      "UPDATE latchkey.change_lane SET head = head - 1 WHERE lane = 1");
    scene_forget_states(&scene);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    assert_false(scene_has_seen(&scene, LEASE_SERVING));
}

// The image of now as a file that was begun now and finished when one more change had been applied in lane 1.
static void write_file_that_ends_later(int64_t later_mark) {
    struct reclaim reclaim = {0};
    struct snapshot_progress progress = {0};
    const atomic_bool is_stopping = false;
    struct db_connection *connection;
    struct db_connect_failure failure;
    assert_int_equal(db_connection_open(&scene.connection, deadline_in_ms(10000), &connection, &failure),
                     STATUS_OK);
    const struct follower_session session = {connection, clock_get_system()};
    const struct snapshot_options options = {.connection = connection,
                                             .clock = clock_get_system(),
                                             .lanes = LANE_SET_ALL,
                                             .reclaim = &reclaim,
                                             .key = {{1, 2}},
                                             .is_stopping = &is_stopping,
                                             .progress = &progress};
    struct snapshot_identity identity;
    struct image *image;
    struct snapshot_dump *dump;
    int error;
    uint64_t bytes;
    assert_int_equal(snapshot_load(&options, &image), STATUS_OK);
    assert_int_equal(follower_store_read_identity(session, &identity), STATUS_OK);
    identity.lanes = LANE_SET_ALL;
    assert_int_equal(snapshot_dump_new(scene.snapshot_path, &identity, image, clock_get_system(), &dump),
                     STATUS_OK);
    struct lanes *lanes = image_get_own_lanes(image);
    lanes_note(lanes, (struct revision){1, lanes->next.seqs[1] + 1, later_mark});
    assert_int_equal(lanes_publish(lanes, 2, lanes->next.seqs, &reclaim), STATUS_OK);
    snapshot_dump_run_to_end(dump);
    assert_int_equal(snapshot_dump_free(dump, &error, &bytes), STATUS_OK);
    reclaim_fini(&reclaim);
    image_free(image);
    db_connection_close(connection);
}

// One that has applied the change behind that in lane 1, too.
#define OF_ANOTHER(function)                                                               \
    "latchkey." function "($c7, 'another validator',"                                      \
    " (SELECT array_agg(head + (lane = 1)::int ORDER BY lane) FROM latchkey.change_lane)," \
    " (SELECT array_agg(CASE lane WHEN 1 THEN 1 ELSE mark END ORDER BY lane) FROM latchkey.change_lane))"

// What was applied while the file was written may be in it: its beginning is the database's history, its end
// is not.
static void a_file_that_ends_in_another_history_lets_nobody_in(void **state) {
    (void)state;
    scene_stop(&scene);
    write_file_that_ends_later(1);
    scene_forget_states(&scene);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    assert_false(scene_has_seen(&scene, LEASE_SERVING));
    scene_stop(&scene);
    scene_run(&scene, "DELETE FROM latchkey.loss_report");

    // The same number of changes, and another one.
    write_file_that_ends_later(1);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now()");
    scene_start(&scene);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    assert_false(scene_has_seen(&scene, LEASE_SERVING));
}

// Rows that were written before the last change was applied do not have it. Who has all of it is not told
// that it is settled, nor that there is nothing more to report.
static void a_file_s_memory_does_not_stand_for_one_that_is_whole(void **state) {
    (void)state;
    scene_stop(&scene);
    write_file_that_ends_later(1);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    scene_await_answer(&scene,
                       "SELECT count(*) FROM latchkey.loss_report WHERE failure LIKE '%snapshot file%'"
                       " AND compared_at IS NULL",
                       1);
    scene_stop(&scene);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM " OF_ANOTHER(
                                           "loss_report_check") " WHERE NOT compared AND NOT settled"),
                     1);
    scene_run(&scene, "DELETE FROM latchkey.loss_report WHERE validator = 'another validator';"
                      "UPDATE latchkey.loss_report SET settled_at = now()");
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM " OF_ANOTHER(
                                           "loss_report_keep") " WHERE NOT compared AND NOT settled"),
                     1);
}

static void a_file_that_was_written_among_changes_is_of_use(void **state) {
    (void)state;
    scene_stop(&scene);
    write_file_that_ends_later(7);
    scene_run(&scene, "UPDATE latchkey.token SET deactivated_at = now()");
    scene_run(&scene, "UPDATE latchkey.change SET mark = 7 FROM latchkey.change_lane l"
                      " WHERE l.lane = 1 AND change.lane = 1 AND change.seq = l.head;"
                      "UPDATE latchkey.change_lane SET mark = 7 WHERE lane = 1");
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_true(is_deactivated(1));
    char *metrics = get_metrics();
    assert_non_null(strstr(metrics, "latchkey_follower_loads_total 1"));
    free(metrics);
}

// It has as many changes as the one before: only their marks tell them apart.
static void a_file_of_a_history_that_was_given_up_is_gone(void **state) {
    (void)state;
    scene_stop(&scene);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    scene_run(&scene, "UPDATE latchkey.change SET mark = mark + 1;"
                      "UPDATE latchkey.change_lane SET mark = mark + 1");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_HISTORY_LOST);
    scene_await_answer(&scene, "SELECT count(*) FROM latchkey.loss_report WHERE compared_at IS NOT NULL", 1);
    scene_run(&scene, "UPDATE latchkey.loss_report SET settled_at = now()");
    follower_wake(scene.follower);
    scene_await_state(&scene, LEASE_SERVING);
    scene_stop(&scene);
    scene_forget_states(&scene);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    assert_false(scene_has_seen(&scene, LEASE_HISTORY_LOST));
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_stop_in_order_leaves_a_file),
        CASE(it_starts_from_the_file_alone),
        CASE(what_was_revoked_meanwhile_is_known_before_it_serves),
        CASE(a_damaged_file_is_ignored),
        CASE(a_file_below_the_log_is_of_no_use),
        CASE(what_was_applied_by_half_at_a_stop_is_not_in_the_file),
        CASE(a_file_of_another_history_lets_nobody_in),
        CASE(a_file_that_ends_in_another_history_lets_nobody_in),
        CASE(a_file_s_memory_does_not_stand_for_one_that_is_whole),
        CASE(a_file_that_was_written_among_changes_is_of_use),
        CASE(a_file_of_a_history_that_was_given_up_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
