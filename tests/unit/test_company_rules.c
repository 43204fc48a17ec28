// What a company must be like, a new one and one that is changed: its fields one by one, and all that is
// wrong told at once.
#include <stdlib.h>

#include "services/invitation/company_rules.h"
#include "tests/unit/unit.h"

struct scene {
    struct arena arena;
    struct fault fault;
    struct company_draft draft;
};

static int open_scene(void **state) {
    struct scene *scene = calloc(1, sizeof(*scene));
    if (!scene)
        return -1;
    arena_init(&scene->arena, 1 << 16);
    *state = scene;
    return 0;
}

static int close_scene(void **state) {
    struct scene *scene = *state;
    arena_fini(&scene->arena);
    free(scene);
    return 0;
}

// One character of three bytes, `count` times.
static const char *repeat(struct scene *scene, size_t count) {
    char *text = arena_allocate(&scene->arena, 3 * count + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + 3 * i, "\xE2\x82\xAC", 3);
    text[3 * count] = '\0';
    return text;
}

// The only bad field, NULL if nothing is wrong.
static const char *find_bad_field(struct scene *scene, struct company_wish wish) {
    fault_init(&scene->fault, &scene->arena);
    enum status status = company_check_wish(&wish, &scene->fault, &scene->draft);
    assert_int_equal(status, scene->fault.status);
    if (status == STATUS_OK)
        return NULL;
    assert_int_equal(status, STATUS_INVALID);
    assert_int_equal(scene->fault.field_count, 1);
    assert_memory_equal(scene->fault.fields->description, "type ", 5);
    return scene->fault.fields->field;
}

static void a_good_wish_becomes_a_draft(void **state) {
    struct scene *scene = *state;
    struct company_wish wish = {"Acme", "crm-7", "Ada@Acme.Example"};
    assert_null(find_bad_field(scene, wish));
    assert_true(bytes_is_text(scene->draft.name, "Acme"));
    assert_true(bytes_is_text(scene->draft.external_id, "crm-7"));
    assert_string_equal(scene->draft.administrator_email.text, "Ada@acme.example");
}

static void a_name_has_1_to_100_characters(void **state) {
    struct scene *scene = *state;
    assert_string_equal(find_bad_field(scene, (struct company_wish){"", "", "a@b.c"}), "name");
    assert_null(find_bad_field(scene, (struct company_wish){"x", "", "a@b.c"}));
    assert_null(find_bad_field(scene, (struct company_wish){repeat(scene, 100), "", "a@b.c"}));
    assert_string_equal(find_bad_field(scene, (struct company_wish){repeat(scene, 101), "", "a@b.c"}),
                        "name");
}

static void an_external_id_has_at_most_255_characters(void **state) {
    struct scene *scene = *state;
    assert_null(find_bad_field(scene, (struct company_wish){"Acme", "", "a@b.c"}));
    assert_null(find_bad_field(scene, (struct company_wish){"Acme", repeat(scene, 255), "a@b.c"}));
    assert_string_equal(find_bad_field(scene, (struct company_wish){"Acme", repeat(scene, 256), "a@b.c"}),
                        "external_id");
}

static void an_administrator_has_an_e_mail_address(void **state) {
    struct scene *scene = *state;
    assert_string_equal(find_bad_field(scene, (struct company_wish){"Acme", "", ""}), "administrator_email");
    assert_string_equal(scene->fault.fields->description, email_parse_result_get_text(EMAIL_PARSE_EMPTY));
    assert_string_equal(find_bad_field(scene, (struct company_wish){"Acme", "", "ada@acme"}),
                        "administrator_email");
    assert_string_equal(scene->fault.fields->description,
                        email_parse_result_get_text(EMAIL_PARSE_DOMAIN_SHORT));
}

static void all_bad_fields_are_told_at_once(void **state) {
    struct scene *scene = *state;
    fault_init(&scene->fault, &scene->arena);
    struct company_wish wish = {"", repeat(scene, 256), "ada"};
    assert_int_equal(company_check_wish(&wish, &scene->fault, &scene->draft), STATUS_INVALID);
    assert_int_equal(scene->fault.field_count, 3);
    assert_string_equal(scene->fault.reason, "INVALID_ARGUMENT");
}

// ---- changes ----

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

