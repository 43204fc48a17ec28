// What an invitation must be like: its fields one by one, and all that is wrong told at once.
#include <stdlib.h>

#include "services/invitation/invitation_rules.h"
#include "tests/unit/unit.h"

struct scene {
    struct arena arena;
    struct fault fault;
    struct invitation_draft draft;
};

static int open_scene(void **state) {
    struct scene *scene = calloc(1, sizeof(*scene));
    if (!scene)
        return -1;
    arena_init(&scene->arena, 1 << 20);
    fault_init(&scene->fault, &scene->arena);
    *state = scene;
    return 0;
}

static int close_scene(void **state) {
    struct scene *scene = *state;
    arena_fini(&scene->arena);
    free(scene);
    return 0;
}

static char role[] = "rol_01h455vb4pex5vsknk084sn02q", no_role[] = "administrator";
static char ipv4[] = "203.0.113.7", ipv6[] = "2001:db8::/32", no_address[] = "10.0.0.1/33";

static void a_good_wish_becomes_a_draft(void **state) {
    struct scene *scene = *state;
    char *roles[] = {role, role}, *ips[] = {ipv4, ipv6};
    struct invitation_wish wish = {"Ada+x@Example.COM", roles, 2, ips, 2};
    assert_int_equal(invitation_check_wish(&wish, &scene->arena, &scene->fault, &scene->draft), STATUS_OK);
    assert_string_equal(scene->draft.email.text, "Ada+x@example.com");
    assert_int_equal(scene->draft.roles.count, 1);
    assert_int_equal(scene->draft.ips.count, 2);
}

static void every_bad_field_is_named_at_once(void **state) {
    struct scene *scene = *state;
    char *roles[] = {role, no_role}, *ips[] = {no_address};
    struct invitation_wish wish = {"ada", roles, 2, ips, 1};
    assert_int_equal(invitation_check_wish(&wish, &scene->arena, &scene->fault, &scene->draft),
                     STATUS_INVALID);
    static const char *const fields[] = {"email", "role_ids[1]", "allowed_ips[0]"};
    const struct fault_field *field = scene->fault.fields;
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++, field = field->next) {
        assert_non_null(field);
        assert_string_equal(field->field, fields[i]);
        assert_memory_equal(field->description, "type ", 5);
    }
    assert_null(field);
}

static void a_name_has_1_to_100_characters_and_not_only_spaces(void **state) {
    struct scene *scene = *state;
    char name[3 * 101 + 1] = "";
    for (int count = 0; count <= 101; count++) {
        fault_init(&scene->fault, &scene->arena);
        invitation_check_display_name(name, &scene->fault);
        assert_int_equal(scene->fault.status, count >= 1 && count <= 100 ? STATUS_OK : STATUS_INVALID);
        if (count <= 100)
            memcpy(name + 3 * count, "\xE2\x82\xAC", 4);
    }
    fault_init(&scene->fault, &scene->arena);
    invitation_check_display_name(" \t ", &scene->fault);
    assert_int_equal(scene->fault.status, STATUS_INVALID);
}

static void a_masked_address_shows_its_first_letter_and_its_domain(void **state) {
    struct scene *scene = *state;
    assert_string_equal(invitation_mask_email("ada+x@example.com", &scene->arena), "a***@example.com");
    assert_string_equal(invitation_mask_email("a@example.com", &scene->arena), "a***@example.com");
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(a_good_wish_becomes_a_draft),
        STAGED(every_bad_field_is_named_at_once),
        STAGED(a_name_has_1_to_100_characters_and_not_only_spaces),
        STAGED(a_masked_address_shows_its_first_letter_and_its_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
