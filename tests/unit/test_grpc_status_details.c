// A fault as its client sees it: read back with protobuf-c, and small enough for every client.
#include <string.h>

#include "common/grpc/percent.h"
#include "common/grpc/status_details.h"
#include "common/protobuf/base64.h"
#include "common/protobuf/message.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct fault fault;
static struct status_details details;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const Google__Rpc__Status *read_back(void) {
    struct bytes packed;
    ProtobufCMessage *message;
    const char *text;
    assert_int_equal(base64_decode(&arena, details.details, &packed), STATUS_OK);
    assert_int_equal(message_unpack(&google__rpc__status__descriptor, packed, &arena, &message, &text),
                     STATUS_OK);
    return (const Google__Rpc__Status *)message;
}

static const void *find_detail(const Google__Rpc__Status *status, const ProtobufCMessageDescriptor *type) {
    char *url = arena_format(&arena, "type.googleapis.com/%s", type->name);
    const void *found = NULL;
    for (size_t i = 0; i < status->n_details; i++) {
        const Google__Protobuf__Any *any = status->details[i];
        ProtobufCMessage *message;
        const char *text;
        if (strcmp(any->type_url, url) != 0)
            continue;
        assert_null(found); // each kind at most once
        assert_int_equal(
            message_unpack(type, bytes_of(any->value.data, any->value.len), &arena, &message, &text),
            STATUS_OK);
        found = message;
    }
    return found;
}

static void no_fault_and_an_empty_one_are_ok_without_details(void **state) {
    (void)state;
    status_details_encode(NULL, &arena, &details);
    assert_int_equal(details.code, GRPC_CODE_OK);
    status_details_encode(&fault, &arena, &details);
    assert_int_equal(details.code, GRPC_CODE_OK);
    assert_int_equal(details.details.len, 0);
    assert_int_equal(details.message.len, 0);
}

static void reason_domain_and_details_are_in_the_error_info(void **state) {
    (void)state;
    fault_set(&fault, STATUS_NOT_FOUND, "TOKEN_NOT_FOUND", "no such token: 100%%");
    fault_add_detail(&fault, "tokenId", "tok_1");
    fault_add_detail(&fault, "companyId", "cmp_1");
    status_details_encode(&fault, &arena, &details);
    assert_int_equal(details.code, GRPC_CODE_NOT_FOUND);
    assert_true(bytes_is_text(details.message, "no such token: 100%25"));
    const Google__Rpc__Status *status = read_back();
    assert_int_equal(status->code, GRPC_CODE_NOT_FOUND);
    assert_string_equal(status->message, "no such token: 100%");
    const Google__Rpc__ErrorInfo *info = find_detail(status, &google__rpc__error_info__descriptor);
    assert_string_equal(info->reason, "TOKEN_NOT_FOUND");
    assert_string_equal(info->domain, "latchkey.dev");
    assert_int_equal(info->n_metadata, 2);
    assert_string_equal(info->metadata[1]->key, "companyId");
    assert_string_equal(info->metadata[1]->value, "cmp_1");
    assert_null(find_detail(status, &google__rpc__bad_request__descriptor));
    assert_null(find_detail(status, &google__rpc__retry_info__descriptor));
}

static void every_bad_field_is_named(void **state) {
    (void)state;
    fault_add_field(&fault, "label", "type a label");
    fault_add_field(&fault, "allowed_ips[3]", "type an address");
    status_details_encode(&fault, &arena, &details);
    assert_int_equal(details.code, GRPC_CODE_INVALID_ARGUMENT);
    const Google__Rpc__BadRequest *bad = find_detail(read_back(), &google__rpc__bad_request__descriptor);
    assert_int_equal(bad->n_field_violations, 2);
    assert_string_equal(bad->field_violations[1]->field, "allowed_ips[3]");
    assert_string_equal(bad->field_violations[1]->description, "type an address");
}

static void the_message_tells_the_first_bad_field_and_how_many_more(void **state) {
    (void)state;
    fault_add_field(&fault, "label", "type a label");
    status_details_encode(&fault, &arena, &details);
    assert_true(bytes_is_text(details.message, "label: type a label"));
    fault_add_field(&fault, "note", "type less");
    status_details_encode(&fault, &arena, &details);
    assert_true(bytes_is_text(details.message, "label: type a label (and 1 more bad field)"));
    for (unsigned i = 0; i < 9998; i++)
        fault_add_field(&fault, "entries", "type an address");
    status_details_encode(&fault, &arena, &details);
    assert_true(bytes_is_text(details.message, "label: type a label (and 9999 more bad fields)"));
    assert_string_equal(read_back()->message, "label: type a label (and 9999 more bad fields)");
}

