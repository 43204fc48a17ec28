// Faults: the first one stays, fields add up, and running out of memory is a fault too.
#include <string.h>

#include "common/base/fault.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

struct fixture {
    struct arena arena;
    struct fault fault;
};

static struct fault *set_up(struct fixture *fixture) {
    arena_init(&fixture->arena, 0);
    fault_init(&fixture->fault, &fixture->arena);
    return &fixture->fault;
}

static void tear_down(struct fixture *fixture) {
    arena_fini(&fixture->arena);
}

static void a_new_fault_is_none(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    assert_int_equal(fault->status, STATUS_OK);
    assert_null(fault->reason);
    assert_null(fault->fields);
    tear_down(&fixture);
}

static void the_first_fault_stays(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    assert_int_equal(fault_set(fault, STATUS_NOT_FOUND, "TOKEN_NOT_FOUND", "no token %s", "tok_1"),
                     STATUS_NOT_FOUND);
    assert_int_equal(fault_set(fault, STATUS_ABORTED, "STALE_ETAG", "too late"), STATUS_NOT_FOUND);
    assert_int_equal(fault->status, STATUS_NOT_FOUND);
    assert_string_equal(fault->reason, "TOKEN_NOT_FOUND");
    assert_string_equal(fault->message, "no token tok_1");
    tear_down(&fixture);
}

static void bad_fields_add_up_in_order_and_make_it_invalid(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    char field[] = "label";
    fault_add_field(fault, field, "at most %d characters", 100);
    memset(field, 'x', sizeof(field) - 1); // the fault has a copy
    fault_add_field(fault, fault_path(fault, "entries[%zu].address", (size_t)3), "no leading zeros");
    assert_int_equal(fault->status, STATUS_INVALID);
    assert_string_equal(fault->reason, "INVALID_ARGUMENT");
    assert_int_equal(fault->field_count, 2);
    assert_string_equal(fault->fields->field, "label");
    assert_string_equal(fault->fields->description, "at most 100 characters");
    assert_string_equal(fault->fields->next->field, "entries[3].address");
    assert_null(fault->fields->next->next);
    tear_down(&fixture);
}

static void a_part_of_a_request_names_its_fields_by_the_whole(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    fault_prefix_fields(fault, "token.");
    assert_int_equal(fault->status, STATUS_OK);
    fault_add_field(fault, "label", "type one");
    fault_add_field(fault, "allowed_ips[3]", "type an address");
    fault_prefix_fields(fault, "token.");
    fault_add_field(fault, "update_mask", "name what to change");
    assert_string_equal(fault->fields->field, "token.label");
    assert_string_equal(fault->fields->next->field, "token.allowed_ips[3]");
    assert_string_equal(fault->fields->next->next->field, "update_mask");
    tear_down(&fixture);
}

static void fields_join_a_fault_that_is_set_already(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    fault_set(fault, STATUS_INVALID, "BATCH_REFUSED", "nothing was added");
    fault_add_field(fault, "entries[0]", "a duplicate");
    assert_string_equal(fault->reason, "BATCH_REFUSED");
    assert_string_equal(fault->fields->field, "entries[0]");
    tear_down(&fixture);
}

static void a_hundred_fields_are_kept_and_all_are_counted(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    for (size_t i = 0; i < 10000; i++)
        fault_add_field(fault, fault_path(fault, "entries[%zu]", i), "bad");
    size_t kept = 0;
    for (const struct fault_field *field = fault->fields; field; field = field->next)
        kept++;
    assert_int_equal(kept, FAULT_FIELDS_MAX);
    assert_string_equal(fault->last_field->field, "entries[99]");
    assert_int_equal(fault->field_count, 10000);
    tear_down(&fixture);
}

static void details_keep_their_order(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    fault_set(fault, STATUS_EXHAUSTED, "TOO_MANY_TOKENS", "the company has all the tokens that it may have");
    fault_add_detail(fault, "limit", "%d", 1000000);
    fault_add_detail(fault, "companyId", "%s", "cmp_1");
    fault_set_retry_after_ms(fault, 1500);
    assert_string_equal(fault->details->key, "limit");
    assert_string_equal(fault->details->value, "1000000");
    assert_string_equal(fault->details->next->key, "companyId");
    assert_null(fault->details->next->next);
    assert_int_equal(fault->retry_after_ms, 1500);
    tear_down(&fixture);
}

static void out_of_memory_it_is_no_memory_without_text_and_stays_so(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    fault_add_field(fault, "label", "too long");
    fixture.arena.limit_bytes = fixture.arena.used_bytes;
    fault_add_field(fault, "note", "too long");
    assert_int_equal(fault->status, STATUS_NO_MEMORY);
    assert_null(fault->message);
    assert_null(fault->fields);
    assert_null(fault->details);

    fixture.arena.limit_bytes = 0;
    fault_add_field(fault, "note", "too long");
    fault_add_detail(fault, "limit", "500");
    assert_int_equal(fault_set(fault, STATUS_NOT_FOUND, "NOT_FOUND", "no"), STATUS_NO_MEMORY);
    assert_null(fault->fields);
    assert_null(fault->details);
    tear_down(&fixture);
}

static void a_path_out_of_memory_is_empty_and_makes_a_fault(void **state) {
    (void)state;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    fixture.arena.limit_bytes = 1;
    assert_string_equal(fault_path(fault, "entries[%d]", 1), "");
    assert_int_equal(fault->status, STATUS_NO_MEMORY);
    tear_down(&fixture);
}

static bool fill_a_fault(void *context) {
    (void)context;
    struct fixture fixture;
    struct fault *fault = set_up(&fixture);
    fault_set(fault, STATUS_INVALID, "INVALID_ARGUMENT", "%05000d", 1);
    for (int i = 0; i < 200; i++)
        fault_add_field(fault, fault_path(fault, "entries[%d].%0100d", i, 1), "%0100d", 1);
    fault_add_detail(fault, "size", "%05000d", 1);
    assert_int_not_equal(fault->status, STATUS_OK);
    bool succeeded = fault->status == STATUS_INVALID;
    tear_down(&fixture);
    return succeeded;
}

static void every_failing_allocation_turns_it_into_no_memory(void **state) {
    (void)state;
    assert_true(allocation_failure_try_each(fill_a_fault, NULL) >= 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_fault_is_none),
        cmocka_unit_test(the_first_fault_stays),
        cmocka_unit_test(bad_fields_add_up_in_order_and_make_it_invalid),
        cmocka_unit_test(a_part_of_a_request_names_its_fields_by_the_whole),
        cmocka_unit_test(fields_join_a_fault_that_is_set_already),
        cmocka_unit_test(a_hundred_fields_are_kept_and_all_are_counted),
        cmocka_unit_test(details_keep_their_order),
        cmocka_unit_test(out_of_memory_it_is_no_memory_without_text_and_stays_so),
        cmocka_unit_test(a_path_out_of_memory_is_empty_and_makes_a_fault),
        cmocka_unit_test(every_failing_allocation_turns_it_into_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
