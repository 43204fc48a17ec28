// Who of a loop's connections is sent away, how many are, and who may come meanwhile and afterwards.
#include "common/base/compiler.h"
#include "common/grpc/admission.h"
#include "tests/unit/unit.h"

#define MS UINT64_C(1000000)
#define PERIOD_NS ADMISSION_PERIOD_NS

enum { WARY_PERIODS = 100, CONNECTIONS = 32, REFUSED_PER_S = 100000 };

static struct admission begin(void) {
    struct admission admission;
    admission_init(&admission, REFUSED_PER_S, 1000 * MS);
    return admission;
}

// A period later.
static struct admission_sample after(const struct admission *admission, uint64_t busy_ns, uint64_t calls,
                                     uint64_t refused) {
    return (struct admission_sample){.at_ns = admission->from.at_ns + PERIOD_NS,
                                     .busy_ns = admission->from.busy_ns + busy_ns,
                                     .calls = admission->from.calls + calls,
                                     .refused = admission->from.refused + refused};
}

// After a bad period.
static double get_part(uint64_t calls, uint64_t refused) {
    struct admission admission = begin();
    admission.was_bad = true;
    struct admission_sample now = after(&admission, PERIOD_NS, calls, refused);
    return admission_get_part(&admission, &now);
}

static struct admission_list list(const struct admission *admission, const uint64_t *bytes, size_t count) {
    struct admission_list list = {0};
    for (size_t i = 0; i < count; i++)
        admission_list_add(&list, admission, NULL, &(struct admission_share){admission->period, bytes[i]});
    return list;
}

static size_t count_sent(const uint64_t *bytes, size_t count, double part) {
    struct admission admission = begin();
    struct admission_list all = list(&admission, bytes, count);
    return admission_list_count_sent(&all, part);
}

static void end_period_with(struct admission *admission, uint64_t busy_ns, uint64_t refused, size_t sent) {
    struct admission_sample now = after(admission, busy_ns, refused, refused);
    admission_begin_period(admission, &now, sent, CONNECTIONS);
}

static void end_period(struct admission *admission, uint64_t busy_ns, size_t sent) {
    end_period_with(admission, busy_ns, 0, sent);
}

static size_t count_admitted(struct admission *admission) {
    size_t admitted = 0;
    while (admitted < 1000 && admission_may_come(admission))
        admitted++;
    return admitted;
}

static void a_period_is_over_in_its_time(void **state) {
    (void)state;
    struct admission admission = begin();
    assert_false(admission_is_due(&admission, 1000 * MS + PERIOD_NS - 1));
    assert_true(admission_is_due(&admission, 1000 * MS + PERIOD_NS));
}

static void nobody_has_to_go_where_few_are_refused(void **state) {
    (void)state;
    assert_true(get_part(0, 0) == 1);
    assert_true(get_part(50000, 0) == 1);
    assert_true(get_part(10100, 10000) == 1);
    assert_true(get_part(10100, 10001) < 1);
}

static void nobody_has_to_go_where_that_is_turned_off(void **state) {
    (void)state;
    struct admission admission;
    admission_init(&admission, 0, 1000 * MS);
    admission.was_bad = true;
    struct admission_sample now = after(&admission, PERIOD_NS, 100000, 100000);
    assert_true(admission_get_part(&admission, &now) == 1);
}

static void the_first_bad_period_of_a_row_is_forgiven(void **state) {
    (void)state;
    struct admission admission = begin();
    struct admission_sample now = after(&admission, PERIOD_NS, 100000, 100000);
    assert_true(admission_get_part(&admission, &now) == 1);
    end_period_with(&admission, PERIOD_NS, 100000, 0);
    assert_true(admission.was_bad);
    now = after(&admission, PERIOD_NS, 100000, 100000);
    assert_true(admission_get_part(&admission, &now) < 1);
    end_period_with(&admission, PERIOD_NS, 100000, 1); // what they have sent still arrives
    now = after(&admission, PERIOD_NS, 100000, 100000);
    assert_true(admission_get_part(&admission, &now) == 1);
}

static void a_loop_that_does_nothing_but_refuse_could_answer_half(void **state) {
    (void)state;
    assert_true(get_part(100000, 100000) == 0.5);
    assert_true(get_part(75000, 50000) > 0.66 && get_part(75000, 50000) < 0.67);
}

static void of_equal_ones_as_many_go_as_are_too_many(void **state) {
    (void)state;
    uint64_t bytes[CONNECTIONS];
    for (size_t i = 0; i < ARRAY_LENGTH(bytes); i++)
        bytes[i] = 1000;
    assert_int_equal(count_sent(bytes, ARRAY_LENGTH(bytes), 1.0), 0);
    assert_int_equal(count_sent(bytes, ARRAY_LENGTH(bytes), 0.5), 16);
    assert_int_equal(count_sent(bytes, ARRAY_LENGTH(bytes), 0.75), 8);
}

