// Every type that goes to the server and comes back: what was sent, what PostgreSQL itself makes of it, and
// what is read again.
#include <stdio.h>

#include "tests/integration/db/database.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define MANY 10000

static struct database database;
static struct arena arena;
static struct db_connection *connection;
static struct db_transaction *transaction;
static struct db_params params;

static int set_up_group(void **state) {
    (void)state;
    database = database_new();
    return 0;
}

static int tear_down_group(void **state) {
    (void)state;
    database_drop(&database);
    return 0;
}

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    connection = database_open(database.url);
    struct db_begin_options options = {.arena = &arena, .deadline_ns = deadline_in_ms(20000)};
    db_params_init(&params, &arena);
    return db_begin(connection, &options, &transaction) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    db_rollback(transaction);
    db_connection_close(connection);
    arena_fini(&arena);
    return 0;
}

static const struct db_result *ask(const struct db_statement *statement) {
    const struct db_result *result = NULL;
    if (db_query(transaction, statement, &params, &result) != STATUS_OK)
        fail_msg("%s: %s", statement->sql, db_get_error(transaction)->sqlstate);
    return result;
}

static void expect_text(const struct db_result *result, int column, const char *wanted) {
    struct bytes text = db_result_get_text(result, 0, column);
    if (!bytes_is_text(text, wanted))
        fail_msg("column %d is %.*s, not %s", column, BYTES_FORMAT(text), wanted);
}

static struct ip_prefix parse(const char *text) {
    struct ip_prefix prefix;
    assert_int_equal(ip_prefix_parse(bytes_of_text(text), &prefix), IP_PARSE_OK);
    return prefix;
}

static void integers_and_booleans_come_back(void **state) {
    (void)state;
    static const struct db_statement statement = {
        "test_integers",
        "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::\"char\", $1::text, $2::text, $3::text, $4::text"};
    db_params_add_bool(&params, true);
    db_params_add_int16(&params, INT16_MIN);
    db_params_add_int32(&params, INT32_MIN);
    db_params_add_int64(&params, INT64_MIN);
    db_params_add_char(&params, 'a');
    const struct db_result *result = ask(&statement);
    assert_int_equal(db_result_get_column_count(result), 9);
    assert_true(db_result_get_bool(result, 0, 0));
    assert_int_equal(db_result_get_int16(result, 0, 1), INT16_MIN);
    assert_int_equal(db_result_get_int32(result, 0, 2), INT32_MIN);
    assert_true(db_result_get_int64(result, 0, 3) == INT64_MIN);
    assert_int_equal(db_result_get_char(result, 0, 4), 'a');
    expect_text(result, 5, "true");
    expect_text(result, 6, "-32768");
    expect_text(result, 7, "-2147483648");
    expect_text(result, 8, "-9223372036854775808");
}

static void text_bytes_json_and_uuids_come_back(void **state) {
    (void)state;
    static const struct db_statement statement = {"test_texts",
                                                  "SELECT $1::text, $2::bytea, $3::text::jsonb, $4::uuid,"
                                                  " $5::text, $6::bytea, $2::text, $4::text"};
    struct uuid uuid;
    assert_true(uuid_parse(BYTES_LITERAL("0190163d-8694-739b-aea5-966c26f8ad91"), &uuid));
    db_params_add_text(&params, BYTES_LITERAL("gr\xc3\xbc\xc3\x9f dich"));
    db_params_add_bytes(&params, BYTES_LITERAL("\0\1\xff"));
    db_params_add_text(&params, BYTES_LITERAL("{\"a\": 1}"));
    db_params_add_uuid(&params, uuid);
    db_params_add_text(&params, BYTES_EMPTY);
    db_params_add_bytes(&params, BYTES_EMPTY);
    const struct db_result *result = ask(&statement);
    expect_text(result, 0, "gr\xc3\xbc\xc3\x9f dich");
    assert_true(bytes_is_equal(db_result_get_bytes(result, 0, 1), BYTES_LITERAL("\0\1\xff")));
    expect_text(result, 2, "{\"a\": 1}");
    assert_true(uuid_is_equal(db_result_get_uuid(result, 0, 3), uuid));
    assert_string_equal(db_result_copy_text(result, 0, 0, &arena), "gr\xc3\xbc\xc3\x9f dich");
    expect_text(result, 6, "\\x0001ff");
    expect_text(result, 7, "0190163d-8694-739b-aea5-966c26f8ad91");
    for (int column = 4; column < 6; column++)
        assert_false(db_result_is_null(result, 0, column)); // empty is not NULL
}

