// Records out of files, each text whole and one byte at a time; and what an entry of a whitelist may be.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/cli/records.h"
#include "services/cli/whitelist_record.h"
#include "tests/unit/unit.h"

static const struct record_column columns[] = {
    {{"address", "ip"}}, {{"note", "comment"}}, {{"bits", "prefix_length"}}};

// Takes records from `text` while it grows by `step` bytes: "1:10.0.0.1|office|-" for each, "!" and the error
// behind a bad one, one on each line.
static char *read_in_steps(const char *text, size_t len, size_t step) {
    struct records records;
    struct record record;
    struct arena arena;
    char *said = NULL;
    size_t size, known = step < len ? step : len, at = 0;
    FILE *to = open_memstream(&said, &size);
    arena_init(&arena, 0);
    records_init(&records, columns, ARRAY_LENGTH(columns), 1);
    for (;;) {
        // A copy of its own, so that a sanitizer sees a read behind what is known.
        uint8_t *copy = malloc(known - at + 1);
        memcpy(copy, text + at, known - at);
        struct bytes rest = bytes_of(copy, known - at);
        enum records_result result = records_next(&records, &rest, known == len, &arena, &record);
        at = known - rest.len;
        free(copy);
        if (result == RECORDS_END)
            break;
        if (result == RECORDS_MORE) {
            assert_true(known < len);
            known = known + step < len ? known + step : len;
            continue;
        }
        fprintf(to, "%zu:", record.line);
        for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
            fprintf(to, "%s%s", i > 0 ? "|" : "", record.texts[i] ? record.texts[i] : "-");
        fprintf(to, "%s%s\n", record.error ? "!" : "", record.error ? record.error : "");
    }
    if (records.unknown_count > 0)
        fprintf(to, "unknown: %zu, %s\n", records.unknown_count, records.unknown_name);
    arena_fini(&arena);
    fclose(to);
    return said;
}

static void assert_reads_bytes(const char *text, size_t len, const char *expected) {
    for (size_t step = 1; step <= len + 1; step = step < 4 ? step + 1 : step * 2 + len) {
        char *said = read_in_steps(text, len, step);
        assert_string_equal(said, expected);
        free(said);
    }
}

static void assert_reads(const char *text, const char *expected) {
    assert_reads_bytes(text, strlen(text), expected);
}

// The first record's error begins with `error`.
static void assert_refuses(const char *text, const char *error) {
    for (size_t step = 1; step < 3; step++) {
        char *said = read_in_steps(text, strlen(text), step == 1 ? 1 : strlen(text));
        if (!strstr(said, error))
            fail_msg("\"%s\" is not in: %s", error, said);
        free(said);
    }
}

static void lines_hold_one_value_and_a_comment(void **state) {
    (void)state;
    assert_reads("", "");
    assert_reads("\n\n  \n", "");
    assert_reads("# nothing\n", "");
    assert_reads("10.0.0.1", "1:10.0.0.1|-|-\n");
    assert_reads("10.0.0.1\n\n# two\n  2001:db8::/32  \r\n", "1:10.0.0.1|-|-\n4:2001:db8::/32|-|-\n");
    assert_reads("10.0.0.1 # office\n10.0.0.2\t#\n10.0.0.3#4\n",
                 "1:10.0.0.1|office|-\n2:10.0.0.2|-|-\n3:10.0.0.3#4|-|-\n");
    assert_reads("\xef\xbb\xbf"
                 "10.0.0.1\n",
                 "1:10.0.0.1|-|-\n");
    assert_reads("two words\n", "1:two words|-|-\n");
}

