// TypeIDs against the vectors that the specification publishes (v0.3, valid and invalid), and one character
// at a time.
#include "common/base/typeid.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static const struct {
    const char *name, *text, *prefix, *uuid;
} valid[] = {
    {"nil", "00000000000000000000000000", "", "00000000-0000-0000-0000-000000000000"},
    {"one", "00000000000000000000000001", "", "00000000-0000-0000-0000-000000000001"},
    {"ten", "0000000000000000000000000a", "", "00000000-0000-0000-0000-00000000000a"},
    {"sixteen", "0000000000000000000000000g", "", "00000000-0000-0000-0000-000000000010"},
    {"thirty-two", "00000000000000000000000010", "", "00000000-0000-0000-0000-000000000020"},
    {"max-valid", "7zzzzzzzzzzzzzzzzzzzzzzzzz", "", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    {"valid-alphabet", "prefix_0123456789abcdefghjkmnpqrs", "prefix", "0110c853-1d09-52d8-d73e-1194e95b5f19"},
    {"valid-uuidv7", "prefix_01h455vb4pex5vsknk084sn02q", "prefix", "01890a5d-ac96-774b-bcce-b302099a8057"},
    {"prefix-underscore", "pre_fix_00000000000000000000000000", "pre_fix",
     "00000000-0000-0000-0000-000000000000"},
};

static const struct {
    const char *name, *text;
} invalid[] = {
    {"prefix-uppercase", "PREFIX_00000000000000000000000000"},
    {"prefix-numeric", "12345_00000000000000000000000000"},
    {"prefix-period", "pre.fix_00000000000000000000000000"},
    {"prefix-non-ascii", "pr\xC3\xA9"
                         "fix_00000000000000000000000000"},
    {"prefix-spaces", "  prefix_00000000000000000000000000"},
    {"prefix-64-chars",
     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl_00000000000000000000000000"},
    {"separator-empty-prefix", "_00000000000000000000000000"},
    {"separator-empty", "_"},
    {"suffix-short", "prefix_1234567890123456789012345"},
    {"suffix-long", "prefix_123456789012345678901234567"},
    {"suffix-spaces", "prefix_1234567890123456789012345 "},
    {"suffix-uppercase", "prefix_0123456789ABCDEFGHJKMNPQRS"},
    {"suffix-hyphens", "prefix_123456789-123456789-123456"},
    {"suffix-wrong-alphabet", "prefix_ooooooiiiiiiuuuuuuulllllll"},
    {"suffix-ambiguous-crockford", "prefix_i23456789ol23456789oi23456"},
    {"suffix-hyphens-crockford", "prefix_123456789-0123456789-0123456"},
    {"suffix-overflow", "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz"},
    {"prefix-underscore-start", "_prefix_00000000000000000000000000"},
    {"prefix-underscore-end", "prefix__00000000000000000000000000"},
};

static void every_valid_vector_is_read_and_written(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++) {
        struct bytes prefix;
        struct uuid uuid;
        char uuid_text[UUID_TEXT_LENGTH + 1], text[TYPEID_TEXT_MAX + 1];
        if (!typeid_parse_any(bytes_of_text(valid[i].text), &prefix, &uuid))
            fail_msg("%s is not read", valid[i].name);
        assert_true(bytes_is_text(prefix, valid[i].prefix));
        uuid_format(uuid, uuid_text);
        assert_string_equal(uuid_text, valid[i].uuid);
        typeid_format(prefix, uuid, text);
        assert_string_equal(text, valid[i].text);
    }
}

static void every_invalid_vector_is_refused_and_nothing_is_touched(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(invalid); i++) {
        struct bytes prefix = BYTES_LITERAL("untouched");
        struct uuid uuid = {{0x5A}};
        if (typeid_parse_any(bytes_of_text(invalid[i].text), &prefix, &uuid))
            fail_msg("%s is read", invalid[i].name);
        assert_true(bytes_is_text(prefix, "untouched"));
        assert_int_equal(uuid.bytes[0], 0x5A);
    }
}

static void a_prefix_of_63_letters_is_the_longest(void **state) {
    (void)state;
    const char *text =
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk_00000000000000000000000000";
    struct bytes prefix;
    struct uuid uuid;
    char written[TYPEID_TEXT_MAX + 1];
    assert_int_equal(strlen(text), TYPEID_TEXT_MAX);
    assert_true(typeid_parse_any(bytes_of_text(text), &prefix, &uuid));
    assert_int_equal(prefix.len, TYPEID_PREFIX_MAX);
    typeid_format(prefix, uuid, written);
    assert_string_equal(written, text);
}

// The definition, bit by bit: 130 bits, of which the two highest are zero.
static void format_plainly(struct uuid uuid, char ret_text[TYPEID_SUFFIX_LENGTH + 1]) {
    for (unsigned i = 0; i < TYPEID_SUFFIX_LENGTH; i++) {
        unsigned digit = 0;
        for (unsigned bit = 5 * i; bit < 5 * i + 5; bit++)
            digit = digit * 2 + (bit < 2 ? 0 : uuid.bytes[(bit - 2) / 8] >> (7 - (bit - 2) % 8) & 1);
        ret_text[i] = "0123456789abcdefghjkmnpqrstvwxyz"[digit];
    }
    ret_text[TYPEID_SUFFIX_LENGTH] = '\0';
}

