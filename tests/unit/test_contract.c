// The conventions that every method of latchkey.v1 keeps, read from its descriptors: what buf's lint can't
// know.
#include <stdbool.h>
#include <string.h>

#include "common/base/compiler.h"
#include "envoy/service/auth/v3/external_auth.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"
#include "latchkey/v1/audit.pb-c.h"
#include "latchkey/v1/company.pb-c.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "latchkey/v1/member.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/validation.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"
#include "tests/unit/unit.h"

// Ours first, then other people's protocols.
static const ProtobufCServiceDescriptor *const services[] = {
    &latchkey__v1__audit_service__descriptor,
    &latchkey__v1__company_service__descriptor,
    &latchkey__v1__invitation_service__descriptor,
    &latchkey__v1__member_service__descriptor,
    &latchkey__v1__token_service__descriptor,
    &latchkey__v1__validation_service__descriptor,
    &latchkey__v1__whitelist_service__descriptor,
    &envoy__service__auth__v3__authorization__descriptor,
    &grpc__health__v1__health__descriptor,
    &grpc__reflection__v1__server_reflection__descriptor,
    &grpc__reflection__v1alpha__server_reflection__descriptor,
};
enum { OUR_SERVICES = 7 };

typedef void check_method(const ProtobufCMethodDescriptor *method);

static void for_each_method(size_t service_count, check_method *check) {
    for (size_t i = 0; i < service_count; i++) {
        for (unsigned j = 0; j < services[i]->n_methods; j++) {
            check(&services[i]->methods[j]);
        }
    }
}

static bool begins_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// ReportLeakedToken says nothing about what it did, so it shares nothing with the other mutations.
static bool is_mutation(const ProtobufCMethodDescriptor *method) {
    static const char *const others[] = {"Get",    "List",    "Lookup",   "Check", "Preview",
                                         "Verify", "Explain", "Validate", "Watch", "ReportLeakedToken"};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        if (begins_with(method->name, others[i])) {
            return false;
        }
    }
    return true;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *message,
                                                  const char *name) {
    return protobuf_c_message_descriptor_get_field_by_name(message, name);
}

// `type` is the full name of a message, or NULL for a string.
static void expect_field(const ProtobufCMessageDescriptor *message, const char *name, unsigned number,
                         const char *type) {
    const ProtobufCFieldDescriptor *field = find_field(message, name);
    if (field == NULL) {
        fail_msg("%s has no field %s", message->name, name);
        return;
    }
    if (field->id != number) {
        fail_msg("%s.%s is number %u, not %u", message->name, name, field->id, number);
    }
    if (type == NULL) {
        assert_int_equal(field->type, PROTOBUF_C_TYPE_STRING);
        return;
    }
    assert_int_equal(field->type, PROTOBUF_C_TYPE_MESSAGE);
    const ProtobufCMessageDescriptor *held = field->descriptor;
    assert_string_equal(held->name, type);
}

static void check_mutation(const ProtobufCMethodDescriptor *method) {
    if (is_mutation(method)) {
        expect_field(method->input, "request_id", 14, NULL);
        expect_field(method->input, "wait_for_validators", 15, "google.protobuf.Duration");
        expect_field(method->output, "revision", 14, NULL);
        expect_field(method->output, "validators", 15, "latchkey.v1.Validators");
    }
}

static void every_mutation_can_be_repeated_and_waited_for(void **state) {
    (void)state;
    for_each_method(OUR_SERVICES, check_mutation);
}

static void check_read(const ProtobufCMethodDescriptor *method) {
    if (!is_mutation(method) && find_field(method->input, "request_id") != NULL) {
        fail_msg("%s changes nothing and has a request_id", method->name);
    }
}

static void no_read_asks_for_a_request_id(void **state) {
    (void)state;
    for_each_method(OUR_SERVICES, check_read);
}

static void check_secret(const ProtobufCMethodDescriptor *method) {
    bool shows_secret = find_field(method->output, "secret") != NULL;
    bool can_withhold = find_field(method->output, "secret_withheld") != NULL;
    if (shows_secret != can_withhold) {
        fail_msg("%s has one of secret and secret_withheld", method->output->name);
    }
}

static void every_answer_with_a_secret_can_withhold_it(void **state) {
    (void)state;
    for_each_method(OUR_SERVICES, check_secret);
}

static void check_list(const ProtobufCMethodDescriptor *method) {
    if (!begins_with(method->name, "List")) {
        return;
    }
    const ProtobufCFieldDescriptor *page_size = find_field(method->input, "page_size");
    assert_non_null(page_size);
    assert_int_equal(page_size->id, 1);
    assert_int_equal(page_size->type, PROTOBUF_C_TYPE_INT32);
    expect_field(method->input, "page_token", 2, NULL);
    expect_field(method->output, "next_page_token", 2, NULL);
    const ProtobufCFieldDescriptor *rows = protobuf_c_message_descriptor_get_field(method->output, 1);
    assert_non_null(rows);
    assert_int_equal(rows->label, PROTOBUF_C_LABEL_REPEATED);
}

static void every_list_comes_in_pages(void **state) {
    (void)state;
    for_each_method(OUR_SERVICES, check_list);
}

static void check_update(const ProtobufCMethodDescriptor *method) {
    if (begins_with(method->name, "Update")) {
        unsigned number = find_field(method->input, "draft_id") == NULL ? 2 : 3;
        expect_field(method->input, "update_mask", number, "google.protobuf.FieldMask");
    }
}