// The only bad field of a change of that one field, NULL if nothing is wrong.
static const char *find_bad_change(struct scene *scene, enum company_field field,
                                   struct company_policy policy) {
    struct company company = {.name = "kept", .external_id = "kept"};
    struct company_change change = {
        .fields = UINT32_C(1) << field, .name = "Acme", .external_id = "", .policy = policy};
    fault_init(&scene->fault, &scene->arena);
    if (company_check_change(&change, &scene->fault, &company) == STATUS_OK)
        return NULL;
    assert_int_equal(scene->fault.field_count, 1);
    assert_memory_equal(scene->fault.fields->description, "type ", 5);
    return scene->fault.fields->field;
}

static void spans_of_a_policy_have_their_bounds(void **state) {
    struct scene *scene = *state;
    static const struct {
        int64_t ms;
        bool is_lifetime, is_unused, is_login; // whether it is taken as that
    } spans[] = {
        {INT64_MIN, false, false, false},
        {-1, false, false, false},
        {0, true, true, true},
        {1, false, false, false},
        {999, false, false, false},
        {1000, true, false, false},
        {59999, true, false, false},
        {60000, true, false, true},
        {DAY_MS - 1, true, false, true},
        {DAY_MS, true, true, true},
        {30 * DAY_MS, true, true, true},
        {30 * DAY_MS + 1, true, true, false},
        {3650 * DAY_MS, true, true, false},
        {3650 * DAY_MS + 1, false, false, false},
        {INT64_MAX, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(spans); i++) {
        struct company_policy policy = {.max_token_lifetime_ms = spans[i].ms,
                                        .deactivate_unused_ms = spans[i].ms,
                                        .login_lifetime_ms = spans[i].ms};
        assert_int_equal(!find_bad_change(scene, COMPANY_MAX_TOKEN_LIFETIME, policy), spans[i].is_lifetime);
        assert_int_equal(!find_bad_change(scene, COMPANY_DEACTIVATE_UNUSED_AFTER, policy),
                         spans[i].is_unused);
        assert_int_equal(!find_bad_change(scene, COMPANY_LOGIN_LIFETIME, policy), spans[i].is_login);
        assert_null(find_bad_change(scene, COMPANY_REQUIRE_EXPIRY, policy));
    }
}

static void actions_are_those_of_the_contract(void **state) {
    struct scene *scene = *state;
    for (int action = -2; action < 6; action++) {
        struct company_policy policy = {.leak_action = action, .reuse_action = action};
        assert_int_equal(!find_bad_change(scene, COMPANY_LEAK_ACTION, policy), action >= 0 && action <= 3);
        assert_int_equal(!find_bad_change(scene, COMPANY_REUSE_ACTION, policy), action >= 0 && action <= 2);
    }
}

static void the_whole_policy_is_each_of_its_fields(void **state) {
    struct scene *scene = *state;
    struct company company = {.name = "kept", .external_id = "kept", .policy = {.login_lifetime_ms = 60000}};
    struct company_policy policy = {1000, true, DAY_MS, 3, 2, 0};
    struct company_change change = {.fields = UINT32_C(1) << COMPANY_POLICY, .policy = policy};
    fault_init(&scene->fault, &scene->arena);
    assert_int_equal(company_check_change(&change, &scene->fault, &company), STATUS_OK);
    assert_string_equal(company.name, "kept");
    assert_int_equal(company.policy.max_token_lifetime_ms, 1000);
    assert_true(company.policy.requires_expiry);
    assert_int_equal(company.policy.deactivate_unused_ms, DAY_MS);
    assert_int_equal(company.policy.leak_action, 3);
    assert_int_equal(company.policy.reuse_action, 2);
    assert_int_equal(company.policy.login_lifetime_ms, 0);
    change.policy = (struct company_policy){-1, false, -1, -1, -1, -1};
    assert_int_equal(company_check_change(&change, &scene->fault, &company), STATUS_INVALID);
    assert_int_equal(scene->fault.field_count, 5);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(a_good_wish_becomes_a_draft),
        TEST(a_name_has_1_to_100_characters),
        TEST(an_external_id_has_at_most_255_characters),
        TEST(an_administrator_has_an_e_mail_address),
        TEST(all_bad_fields_are_told_at_once),
        TEST(spans_of_a_policy_have_their_bounds),
        TEST(actions_are_those_of_the_contract),
        TEST(the_whole_policy_is_each_of_its_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
