// Fields by name, held against the generated types: what is written by name is read back from the C struct,
// over the wire, and by name again.
#include <string.h>

#include "common/base/clock.h"
#include "common/protobuf/field.h"
#include "common/protobuf/message.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

// Through the wire and back.
static ProtobufCMessage *round_trip(const ProtobufCMessage *message) {
    struct bytes packed = message_pack(message, 0, &arena);
    ProtobufCMessage *unpacked;
    const char *why;
    assert_non_null(packed.data);
    assert_int_equal(message_unpack(message->descriptor, packed, &arena, &unpacked, &why), STATUS_OK);
    return unpacked;
}

static void a_text_is_set_and_read_by_name(void **state) {
    (void)state;
    ProtobufCMessage *request =
        field_new_message(&arena, &latchkey__v1__create_access_token_request__descriptor);
    assert_int_equal(field_set_text(&arena, request, "label", "till 7"), STATUS_OK);
    assert_string_equal(((Latchkey__V1__CreateAccessTokenRequest *)request)->label, "till 7");
    assert_string_equal(field_get_text(round_trip(request), "label"), "till 7");
    assert_string_equal(field_get_text(request, "external_id"), "");
}

static void a_copy_is_kept_and_not_the_callers_memory(void **state) {
    (void)state;
    char text[] = "till 7";
    const char *list[] = {text};
    ProtobufCMessage *request =
        field_new_message(&arena, &latchkey__v1__create_access_token_request__descriptor);
    assert_int_equal(field_set_text(&arena, request, "label", text), STATUS_OK);
    assert_int_equal(field_set_texts(&arena, request, "permissions", list, 1), STATUS_OK);
    memset(text, 'x', sizeof(text) - 1);
    list[0] = NULL;
    assert_string_equal(field_get_text(request, "label"), "till 7");
    assert_string_equal(field_get_text_at(request, "permissions", 0), "till 7");
}

static void a_field_that_the_type_lacks_reads_as_unset_and_can_not_be_set(void **state) {
    (void)state;
    const ProtobufCMessageDescriptor *type = &latchkey__v1__get_caller_request__descriptor;
    ProtobufCMessage *request = field_new_message(&arena, type), *made = NULL, **list = NULL;
    assert_false(field_exists(type, "request_id"));
    assert_false(field_is_set(request, "request_id"));
    assert_string_equal(field_get_text(request, "request_id"), "");
    assert_int_equal(field_get_integer(request, "count"), 0);
    assert_string_equal(field_get_enum_name(request, "state"), "");
    assert_int_equal(field_get_bytes(request, "data").len, 0);
    assert_null(field_find_message(request, "wait_for_validators"));
    assert_int_equal(field_get_duration_ms(request, "wait_for_validators"), 0);
    assert_true(field_get_time_ms(request, "expires_at", CLOCK_NEVER_MS) == CLOCK_NEVER_MS);
    assert_int_equal(field_get_count(request, "permissions"), 0);
    assert_int_equal(field_set_text(&arena, request, "revision", "x"), STATUS_NOT_FOUND);
    assert_int_equal(field_set_integer(request, "live", 1), STATUS_NOT_FOUND);
    assert_int_equal(field_set_bytes(&arena, request, "data", BYTES_EMPTY), STATUS_NOT_FOUND);
    assert_int_equal(field_set_enum_name(request, "state", "X"), STATUS_NOT_FOUND);
    assert_int_equal(field_set_time_ms(&arena, request, "at", 0), STATUS_NOT_FOUND);
    assert_int_equal(field_set_message(&arena, request, "validators", &made), STATUS_NOT_FOUND);
    assert_int_equal(field_set_texts(&arena, request, "lagging", NULL, 0), STATUS_NOT_FOUND);
    assert_int_equal(field_set_bytes_list(&arena, request, "files", NULL, 0), STATUS_NOT_FOUND);
    assert_int_equal(field_set_enum_names(&arena, request, "channels", NULL, 0), STATUS_NOT_FOUND);
    assert_int_equal(field_set_messages(&arena, request, "entries", 1, &list), STATUS_NOT_FOUND);
    assert_null(made);
    assert_null(list);
}

