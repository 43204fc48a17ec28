// UUIDs: the text form, the fields of version 7, and that they only ever increase.
#include <pthread.h>
#include <stdlib.h>

#include "common/base/uuid.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static uint64_t get_time_ms(struct uuid uuid) {
    struct cursor cursor = cursor_of(bytes_of(uuid.bytes, sizeof(uuid.bytes)));
    return cursor_read_u64(&cursor) >> 16;
}

static int compare(struct uuid a, struct uuid b) {
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

static void the_example_of_rfc_9562_is_written_as_there(void **state) {
    (void)state;
    static const struct uuid example = {
        {0x01, 0x7F, 0x22, 0xE2, 0x79, 0xB0, 0x7C, 0xC3, 0x98, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F}};
    char text[UUID_TEXT_LENGTH + 1];
    struct uuid parsed;
    uuid_format(example, text);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_true(uuid_parse(BYTES_LITERAL("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), &parsed));
    assert_true(uuid_is_equal(parsed, example));
    assert_int_equal(get_time_ms(parsed), 1645557742000);
}

static void random_ones_come_back_from_their_text(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (int i = 0; i < 1000; i++) {
        struct uuid uuid, parsed;
        char text[UUID_TEXT_LENGTH + 1];
        seed_fill(&seed, &uuid, sizeof(uuid));
        uuid_format(uuid, text);
        assert_true(uuid_parse(bytes_of_text(text), &parsed));
        assert_true(uuid_is_equal(parsed, uuid));
    }
}

static void a_wrong_character_at_any_place_is_refused(void **state) {
    (void)state;
    static const char good[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    static const char wrong[] = {'-', 'g', 'G', '/', ':', '@', '`', '\0', ' ', (char)0xFF};
    for (size_t at = 0; at < UUID_TEXT_LENGTH; at++) {
        for (size_t i = 0; i < sizeof(wrong); i++) {
            char text[sizeof(good)];
            struct uuid uuid = {{0x5A}};
            memcpy(text, good, sizeof(good));
            if (text[at] == wrong[i])
                continue;
            text[at] = wrong[i];
            assert_false(uuid_parse(bytes_of(text, UUID_TEXT_LENGTH), &uuid));
            assert_int_equal(uuid.bytes[0], 0x5A);
        }
    }
}

static void other_lengths_and_forms_are_refused(void **state) {
    (void)state;
    static const char text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0";
    struct uuid uuid;
    for (size_t len = 0; len < sizeof(text); len++)
        if (len != UUID_TEXT_LENGTH)
            assert_false(uuid_parse(bytes_of(text, len), &uuid));
    assert_false(uuid_parse(BYTES_LITERAL("{17f22e2-79b0-7cc3-98c4-dc0c0c07398}"), &uuid));
    assert_false(uuid_parse(BYTES_LITERAL("017f22e279b07cc398c4dc0c0c07398f"), &uuid));
}

static void zero_is_zero(void **state) {
    (void)state;
    struct uuid uuid = {{0}};
    assert_true(uuid_is_zero(uuid));
    uuid.bytes[15] = 1;
    assert_false(uuid_is_zero(uuid));
}

static void a_new_one_has_version_7_the_variant_and_the_time(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t before_ms = (uint64_t)clock_get_realtime_ms(clock_get_system());
        struct uuid uuid = uuid_new(clock_get_system());
        assert_int_equal(uuid.bytes[6] >> 4, 7);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_in_range(get_time_ms(uuid), before_ms, before_ms + 10000);
    }
}

static void they_increase_while_the_clock_stands_still_steps_back_and_goes_on(void **state) {
    (void)state;
    struct clock_manual manual;
    clock_manual_init(&manual);
    manual.realtime_ns +=
        INT64_C(40) * 365 * 86400 * 1000000000; // later than the system clock of the tests before
    struct uuid last = uuid_new(&manual.clock);
    for (int i = 0; i < 30000; i++) { // more than the counter holds
        if (i == 10000)
            manual.realtime_ns -= INT64_C(3600) * 1000000000;
        if (i == 20000)
            clock_manual_advance_ms(&manual, 2 * 3600 * 1000);
        struct uuid next = uuid_new(&manual.clock);
        assert_true(compare(last, next) < 0);
        last = next;
    }
    assert_in_range(get_time_ms(last), clock_get_realtime_ms(&manual.clock),
                    clock_get_realtime_ms(&manual.clock) + 10);
}

static void a_clock_before_1970_is_no_harm(void **state) {
    (void)state;
    struct clock_manual manual;
    clock_manual_init(&manual);
    struct uuid before = uuid_new(&manual.clock);
    manual.realtime_ns = -1000000000;
    assert_true(compare(before, uuid_new(&manual.clock)) < 0);
}

enum { THREADS = 4, UUIDS_EACH = 20000 };

struct maker {
    pthread_t thread;
    struct uuid made[UUIDS_EACH];
};

static void *make_uuids(void *context) {
    struct maker *maker = context;
    for (size_t i = 0; i < UUIDS_EACH; i++)
        maker->made[i] = uuid_new(clock_get_system());
    return NULL;
}

static int compare_instants(const void *a, const void *b) {
    return memcmp(a, b, 8);
}

// The first eight bytes, time and counter, are unique by themselves, without help from the random rest.
static void threads_never_get_the_same_instant(void **state) {
    (void)state;
    static struct maker makers[THREADS];
    static struct uuid all[THREADS * UUIDS_EACH];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&makers[i].thread, NULL, make_uuids, &makers[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(makers[i].thread, NULL), 0);
        for (size_t j = 1; j < UUIDS_EACH; j++)
            assert_true(compare(makers[i].made[j - 1], makers[i].made[j]) < 0);
        memcpy(all + i * UUIDS_EACH, makers[i].made, sizeof(makers[i].made));
    }
    qsort(all, THREADS * UUIDS_EACH, sizeof(all[0]), compare_instants);
    for (size_t i = 1; i < THREADS * UUIDS_EACH; i++)
        assert_true(compare_instants(&all[i - 1], &all[i]) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_9562_is_written_as_there),
        cmocka_unit_test(random_ones_come_back_from_their_text),
        cmocka_unit_test(a_wrong_character_at_any_place_is_refused),
        cmocka_unit_test(other_lengths_and_forms_are_refused),
        cmocka_unit_test(zero_is_zero),
        cmocka_unit_test(a_new_one_has_version_7_the_variant_and_the_time),
        cmocka_unit_test(threads_never_get_the_same_instant),
        cmocka_unit_test(they_increase_while_the_clock_stands_still_steps_back_and_goes_on),
        cmocka_unit_test(a_clock_before_1970_is_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