static void the_heaviest_goes_and_the_light_ones_stay(void **state) {
    (void)state;
    const uint64_t bytes[] = {10, 50, 10000, 5000, 20, 0, 30, 5000};
    assert_int_equal(count_sent(bytes, ARRAY_LENGTH(bytes), 0.5), 1);
}

static void nobody_goes_without_whom_the_loop_would_have_too_little_to_do(void **state) {
    (void)state;
    const uint64_t alone[] = {0, 20000, 0}, nearly_alone[] = {10, 50, 20000, 20, 0, 30};
    assert_int_equal(count_sent(alone, ARRAY_LENGTH(alone), 0.5), 0);
    assert_int_equal(count_sent(nearly_alone, ARRAY_LENGTH(nearly_alone), 0.5), 0);
    assert_int_equal(count_sent(NULL, 0, 0.5), 0);
}

static void the_list_keeps_the_heaviest_in_any_order(void **state) {
    (void)state;
    struct admission admission = begin();
    struct admission_list all = {0};
    for (uint64_t i = 0; i < 1000; i++)
        admission_list_add(&all, &admission, NULL,
                           &(struct admission_share){admission.period, i * 7 % 1000 + 1});
    assert_int_equal(all.count, ADMISSION_SENT_MAX);
    assert_int_equal(all.bytes, 1000 * 1001 / 2);
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(all.rows[i].bytes, 1000 - i);
}

static void only_what_was_brought_in_this_period_counts(void **state) {
    (void)state;
    struct admission admission = begin();
    struct admission_share share = {0};
    admission_note_bytes(&admission, &share, 70);
    admission_note_bytes(&admission, &share, 7);
    assert_int_equal(share.bytes, 77);
    end_period(&admission, 0, 0);
    struct admission_list all = {0};
    admission_list_add(&all, &admission, NULL, &share);
    assert_int_equal(all.count, 0);
    admission_note_bytes(&admission, &share, 5);
    assert_int_equal(share.bytes, 5);
}

static void everybody_may_come_until_somebody_was_sent_away(void **state) {
    (void)state;
    struct admission admission = begin();
    end_period(&admission, PERIOD_NS, 0);
    assert_int_equal(count_admitted(&admission), 1000);
    end_period(&admission, PERIOD_NS, 1);
    assert_int_equal(count_admitted(&admission), 0);
}

static void then_they_come_as_the_loop_has_time_for_them(void **state) {
    (void)state;
    struct admission admission = begin();
    end_period(&admission, PERIOD_NS, 1);
    end_period(&admission, PERIOD_NS * 4 / 5, 0);
    assert_int_equal(count_admitted(&admission), CONNECTIONS / 4 + 1);
    assert_int_equal(count_admitted(&admission), 0);
    end_period(&admission, 0, 0);
    assert_int_equal(count_admitted(&admission), 1000);
}

static void one_comes_to_a_loop_that_is_never_idle_unless_it_has_refused(void **state) {
    (void)state;
    struct admission admission = begin();
    end_period(&admission, PERIOD_NS, 1);
    end_period(&admission, PERIOD_NS, 0);
    assert_int_equal(count_admitted(&admission), 1);
    end_period_with(&admission, PERIOD_NS, 1, 0);
    assert_int_equal(count_admitted(&admission), 0);
}

static void after_ten_seconds_in_which_nobody_had_to_go_everybody_may_come(void **state) {
    (void)state;
    struct admission admission = begin();
    end_period(&admission, PERIOD_NS, 1);
    for (int i = 0; i < WARY_PERIODS - 1; i++)
        end_period(&admission, PERIOD_NS, 0);
    assert_int_equal(count_admitted(&admission), 1);
    end_period(&admission, PERIOD_NS, 0);
    assert_int_equal(count_admitted(&admission), 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_period_is_over_in_its_time),
        cmocka_unit_test(nobody_has_to_go_where_few_are_refused),
        cmocka_unit_test(nobody_has_to_go_where_that_is_turned_off),
        cmocka_unit_test(the_first_bad_period_of_a_row_is_forgiven),
        cmocka_unit_test(a_loop_that_does_nothing_but_refuse_could_answer_half),
        cmocka_unit_test(of_equal_ones_as_many_go_as_are_too_many),
        cmocka_unit_test(the_heaviest_goes_and_the_light_ones_stay),
        cmocka_unit_test(nobody_goes_without_whom_the_loop_would_have_too_little_to_do),
        cmocka_unit_test(the_list_keeps_the_heaviest_in_any_order),
        cmocka_unit_test(only_what_was_brought_in_this_period_counts),
        cmocka_unit_test(everybody_may_come_until_somebody_was_sent_away),
        cmocka_unit_test(then_they_come_as_the_loop_has_time_for_them),
        cmocka_unit_test(one_comes_to_a_loop_that_is_never_idle_unless_it_has_refused),
        cmocka_unit_test(after_ten_seconds_in_which_nobody_had_to_go_everybody_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
