// How often the tokens of a company are counted.
#include "services/token/token_room.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1800000000000)
#define TEN_MINUTES_MS (10 * 60 * 1000)

static struct uuid make_company(uint8_t number) {
    return (struct uuid){.bytes = {[14] = number, [15] = number}};
}

static int64_t count_places(struct uuid company, int64_t now_ms) {
    int64_t count = 0;
    while (count < 1000000 && token_room_take(company, now_ms))
        count++;
    return count;
}

static void a_tenth_of_the_room_may_be_used_before_it_is_counted_again(void **state) {
    (void)state;
    struct uuid company = make_company(1), other = make_company(2);
    assert_false(token_room_take(company, NOW_MS)); // nobody has counted
    static const struct {
        int64_t room, places;
    } cases[] = {{1000, 100}, {19, 1}, {10, 1}, {9, 0}, {1, 0}, {0, 0}, {-5, 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        token_room_note(company, cases[i].room, NOW_MS);
        assert_int_equal(count_places(company, NOW_MS), cases[i].places);
        assert_false(token_room_take(other, NOW_MS));
    }
}

static void what_was_counted_is_good_for_ten_minutes(void **state) {
    (void)state;
    struct uuid company = make_company(3);
    token_room_note(company, 1000, NOW_MS);
    assert_true(token_room_take(company, NOW_MS + TEN_MINUTES_MS - 1));
    assert_false(token_room_take(company, NOW_MS + TEN_MINUTES_MS));
}

static void of_companies_in_one_slot_the_later_is_known(void **state) {
    (void)state;
    struct uuid first = make_company(4), second = make_company(4);
    second.bytes[0] = 1;
    token_room_note(first, 1000, NOW_MS);
    token_room_note(second, 20, NOW_MS);
    assert_false(token_room_take(first, NOW_MS));
    assert_int_equal(count_places(second, NOW_MS), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenth_of_the_room_may_be_used_before_it_is_counted_again),
        cmocka_unit_test(what_was_counted_is_good_for_ten_minutes),
        cmocka_unit_test(of_companies_in_one_slot_the_later_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
