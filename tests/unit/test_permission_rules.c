// What may stand in a catalogue.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/token/permission_rules.h"
#include "tests/unit/unit.h"

static uint32_t count_bad(struct bytes *names, size_t count, struct fault *ret_fault, struct arena *arena) {
    struct bytes *descriptions = ARENA_NEW_ARRAY(arena, struct bytes, count);
    assert_non_null(descriptions);
    fault_init(ret_fault, arena);
    enum status status = permission_check_catalogue(names, descriptions, count, arena, ret_fault);
    assert_int_equal(status, ret_fault->field_count > 0 ? STATUS_INVALID : STATUS_OK);
    return ret_fault->field_count;
}

static void names_are_permissions_of_the_deployment_each_once(void **state) {
    (void)state;
    struct arena arena;
    struct fault fault;
    struct bytes good[] = {BYTES_LITERAL("charges.read"), BYTES_LITERAL("a.b_2.c"), BYTES_LITERAL("a.b"),
                           BYTES_LITERAL("latchkeys.a")};
    struct bytes bad[] = {BYTES_LITERAL("charges"), BYTES_LITERAL("charges.*"), BYTES_LITERAL("latchkey.a"),
                          BYTES_LITERAL(""), BYTES_LITERAL("A.b")};
    struct bytes twice[] = {BYTES_LITERAL("b.b"), BYTES_LITERAL("a.a"), BYTES_LITERAL("b.b"),
                            BYTES_LITERAL("b.b")};
    arena_init(&arena, 0);
    assert_int_equal(count_bad(good, ARRAY_LENGTH(good), &fault, &arena), 0);
    assert_int_equal(count_bad(good, 0, &fault, &arena), 0);
    assert_int_equal(count_bad(bad, ARRAY_LENGTH(bad), &fault, &arena), 5);
    assert_int_equal(count_bad(twice, ARRAY_LENGTH(twice), &fault, &arena), 2);
    assert_string_equal(fault.fields->field, "permissions[2].name"); // the later one
    arena_fini(&arena);
}

static void ten_thousand_are_enough(void **state) {
    (void)state;
    static char texts[PERMISSIONS_MAX + 1][16];
    static struct bytes names[PERMISSIONS_MAX + 1];
    struct arena arena;
    struct fault fault;
    arena_init(&arena, 0);
    for (size_t i = 0; i <= PERMISSIONS_MAX; i++) {
        snprintf(texts[i], sizeof(texts[i]), "a.n%zu", i);
        names[i] = bytes_of_text(texts[i]);
    }
    assert_int_equal(count_bad(names, PERMISSIONS_MAX, &fault, &arena), 0);
    assert_int_equal(count_bad(names, PERMISSIONS_MAX + 1, &fault, &arena), 1);
    assert_string_equal(fault.fields->field, "permissions");
    arena_fini(&arena);
}

static void a_description_has_at_most_500_characters(void **state) {
    (void)state;
    char text[1003];
    struct arena arena;
    struct fault fault;
    struct bytes name = BYTES_LITERAL("a.b"), description;
    arena_init(&arena, 0);
    for (size_t i = 0; i + 1 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    description = bytes_of(text, 1000);
    fault_init(&fault, &arena);
    assert_int_equal(permission_check_catalogue(&name, &description, 1, &arena, &fault), STATUS_OK);
    description.len = 1002;
    assert_int_equal(permission_check_catalogue(&name, &description, 1, &arena, &fault), STATUS_INVALID);
    assert_string_equal(fault.fields->field, "permissions[0].description");
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_permissions_of_the_deployment_each_once),
        cmocka_unit_test(ten_thousand_are_enough),
        cmocka_unit_test(a_description_has_at_most_500_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
