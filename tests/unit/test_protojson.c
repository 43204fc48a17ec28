// Messages from ProtoJSON and to it. The vectors are protobuf's rules, one by one; what is written here is
// about what no text shows: limits, memory, options, and messages that have no JSON.
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/protobuf/field.h"
#include "common/protobuf/message.h"
#include "common/protobuf/protojson.h"
#include "common/protobuf/scan.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "latchkey/test/v1/everything.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"
#include "tests/unit/vectors.h"

#define EVERYTHING (&latchkey__test__v1__everything__descriptor)

static struct arena arena;
static struct protojson_types *types;
static struct protojson_options options;

static int make_types(void **state) {
    static const ProtobufCMessageDescriptor *const roots[] = {EVERYTHING};
    (void)state;
    assert_int_equal(protojson_types_new(roots, ARRAY_LENGTH(roots), &types), STATUS_OK);
    return 0;
}

static int free_types(void **state) {
    (void)state;
    protojson_types_free(types);
    return 0;
}

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    options = (struct protojson_options){.types = types};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type, const char *text) {
    ProtobufCMessage *message;
    const char *sentence = NULL;
    enum status status = protojson_unpack(type, bytes_of_text(text), &options, &arena, &message, &sentence);
    if (status != STATUS_OK)
        fail_msg("%s: %s", text, sentence);
    return message;
}

static const char *pack(const ProtobufCMessage *message) {
    struct bytes json;
    assert_int_equal(protojson_pack(message, &options, 0, &arena, &json), STATUS_OK);
    return arena_copy_bytes(&arena, json);
}

static void assert_refused(const ProtobufCMessageDescriptor *type, const char *text, enum status expected,
                           const char *sentence) {
    ProtobufCMessage *message = NULL;
    const char *told = NULL;
    assert_int_equal(protojson_unpack(type, bytes_of_text(text), &options, &arena, &message, &told),
                     expected);
    assert_string_equal(told, sentence);
    assert_null(message);
}

static void assert_without_json(const ProtobufCMessage *message) {
    struct bytes json;
    assert_int_equal(protojson_pack(message, &options, 0, &arena, &json), STATUS_MALFORMED);
}

// ---- the vectors ----

// By way of the wire, so that the message is one that a peer could have sent.
static const char *convert(struct bytes text) {
    ProtobufCMessage *message, *received;
    const char *sentence = NULL;
    if (protojson_unpack(EVERYTHING, text, &options, &arena, &message, &sentence) != STATUS_OK)
        return sentence;
    enum status status =
        message_unpack(EVERYTHING, message_pack(message, 0, &arena), &arena, &received, &sentence);
    assert_int_equal(status, STATUS_OK);
    return pack(received);
}

static void check_vector(const char *expected, struct bytes input) {
    // In memory of its own, so that AddressSanitizer sees a read beyond the end.
    uint8_t *exact = malloc(input.len ? input.len : 1);
    memcpy(exact, input.data, input.len);
    assert_string_equal(convert(bytes_of(exact, input.len)), expected);
    free(exact);
}

static void every_vector_becomes_what_it_says(void **state) {
    (void)state;
    assert_true(vectors_read("tests/vectors/protojson.txt", check_vector) > 200);
}

static void check_again(const char *expected, struct bytes input) {
    (void)input;
    if (*expected == '{')
        assert_string_equal(convert(bytes_of_text(expected)), expected);
}

static void what_is_written_is_read_back_and_written_the_same(void **state) {
    (void)state;
    (void)vectors_read("tests/vectors/protojson.txt", check_again);
}

static void check_cuts(const char *expected, struct bytes input) {
    ProtobufCMessage *message;
    const char *sentence;
    if (*expected != '{' || input.data[0] != '{')
        return;
    for (size_t len = 0; len < input.len; len++) {
        uint8_t *exact = malloc(len ? len : 1);
        memcpy(exact, input.data, len);
        assert_int_equal(
            protojson_unpack(EVERYTHING, bytes_of(exact, len), &options, &arena, &message, &sentence),
            STATUS_MALFORMED);
        free(exact);
    }
    arena_reset(&arena);
}