static void what_is_written_is_the_definition_bit_by_bit(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 100000; round++) {
        struct uuid uuid;
        char expected[TYPEID_SUFFIX_LENGTH + 1], text[TYPEID_TEXT_MAX + 1];
        for (size_t i = 0; i < sizeof(uuid.bytes); i++)
            uuid.bytes[i] = (uint8_t)seed_next_below(&seed, 256);
        format_plainly(uuid, expected);
        typeid_format(BYTES_EMPTY, uuid, text);
        assert_string_equal(text, expected);
        struct typeid id = typeid_of(TYPEID_TOKEN, uuid);
        assert_memory_equal(id.text, TYPEID_TOKEN "_", 4);
        assert_string_equal(id.text + 4, expected);
    }
}

static void an_expected_prefix_is_insisted_on(void **state) {
    (void)state;
    struct uuid uuid = uuid_new(clock_get_system()), parsed;
    struct typeid token = typeid_of(TYPEID_TOKEN, uuid);
    assert_true(typeid_parse(bytes_of_text(token.text), TYPEID_TOKEN, &parsed));
    assert_true(uuid_is_equal(parsed, uuid));
    assert_false(typeid_parse(bytes_of_text(token.text), TYPEID_COMPANY, &parsed));
    assert_false(typeid_parse(bytes_of_text(token.text), "to", &parsed));
    assert_false(typeid_parse(bytes_of_text(token.text + 4), TYPEID_TOKEN, &parsed));
    assert_false(typeid_parse(BYTES_EMPTY, TYPEID_TOKEN, &parsed));
}

static void any_character_changed_is_another_identifier_or_none(void **state) {
    (void)state;
    struct uuid uuid = uuid_new(clock_get_system());
    const struct typeid good = typeid_of(TYPEID_ENTRY, uuid);
    for (size_t at = 0; at < strlen(good.text); at++) {
        for (unsigned character = 0; character < 256; character++) {
            struct typeid changed = good;
            struct uuid parsed;
            changed.text[at] = (char)character;
            if (changed.text[at] == good.text[at])
                continue;
            if (typeid_parse(bytes_of(changed.text, strlen(good.text)), TYPEID_ENTRY, &parsed))
                assert_false(uuid_is_equal(parsed, uuid));
        }
    }
}

static void every_shorter_and_longer_text_is_refused(void **state) {
    (void)state;
    struct uuid uuid = {{0}};
    const struct typeid good = typeid_of(TYPEID_ENTRY, uuid);
    char longer[sizeof(good.text) + 1] = {0};
    memcpy(longer, good.text, sizeof(good.text));
    longer[sizeof(good.text) - 1] = '0';
    for (size_t len = 0; len <= strlen(longer); len++)
        assert_int_equal(typeid_parse(bytes_of(longer, len), TYPEID_ENTRY, &uuid), len == strlen(good.text));
}

// Text order is byte order, which is what lets a page of a list begin after an identifier.
static void identifiers_sort_as_their_uuids(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (int i = 0; i < 10000; i++) {
        struct uuid a, b;
        seed_fill(&seed, &a, sizeof(a));
        seed_fill(&seed, &b, sizeof(b));
        if (seed_next_below(&seed, 2) == 0)
            memcpy(b.bytes, a.bytes, seed_next_below(&seed, sizeof(a.bytes)));
        int expected = memcmp(a.bytes, b.bytes, sizeof(a.bytes));
        int actual = strcmp(typeid_of(TYPEID_TOKEN, a).text, typeid_of(TYPEID_TOKEN, b).text);
        assert_true((expected < 0) == (actual < 0) && (expected > 0) == (actual > 0));
    }
}

static void a_list_is_each_of_its_ids_in_order(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct uuid uuids[] = {{{1}}, {{2}}, {{1}}};
    char **texts = typeid_list_format(TYPEID_ROLE, uuids, ARRAY_LENGTH(uuids), &arena);
    assert_non_null(texts);
    for (size_t i = 0; i < ARRAY_LENGTH(uuids); i++)
        assert_string_equal(texts[i], typeid_of(TYPEID_ROLE, uuids[i]).text);
    arena_fini(&arena);
    arena_init(&arena, 64);
    assert_null(typeid_list_format(TYPEID_ROLE, uuids, ARRAY_LENGTH(uuids), &arena));
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_valid_vector_is_read_and_written),
        cmocka_unit_test(every_invalid_vector_is_refused_and_nothing_is_touched),
        cmocka_unit_test(a_prefix_of_63_letters_is_the_longest),
        cmocka_unit_test(a_list_is_each_of_its_ids_in_order),
        cmocka_unit_test(an_expected_prefix_is_insisted_on),
        cmocka_unit_test(what_is_written_is_the_definition_bit_by_bit),
        cmocka_unit_test(any_character_changed_is_another_identifier_or_none),
        cmocka_unit_test(every_shorter_and_longer_text_is_refused),
        cmocka_unit_test(identifiers_sort_as_their_uuids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
