// The index over the embedded contract, and over sets that are no contract. How the streams answer is tested
// with real clients in tests/integration/test_reflection_and_health.py.
#include <string.h>

#include "common/protobuf/descriptor_index.h"
#include "common/protobuf/descriptor_set.h"
#include "common/protobuf/message.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct descriptor_index *index_of_contract(void) {
    struct descriptor_index *made;
    assert_int_equal(descriptor_index_new(descriptor_set_get(), &made), STATUS_OK);
    return made;
}

static void every_service_of_the_contract_is_found_in_its_file(void **state) {
    (void)state;
    static const struct {
        const char *symbol, *file;
    } expected[] = {
        {"latchkey.v1.TokenService", "latchkey/v1/token.proto"},
        {"latchkey.v1.TokenService.CreateAccessToken", "latchkey/v1/token.proto"},
        {"latchkey.v1.AccessToken", "latchkey/v1/token.proto"},
        {"latchkey.v1.AccessToken.label", "latchkey/v1/token.proto"},
        {"latchkey.v1.AccessToken.MetadataEntry.key", "latchkey/v1/token.proto"},
        {"latchkey.v1.TokenState", "latchkey/v1/token.proto"},
        {"latchkey.v1.TOKEN_STATE_ACTIVE", "latchkey/v1/token.proto"},
        {"latchkey.v1.WhitelistService", "latchkey/v1/whitelist.proto"},
        {"latchkey.v1.ValidationService", "latchkey/v1/validation.proto"},
        {"grpc.health.v1.Health", "grpc/health/v1/health.proto"},
        {"grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"},
        {"grpc.reflection.v1.ServerReflectionRequest.message_request", "grpc/reflection/v1/reflection.proto"},
        {"google.protobuf.Timestamp", "google/protobuf/timestamp.proto"},
        {"google.rpc.BadRequest.FieldViolation", "google/rpc/error_details.proto"},
    };
    struct descriptor_index *index = index_of_contract();
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        size_t number;
        if (!descriptor_index_find_symbol(index, expected[i].symbol, &number))
            fail_msg("%s is not found", expected[i].symbol);
        assert_string_equal(descriptor_index_get_file(index, number)->name, expected[i].file);
    }
    descriptor_index_free(index);
}

static void what_is_not_declared_is_not_found(void **state) {
    (void)state;
    static const char *const unknown[] = {"",
                                          ".latchkey.v1.TokenService",
                                          "latchkey",
                                          "latchkey.v1",
                                          "latchkey.v1.tokenservice",
                                          "latchkey.v1.TokenServic",
                                          "TokenService",
                                          "latchkey.v1.TokenService.",
                                          "latchkey.v1.TokenService.X"};
    struct descriptor_index *index = index_of_contract();
    size_t number = 77;
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++)
        assert_false(descriptor_index_find_symbol(index, unknown[i], &number));
    assert_false(descriptor_index_find_file(index, "token.proto", &number));
    assert_false(descriptor_index_find_file(index, "", &number));
    assert_int_equal(number, 77);
    descriptor_index_free(index);
}

// A client builds its types file by file: each must come with, or after, all that it imports.
static void files_follow_their_imports_and_say_their_own_names(void **state) {
    (void)state;
    struct descriptor_index *index = index_of_contract();
    assert_true(descriptor_index_get_count(index) > 10);
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < descriptor_index_get_count(index); i++) {
        const struct descriptor_file *file = descriptor_index_get_file(index, i);
        ProtobufCMessage *message;
        const char *why;
        size_t number;
        assert_int_equal(message_unpack(&google__protobuf__file_descriptor_proto__descriptor, file->content,
                                        &arena, &message, &why),
                         STATUS_OK);
        const Google__Protobuf__FileDescriptorProto *declared =
            (const Google__Protobuf__FileDescriptorProto *)message;
        assert_string_equal(declared->name, file->name);
        assert_true(descriptor_index_find_file(index, file->name, &number));
        assert_int_equal(number, i);
        assert_int_equal(declared->n_dependency, file->import_count);
        for (size_t k = 0; k < file->import_count; k++) {
            assert_true(file->imports[k] < i);
            assert_string_equal(descriptor_index_get_file(index, file->imports[k])->name,
                                declared->dependency[k]);
        }
    }
    arena_fini(&arena);
    descriptor_index_free(index);
}

static void a_cut_set_is_malformed_or_ends_between_two_files(void **state) {
    (void)state;
    struct bytes set = descriptor_set_get();
    size_t whole = 0;
    for (size_t len = 0; len < 4096; len++) {
        struct descriptor_index *index;
        enum status status = descriptor_index_new(bytes_of(set.data, len), &index);
        assert_true(status == STATUS_OK || status == STATUS_MALFORMED);
        if (status == STATUS_OK) {
            whole++;
            descriptor_index_free(index);
        }
    }
    assert_in_range(whole, 1, 20);
}

static void what_is_no_set_is_malformed(void **state) {
    (void)state;
    static const struct bytes bad[] = {
        BYTES_LITERAL("\x0a"),                         // no length
        BYTES_LITERAL("\x0a\xff\xff\xff\xff\xff\x01"), // a length beyond all bounds
        BYTES_LITERAL("\x0a\x05"
                      "abcd"),     // shorter than it says
        BYTES_LITERAL("\x12\x00"), // another field
        BYTES_LITERAL("\x0a\x00"), // a file without a name
        BYTES_LITERAL("\x0a\x06\x0a\x01"
                      "a\x1a\x01"
                      "b"), // an import that does not come before
        BYTES_LITERAL("\x0a\x05\x0a\x01"
                      "a\x22\x00"), // a message without a name
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct descriptor_index *index;
        assert_int_equal(descriptor_index_new(bad[i], &index), STATUS_MALFORMED);
    }
}

static bool make_index(void *context) {
    (void)context;
    struct descriptor_index *index;
    if (descriptor_index_new(descriptor_set_get(), &index) != STATUS_OK)
        return false;
    descriptor_index_free(index);
    return true;
}

static void a_failed_allocation_leaves_nothing_behind(void **state) {
    (void)state;
    allocation_failure_try_each(make_index, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_service_of_the_contract_is_found_in_its_file),
        cmocka_unit_test(what_is_not_declared_is_not_found),
        cmocka_unit_test(files_follow_their_imports_and_say_their_own_names),
        cmocka_unit_test(a_cut_set_is_malformed_or_ends_between_two_files),
        cmocka_unit_test(what_is_no_set_is_malformed),
        cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