static void a_text_that_is_cut_off_anywhere_is_refused(void **state) {
    (void)state;
    (void)vectors_read("tests/vectors/protojson.txt", check_cuts);
}

// ---- options ----

static void unknown_names_are_passed_over_where_that_is_wanted(void **state) {
    (void)state;
    options.ignore_unknown = true;
    static const char text[] = "{\"none\":[{\"x\":1}],\"aInt32\":1,\"aMood\":\"MOOD_NONE\",\"manyMood\":["
                               "\"MOOD_NONE\",\"MOOD_GLAD\"],\"byFixed32\":{\"1\":\"MOOD_NONE\",\"2\":1},"
                               "\"chosenMood\":\"MOOD_NONE\",\"aMessage\":{\"none\":1}}";
    assert_string_equal(
        pack(unpack(EVERYTHING, text)),
        "{\"aInt32\":1,\"aMessage\":{},\"manyMood\":[\"MOOD_GLAD\"],\"byFixed32\":{\"2\":\"MOOD_GLAD\"}}");
    assert_refused(EVERYTHING, "{\"none\":\"\\u0000\"}", STATUS_MALFORMED,
                   "a text in it holds a NUL (\\u0000), which no text here may");
    assert_refused(EVERYTHING, "{\"aInt32\":\"x\"}", STATUS_MALFORMED, "aInt32: \"x\" is not a number");
}

static void names_integers_and_empty_fields_can_be_as_programs_want_them(void **state) {
    (void)state;
    options.plain_integers = true;
    assert_string_equal(pack(unpack(EVERYTHING, "{\"aInt64\":\"-5\",\"aUint64\":\"9223372036854775807\"}")),
                        "{\"aInt64\":-5,\"aUint64\":9223372036854775807}");
    assert_string_equal(pack(unpack(EVERYTHING, "{\"aUint64\":\"9223372036854775808\"}")),
                        "{\"aUint64\":\"9223372036854775808\"}");
    options = (struct protojson_options){.declared_names = true};
    assert_string_equal(pack(unpack(EVERYTHING, "{\"aInt64\":\"-5\",\"aMessage\":{\"aBool\":true}}")),
                        "{\"a_int64\":\"-5\",\"a_message\":{\"a_bool\":true}}");
    options = (struct protojson_options){.empty_fields = true};
    assert_string_equal(pack(unpack(&google__protobuf__int64_value__descriptor, "0")), "\"0\"");
    assert_string_equal(pack(unpack(&google__protobuf__field_mask__descriptor, "\"\"")), "\"\"");
    const char *empty = pack(unpack(EVERYTHING, "{}"));
    assert_non_null(strstr(empty, "\"aInt64\":\"0\",\"aSint64\":\"0\""));
    assert_non_null(strstr(empty, "\"aMood\":\"MOOD_UNSPECIFIED\",\"manyInt32\":[],"));
    assert_non_null(strstr(empty, "\"byString\":{},"));
    assert_null(strstr(empty, "chosen"));
    assert_null(strstr(empty, "aMessage"));
}

static void what_is_written_stands_behind_the_headroom(void **state) {
    (void)state;
    struct bytes json;
    ProtobufCMessage *message = unpack(EVERYTHING, "{\"aInt32\":12}");
    assert_int_equal(protojson_pack(message, &options, 5, &arena, &json), STATUS_OK);
    assert_true(bytes_is_text(bytes_of(json.data + 5, json.len - 5), "{\"aInt32\":12}"));
}

