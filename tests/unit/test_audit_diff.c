// What changed in an object, as JSON for the audit log.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/audit_diff.h"
#include "common/protobuf/field.h"
#include "latchkey/v1/company.pb-c.h"
#include "latchkey/v1/member.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
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

static ProtobufCMessage *new_token(const char *label) {
    ProtobufCMessage *token = field_new_message(&arena, &latchkey__v1__access_token__descriptor);
    assert_non_null(token);
    assert_int_equal(field_set_text(&arena, token, "label", label), STATUS_OK);
    return token;
}

static ProtobufCMessage *new_token_with_ips(size_t first, size_t count) {
    ProtobufCMessage *token = new_token("x");
    const char **ips = ARENA_NEW_ARRAY(&arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        ips[i] = arena_format(&arena, "10.0.%zu.%zu/32", (first + i) / 256, (first + i) % 256);
    assert_int_equal(field_set_texts(&arena, token, "allowed_ips", ips, count), STATUS_OK);
    return token;
}

// `before` and `after` are the plain parts.
static void assert_diff(const ProtobufCMessage *was, const ProtobufCMessage *is, const char *before,
                        const char *after) {
    struct audit_json old, new;
    bool differs;
    assert_int_equal(audit_diff(was, is, &arena, &old, &new, &differs), STATUS_OK);
    assert_true(differs);
    assert_string_equal(old.plain, before);
    assert_string_equal(new.plain, after);
}

static void of_two_messages_the_fields_that_differ_are_there_with_both_values(void **state) {
    (void)state;
    ProtobufCMessage *was = new_token("old"), *is = new_token("new");
    assert_int_equal(field_set_text(&arena, was, "token_id", "tok_1"), STATUS_OK);
    assert_int_equal(field_set_text(&arena, is, "token_id", "tok_1"), STATUS_OK);
    assert_int_equal(field_set_time_ms(&arena, is, "expires_at", 0), STATUS_OK);
    assert_diff(was, is, "{\"expires_at\":null,\"label\":\"old\"}",
                "{\"expires_at\":\"1970-01-01T00:00:00Z\",\"label\":\"new\"}");
    assert_diff(is, was, "{\"expires_at\":\"1970-01-01T00:00:00Z\",\"label\":\"new\"}",
                "{\"expires_at\":null,\"label\":\"old\"}");
}

static void of_one_message_what_is_not_empty_is_there(void **state) {
    (void)state;
    assert_diff(NULL, new_token("new"), "", "{\"label\":\"new\"}");
    assert_diff(new_token("old"), NULL, "{\"label\":\"old\"}", "");
    assert_diff(NULL, NULL, "", "");
}

static void two_that_are_the_same_do_not_differ(void **state) {
    (void)state;
    struct audit_json before, after;
    bool differs = true;
    assert_int_equal(audit_diff(new_token("x"), new_token("x"), &arena, &before, &after, &differs),
                     STATUS_OK);
    assert_false(differs);
}

static void secrets_etags_and_last_uses_are_left_out_at_any_depth(void **state) {
    (void)state;
    ProtobufCMessage *response =
        field_new_message(&arena, &latchkey__v1__create_access_token_response__descriptor);
    ProtobufCMessage *token = new_token("x"), **secrets;
    assert_int_equal(field_set_text(&arena, token, "etag", "7"), STATUS_OK);
    assert_int_equal(field_set_text(&arena, token, "last_used_ip", "192.0.2.1"), STATUS_OK);
    assert_int_equal(field_set_messages(&arena, token, "secrets", 1, &secrets), STATUS_OK);
    assert_int_equal(field_set_text(&arena, secrets[0], "hint", "lka"), STATUS_OK);
    assert_int_equal(field_set_time_ms(&arena, secrets[0], "last_used_at", 1000), STATUS_OK);
    assert_int_equal(field_put_message(response, "access_token", token), STATUS_OK);
    assert_int_equal(field_set_text(&arena, response, "secret", "lka_secret"), STATUS_OK);
    struct audit_json before, after;
    bool differs;
    assert_int_equal(audit_diff(NULL, response, &arena, &before, &after, &differs), STATUS_OK);
    assert_non_null(strstr(after.plain, "{\"hint\":\"lka\"}"));
    assert_null(strstr(after.plain, "lka_secret"));
    assert_null(strstr(after.plain, "etag"));
    assert_null(strstr(after.plain, "last_used"));
}

static ProtobufCMessage *new_company(bool requires_expiry, int64_t login_lifetime_s) {
    ProtobufCMessage *company = field_new_message(&arena, &latchkey__v1__company__descriptor), *policy;
    assert_non_null(company);
    assert_int_equal(field_set_message(&arena, company, "policy", &policy), STATUS_OK);
    assert_int_equal(field_set_integer(policy, "require_expiry", requires_expiry), STATUS_OK);
    if (login_lifetime_s > 0)
        assert_int_equal(field_set_duration_ms(&arena, policy, "login_lifetime", login_lifetime_s * 1000),
                         STATUS_OK);
    return company;
}

static void of_a_message_within_only_the_fields_that_differ_are_there(void **state) {
    (void)state;
    assert_diff(new_company(false, 60), new_company(true, 60), "{\"policy\":{\"require_expiry\":false}}",
                "{\"policy\":{\"require_expiry\":true}}");
    assert_diff(new_company(true, 60), new_company(true, 0), "{\"policy\":{\"login_lifetime\":\"60s\"}}",
                "{\"policy\":{\"login_lifetime\":null}}");
    struct audit_json before, after;
    bool differs = true;
    assert_int_equal(
        audit_diff(new_company(true, 60), new_company(true, 60), &arena, &before, &after, &differs),
        STATUS_OK);
    assert_false(differs);
}

static void put_metadata(ProtobufCMessage *token, const char *key, const char *value) {
    ProtobufCMessage **pairs;
    assert_int_equal(field_set_messages(&arena, token, "metadata", 1, &pairs), STATUS_OK);
    assert_int_equal(field_set_text(&arena, pairs[0], "key", key), STATUS_OK);
    assert_int_equal(field_set_text(&arena, pairs[0], "value", value), STATUS_OK);
}

static void keys_of_a_map_are_kept_whatever_they_are(void **state) {
    (void)state;
    static const char *const keys[] = {"secret_x", "secret", "etag", "last_used_by", "delivery_detail"};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        ProtobufCMessage *was = new_token("x"), *is = new_token("x");
        put_metadata(was, keys[i], "1");
        put_metadata(is, keys[i], "2");
        assert_diff(was, is, arena_format(&arena, "{\"metadata\":{\"%s\":\"1\"}}", keys[i]),
                    arena_format(&arena, "{\"metadata\":{\"%s\":\"2\"}}", keys[i]));
    }
}

