// The table of uses against a plain list, until it is full and after.
#include <string.h>

#include "common/app/use_table.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { CAPACITY = 200, SECRETS = 40, ADDRESSES = 8 };

static struct use make_use(uint32_t secret, uint8_t address, int64_t at_ms) {
    struct use use = {.at_ms = at_ms, .kind = USE_ADMITTED, .by = USE_BY_LOCAL};
    digest_sha256(bytes_of(&secret, sizeof(secret)), &use.digest);
    use.address.family = address % 2 ? IP_FAMILY_V4 : IP_FAMILY_V6;
    use.address.bytes[0] = 10;
    use.address.bytes[3] = address;
    return use;
}

static struct use_table *new_table(void) {
    struct use_table *table;
    assert_int_equal(use_table_new(CAPACITY, &table), STATUS_OK);
    return table;
}

static void the_latest_use_of_each_pair_is_kept(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct use_table *table = new_table();
    int64_t latest_ms[SECRETS][ADDRESSES] = {{0}};
    size_t pairs = 0;
    for (int64_t at_ms = 1; at_ms < 5000 && pairs < CAPACITY; at_ms++) {
        uint32_t secret = (uint32_t)seed_next_below(&seed, SECRETS);
        uint8_t address = (uint8_t)seed_next_below(&seed, ADDRESSES);
        struct use use = make_use(secret, address, at_ms);
        assert_true(use_table_note(table, &use));
        pairs += latest_ms[secret][address] == 0;
        latest_ms[secret][address] = at_ms;
    }
    assert_int_equal(use_table_get_count(table), pairs);

    size_t position = 0, walked = 0;
    for (const struct use *use; (use = use_table_next(table, &position)); walked++) {
        uint32_t secret = 0;
        while (secret < SECRETS &&
               memcmp(make_use(secret, 0, 0).digest.bytes, use->digest.bytes, DIGEST_LENGTH) != 0)
            secret++;
        assert_true(secret < SECRETS);
        assert_int_equal(use->at_ms, latest_ms[secret][use->address.bytes[3]]);
    }
    assert_int_equal(walked, pairs);
    use_table_free(table);
}

static void a_full_table_drops_what_is_new_and_keeps_what_is_there(void **state) {
    (void)state;
    struct use_table *table = new_table();
    for (uint32_t secret = 0; secret < CAPACITY; secret++) {
        struct use use = make_use(secret, 1, 1);
        assert_true(use_table_note(table, &use));
        assert_int_equal(use_table_is_filling(table), secret + 1 >= CAPACITY * 3 / 4);
    }
    struct use one_more = make_use(CAPACITY, 1, 2), known = make_use(0, 1, 2);
    assert_false(use_table_note(table, &one_more));
    assert_true(use_table_note(table, &known));
    assert_int_equal(use_table_get_count(table), CAPACITY);

    use_table_clear(table);
    size_t position = 0;
    assert_null(use_table_next(table, &position));
    assert_true(use_table_note(table, &one_more));
    use_table_free(table);
}

static void a_refused_use_does_not_hide_an_admitted_one(void **state) {
    (void)state;
    struct use_table *table = new_table();
    struct use admitted = make_use(1, 1, 1), late = make_use(1, 1, 2);
    late.kind = USE_TOO_LATE;
    assert_true(use_table_note(table, &admitted));
    assert_true(use_table_note(table, &late));
    assert_int_equal(use_table_get_count(table), 2);
    use_table_free(table);
}

static void askers_have_numbers_until_there_are_too_many(void **state) {
    (void)state;
    struct use_table *table = new_table();
    for (int round = 0; round < 2; round++) // the second one finds them again
        for (uint8_t i = 0; i < USE_TOKENS_MAX; i++) {
            struct uuid asker = {{i, 1}};
            uint16_t by = use_table_get_by(table, asker);
            assert_int_equal(by, USE_BY_TOKEN + i);
            assert_true(uuid_is_equal(use_table_get_asker(table, by), asker));
            assert_int_equal(use_table_get_by(table, asker), by);
        }
    assert_int_equal(use_table_get_by(table, (struct uuid){{0, 2}}), USE_BY_UNKNOWN);
    assert_true(uuid_is_zero(use_table_get_asker(table, USE_BY_UNKNOWN)));
    assert_true(uuid_is_zero(use_table_get_asker(table, USE_BY_LOCAL)));
    use_table_clear(table);
    assert_int_equal(use_table_get_by(table, (struct uuid){{0, 2}}), USE_BY_TOKEN);
    use_table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_use_of_each_pair_is_kept),
        cmocka_unit_test(a_full_table_drops_what_is_new_and_keeps_what_is_there),
        cmocka_unit_test(a_refused_use_does_not_hide_an_admitted_one),
        cmocka_unit_test(askers_have_numbers_until_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