static void a_whole_text_can_be_a_value_of_a_type_with_a_json_of_its_own(void **state) {
    (void)state;
    assert_string_equal(pack(unpack(&google__protobuf__timestamp__descriptor, "\"2026-11-26T07:00:00Z\"")),
                        "\"2026-11-26T07:00:00Z\"");
    assert_string_equal(pack(unpack(&google__protobuf__value__descriptor, " null ")), "null");
    assert_string_equal(pack(unpack(&google__protobuf__value__descriptor, "[1,{}]")), "[1,{}]");
    assert_string_equal(pack(unpack(&google__protobuf__string_value__descriptor, "\"a\"")), "\"a\"");
    assert_refused(&google__protobuf__duration__descriptor, "7", STATUS_MALFORMED,
                   "7 is not a duration; type seconds like 90s or 1.5s");
}

// ---- limits ----

// `before` and `after` `count` times each around `middle`.
static const char *nest(const char *before, const char *middle, const char *after, size_t count) {
    struct buffer buffer = {0};
    for (size_t i = 0; i < count; i++)
        buffer_append_text(&buffer, before);
    buffer_append_text(&buffer, middle);
    for (size_t i = 0; i < count; i++)
        buffer_append_text(&buffer, after);
    const char *text = arena_copy_bytes(&arena, buffer_get_bytes(&buffer));
    buffer_fini(&buffer);
    return text;
}

static void messages_nest_as_deeply_as_on_the_wire(void **state) {
    (void)state;
    const char *deepest = nest("{\"aMessage\":", "{}", "}", SCAN_DEPTH_MAX - 1);
    assert_string_equal(convert(bytes_of_text(deepest)), deepest);
    assert_refused(EVERYTHING, nest("{\"aMessage\":", "{}", "}", SCAN_DEPTH_MAX), STATUS_TOO_LARGE,
                   "the message is nested too deeply");
    assert_refused(&google__protobuf__any__descriptor,
                   nest("{\"@type\":\"/latchkey.test.v1.Everything\",\"aAny\":", "{}", "}", SCAN_DEPTH_MAX),
                   STATUS_TOO_LARGE, "the message is nested too deeply");
    // Each level is a Value, its Struct and the pair in that.
    assert_refused(&google__protobuf__value__descriptor, nest("{\"a\":", "1", "}", SCAN_DEPTH_MAX / 3 + 1),
                   STATUS_TOO_LARGE, "the message is nested too deeply");
}

static void texts_nest_less_deeply_than_the_stack_allows(void **state) {
    (void)state;
    options.ignore_unknown = true;
    (void)unpack(EVERYTHING, nest("{\"x\":", "1", "}", PROTOJSON_TEXT_DEPTH_MAX));
    assert_refused(EVERYTHING, nest("{\"x\":", "1", "}", PROTOJSON_TEXT_DEPTH_MAX + 1), STATUS_TOO_LARGE,
                   "it is nested too deeply");
    assert_refused(EVERYTHING, nest("[", "", "", 1000000), STATUS_TOO_LARGE, "it is nested too deeply");
}

static void a_text_has_a_limit_of_values(void **state) {
    (void)state;
    // The object and the list count, and the commas.
    const char *fits =
        nest("", nest("{\"manyInt32\":[0", nest(",0", "", "", PROTOJSON_VALUES_MAX - 2), "", 1), "]}", 1);
    assert_int_equal(field_get_count(unpack(EVERYTHING, fits), "many_int32"), PROTOJSON_VALUES_MAX - 1);
    assert_refused(
        EVERYTHING,
        nest("", nest("{\"manyInt32\":[0", nest(",0", "", "", PROTOJSON_VALUES_MAX - 1), "", 1), "]}", 1),
        STATUS_TOO_LARGE, "it has too many values");
}

static void a_message_has_the_limit_of_fields_that_the_wire_has(void **state) {
    (void)state;
    const char *paths =
        nest("", nest("{\"aMask\":\"a", nest(",a", "", "", SCAN_FIELDS_MAX), "", 1), "\"}", 1);
    assert_refused(EVERYTHING, paths, STATUS_TOO_LARGE, "the message has too many fields");
}