static void times_are_what_postgresql_says_they_are(void **state) {
    (void)state;
    static const struct db_statement statement = {
        "test_times", "SELECT $1::timestamptz, $2::timestamptz, $3::timestamptz, $4::timestamptz,"
                      " ($1 AT TIME ZONE 'UTC')::text, ($4 AT TIME ZONE 'UTC')::text, $2::text, $3::text,"
                      " '1969-12-31 23:59:59.9999+00'::timestamptz"};
    db_params_add_time_ms(&params, INT64_C(1764000000123));
    db_params_add_time_ms(&params, CLOCK_NEVER_MS);
    db_params_add_time_ms(&params, CLOCK_ALWAYS_MS);
    db_params_add_time_ms(&params, -1);
    const struct db_result *result = ask(&statement);
    assert_true(db_result_get_time_ms(result, 0, 0) == INT64_C(1764000000123));
    assert_true(db_result_get_time_ms(result, 0, 1) == CLOCK_NEVER_MS);
    assert_true(db_result_get_time_ms(result, 0, 2) == CLOCK_ALWAYS_MS);
    assert_true(db_result_get_time_ms(result, 0, 3) == -1);
    expect_text(result, 4, "2025-11-24 16:00:00.123");
    expect_text(result, 5, "1969-12-31 23:59:59.999");
    expect_text(result, 6, "infinity");
    expect_text(result, 7, "-infinity");
    assert_true(db_result_get_time_ms(result, 0, 8) == -1); // rounded down, not towards zero
}

static void addresses_and_prefixes_are_what_postgresql_says_they_are(void **state) {
    (void)state;
    static const struct db_statement statement = {
        "test_prefixes",
        "SELECT $1::cidr, $2::cidr, $3::inet, $4::inet, $1::text, $2::text, $3::text, $4::text,"
        " '10.1.2.3/8'::inet"};
    struct ip_prefix v4 = parse("203.0.113.0/24"), v6 = parse("2001:db8::/32"), host = parse("198.51.100.7");
    struct ip_prefix host6 = parse("2001:db8::7");
    db_params_add_prefix(&params, &v4);
    db_params_add_prefix(&params, &v6);
    db_params_add_address(&params, &host.address);
    db_params_add_address(&params, &host6.address);
    const struct db_result *result = ask(&statement);
    const struct ip_prefix *sent[] = {&v4, &v6, &host, &host6};
    for (int i = 0; i < 4; i++) {
        struct ip_prefix read = db_result_get_prefix(result, 0, i);
        assert_int_equal(ip_prefix_compare(&read, sent[i]), 0);
    }
    expect_text(result, 4, "203.0.113.0/24");
    expect_text(result, 5, "2001:db8::/32");
    expect_text(result, 6, "198.51.100.7/32");
    expect_text(result, 7, "2001:db8::7/128");
    struct ip_prefix masked = db_result_get_prefix(result, 0, 8), wanted = parse("10.0.0.0/8");
    assert_int_equal(ip_prefix_compare(&masked, &wanted), 0);
}

static void null_is_told_from_empty(void **state) {
    (void)state;
    static const struct db_statement statement = {
        "test_nulls",
        "SELECT $1::text, $2::uuid, $3::timestamptz, $4::inet, $5::timestamptz, NULL::bool, NULL::int8,"
        " NULL::text[], NULL::bytea"};
    struct ip_address no_address = {0};
    db_params_add_null(&params, DB_TYPE_TEXT);
    db_params_add_uuid_or_null(&params, (struct uuid){{0}});
    db_params_add_time_ms_or_null(&params, CLOCK_NEVER_MS);
    db_params_add_address(&params, &no_address);
    db_params_add_time_ms_or_null(&params, 5);
    const struct db_result *result = ask(&statement);
    for (int column = 0; column < 9; column++)
        assert_int_equal(db_result_is_null(result, 0, column), column != 4);
    assert_null(db_result_get_text(result, 0, 0).data);
    assert_string_equal(db_result_copy_text(result, 0, 0, &arena), "");
    assert_true(uuid_is_zero(db_result_get_uuid_or_zero(result, 0, 1)));
    assert_true(db_result_get_time_ms_or(result, 0, 2, CLOCK_NEVER_MS) == CLOCK_NEVER_MS);
    assert_int_equal(db_result_get_prefix_or_none(result, 0, 3).address.family, IP_FAMILY_NONE);
    assert_int_equal(db_result_get_time_ms_or(result, 0, 4, CLOCK_NEVER_MS), 5);
    assert_int_equal(db_result_get_int64_or(result, 0, 6, 42), 42);
    assert_int_equal(db_result_get_array(result, 0, 7, DB_TYPE_TEXT).count, 0);
    assert_null(db_result_get_bytes(result, 0, 8).data);
}

