// The fence: who is live, who has confirmed, whose lease has run out.
#include <stdint.h>

#include "common/app/fence.h"
#include "tests/unit/unit.h"

static const struct revision revision = {.lane = 7, .seq = 42};

static struct fence_row row_of(uint8_t instance, int64_t renewal, int64_t position) {
    struct fence_row row = {
        .instance = {{instance}}, .name = BYTES_LITERAL("v"), .renewal = renewal, .lease_ms = 1000};
    row.positions[7] = position;
    return row;
}

static void read_rows(struct fence *fence, const struct fence_row *rows, size_t count, uint64_t now_ns) {
    fence_begin_reading(fence);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fence_add_row(fence, &rows[i], now_ns), STATUS_OK);
    fence_end_reading(fence);
}

static void without_validators_nobody_is_live(void **state) {
    (void)state;
    struct fence fence = {0};
    read_rows(&fence, NULL, 0, 1);
    assert_int_equal(fence_count(&fence, revision).live, 0);
    fence_fini(&fence);
}

static void a_validator_confirms_once_its_position_reaches_the_change(void **state) {
    (void)state;
    struct fence fence = {0};
    read_rows(&fence, (struct fence_row[]){row_of(1, 1, 41), row_of(2, 1, 42), row_of(3, 1, 43)}, 3, 1);
    struct fence_answer answer = fence_count(&fence, revision);
    assert_int_equal(answer.live, 3);
    assert_int_equal(answer.confirmed, 2);
    assert_false(fence_has_applied(&fence.validators[0], revision));
    fence_fini(&fence);
}

static void a_position_in_another_lane_confirms_nothing(void **state) {
    (void)state;
    struct fence fence = {0};
    struct fence_row row = row_of(1, 1, 0);
    row.positions[8] = 1000;
    read_rows(&fence, &row, 1, 1);
    assert_int_equal(fence_count(&fence, revision).confirmed, 0);
    fence_fini(&fence);
}

static void a_validator_that_does_not_serve_the_lane_is_waited_for_in_others_only(void **state) {
    (void)state;
    struct fence fence = {0};
    struct fence_row elsewhere = row_of(1, 1, FENCE_NOT_SERVED), here = row_of(2, 1, 41);
    read_rows(&fence, (struct fence_row[]){elsewhere, here}, 2, 1);
    struct fence_answer answer = fence_count(&fence, revision);
    assert_int_equal(answer.live, 1);
    assert_int_equal(answer.confirmed, 0);
    const struct revision of_another_lane = {.lane = 8, .seq = 1};
    answer = fence_count(&fence, of_another_lane);
    assert_int_equal(answer.live, 2);
    assert_int_equal(answer.confirmed, 0);
    fence_fini(&fence);
}

static void a_lease_runs_out_only_after_its_length_and_the_margin_without_a_renewal(void **state) {
    (void)state;
    struct fence fence = {0};
    const uint64_t ms = 1000000, enough = (1000 + 10 + 100) * ms, start = 5 * ms;
    struct fence_row row = row_of(1, 1, 0);

    read_rows(&fence, &row, 1, start);
    assert_false(fence_has_run_out(&fence.validators[0], start + enough));
    assert_true(fence_has_run_out(&fence.validators[0], start + enough + 1));

    // Seen again with the same renewal: the count goes on from the first sight.
    read_rows(&fence, &row, 1, start + enough - 1);
    assert_true(fence_has_run_out(&fence.validators[0], start + enough + 1));

    // A new renewal begins a new count.
    row.renewal = 2;
    read_rows(&fence, &row, 1, start + enough);
    assert_false(fence_has_run_out(&fence.validators[0], start + enough + 1));
    assert_true(fence_has_run_out(&fence.validators[0], start + 2 * enough + 1));
    fence_fini(&fence);
}

static void a_validator_that_is_no_longer_read_is_gone_and_the_others_keep_their_sight(void **state) {
    (void)state;
    struct fence fence = {0};
    struct fence_row rows[20];
    for (uint8_t i = 0; i < 20; i++)
        rows[i] = row_of(i, 1, 42);
    read_rows(&fence, rows, 20, 10);
    read_rows(&fence, rows + 5, 15, 20);
    assert_int_equal(fence_count(&fence, revision).live, 15);
    for (size_t i = 0; i < fence.count; i++)
        assert_int_equal(fence.validators[i].seen_ns, 10);
    fence_fini(&fence);
}

static void a_long_name_is_cut(void **state) {
    (void)state;
    struct fence fence = {0};
    static const char text[FENCE_NAME_MAX * 2];
    struct fence_row row = row_of(1, 1, 0);
    row.name = bytes_of(text, sizeof(text));
    read_rows(&fence, &row, 1, 1);
    assert_int_equal(fence.validators[0].name[FENCE_NAME_MAX], 0);
    fence_fini(&fence);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_validators_nobody_is_live),
        cmocka_unit_test(a_validator_confirms_once_its_position_reaches_the_change),
        cmocka_unit_test(a_position_in_another_lane_confirms_nothing),
        cmocka_unit_test(a_validator_that_does_not_serve_the_lane_is_waited_for_in_others_only),
        cmocka_unit_test(a_lease_runs_out_only_after_its_length_and_the_margin_without_a_renewal),
        cmocka_unit_test(a_validator_that_is_no_longer_read_is_gone_and_the_others_keep_their_sight),
        cmocka_unit_test(a_long_name_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
