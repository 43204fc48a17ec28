// The log of refusals beside a list that is searched from end to end, and what one company can't do to
// another.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/decide/denial_list.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 60000, MAX = 60, COMPANY_MAX = 9, COMPANIES = 12, CHECK_EVERY = 500 };

static struct uuid number_company(unsigned number) {
    return (struct uuid){.bytes = {[15] = (uint8_t)number}}; // 0 is none
}

static struct denial_key choose_key(struct seed *seed) {
    static const char *const domains[] = {"", "a.example", "b.example"};
    struct denial_key key = {
        .company_id = number_company(seed_next_below(seed, COMPANIES)),
        .token_id.bytes = {(uint8_t)seed_next_below(seed, 3)},
        .address = {.family = IP_FAMILY_V4, .bytes = {(uint8_t)seed_next_below(seed, 4)}},
        .reason = (uint8_t)(REASON_MALFORMED + seed_next_below(seed, 3))};
    denial_key_set_domain(&key, bytes_of_text(domains[seed_next_below(seed, ARRAY_LENGTH(domains))]));
    return key;
}

// ---- the oracle: the oldest first ----

struct oracle {
    struct denial denials[MAX];
    size_t count;
};

static void remove_at(struct oracle *oracle, size_t at) {
    memmove(&oracle->denials[at], &oracle->denials[at + 1],
            (--oracle->count - at) * sizeof(oracle->denials[0]));
}

static bool is_of(const struct denial *denial, struct uuid company_id) {
    return uuid_is_equal(denial->key.company_id, company_id);
}

static size_t count_of(const struct oracle *oracle, struct uuid company_id) {
    size_t count = 0;
    for (size_t i = 0; i < oracle->count; i++)
        count += is_of(&oracle->denials[i], company_id);
    return count;
}

static void drop_oldest(struct oracle *oracle, const struct uuid *company_id) {
    for (size_t i = 0; i < oracle->count; i++)
        if (!company_id || is_of(&oracle->denials[i], *company_id)) {
            remove_at(oracle, i);
            return;
        }
}

static void note_in_oracle(struct oracle *oracle, const struct denial_key *key, int64_t now_ms) {
    struct denial denial = {*key, now_ms, now_ms, 1};
    for (size_t i = 0; i < oracle->count; i++)
        if (memcmp(&oracle->denials[i].key, key, sizeof(*key)) == 0) {
            denial.first_at_ms = oracle->denials[i].first_at_ms;
            denial.count = oracle->denials[i].count + 1;
            remove_at(oracle, i);
            break;
        }
    if (denial.count == 1 && count_of(oracle, key->company_id) == COMPANY_MAX)
        drop_oldest(oracle, &key->company_id);
    else if (denial.count == 1 && oracle->count == MAX)
        drop_oldest(oracle, NULL);
    oracle->denials[oracle->count++] = denial;
}

static void compare(struct denial_log *log, const struct oracle *oracle) {
    assert_null(denial_log_check(log));
    for (unsigned company = 0; company < COMPANIES; company++) {
        struct denial copies[COMPANY_MAX + 1];
        size_t count = denial_log_copy(log, number_company(company), copies, COMPANY_MAX + 1), at = 0;
        for (size_t i = oracle->count; i-- > 0;)
            if (is_of(&oracle->denials[i], number_company(company)))
                assert_memory_equal(&copies[at++], &oracle->denials[i], sizeof(copies[0]));
        assert_int_equal(count, at);
    }
}

static void it_holds_what_a_plain_list_holds(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct oracle oracle = {.count = 0};
    struct denial_log *log;
    assert_int_equal(denial_log_new(MAX, COMPANY_MAX, &log), STATUS_OK);
    for (int i = 1; i <= ROUNDS; i++) {
        struct denial_key key = choose_key(&seed);
        assert_true(denial_log_note(log, &key, i));
        note_in_oracle(&oracle, &key, i);
        if (i % CHECK_EVERY == 0 || i < 200)
            compare(log, &oracle);
    }
    denial_log_free(log);
}

static void a_flood_of_one_company_leaves_the_others_alone(void **state) {
    (void)state;
    struct denial_log *log;
    struct denial copies[COMPANY_MAX];
    assert_int_equal(denial_log_new(MAX, COMPANY_MAX, &log), STATUS_OK);
    struct denial_key quiet = {.company_id = number_company(1), .reason = REASON_EXPIRED};
    struct denial_key loud = {.company_id = number_company(2), .reason = REASON_EXPIRED};
    assert_true(denial_log_note(log, &quiet, 1));
    for (unsigned i = 0; i < 10000; i++) {
        memcpy(loud.address.bytes, &i, sizeof(i));
        loud.address.family = IP_FAMILY_V6;
        assert_true(denial_log_note(log, &loud, 2 + i));
    }
    assert_int_equal(denial_log_copy(log, number_company(1), copies, COMPANY_MAX), 1);
    assert_int_equal(copies[0].count, 1);
    assert_int_equal(denial_log_copy(log, number_company(2), copies, COMPANY_MAX), COMPANY_MAX);
    assert_int_equal(copies[0].last_at_ms, 10001);
    denial_log_free(log);
}