static void a_header_makes_it_csv(void **state) {
    (void)state;
    assert_reads("address,note\n10.0.0.1,office\n", "2:10.0.0.1|office|-\n");
    assert_reads("Note;IP;Prefix-Length\r\noffice;10.0.0.1;24\r\n", "2:10.0.0.1|office|24\n");
    assert_reads("note\taddress\n\t10.0.0.1\n", "2:10.0.0.1||-\n");
    assert_reads("address\n10.0.0.1\n", "2:10.0.0.1|-|-\n");
    assert_reads("# mine\naddress,bits\n# none\n\n10.0.0.1,8\n10.0.0.2\n",
                 "5:10.0.0.1|-|8\n6:10.0.0.2|-|-\n");
    assert_reads("address,place,note,\n10.0.0.1,here,office,\n", "2:10.0.0.1|office|-\nunknown: 1, place\n");
    assert_reads("address,note\n", "");
}

static void quotes_hold_separators_line_ends_and_quotes(void **state) {
    (void)state;
    assert_reads("address,note\n10.0.0.1,\"a, \"\"b\"\"\nc\"\n10.0.0.2, \"x\" \n",
                 "2:10.0.0.1|a, \"b\"\nc|-\n4:10.0.0.2|x|-\n");
    assert_refuses("address,note\n10.0.0.1,\"open\n",
                   "2:10.0.0.1|-|-!a field in double quotes must end in one");
    assert_refuses("address,note\n10.0.0.1,\"x\"y\n",
                   "2:10.0.0.1|-|-!a field in double quotes must end in one");
    assert_refuses("address,note\n10.0.0.1,a,b\n", "!it has more fields than the header");
}

static void json_is_a_list_or_an_object_on_each_line(void **state) {
    (void)state;
    assert_reads("[]", "");
    assert_reads(" [ ] \n", "");
    assert_reads("[\"10.0.0.1\", \"10.0.0.2\"]", "1:10.0.0.1|-|-\n1:10.0.0.2|-|-\n");
    assert_reads(
        "[\n{\"address\": \"10.0.0.1\", \"bits\": 24},\n{\"ip\":\"10.0.0.2\",\"note\":\"a\\\"]}\"}\n]\n",
        "2:10.0.0.1|-|24\n3:10.0.0.2|a\"]}|-\n");
    assert_reads("{\"address\":\"10.0.0.1\"}\n{\"address\":\"10.0.0.2\",\n\"note\":null}\n",
                 "1:10.0.0.1|-|-\n2:10.0.0.2||-\n");
    assert_reads("[{\"address\":\"10.0.0.1\",\"place\":{\"x\":[1]}}]", "1:10.0.0.1|-|-\nunknown: 1, place\n");
    assert_reads("[{\"address\":[\"a\",\"b\"]}]", "1:a b|-|-\n");
}

static void json_that_is_none_is_told_by_its_line(void **state) {
    (void)state;
    assert_refuses("[\"10.0.0.1\"", "1:-|-|-!the list is no JSON here");
    assert_refuses("[\"10.0.0.1\",]", "1:-|-|-!the list is no JSON here");
    assert_refuses("[,\"10.0.0.1\"]", "!it is no JSON");
    assert_refuses("[\"10.0.0.1\"\n\"10.0.0.2\"]", "2:-|-|-!the list is no JSON here");
    assert_refuses("[\"10.0.0.1\"] x", "!the list is no JSON here");
    assert_refuses("[1]", "1:-|-|-!it is neither an object nor a text");
    assert_refuses("{\"address\":\n", "!it is no JSON");
    assert_refuses("[{\"address\":{}}]", "!\"address\" must be a text");
    assert_refuses("[\"\\u0000\"]", "!it is no JSON");
}

static void what_is_no_text_is_refused(void **state) {
    (void)state;
    assert_reads_bytes("10.0.0.1\0.2\n", 12, "1:-|-|-!it is no text: save the file as UTF-8\n");
    assert_refuses("10.0.0.1\xff\n", "!it is no text");
    assert_refuses("10.0.0.1,office\n",
                   "!type one value on each line, or name the columns in the first line");
}