static void memory_has_the_limit_of_the_arena(void **state) {
    (void)state;
    struct arena small;
    ProtobufCMessage *message;
    const char *sentence,
        *text = nest("", nest("{\"manyInt32\":[0", nest(",0", "", "", 10000), "", 1), "]}", 1);
    arena_init(&small, 30000);
    assert_int_equal(protojson_unpack(EVERYTHING, bytes_of_text(text), &options, &small, &message, &sentence),
                     STATUS_TOO_LARGE);
    assert_string_equal(sentence, "the message needs more memory than a request may take");
    arena_fini(&small);
}

// ---- messages without a JSON ----

static void times_out_of_their_range_have_no_json(void **state) {
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } bad[] = {{INT64_C(253402300800), 0},
               {INT64_C(-62135596801), 0},
               {0, -1},
               {0, 1000000000},
               {INT64_MIN, 0}},
      bad_spans[] = {
          {INT64_C(315576000001), 0}, {INT64_MIN, 0}, {1, -1}, {-1, 1}, {0, 1000000000}, {0, INT32_MIN}};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        time.seconds = bad[i].seconds;
        time.nanos = bad[i].nanos;
        assert_without_json(&time.base);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad_spans); i++) {
        Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
        duration.seconds = bad_spans[i].seconds;
        duration.nanos = bad_spans[i].nanos;
        assert_without_json(&duration.base);
    }
}

static void paths_that_would_come_back_as_others_have_no_json(void **state) {
    (void)state;
    static const char *const bad[] = {"fooBar", "foo_3_bar", "foo__bar", "foo_", "_",  "",     "a,b",
                                      "a\"b",   "a b",       "8a",       "a.",   ".a", "a..b", "a.8"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
        char *path = (char *)bad[i];
        mask.paths = &path;
        mask.n_paths = 1;
        assert_without_json(&mask.base);
    }
}

static void an_any_that_cannot_be_read_has_no_json(void **state) {
    (void)state;
    static const struct {
        const char *url;
        struct bytes value;
    } bad[] = {{"/latchkey.test.v1.None", BYTES_EMPTY},
               {"latchkey.test.v1.Everything", BYTES_EMPTY},
               {"/latchkey.test.v1.Everything", BYTES_LITERAL("\x08")},
               {"", BYTES_LITERAL("\x08\x01")}};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
        any.type_url = (char *)bad[i].url;
        any.value = (ProtobufCBinaryData){bad[i].value.len, (uint8_t *)bad[i].value.data};
        assert_without_json(&any.base);
    }
}

static void any_within_any_has_a_limit(void **state) {
    (void)state;
    struct bytes inner = BYTES_EMPTY;
    for (size_t depth = 1; depth <= 1000; depth++) {
        Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
        any.type_url = (char *)"/google.protobuf.Any";
        any.value = (ProtobufCBinaryData){inner.len, (uint8_t *)inner.data};
        inner = message_pack(&any.base, 0, &arena);
        if (depth == 1000)
            assert_without_json(&any.base);
    }
}

static void values_that_json_has_not_are_refused(void **state) {
    (void)state;
    Google__Protobuf__Value value = GOOGLE__PROTOBUF__VALUE__INIT;
    assert_without_json(&value.base);
    value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    value.number_value = __builtin_nan("");
    assert_without_json(&value.base);
    value.number_value = __builtin_inf();
    assert_without_json(&value.base);
    Google__Protobuf__StringValue text = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    text.value = (char *)"\xff";
    assert_without_json(&text.base);
}

// ---- memory ----

static const char rich[] =
    "{\"aInt32\":1,\"aString\":\"text that is longer than the library's first buffer\",\"aBytes\":\"AAAA\","
    "\"manyInt32\":[1,2,3],\"byString\":{\"a\":\"b\"},\"messages\":{\"m\":{\"aDouble\":1.5}},\"aTime\":"
    "\"2026-11-26T07:00:00Z\",\"aMask\":\"a,bC\",\"aAny\":{\"@type\":\"/latchkey.test.v1.Everything\","
    "\"aValue\":{\"k\":[1]}}}";