static void every_update_has_a_mask(void **state) {
    (void)state;
    for_each_method(OUR_SERVICES, check_update);
}

// `above` are the messages on the way down to this one.
enum { DEEPEST_MESSAGE = 16 };
static void expect_no_recursion(const ProtobufCMessageDescriptor *message,
                                const ProtobufCMessageDescriptor **above, size_t depth) {
    assert_true(depth < DEEPEST_MESSAGE);
    for (size_t i = 0; i < depth; i++) {
        if (above[i] == message) {
            fail_msg("%s holds itself", message->name);
        }
    }
    above[depth] = message;
    for (unsigned i = 0; i < message->n_fields; i++) {
        if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE) {
            expect_no_recursion(message->fields[i].descriptor, above, depth + 1);
        }
    }
}

// Answers too: clients of ours read them, and a validator reads another one's.
static void check_depth(const ProtobufCMethodDescriptor *method) {
    const ProtobufCMessageDescriptor *above[DEEPEST_MESSAGE];
    expect_no_recursion(method->input, above, 0);
    expect_no_recursion(method->output, above, 0);
}

static void no_message_can_hold_itself(void **state) {
    (void)state;
    for_each_method(ARRAY_LENGTH(services), check_depth);
}

static void the_fields_of_validate_have_tags_of_one_byte(void **state) {
    (void)state;
    static const ProtobufCMessageDescriptor *const hot[] = {&latchkey__v1__validate_request__descriptor,
                                                            &latchkey__v1__validate_response__descriptor};
    for (size_t i = 0; i < ARRAY_LENGTH(hot); i++) {
        for (unsigned j = 0; j < hot[i]->n_fields; j++) {
            assert_in_range(hot[i]->fields[j].id, 1, 15);
        }
    }
}

static void reasons_are_numbered_in_the_order_of_the_checks(void **state) {
    (void)state;
    static const char *const reasons[] = {
        "UNSPECIFIED",
        "OK",
        "MALFORMED",
        "UNKNOWN",
        "COMPANY_SUSPENDED",
        "MEMBER_REMOVED",
        "DEACTIVATED",
        "SUSPENDED",
        "NOT_YET_VALID",
        "EXPIRED",
        "CHANNEL_NOT_ALLOWED",
        "COMPANY_IP_NOT_LISTED",
        "MEMBER_IP_NOT_LISTED",
        "TOKEN_IP_NOT_LISTED",
        "DOMAIN_NOT_LISTED",
        "PERMISSION_MISSING",
        "NOT_CURRENT",
    };
    const ProtobufCEnumDescriptor *type = &latchkey__v1__reason__descriptor;
    assert_int_equal(type->n_values, ARRAY_LENGTH(reasons));
    for (int i = 0; i < (int)ARRAY_LENGTH(reasons); i++) {
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, i);
        assert_non_null(value);
        assert_string_equal(value->name + strlen("REASON_"), reasons[i]);
    }
}

static void an_empty_answer_does_not_admit(void **state) {
    (void)state;
    Latchkey__V1__ValidateResponse *response = latchkey__v1__validate_response__unpack(NULL, 0, NULL);
    assert_non_null(response);
    assert_int_not_equal(response->decision, LATCHKEY__V1__DECISION__DECISION_ALLOW);
    latchkey__v1__validate_response__free_unpacked(response, NULL);
}

// Debian 12's protoc-c has no `optional`; the oneof in its place has to tell 0 from unset over the wire.
static void checking_bits_of_zero_differ_from_none(void **state) {
    (void)state;
    Latchkey__V1__NewWhitelistEntry entry = LATCHKEY__V1__NEW_WHITELIST_ENTRY__INIT;
    assert_int_equal(latchkey__v1__new_whitelist_entry__get_packed_size(&entry), 0);
    entry.optional_checking_bits_case =
        LATCHKEY__V1__NEW_WHITELIST_ENTRY__OPTIONAL_CHECKING_BITS_CHECKING_BITS;
    uint8_t packed[8];
    assert_int_equal(latchkey__v1__new_whitelist_entry__get_packed_size(&entry), 2);
    size_t size = latchkey__v1__new_whitelist_entry__pack(&entry, packed);
    Latchkey__V1__NewWhitelistEntry *unpacked = latchkey__v1__new_whitelist_entry__unpack(NULL, size, packed);
    assert_non_null(unpacked);
    assert_int_equal(unpacked->optional_checking_bits_case, entry.optional_checking_bits_case);
    assert_int_equal(unpacked->checking_bits, 0);
    latchkey__v1__new_whitelist_entry__free_unpacked(unpacked, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mutation_can_be_repeated_and_waited_for),
        cmocka_unit_test(no_read_asks_for_a_request_id),
        cmocka_unit_test(every_answer_with_a_secret_can_withhold_it),
        cmocka_unit_test(every_list_comes_in_pages),
        cmocka_unit_test(every_update_has_a_mask),
        cmocka_unit_test(no_message_can_hold_itself),
        cmocka_unit_test(the_fields_of_validate_have_tags_of_one_byte),
        cmocka_unit_test(reasons_are_numbered_in_the_order_of_the_checks),
        cmocka_unit_test(an_empty_answer_does_not_admit),
        cmocka_unit_test(checking_bits_of_zero_differ_from_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
