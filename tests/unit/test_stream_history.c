// What is remembered of streams that were opened, skipped and ended (RFC 9113, 5.1 and 5.1.1), against a plain
// list of all of them.
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/compiler.h"
#include "common/grpc/stream_history.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static struct stream_history begin(void) {
    struct stream_history history;
    stream_history_init(&history);
    return history;
}

static void open_to(struct stream_history *history, int32_t last) {
    for (int32_t id = history->last_id < 0 ? 1 : history->last_id + 2; id <= last; id += 2)
        assert_int_equal(stream_history_note_headers(history, id), STREAM_NEW);
}

static void a_stream_is_new_once_and_then_known(void **state) {
    (void)state;
    struct stream_history history = begin();
    open_to(&history, 5);
    for (int32_t id = 1; id <= 5; id += 2)
        assert_int_equal(stream_history_note_headers(&history, id), STREAM_KNOWN);
}

static void one_that_its_client_has_ended_is_told_from_one_that_was_reset(void **state) {
    (void)state;
    struct stream_history history = begin();
    open_to(&history, 5);
    stream_history_note_ended(&history, 3);
    assert_int_equal(stream_history_note_headers(&history, 1), STREAM_KNOWN);
    assert_int_equal(stream_history_note_headers(&history, 3), STREAM_ENDED);
    assert_int_equal(stream_history_note_headers(&history, 5), STREAM_KNOWN);
}

static void one_that_was_skipped_is_neither(void **state) {
    (void)state;
    struct stream_history history = begin();
    assert_int_equal(stream_history_note_headers(&history, 9), STREAM_NEW);
    for (int32_t id = 1; id <= 7; id += 2)
        assert_int_equal(stream_history_note_headers(&history, id), STREAM_SKIPPED);
    assert_int_equal(stream_history_note_headers(&history, 9), STREAM_KNOWN);
    assert_int_equal(stream_history_note_headers(&history, 11), STREAM_NEW);
}

static void the_last_id_there_can_be_overflows_nothing(void **state) {
    (void)state;
    struct stream_history history = begin();
    assert_int_equal(stream_history_note_headers(&history, INT32_MAX), STREAM_NEW);
    assert_int_equal(stream_history_note_headers(&history, INT32_MAX - 2), STREAM_SKIPPED);
    stream_history_note_ended(&history, INT32_MAX);
    assert_int_equal(stream_history_note_headers(&history, INT32_MAX), STREAM_ENDED);
}

static void what_is_too_long_ago_is_known_and_no_more(void **state) {
    (void)state;
    struct stream_history history = begin();
    open_to(&history, 1);
    stream_history_note_ended(&history, 1);
    open_to(&history, 2 * STREAM_HISTORY_IDS - 1);
    assert_int_equal(stream_history_note_headers(&history, 1), STREAM_ENDED);
    open_to(&history, 2 * STREAM_HISTORY_IDS + 1);
    assert_int_equal(stream_history_note_headers(&history, 1), STREAM_KNOWN);
    assert_int_equal(stream_history_note_headers(&history, 2 * STREAM_HISTORY_IDS + 1), STREAM_KNOWN);
    stream_history_note_ended(&history, 1); // a call that took that long
    assert_int_equal(stream_history_note_headers(&history, 2 * STREAM_HISTORY_IDS + 1), STREAM_KNOWN);
}

static void streams_opened_and_ended_in_any_order_stand_as_a_list_of_them_says(void **state) {
    (void)state;
    enum { IDS = 20000 };
    struct seed seed = seed_new();
    bool *has_ended = calloc(IDS, sizeof(*has_ended));
    struct stream_history history = begin();
    assert_non_null(has_ended);
    for (int32_t at = 0; at < IDS; at++) {
        assert_int_equal(stream_history_note_headers(&history, 2 * at + 1), STREAM_NEW);
        int32_t ended = at - (int32_t)seed_next_below(&seed, STREAM_HISTORY_IDS);
        int32_t asked = at - (int32_t)seed_next_below(&seed, STREAM_HISTORY_IDS);
        if (ended >= 0) {
            stream_history_note_ended(&history, 2 * ended + 1);
            has_ended[ended] = true;
        }
        if (asked >= 0)
            assert_int_equal(stream_history_note_headers(&history, 2 * asked + 1),
                             has_ended[asked] ? STREAM_ENDED : STREAM_KNOWN);
    }
    free(has_ended);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_new_once_and_then_known),
        cmocka_unit_test(one_that_its_client_has_ended_is_told_from_one_that_was_reset),
        cmocka_unit_test(one_that_was_skipped_is_neither),
        cmocka_unit_test(the_last_id_there_can_be_overflows_nothing),
        cmocka_unit_test(what_is_too_long_ago_is_known_and_no_more),
        cmocka_unit_test(streams_opened_and_ended_in_any_order_stand_as_a_list_of_them_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