static bool convert_rich(void *context) {
    struct arena own;
    ProtobufCMessage *message;
    const char *sentence = NULL;
    struct bytes json;
    arena_init(&own, 0);
    enum status status =
        protojson_unpack(EVERYTHING, bytes_of_text(rich), &options, &own, &message, &sentence);
    bool is_told = status == STATUS_OK || (status == STATUS_TOO_LARGE && sentence);
    if (status == STATUS_OK)
        status = protojson_pack(message, &options, 0, &own, &json);
    bool is_right = status != STATUS_OK || bytes_is_equal(json, *(const struct bytes *)context);
    arena_fini(&own);
    return status == STATUS_OK || !is_told || !is_right;
}

static void running_out_of_memory_is_told_and_loses_no_text(void **state) {
    (void)state;
    struct bytes expected = bytes_of_text(pack(unpack(EVERYTHING, rich)));
    assert_true(allocation_failure_try_each(convert_rich, &expected) > 50);
}

static bool refuse_without_memory(void *context) {
    struct arena own;
    ProtobufCMessage *message;
    const char *sentence = NULL;
    arena_init(&own, 0);
    enum status status = protojson_unpack(EVERYTHING, bytes_of_text("{\"aMessage\":{\"aTime\":\"x\"}}"),
                                          &options, &own, &message, &sentence);
    bool is_whole = sentence && strcmp(sentence, context) == 0;
    arena_fini(&own);
    return status == STATUS_MALFORMED && is_whole;
}

static void a_refusal_without_memory_still_says_something(void **state) {
    (void)state;
    static char sentence[] = "aMessage.aTime: \"x\" is not a time; type one like 2026-11-26T07:00:00Z";
    assert_true(allocation_failure_try_each(refuse_without_memory, sentence) > 5);
}

static bool make_types_without_memory(void *context) {
    struct protojson_types *made;
    static const ProtobufCMessageDescriptor *const roots[] = {EVERYTHING};
    (void)context;
    if (protojson_types_new(roots, 1, &made) != STATUS_OK)
        return false;
    protojson_types_free(made);
    return true;
}

static void types_are_whole_or_not_made(void **state) {
    (void)state;
    (void)allocation_failure_try_each(make_types_without_memory, NULL);
    struct protojson_types *none;
    assert_int_equal(protojson_types_new(NULL, 0, &none), STATUS_OK);
    options.types = none;
    assert_refused(EVERYTHING, "{\"aAny\":{\"@type\":\"/google.protobuf.Any\"}}", STATUS_MALFORMED,
                   "aAny: the type \"/google.protobuf.Any\" is not known");
    protojson_types_free(none);
    protojson_types_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(every_vector_becomes_what_it_says),
        CASE(what_is_written_is_read_back_and_written_the_same),
        CASE(a_text_that_is_cut_off_anywhere_is_refused),
        CASE(unknown_names_are_passed_over_where_that_is_wanted),
        CASE(names_integers_and_empty_fields_can_be_as_programs_want_them),
        CASE(what_is_written_stands_behind_the_headroom),
        CASE(a_whole_text_can_be_a_value_of_a_type_with_a_json_of_its_own),
        CASE(messages_nest_as_deeply_as_on_the_wire),
        CASE(texts_nest_less_deeply_than_the_stack_allows),
        CASE(a_text_has_a_limit_of_values),
        CASE(a_message_has_the_limit_of_fields_that_the_wire_has),
        CASE(memory_has_the_limit_of_the_arena),
        CASE(times_out_of_their_range_have_no_json),
        CASE(paths_that_would_come_back_as_others_have_no_json),
        CASE(an_any_that_cannot_be_read_has_no_json),
        CASE(any_within_any_has_a_limit),
        CASE(values_that_json_has_not_are_refused),
        CASE(running_out_of_memory_is_told_and_loses_no_text),
        CASE(a_refusal_without_memory_still_says_something),
        CASE(types_are_whole_or_not_made),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