// The elements of every array kind, made from one seed.
struct elements {
    struct bytes texts[MANY];
    char text_bytes[MANY][16];
    struct uuid uuids[MANY];
    int64_t integers[MANY];
    int64_t times[MANY];
    struct ip_prefix prefixes[MANY];
    struct ip_address addresses[MANY];
};

static void make_elements(struct elements *elements) {
    struct seed seed = seed_new();
    for (size_t i = 0; i < MANY; i++) {
        int len = snprintf(elements->text_bytes[i], sizeof(elements->text_bytes[i]), "%llx",
                           (unsigned long long)(seed_next(&seed) >> seed_next_below(&seed, 64)));
        elements->texts[i] = bytes_of(elements->text_bytes[i], (size_t)len % 16);
        seed_fill(&seed, elements->uuids[i].bytes, 16);
        elements->integers[i] = (int64_t)seed_next(&seed);
        elements->times[i] =
            (int64_t)seed_next_below(&seed, UINT64_C(4000000000000)) - INT64_C(1000000000000);
        struct ip_address address = {.family = seed_next_below(&seed, 2) ? IP_FAMILY_V4 : IP_FAMILY_V6};
        unsigned width = ip_address_get_width_bits(&address);
        seed_fill(&seed, address.bytes, width / 8);
        elements->addresses[i] = address;
        elements->prefixes[i] = ip_prefix_of(&address, (unsigned)seed_next_below(&seed, width + 1));
    }
}

static void expect_same(const struct elements *elements, const struct db_result *result, size_t count) {
    struct db_array texts = db_result_get_array(result, 0, 0, DB_TYPE_TEXT);
    struct db_array uuids = db_result_get_array(result, 0, 1, DB_TYPE_UUID);
    struct db_array integers = db_result_get_array(result, 0, 2, DB_TYPE_INT64);
    struct db_array times = db_result_get_array(result, 0, 3, DB_TYPE_TIMESTAMPTZ);
    struct db_array prefixes = db_result_get_array(result, 0, 4, DB_TYPE_CIDR);
    struct db_array blobs = db_result_get_array(result, 0, 5, DB_TYPE_BYTEA);
    struct db_array addresses = db_result_get_array(result, 0, 6, DB_TYPE_INET);
    struct bytes text, blob;
    struct uuid uuid;
    int64_t integer, time_ms;
    struct ip_prefix prefix, address;
    assert_int_equal(texts.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(db_array_next_text(&texts, &text) && bytes_is_equal(text, elements->texts[i]));
        assert_true(db_array_next_uuid(&uuids, &uuid) && uuid_is_equal(uuid, elements->uuids[i]));
        assert_true(db_array_next_int64(&integers, 0, &integer) && integer == elements->integers[i]);
        assert_true(db_array_next_time_ms(&times, 0, &time_ms) && time_ms == elements->times[i]);
        assert_true(db_array_next_prefix(&prefixes, &prefix));
        assert_int_equal(ip_prefix_compare(&prefix, &elements->prefixes[i]), 0);
        assert_true(db_array_next_text(&blobs, &blob) && bytes_is_equal(blob, elements->texts[i]));
        assert_true(db_array_next_prefix(&addresses, &address));
        assert_true(ip_address_is_equal(&address.address, &elements->addresses[i]));
    }
    assert_false(db_array_next_text(&texts, &text) || db_array_next_uuid(&uuids, &uuid));
    assert_false(db_array_next_int64(&integers, 0, &integer) || db_array_next_prefix(&prefixes, &prefix));
}