static void what_tells_who_a_person_is_stands_apart(void **state) {
    (void)state;
    ProtobufCMessage *member = field_new_message(&arena, &latchkey__v1__member__descriptor);
    assert_int_equal(field_set_text(&arena, member, "member_id", "mbr_1"), STATUS_OK);
    assert_int_equal(field_set_text(&arena, member, "email", "ada@acme.example"), STATUS_OK);
    assert_int_equal(field_set_text(&arena, member, "display_name", "Ada"), STATUS_OK);
    struct audit_json before, after;
    bool differs;
    assert_int_equal(audit_diff(NULL, member, &arena, &before, &after, &differs), STATUS_OK);
    assert_string_equal(after.plain, "{\"member_id\":\"mbr_1\"}");
    assert_string_equal(after.personal, "{\"display_name\":\"Ada\",\"email\":\"ada@acme.example\"}");
    assert_string_equal(audit_json_join(&after, &arena),
                        "{\"member_id\":\"mbr_1\",\"display_name\":\"Ada\",\"email\":\"ada@acme.example\"}");
    assert_string_equal(audit_json_join(&before, &arena), "");
    assert_string_equal(audit_json_join(&(struct audit_json){"{}", "{\"a\":1}"}, &arena), "{\"a\":1}");
    assert_string_equal(audit_json_join(&(struct audit_json){"{\"b\":1}", ""}, &arena), "{\"b\":1}");
}

static void a_change_of_personal_fields_alone_is_a_change(void **state) {
    (void)state;
    ProtobufCMessage *was = field_new_message(&arena, &latchkey__v1__member__descriptor);
    ProtobufCMessage *is = field_new_message(&arena, &latchkey__v1__member__descriptor);
    assert_int_equal(field_set_text(&arena, is, "email", "ada@acme.example"), STATUS_OK);
    assert_diff(was, is, "{}", "{}");
}

static void a_list_of_at_most_ten_is_there_whole(void **state) {
    (void)state;
    assert_diff(new_token_with_ips(0, 1), new_token_with_ips(0, 2), "{\"allowed_ips\":[\"10.0.0.0/32\"]}",
                "{\"allowed_ips\":[\"10.0.0.0/32\",\"10.0.0.1/32\"]}");
}

static void of_a_longer_one_its_length_and_what_came_and_went(void **state) {
    (void)state;
    assert_diff(new_token_with_ips(0, 300), new_token_with_ips(1, 301),
                "{\"allowed_ips\":{\"count\":300,\"removed\":[\"10.0.0.0/32\"]}}",
                "{\"allowed_ips\":{\"added\":[\"10.0.1.44/32\",\"10.0.1.45/32\"],\"count\":301}}");
    assert_diff(
        new_token_with_ips(0, 11), new_token_with_ips(0, 0),
        "{\"allowed_ips\":{\"count\":11,\"removed\":[\"10.0.0.0/32\",\"10.0.0.1/32\",\"10.0.0.2/32\","
        "\"10.0.0.3/32\",\"10.0.0.4/32\",\"10.0.0.5/32\",\"10.0.0.6/32\",\"10.0.0.7/32\",\"10.0.0.8/32\","
        "\"10.0.0.9/32\"]}}",
        "{\"allowed_ips\":{\"added\":[],\"count\":0}}");
}