static void a_retry_delay_is_in_the_retry_info(void **state) {
    (void)state;
    fault_set(&fault, STATUS_UNAVAILABLE, "OVERLOADED", "try again");
    fault_set_retry_after_ms(&fault, 2500);
    status_details_encode(&fault, &arena, &details);
    assert_true(details.has_retry);
    assert_int_equal(details.retry_after_ms, 2500);
    const Google__Rpc__RetryInfo *retry = find_detail(read_back(), &google__rpc__retry_info__descriptor);
    assert_int_equal(retry->retry_delay->seconds, 2);
    assert_int_equal(retry->retry_delay->nanos, 500000000);
}

static void many_fields_are_cut_to_what_clients_accept(void **state) {
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        fault_add_field(&fault, fault_path(&fault, "entries[%u].address", i), "%0200d", (int)i);
    status_details_encode(&fault, &arena, &details);
    assert_in_range(details.details.len, 1, STATUS_DETAILS_BYTES_MAX);
    const Google__Rpc__BadRequest *bad = find_detail(read_back(), &google__rpc__bad_request__descriptor);
    assert_true(bad->n_field_violations >= 10);
    assert_string_equal(bad->field_violations[0]->field, "entries[0].address");
}

static void a_long_message_is_cut_between_characters(void **state) {
    (void)state;
    char text[3001];
    for (size_t i = 0; i < 3000; i += 3)
        memcpy(text + i, "☺", 3);
    text[3000] = '\0';
    fault_set(&fault, STATUS_INTERNAL, "INTERNAL", "%s", text);
    status_details_encode(&fault, &arena, &details);
    struct bytes message = percent_decode(&arena, details.message);
    assert_int_equal(message.len, 1023);
    assert_true(bytes_is_utf8(message));
}

static void without_memory_the_code_is_still_told(void **state) {
    (void)state;
    fault_set(&fault, STATUS_PERMISSION_DENIED, "PERMISSION_MISSING", "not allowed");
    for (size_t limit = 16; limit < 2048; limit += 16) {
        struct arena small;
        arena_init(&small, limit);
        status_details_encode(&fault, &small, &details);
        assert_int_equal(details.code, GRPC_CODE_PERMISSION_DENIED);
        arena_fini(&small);
    }
}

static void the_text_of_a_status_outlives_it(void **state) {
    (void)state;
    char text[] = "said by somebody else";
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.code = GRPC_CODE_DATA_LOSS;
    status.message = text;
    status_details_encode_message(&status.base, &arena, &details);
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(details.code, GRPC_CODE_DATA_LOSS);
    assert_true(bytes_is_text(details.text, "said by somebody else"));
    assert_true(bytes_is_text(details.message, "said by somebody else"));
    assert_string_equal(read_back()->message, "said by somebody else");
}

static void a_code_that_is_none_of_grpcs_is_unknown(void **state) {
    (void)state;
    const int32_t codes[] = {INT32_MIN, -1, 0, GRPC_CODE_COUNT, INT32_MAX};
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
        status.code = codes[i];
        status_details_encode_message(&status.base, &arena, &details);
        assert_int_equal(details.code, GRPC_CODE_UNKNOWN);
    }
}

static void every_status_has_a_code_and_only_ok_is_ok(void **state) {
    (void)state;
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        enum grpc_code code = grpc_code_from_status((enum status)i);
        assert_int_equal(code == GRPC_CODE_OK, i == STATUS_OK);
        assert_int_not_equal(code, GRPC_CODE_UNKNOWN);
    }
    assert_int_not_equal(grpc_code_from_status((enum status)9999), GRPC_CODE_OK);
}

static void every_code_has_a_status_and_only_0_is_ok(void **state) {
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(grpc_code_to_status(i) == STATUS_OK, i == 0);
    assert_string_equal(grpc_code_get_name(GRPC_CODE_UNAUTHENTICATED), "UNAUTHENTICATED");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(no_fault_and_an_empty_one_are_ok_without_details),
        TEST(reason_domain_and_details_are_in_the_error_info),
        TEST(every_bad_field_is_named),
        TEST(the_message_tells_the_first_bad_field_and_how_many_more),
        TEST(a_retry_delay_is_in_the_retry_info),
        TEST(many_fields_are_cut_to_what_clients_accept),
        TEST(a_long_message_is_cut_between_characters),
        TEST(without_memory_the_code_is_still_told),
        TEST(the_text_of_a_status_outlives_it),
        TEST(a_code_that_is_none_of_grpcs_is_unknown),
        TEST(every_status_has_a_code_and_only_ok_is_ok),
        TEST(every_code_has_a_status_and_only_0_is_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