static void one_entry_is_enough_of_a_log(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct denial_log *log;
    assert_int_equal(denial_log_new(1, 1, &log), STATUS_OK);
    for (int i = 0; i < 100; i++) {
        struct denial_key key = choose_key(&seed);
        assert_true(denial_log_note(log, &key, i));
        assert_null(denial_log_check(log));
    }
    denial_log_free(log);
}

static void a_long_domain_is_cut_between_two_characters(void **state) {
    (void)state;
    char text[DENIAL_DOMAIN_MAX + 10];
    struct denial_key key;
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'x', lead);
        size_t len = lead;
        for (; len + 4 <= sizeof(text); len += 4)
            memcpy(text + len, "\xf0\x9f\x98\x88", 4);
        denial_key_set_domain(&key, bytes_of(text, len));
        assert_true(key.domain_len > DENIAL_DOMAIN_MAX - 4 && key.domain_len <= DENIAL_DOMAIN_MAX);
        assert_true(bytes_is_utf8(bytes_of(key.domain, key.domain_len)));
    }
}

// ---- the list of several logs ----

static void what_is_alike_in_several_logs_is_added_up_and_the_latest_comes_first(void **state) {
    (void)state;
    struct denial_log *logs[3];
    struct arena arena;
    struct denial_list list;
    struct uuid companies[] = {number_company(1), {{0}}};
    struct denial_key often = {.company_id = companies[0], .reason = REASON_EXPIRED};
    struct denial_key nobody = {.reason = REASON_UNKNOWN}, foreign = often;
    foreign.company_id = number_company(2);
    arena_init(&arena, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(denial_log_new(MAX, COMPANY_MAX, &logs[i]), STATUS_OK);
        assert_true(denial_log_note(logs[i], &often, 100 + i) && denial_log_note(logs[i], &foreign, 300));
    }
    assert_true(denial_log_note(logs[1], &nobody, 200));
    assert_int_equal(denial_list_gather(logs, 3, companies, 2, &arena, &list), STATUS_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.rows[0].denial.key.reason, REASON_UNKNOWN);
    assert_int_equal(list.rows[1].denial.count, 3);
    assert_int_equal(list.rows[1].denial.first_at_ms, 100);
    assert_int_equal(list.rows[1].denial.last_at_ms, 102);
    assert_true(denial_row_is_behind(&list.rows[1], &list.rows[0].place));
    assert_false(denial_row_is_behind(&list.rows[0], &list.rows[0].place));
    assert_int_equal(denial_list_gather(logs, 3, companies, 1, &arena, &list), STATUS_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(denial_list_gather(logs, 0, companies, 1, &arena, &list), STATUS_OK);
    assert_int_equal(list.count, 0);
    for (int i = 0; i < 3; i++)
        denial_log_free(logs[i]);
    arena_fini(&arena);
}

static void a_clock_that_is_set_back_moves_no_time_back(void **state) {
    (void)state;
    struct denial_log *log;
    struct denial_key key = {.reason = REASON_EXPIRED};
    struct denial copy;
    assert_int_equal(denial_log_new(MAX, COMPANY_MAX, &log), STATUS_OK);
    assert_true(denial_log_note(log, &key, 1000));
    assert_true(denial_log_note(log, &key, 999));
    assert_null(denial_log_check(log));
    assert_int_equal(denial_log_copy(log, (struct uuid){0}, &copy, 1), 1);
    assert_int_equal(copy.first_at_ms, 1000);
    assert_int_equal(copy.last_at_ms, 1000);
    denial_log_free(log);
}

static bool make_one(void *context) {
    (void)context;
    struct denial_log *log;
    if (denial_log_new(MAX, COMPANY_MAX, &log) != STATUS_OK)
        return false;
    denial_log_free(log);
    return true;
}

static void without_memory_there_is_none(void **state) {
    (void)state;
    allocation_failure_try_each(make_one, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_what_a_plain_list_holds),
        cmocka_unit_test(a_flood_of_one_company_leaves_the_others_alone),
        cmocka_unit_test(one_entry_is_enough_of_a_log),
        cmocka_unit_test(a_long_domain_is_cut_between_two_characters),
        cmocka_unit_test(what_is_alike_in_several_logs_is_added_up_and_the_latest_comes_first),
        cmocka_unit_test(a_clock_that_is_set_back_moves_no_time_back),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
