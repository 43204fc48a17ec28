// Messages as JSON: protobuf's mapping, with the contract's own names.
#include <string.h>

#include "common/protobuf/field.h"
#include "common/protobuf/json_heap.h"
#include "common/protobuf/message_json.h"
#include "google/rpc/status.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"
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

static ProtobufCMessage *make(const ProtobufCMessageDescriptor *type) {
    ProtobufCMessage *message = field_new_message(&arena, type);
    assert_non_null(message);
    return message;
}

// The value of `key` as compact JSON; "absent" if there is none.
static void assert_value(const ProtobufCMessage *message, const char *key, const char *expected) {
    json_t *json = message_json_new(message, &arena);
    assert_non_null(json);
    json_t *value = json_object_get(json, key);
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    assert_string_equal(text ? text : "absent", expected);
    json_heap_free(text);
    json_decref(json);
}

static void texts_numbers_and_enums_are_there_also_when_empty(void **state) {
    (void)state;
    ProtobufCMessage *token = make(&latchkey__v1__access_token__descriptor);
    assert_value(token, "label", "\"\"");
    assert_value(token, "permissions", "[]");
    assert_value(token, "metadata", "{}");
    assert_value(token, "state", "\"TOKEN_STATE_UNSPECIFIED\"");
    assert_int_equal(field_set_text(&arena, token, "label", "a \"b\" \\ \xc3\xbc"), STATUS_OK);
    assert_int_equal(field_set_enum_name(token, "state", "TOKEN_STATE_ACTIVE"), STATUS_OK);
    assert_value(token, "label", "\"a \\\"b\\\" \\\\ \xc3\xbc\"");
    assert_value(token, "state", "\"TOKEN_STATE_ACTIVE\"");
    ProtobufCMessage *whitelist = make(&latchkey__v1__whitelist__descriptor);
    assert_value(whitelist, "enabled", "false");
    assert_int_equal(field_set_integer(whitelist, "enabled", true), STATUS_OK);
    assert_int_equal(field_set_integer(whitelist, "entry_count", INT64_MAX), STATUS_OK);
    assert_value(whitelist, "enabled", "true");
    assert_value(whitelist, "entry_count", "9223372036854775807");
}

static void unset_messages_and_oneofs_are_left_out(void **state) {
    (void)state;
    ProtobufCMessage *token = make(&latchkey__v1__access_token__descriptor);
    assert_value(token, "expires_at", "absent");
    ProtobufCMessage *entry = make(&latchkey__v1__whitelist_entry__descriptor);
    assert_value(entry, "checking_bits", "absent");
    assert_int_equal(field_set_integer(entry, "checking_bits", 0), STATUS_OK);
    assert_value(entry, "checking_bits", "0");
}

static void times_are_rfc_3339_and_durations_seconds(void **state) {
    (void)state;
    ProtobufCMessage *token = make(&latchkey__v1__access_token__descriptor);
    assert_int_equal(field_set_time_ms(&arena, token, "expires_at", INT64_C(1801418400125)), STATUS_OK);
    assert_value(token, "expires_at", "\"2027-01-31T18:00:00.125Z\"");
    ProtobufCMessage *request = make(&latchkey__v1__create_access_token_request__descriptor);
    assert_int_equal(field_set_duration_ms(&arena, request, "expire_in", 90000), STATUS_OK);
    assert_value(request, "expire_in", "\"90s\"");
    assert_int_equal(field_set_duration_ms(&arena, request, "expire_in", 1500), STATUS_OK);
    assert_value(request, "expire_in", "\"1.500s\"");
}

static void lists_maps_messages_and_bytes_nest(void **state) {
    (void)state;
    static const char *const permissions[] = {"a.b", "c.d"}, *const channels[] = {"CHANNEL_API",
                                                                                  "CHANNEL_UI"};
    ProtobufCMessage *token = make(&latchkey__v1__access_token__descriptor), **pairs, **secrets;
    assert_int_equal(field_set_texts(&arena, token, "permissions", permissions, 2), STATUS_OK);
    assert_int_equal(field_set_enum_names(&arena, token, "channels", channels, 2), STATUS_OK);
    assert_int_equal(field_set_messages(&arena, token, "metadata", 1, &pairs), STATUS_OK);
    assert_int_equal(field_set_text(&arena, pairs[0], "key", "team"), STATUS_OK);
    assert_int_equal(field_set_text(&arena, pairs[0], "value", "tills"), STATUS_OK);
    assert_int_equal(field_set_messages(&arena, token, "secrets", 1, &secrets), STATUS_OK);
    assert_int_equal(field_set_text(&arena, secrets[0], "hint", "lka_"), STATUS_OK);
    assert_value(token, "permissions", "[\"a.b\",\"c.d\"]");
    assert_value(token, "channels", "[\"CHANNEL_API\",\"CHANNEL_UI\"]");
    assert_value(token, "metadata", "{\"team\":\"tills\"}");
    assert_value(token, "secrets", "[{\"hint\":\"lka_\",\"last_used_ip\":\"\"}]");
    ProtobufCMessage *imported = make(&latchkey__v1__imported_access_token__descriptor);
    assert_int_equal(field_set_bytes(&arena, imported, "secret_sha256", BYTES_LITERAL("\xff\x00\x10")),
                     STATUS_OK);
    assert_value(imported, "secret_sha256", "\"/wAQ\"");
}

// Whose type this program may not know.
static void what_an_any_holds_is_not_looked_at(void **state) {
    (void)state;
    ProtobufCMessage *status = make(&google__rpc__status__descriptor), **details;
    assert_int_equal(field_set_messages(&arena, status, "details", 1, &details), STATUS_OK);
    assert_int_equal(field_set_text(&arena, details[0], "type_url", "none/at.All"), STATUS_OK);
    assert_int_equal(field_set_bytes(&arena, details[0], "value", BYTES_LITERAL("\xff")), STATUS_OK);
    assert_value(status, "details", "[{\"type_url\":\"none/at.All\",\"value\":\"/w==\"}]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(texts_numbers_and_enums_are_there_also_when_empty),
        CASE(unset_messages_and_oneofs_are_left_out),
        CASE(times_are_rfc_3339_and_durations_seconds),
        CASE(lists_maps_messages_and_bytes_nest),
        CASE(what_an_any_holds_is_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
