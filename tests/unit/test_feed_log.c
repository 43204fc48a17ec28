// The log of a feed against a plain list of runs, and what a feeder has promised.
#include "services/validator/feed/feed_holds.h"
#include "services/validator/feed/feed_log.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static struct feed_point make_point(int64_t seq) {
    struct feed_point point = {.seqs = {0}};
    point.seqs[3] = seq;
    point.marks[3] = seq * 7;
    return point;
}

static void add(struct feed_log *log, int64_t seq, size_t len) {
    uint8_t bytes[4096] = {(uint8_t)seq};
    struct feed_point point = make_point(seq);
    assert_int_equal(feed_log_add(log, bytes_of(bytes, len), bytes_of_text("applied"), &point), STATUS_OK);
}

static void runs_are_found_by_where_they_begin(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct feed_log log;
    feed_log_init(&log, 100000);
    struct feed_point start = make_point(1000);
    feed_log_restart(&log, &start);
    for (int64_t seq = 1001; seq < 3000; seq++) {
        add(&log, seq, 1 + seed_next_below(&seed, 4096));
        assert_true(log.size_bytes <= 100000 || log.end - log.first == 1);
        int64_t wanted = 1000 + (int64_t)seed_next_below(&seed, (uint64_t)(seq - 1000) + 5);
        struct feed_point point = make_point(wanted);
        uint64_t number;
        bool is_held = wanted <= seq && (uint64_t)(wanted - 1000) >= log.first;
        assert_int_equal(feed_log_find(&log, &point, &number), is_held);
        if (!is_held)
            continue;
        assert_int_equal(number, wanted - 1000);
        point.marks[3]++;
        assert_false(feed_log_find(&log, &point, &number));
    }
    assert_int_equal(feed_log_get_point(&log)->seqs[3], 2999);
    feed_log_fini(&log);
}

static void a_run_lives_as_long_as_it_is_taken(void **state) {
    (void)state;
    struct feed_log log;
    feed_log_init(&log, 1);
    add(&log, 1, 100);
    struct feed_run *run = feed_log_take(&log, 0);
    add(&log, 2, 100); // makes room
    assert_int_equal(log.first, 1);
    assert_int_equal(run->after.seqs[3], 1);
    assert_int_equal(run->rows_len, 100);
    assert_memory_equal(run->bytes + run->rows_len, "applied", 7);
    feed_run_release(run);
    feed_log_fini(&log);
}

static bool add_one(void *context) {
    struct feed_log log;
    struct feed_point point = make_point(1);
    (void)context;
    feed_log_init(&log, 1000000);
    enum status status = feed_log_add(&log, bytes_of_text("rows"), BYTES_EMPTY, &point);
    bool is_added = log.end > log.first;
    feed_log_fini(&log);
    return status == STATUS_OK && is_added;
}

static void without_memory_a_run_is_not_added(void **state) {
    (void)state;
    allocation_failure_try_each(add_one, NULL);
}

// --- promises ---

static void the_lowest_of_all_who_may_still_serve_is_told(void **state) {
    (void)state;
    struct feed_holds holds = {NULL};
    struct feed_hold *one = feed_holds_open(&holds, (struct uuid){{1}}, bytes_of_text("one"));
    struct feed_hold *two = feed_holds_open(&holds, (struct uuid){{2}}, bytes_of_text("two"));
    int64_t seqs[LANE_COUNT] = {[0] = 10, [1] = 10};
    one->seqs[0] = 7, one->seqs[1] = 12, one->until_ns = 100;
    two->seqs[0] = 9, two->seqs[1] = 8, two->until_ns = 50;
    feed_holds_lower(&holds, 49, seqs);
    assert_int_equal(seqs[0], 7);
    assert_int_equal(seqs[1], 8);
    seqs[0] = seqs[1] = 10;
    feed_holds_lower(&holds, 50, seqs); // the second one's time is over
    assert_int_equal(seqs[0], 7);
    assert_int_equal(seqs[1], 10);
    assert_true(feed_holds_any(&holds, 99));
    assert_false(feed_holds_any(&holds, 100));
    feed_holds_fini(&holds);
}