static void of_a_longer_one_that_is_new_its_length_and_the_first(void **state) {
    (void)state;
    struct audit_json before, after;
    bool differs;
    assert_int_equal(audit_diff(NULL, new_token_with_ips(0, 10000), &arena, &before, &after, &differs),
                     STATUS_OK);
    assert_non_null(strstr(after.plain, "\"count\":10000,\"first\":[\"10.0.0.0/32\",\"10.0.0.1/32\""));
    assert_null(strstr(after.plain, "10.0.0.10/32"));
}

// A token as large as the contract lets it be, and larger.
static void it_is_bounded_whatever_the_object_holds(void **state) {
    (void)state;
    ProtobufCMessage *token = new_token_with_ips(0, 10000);
    char *text = arena_allocate(&arena, 100001);
    memset(text, 'x', 100000);
    memcpy(text + 199, "\xc3\xbc", 2); // the cut would fall into it
    text[100000] = '\0';
    const char *domains[1000];
    for (size_t i = 0; i < ARRAY_LENGTH(domains); i++)
        domains[i] = arena_format(&arena, "%zu.%.250s", i, text + 300);
    assert_int_equal(field_set_texts(&arena, token, "allowed_domains", domains, ARRAY_LENGTH(domains)),
                     STATUS_OK);
    assert_int_equal(field_set_texts(&arena, token, "permissions", domains, ARRAY_LENGTH(domains)),
                     STATUS_OK);
    assert_int_equal(field_set_text(&arena, token, "description", text), STATUS_OK);
    ProtobufCMessage **pairs;
    assert_int_equal(field_set_messages(&arena, token, "metadata", 16, &pairs), STATUS_OK);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(field_set_text(&arena, pairs[i], "key", arena_format(&arena, "%zu", i)), STATUS_OK);
        assert_int_equal(field_set_text(&arena, pairs[i], "value", text), STATUS_OK);
    }
    struct audit_json before, after;
    bool differs;
    assert_int_equal(audit_diff(new_token("old"), token, &arena, &before, &after, &differs), STATUS_OK);
    assert_true(strlen(before.plain) <= AUDIT_JSON_MAX && strlen(after.plain) <= AUDIT_JSON_MAX);
    assert_true(bytes_is_utf8(bytes_of_text(after.plain)));
    assert_non_null(strstr(after.plain, "\"label\":\"x\""));
    assert_non_null(strstr(after.plain, "\"metadata\":{\"bytes\":"));
    assert_non_null(strstr(after.plain, "xxx...\""));
}

static void texts_by_hand_are_made_canonical_and_split(void **state) {
    (void)state;
    struct audit_json before, after;
    assert_int_equal(
        audit_diff_texts("", " {\"b\" : 1, \"a\": [2], \"email\": \"x@y\"} ", &arena, &before, &after),
        STATUS_OK);
    assert_string_equal(before.plain, "");
    assert_string_equal(after.plain, "{\"a\":[2],\"b\":1}");
    assert_string_equal(after.personal, "{\"email\":\"x@y\"}");
    for (size_t i = 0; i < 4; i++) {
        static const char *const bad[] = {"[]", "{", "null", "{\"a\":1}x"};
        assert_int_equal(audit_diff_texts(bad[i], "", &arena, &before, &after), STATUS_INTERNAL);
        assert_int_equal(audit_diff_texts("", bad[i], &arena, &before, &after), STATUS_INTERNAL);
    }
}

static bool diff_without_memory(void *context) {
    ProtobufCMessage *const *messages = context;
    struct audit_json before, after;
    bool differs;
    struct arena own;
    arena_init(&own, 0);
    bool is_done = audit_diff(messages[0], messages[1], &own, &before, &after, &differs) == STATUS_OK;
    arena_fini(&own);
    return is_done;
}

// The JSON library's allocations count too: its heap is ours (json_heap.c).
static void running_out_of_memory_is_told(void **state) {
    (void)state;
    ProtobufCMessage *messages[] = {new_token_with_ips(0, 30), new_token_with_ips(5, 40)};
    assert_true(allocation_failure_try_each(diff_without_memory, messages) > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_two_messages_the_fields_that_differ_are_there_with_both_values,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_a_message_within_only_the_fields_that_differ_are_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_one_message_what_is_not_empty_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_that_are_the_same_do_not_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_etags_and_last_uses_are_left_out_at_any_depth, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_of_a_map_are_kept_whatever_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_tells_who_a_person_is_stands_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_personal_fields_alone_is_a_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_of_at_most_ten_is_there_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_a_longer_one_its_length_and_what_came_and_went, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_a_longer_one_that_is_new_its_length_and_the_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_is_bounded_whatever_the_object_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_by_hand_are_made_canonical_and_split, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