static void arrays_of_any_length_come_back(void **state) {
    (void)state;
    static struct elements elements;
    static const struct db_statement statement = {
        "test_arrays",
        "SELECT $1::text[], $2::uuid[], $3::int8[], $4::timestamptz[], $5::cidr[], $6::bytea[], $7::inet[],"
        " cardinality($1::text[]), (SELECT coalesce(sum(length(t)), 0) FROM unnest($1::text[]) t)"};
    static const size_t counts[] = {0, 1, 2, MANY};
    make_elements(&elements);
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        size_t count = counts[i], length = 0;
        for (size_t k = 0; k < count; k++)
            length += elements.texts[k].len;
        db_params_init(&params, &arena);
        db_params_add_text_array(&params, count ? elements.texts : NULL, count);
        db_params_add_uuid_array(&params, count ? elements.uuids : NULL, count);
        db_params_add_int64_array(&params, count ? elements.integers : NULL, count);
        db_params_add_time_ms_array(&params, count ? elements.times : NULL, count);
        db_params_add_prefix_array(&params, count ? elements.prefixes : NULL, count);
        db_params_add_bytes_array(&params, count ? elements.texts : NULL, count);
        db_params_add_address_array(&params, count ? elements.addresses : NULL, count);
        const struct db_result *result = ask(&statement);
        assert_int_equal(db_result_get_int32(result, 0, 7), count);
        assert_int_equal(db_result_get_int64(result, 0, 8), length);
        expect_same(&elements, result, count);
    }
}

static void null_elements_come_back(void **state) {
    (void)state;
    static const struct db_statement statement = {
        "test_null_elements",
        "SELECT $1::int8[], ARRAY[NULL, 'infinity']::timestamptz[], $1::text, $2::text"};
    const int64_t integers[] = {7, -1, 8};
    const struct ip_address addresses[] = {{0}, parse("192.0.2.1").address};
    db_params_add_int64_array_or_null(&params, integers, 3, -1);
    db_params_add_address_array(&params, addresses, 2);
    const struct db_result *result = ask(&statement);
    expect_text(result, 2, "{7,NULL,8}");
    expect_text(result, 3, "{NULL,192.0.2.1}");
    struct db_array read = db_result_get_array(result, 0, 0, DB_TYPE_INT64);
    int64_t value;
    for (int i = 0; i < 3; i++)
        assert_true(db_array_next_int64(&read, -1, &value) && value == integers[i]);
    struct db_array times = db_result_get_array(result, 0, 1, DB_TYPE_TIMESTAMPTZ);
    assert_true(db_array_next_time_ms(&times, 5, &value) && value == 5);
    assert_true(db_array_next_time_ms(&times, 5, &value) && value == CLOCK_NEVER_MS);
}

// As an element that is left out it would make the list empty, and so let everybody in.
static void a_prefix_in_a_list_that_can_not_be_read_contains_nobody(void **state) {
    (void)state;
    static const struct db_statement statement = {"test_unreadable",
                                                  "SELECT '{::ffff:10.0.0.1/128, NULL, 10.0.0.0/8}'::cidr[]"};
    const struct ip_address mapped = parse("::ffff:10.0.0.1").address;
    const struct db_result *result = ask(&statement);
    struct db_array read = db_result_get_array(result, 0, 0, DB_TYPE_CIDR);
    struct ip_prefix prefixes[3];
    for (int i = 0; i < 3; i++)
        assert_true(db_array_next_prefix(&read, &prefixes[i]));
    for (int i = 0; i < 2; i++)
        assert_false(ip_prefix_contains_address(&prefixes[i], &mapped));
    assert_true(ip_prefix_contains_address(&prefixes[2], &mapped));
}

static void what_no_timestamp_can_hold_is_refused_before_it_is_sent(void **state) {
    (void)state;
    static const struct db_statement statement = {"test_far", "SELECT $1::timestamptz"};
    db_params_add_time_ms(&params, INT64_MAX - 1);
    assert_int_equal(db_query(transaction, &statement, &params, NULL), STATUS_INVALID);
    assert_false(db_connection_is_broken(connection));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(integers_and_booleans_come_back),
        CASE(text_bytes_json_and_uuids_come_back),
        CASE(times_are_what_postgresql_says_they_are),
        CASE(addresses_and_prefixes_are_what_postgresql_says_they_are),
        CASE(null_is_told_from_empty),
        CASE(arrays_of_any_length_come_back),
        CASE(null_elements_come_back),
        CASE(a_prefix_in_a_list_that_can_not_be_read_contains_nobody),
        CASE(what_no_timestamp_can_hold_is_refused_before_it_is_sent),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