static void every_integer_type_keeps_its_extremes(void **state) {
    (void)state;
    static const struct {
        const ProtobufCMessageDescriptor *type;
        int64_t value;
    } cases[] = {
        {&google__protobuf__int32_value__descriptor, INT32_MIN},
        {&google__protobuf__int32_value__descriptor, INT32_MAX},
        {&google__protobuf__uint32_value__descriptor, UINT32_MAX},
        {&google__protobuf__int64_value__descriptor, INT64_MIN},
        {&google__protobuf__int64_value__descriptor, INT64_MAX},
        {&google__protobuf__uint64_value__descriptor, INT64_MAX},
        {&google__protobuf__bool_value__descriptor, 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        ProtobufCMessage *message = field_new_message(&arena, cases[i].type);
        assert_false(field_is_set(message, "value"));
        assert_int_equal(field_set_integer(message, "value", cases[i].value), STATUS_OK);
        assert_true(field_get_integer(round_trip(message), "value") == cases[i].value);
        assert_true(field_is_set(message, "value"));
    }
}

static void enums_go_by_their_names(void **state) {
    (void)state;
    ProtobufCMessage *token = field_new_message(&arena, &latchkey__v1__access_token__descriptor);
    assert_string_equal(field_get_enum_name(token, "state"), "TOKEN_STATE_UNSPECIFIED");
    assert_int_equal(field_set_enum_name(token, "state", "TOKEN_STATE_EXPIRED"), STATUS_OK);
    assert_string_equal(field_get_enum_name(round_trip(token), "state"), "TOKEN_STATE_EXPIRED");
    assert_int_equal(field_set_enum_name(token, "state", "EXPIRED"), STATUS_INVALID);
    assert_string_equal(field_get_enum_name(token, "state"), "TOKEN_STATE_EXPIRED");
    // One that a newer peer may know.
    assert_int_equal(field_set_integer(token, "state", 4711), STATUS_OK);
    assert_string_equal(field_get_enum_name(round_trip(token), "state"), "");
}

static void lists_of_enums_are_all_known_or_not_set(void **state) {
    (void)state;
    static const char *const good[] = {"CHANNEL_API", "CHANNEL_UI"}, *const bad[] = {"CHANNEL_API", "API"};
    ProtobufCMessage *token = field_new_message(&arena, &latchkey__v1__access_token__descriptor);
    assert_int_equal(field_set_enum_names(&arena, token, "channels", bad, 2), STATUS_INVALID);
    assert_int_equal(field_get_count(token, "channels"), 0);
    assert_int_equal(field_set_enum_names(&arena, token, "channels", good, 2), STATUS_OK);
    const ProtobufCMessage *read = round_trip(token);
    assert_int_equal(field_get_count(read, "channels"), 2);
    assert_string_equal(field_get_enum_name_at(read, "channels", 1), "CHANNEL_UI");
}

static void a_list_of_messages_is_filled_in_place(void **state) {
    (void)state;
    ProtobufCMessage *request =
        field_new_message(&arena, &latchkey__v1__add_whitelist_entries_request__descriptor);
    ProtobufCMessage **entries;
    assert_int_equal(field_set_messages(&arena, request, "entries", 3, &entries), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(field_set_text(&arena, entries[i], "note", i == 1 ? "the office" : ""), STATUS_OK);
    const ProtobufCMessage *read = round_trip(request);
    assert_int_equal(field_get_count(read, "entries"), 3);
    assert_string_equal(field_get_text(field_get_message_at(read, "entries", 1), "note"), "the office");
    assert_int_equal(field_set_messages(&arena, request, "entries", 0, &entries), STATUS_OK);
    assert_int_equal(field_get_count(round_trip(request), "entries"), 0);
}

static void bytes_may_hold_anything(void **state) {
    (void)state;
    const struct bytes any = BYTES_LITERAL("a\0\xff");
    ProtobufCMessage *message = field_new_message(&arena, &google__protobuf__bytes_value__descriptor);
    assert_int_equal(field_set_bytes(&arena, message, "value", any), STATUS_OK);
    assert_true(bytes_is_equal(field_get_bytes(round_trip(message), "value"), any));
    ProtobufCMessage *files =
        field_new_message(&arena, &grpc__reflection__v1__file_descriptor_response__descriptor);
    const struct bytes list[] = {any, BYTES_EMPTY};
    assert_int_equal(field_set_bytes_list(&arena, files, "file_descriptor_proto", list, 2), STATUS_OK);
    const Grpc__Reflection__V1__FileDescriptorResponse *read =
        (const Grpc__Reflection__V1__FileDescriptorResponse *)round_trip(files);
    assert_int_equal(read->n_file_descriptor_proto, 2);
    assert_int_equal(read->file_descriptor_proto[0].len, 3);
    assert_int_equal(read->file_descriptor_proto[1].len, 0);
}

static void setting_a_member_of_a_oneof_unsets_the_others(void **state) {
    (void)state;
    ProtobufCMessage *question =
        field_new_message(&arena, &grpc__reflection__v1__server_reflection_request__descriptor);
    assert_false(field_is_set(question, "list_services"));
    // Empty and set: what only a oneof can say.
    assert_int_equal(field_set_text(&arena, question, "list_services", ""), STATUS_OK);
    assert_true(field_is_set(round_trip(question), "list_services"));
    assert_int_equal(field_set_text(&arena, question, "file_by_filename", "a.proto"), STATUS_OK);
    assert_false(field_is_set(question, "list_services"));
    assert_string_equal(field_get_text(question, "list_services"), "");
    assert_string_equal(field_get_text(round_trip(question), "file_by_filename"), "a.proto");
    ProtobufCMessage *extension;
    assert_int_equal(field_set_message(&arena, question, "file_containing_extension", &extension), STATUS_OK);
    assert_string_equal(field_get_text(question, "file_by_filename"), "");
    assert_ptr_equal(field_find_message(question, "file_containing_extension"), extension);
}

static void times_are_rounded_down_to_the_millisecond(void **state) {
    (void)state;
    static const int64_t exact[] = {0, 1, 999, 1000, -1, -999, -1000, -1001, 1700000000123, -62135596800000};
    ProtobufCMessage *token = field_new_message(&arena, &latchkey__v1__access_token__descriptor);
    for (size_t i = 0; i < ARRAY_LENGTH(exact); i++) {
        assert_int_equal(field_set_time_ms(&arena, token, "expires_at", exact[i]), STATUS_OK);
        const Latchkey__V1__AccessToken *typed = (const Latchkey__V1__AccessToken *)token;
        assert_in_range(typed->expires_at->nanos, 0, 999999999);
        assert_true(field_get_time_ms(round_trip(token), "expires_at", 7) == exact[i]);
    }
    ProtobufCMessage *time;
    assert_int_equal(field_set_message(&arena, token, "expires_at", &time), STATUS_OK);
    assert_int_equal(field_set_integer(time, "nanos", 1999999), STATUS_OK);
    assert_int_equal(field_get_time_ms(token, "expires_at", 7), 1);
    assert_int_equal(field_get_time_ms(token, "not_before", 7), 7);
}

static void times_from_outside_are_held_within_64_bits(void **state) {
    (void)state;
    ProtobufCMessage *token = field_new_message(&arena, &latchkey__v1__access_token__descriptor), *time;
    assert_int_equal(field_set_message(&arena, token, "expires_at", &time), STATUS_OK);
    assert_int_equal(field_set_integer(time, "seconds", INT64_MAX), STATUS_OK);
    assert_true(field_get_time_ms(token, "expires_at", 0) == INT64_MAX);
    assert_int_equal(field_set_integer(time, "seconds", INT64_MIN), STATUS_OK);
    assert_int_equal(field_set_integer(time, "nanos", INT32_MIN), STATUS_OK);
    assert_true(field_get_time_ms(token, "expires_at", 0) == INT64_MIN);
}

static void durations_have_the_sign_of_both_parts(void **state) {
    (void)state;
    static const int64_t exact[] = {0, 1, 5000, 5001, -1, -5001, 259200000};
    ProtobufCMessage *request =
        field_new_message(&arena, &latchkey__v1__create_access_token_request__descriptor);
    for (size_t i = 0; i < ARRAY_LENGTH(exact); i++) {
        assert_int_equal(field_set_duration_ms(&arena, request, "expire_in", exact[i]), STATUS_OK);
        assert_true(field_get_duration_ms(round_trip(request), "expire_in") == exact[i]);
    }
}

static bool build_a_request(void *context) {
    (void)context;
    static const char *const permissions[] = {"charges.create", "charges.read"};
    struct arena own;
    arena_init(&own, 0);
    bool built = false;
    ProtobufCMessage *request =
        field_new_message(&own, &latchkey__v1__create_access_token_request__descriptor);
    if (request)
        built = field_set_text(&own, request, "label", "till 7") == STATUS_OK &&
                field_set_texts(&own, request, "permissions", permissions, 2) == STATUS_OK &&
                field_set_duration_ms(&own, request, "expire_in", 1000) == STATUS_OK;
    if (request && !built)
        assert_non_null(message_pack(request, 0, &arena).data);
    arena_fini(&own);
    return built;
}

static void a_failed_allocation_leaves_a_message_that_packs(void **state) {
    (void)state;
    allocation_failure_try_each(build_a_request, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_set_and_read_by_name),
        cmocka_unit_test(a_copy_is_kept_and_not_the_callers_memory),
        cmocka_unit_test(a_field_that_the_type_lacks_reads_as_unset_and_can_not_be_set),
        cmocka_unit_test(every_integer_type_keeps_its_extremes),
        cmocka_unit_test(enums_go_by_their_names),
        cmocka_unit_test(lists_of_enums_are_all_known_or_not_set),
        cmocka_unit_test(a_list_of_messages_is_filled_in_place),
        cmocka_unit_test(bytes_may_hold_anything),
        cmocka_unit_test(setting_a_member_of_a_oneof_unsets_the_others),
        cmocka_unit_test(times_are_rounded_down_to_the_millisecond),
        cmocka_unit_test(times_from_outside_are_held_within_64_bits),
        cmocka_unit_test(durations_have_the_sign_of_both_parts),
        cmocka_unit_test(a_failed_allocation_leaves_a_message_that_packs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