static void who_was_promised_time_is_held_for_longer_than_its_clock_may_be_slow(void **state) {
    (void)state;
    const uint64_t second_ns = UINT64_C(1000000000);
    struct feed_holds holds = {NULL};
    struct feed_hold *hold = feed_holds_open(&holds, (struct uuid){{1}}, bytes_of_text("one"));
    feed_hold_extend(hold, 5 * second_ns, 30 * second_ns);
    feed_hold_extend(hold, 6 * second_ns, second_ns); // an earlier end shortens nothing
    assert_true(feed_holds_any(&holds, 35 * second_ns + 399999999));
    assert_false(feed_holds_any(&holds, 35 * second_ns + 400000000));
    feed_holds_fini(&holds);
}

static void a_promise_outlives_its_stream_and_is_known_again(void **state) {
    (void)state;
    struct feed_holds holds = {NULL};
    struct feed_hold *hold = feed_holds_open(&holds, (struct uuid){{1}}, bytes_of_text("one"));
    hold->until_ns = 100;
    feed_holds_close(hold);
    feed_holds_expire(&holds, 99);
    assert_ptr_equal(feed_holds_open(&holds, (struct uuid){{1}}, bytes_of_text("one")), hold);
    feed_holds_expire(&holds, 100); // it is in use
    assert_ptr_equal(holds.first, hold);
    feed_holds_close(hold);
    feed_holds_expire(&holds, 100);
    assert_null(holds.first);
}

static void who_gives_up_is_not_waited_for(void **state) {
    (void)state;
    struct feed_holds holds = {NULL};
    struct feed_hold *hold = feed_holds_open(&holds, (struct uuid){{1}}, bytes_of_text("one"));
    int64_t seqs[LANE_COUNT] = {[0] = 10};
    hold->until_ns = 100;
    feed_hold_give_up(hold);
    feed_holds_lower(&holds, 1, seqs);
    assert_int_equal(seqs[0], 10);
    feed_holds_close(hold);
    feed_holds_expire(&holds, 1);
    assert_null(holds.first);
}

static void who_may_serve_by_less_is_named_as_far_as_there_is_room(void **state) {
    (void)state;
    struct feed_holds holds = {NULL};
    const int64_t own[LANE_COUNT] = {[0] = 10};
    char long_name[FEED_NAME_MAX + 1] = "", names[FEED_LAGGING_MAX + 1];
    memset(long_name, 'x', FEED_NAME_MAX);
    struct feed_hold *at_head = feed_holds_open(&holds, (struct uuid){{1}}, bytes_of_text("at head"));
    struct feed_hold *over = feed_holds_open(&holds, (struct uuid){{2}}, bytes_of_text("its time is over"));
    at_head->seqs[0] = 10, at_head->until_ns = over->until_ns = 100;
    over->until_ns = 50;
    feed_holds_name_lagging(&holds, 50, own, names);
    assert_string_equal(names, "");
    feed_holds_open(&holds, (struct uuid){{3}}, bytes_of_text("one"))->until_ns = 100;
    feed_holds_open(&holds, (struct uuid){{4}}, bytes_of_text(long_name))->until_ns = 100;
    feed_holds_open(&holds, (struct uuid){{5}}, bytes_of_text("two"))->until_ns = 100;
    holds.first->seqs[0] = 9; // the newest stands first
    feed_holds_name_lagging(&holds, 50, own, names);
    assert_string_equal(names, "two, one");
    feed_holds_fini(&holds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_found_by_where_they_begin),
        cmocka_unit_test(a_run_lives_as_long_as_it_is_taken),
        cmocka_unit_test(without_memory_a_run_is_not_added),
        cmocka_unit_test(the_lowest_of_all_who_may_still_serve_is_told),
        cmocka_unit_test(who_was_promised_time_is_held_for_longer_than_its_clock_may_be_slow),
        cmocka_unit_test(a_promise_outlives_its_stream_and_is_known_again),
        cmocka_unit_test(who_gives_up_is_not_waited_for),
        cmocka_unit_test(who_may_serve_by_less_is_named_as_far_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