static void fields_of_a_call_are_named_by_their_lines(void **state) {
    (void)state;
    static const size_t lines[] = {4, 17};
    static const char *const fields[] = {"entries[1].note", "entries[0]", "entries[2].note", "draft_id"},
                             *const named[] = {"line 17, note", "line 4, entry", "entries[2].note",
                                               "draft_id"};
    struct arena arena;
    struct fault fault;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        fault_add_field(&fault, fields[i], "is bad");
    record_name_lines(&fault, lines, ARRAY_LENGTH(lines));
    const struct fault_field *field = fault.fields;
    for (size_t i = 0; i < ARRAY_LENGTH(named); i++, field = field->next)
        assert_string_equal(field->field, named[i]);
    arena_fini(&arena);
}

// ---- entries ----

static void assert_entry(const char *const texts[WHITELIST_COLUMN_COUNT], const char *error) {
    struct arena arena;
    struct whitelist_record entry;
    struct record record = {.line = 1};
    arena_init(&arena, 0);
    for (size_t i = 0; i < WHITELIST_COLUMN_COUNT; i++)
        record.texts[i] = texts[i];
    const char *said = whitelist_record_read(&record, false, &arena, &entry);
    if (!error)
        assert_null(said);
    else if (!said || !strstr(said, error))
        fail_msg("\"%s\" is not in: %s", error, said ? said : "nothing");
    arena_fini(&arena);
}

#define ENTRY(...) ((const char *const[WHITELIST_COLUMN_COUNT]){__VA_ARGS__})

static void entries_are_checked_as_a_server_would(void **state) {
    (void)state;
    assert_entry(ENTRY("203.0.113.7"), NULL);
    assert_entry(ENTRY("203.0.113.7/24", "24", "office", "it", "2027-01-31", "yes"), NULL);
    assert_entry(ENTRY("2001:db8::1", "32", "", "", "never", "no"), NULL);
    assert_entry(ENTRY(NULL), "type an address");
    assert_entry(ENTRY("10.0.0.1/33"), "\"10.0.0.1/33\": type 0 to 32 checking bits");
    assert_entry(ENTRY("010.0.0.1"), "without leading zeros");
    assert_entry(ENTRY("10.0.0.1/24", "25"), "type the checking bits once");
    assert_entry(ENTRY("10.0.0.1", "x"), "type the checking bits as one decimal number");
    assert_entry(ENTRY("0.0.0.0/0"), "it would let in every address");
    assert_entry(ENTRY("10.0.0.1", NULL, NULL, NULL, "Friday"), "type a time such as");
    assert_entry(ENTRY("10.0.0.1", NULL, NULL, NULL, NULL, "maybe"), "type yes or no");
    char note[502];
    memset(note, 'x', sizeof(note) - 1);
    note[sizeof(note) - 1] = '\0';
    assert_entry(ENTRY("10.0.0.1", NULL, note), "at most 500 characters as note");
    assert_entry(ENTRY("10.0.0.1", NULL, note + 1), NULL);
    assert_entry(ENTRY("10.0.0.1", NULL, NULL, note), "at most 100 characters as owner");
}

static void an_entry_is_read_whole(void **state) {
    (void)state;
    struct arena arena;
    struct whitelist_record entry;
    const struct record record = {.texts = {"0.0.0.0", "0", "all", "me", "2027-01-31T18:00:00Z", "1"}};
    arena_init(&arena, 0);
    assert_null(whitelist_record_read(&record, true, &arena, &entry));
    assert_string_equal(entry.address, "0.0.0.0");
    assert_string_equal(entry.note, "all");
    assert_string_equal(entry.owner, "me");
    assert_int_equal(entry.bits, 0);
    assert_int_equal(entry.expires_ms, 1801418400000);
    assert_true(entry.is_disabled);
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_hold_one_value_and_a_comment),
        cmocka_unit_test(a_header_makes_it_csv),
        cmocka_unit_test(quotes_hold_separators_line_ends_and_quotes),
        cmocka_unit_test(json_is_a_list_or_an_object_on_each_line),
        cmocka_unit_test(json_that_is_none_is_told_by_its_line),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(fields_of_a_call_are_named_by_their_lines),
        cmocka_unit_test(entries_are_checked_as_a_server_would),
        cmocka_unit_test(an_entry_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
