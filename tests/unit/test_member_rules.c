// What a member must be like, what counts as a change of it, and the guard of one's own list.
#include <stdlib.h>
#include <string.h>

#include "services/invitation/member_rules.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct fault fault;
static struct member_draft draft;

static const char *const role = "rol_01h455vb4pex5vsknk084sn02q";
static const char *const other_role = "rol_01h455vb4pex5vsknk084sn02r";

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    draft = (struct member_draft){"kept@example.com", "kept", "", "", "kept", {0}, {0}};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct member_wish wish_of(uint32_t fields) {
    return (struct member_wish){.fields = fields,
                                .path = "member.",
                                .email = "Ada@Example.com",
                                .display_name = "Ada",
                                .issuer = "https://id.example",
                                .subject = "1",
                                .external_id = "x"};
}

// `count` times a character of three bytes.
static const char *repeat(size_t count) {
    char *text = arena_allocate(&arena, 3 * count + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + 3 * i, "\xE2\x82\xAC", 3);
    text[3 * count] = '\0';
    return text;
}

static bool is_taken(const struct member_wish *wish) {
    fault_init(&fault, &arena);
    enum status status = member_check_wish(wish, &arena, &fault, &draft);
    assert_int_equal(status, fault.status);
    assert_true(status == STATUS_OK || status == STATUS_INVALID);
    return status == STATUS_OK;
}

static void only_what_is_wished_is_looked_at_and_changed(void **state) {
    (void)state;
    struct member_wish wish = wish_of(UINT32_C(1) << MEMBER_EMAIL);
    wish.display_name = repeat(MEMBER_NAME_MAX + 1);
    assert_true(is_taken(&wish));
    assert_string_equal(draft.email, "Ada@example.com");
    assert_string_equal(draft.display_name, "kept");
    assert_string_equal(draft.external_id, "kept");
}

static void texts_have_their_limits(void **state) {
    (void)state;
    struct member_wish wish = wish_of(MEMBER_FIELDS_ALL);
    wish.display_name = repeat(MEMBER_NAME_MAX);
    wish.external_id = repeat(MEMBER_EXTERNAL_ID_MAX);
    wish.issuer = wish.subject = repeat(MEMBER_ISSUER_BYTES_MAX / 3);
    assert_true(is_taken(&wish));
    wish.display_name = repeat(MEMBER_NAME_MAX + 1);
    wish.external_id = repeat(MEMBER_EXTERNAL_ID_MAX + 1);
    wish.issuer = wish.subject = repeat(MEMBER_ISSUER_BYTES_MAX / 3 + 1);
    wish.email = "";
    assert_false(is_taken(&wish));
    assert_int_equal(fault.field_count, 5);
    assert_string_equal(fault.fields->field, "member.email");
    for (const struct fault_field *field = fault.fields; field; field = field->next)
        assert_memory_equal(field->description, "type ", 5);
}

static void roles_are_kept_in_order_each_once(void **state) {
    (void)state;
    char *ids[] = {(char *)other_role, (char *)role, (char *)other_role};
    struct member_wish wish = wish_of(UINT32_C(1) << MEMBER_ROLE_IDS);
    wish.role_ids = ids;
    wish.role_id_count = ARRAY_LENGTH(ids);
    assert_true(is_taken(&wish));
    assert_int_equal(draft.roles.count, 2);
    assert_true(memcmp(&draft.roles.ids[0], &draft.roles.ids[1], sizeof(struct uuid)) < 0);
    ids[1] = (char *)"mbr_01h455vb4pex5vsknk084sn02q";
    assert_false(is_taken(&wish));
    assert_string_equal(fault.fields->field, "member.role_ids[1]");
}

static void a_member_has_at_most_so_many_roles(void **state) {
    (void)state;
    char *ids[MEMBER_ROLES_MAX + 1];
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++)
        ids[i] = (char *)role;
    struct member_wish wish = wish_of(UINT32_C(1) << MEMBER_ROLE_IDS);
    wish.role_ids = ids;
    wish.role_id_count = MEMBER_ROLES_MAX;
    assert_true(is_taken(&wish));
    wish.role_id_count++;
    assert_false(is_taken(&wish));
    assert_string_equal(fault.fields->field, "member.role_ids");
}

static void issuer_and_subject_stand_together(void **state) {
    (void)state;
    draft.issuer = "https://id.example";
    assert_int_equal(member_check_identity(&draft, "", &fault), STATUS_INVALID);
    assert_string_equal(fault.fields->field, "subject");
    fault_init(&fault, &arena);
    draft.issuer = "";
    draft.subject = "1";
    assert_int_equal(member_check_identity(&draft, "member.", &fault), STATUS_INVALID);
    assert_string_equal(fault.fields->field, "member.issuer");
    fault_init(&fault, &arena);
    draft.issuer = "https://id.example";
    assert_int_equal(member_check_identity(&draft, "", &fault), STATUS_OK);
}

static void every_field_makes_a_difference_and_three_make_another_person(void **state) {
    (void)state;
    char *ids[] = {(char *)role}, *ips[] = {(char *)"10.0.0.0/8"};
    const struct member_draft before = draft;
    for (int field = 0; field < MEMBER_FIELD_COUNT; field++) {
        struct member_wish wish = wish_of(UINT32_C(1) << field);
        wish.role_ids = ids;
        wish.role_id_count = 1;
        wish.allowed_ips = ips;
        wish.allowed_ip_count = 1;
        draft = before;
        assert_true(member_draft_is_equal(&draft, &before));
        assert_true(is_taken(&wish));
        assert_false(member_draft_is_equal(&draft, &before));
        assert_true(member_draft_is_equal(&draft, &draft));
        bool is_person = field == MEMBER_EMAIL || field == MEMBER_ISSUER || field == MEMBER_SUBJECT;
        assert_int_equal(member_is_other_person(&draft, &before), is_person);
    }
}

static void an_own_list_must_hold_the_callers_address(void **state) {
    (void)state;
    char *ips[] = {(char *)"10.0.0.0/8"};
    struct ip_address inside, outside;
    assert_int_equal(ip_address_parse(BYTES_LITERAL("10.1.2.3"), &inside), IP_PARSE_OK);
    assert_int_equal(ip_address_parse(BYTES_LITERAL("2001:db8::1"), &outside), IP_PARSE_OK);
    assert_int_equal(member_check_lock_out(&draft, &outside, &fault), STATUS_OK);
    prefix_list_parse(ips, 1, 1, "allowed_ips", &arena, &fault, &draft.allowed_ips);
    assert_int_equal(member_check_lock_out(&draft, &inside, &fault), STATUS_OK);
    assert_int_equal(member_check_lock_out(&draft, &outside, &fault), STATUS_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "LOCKS_OUT_CALLER");
    assert_non_null(strstr(fault.message, "2001:db8::1/128"));
    fault_init(&fault, &arena);
    assert_int_equal(member_check_lock_out(&draft, &(struct ip_address){0}, &fault),
                     STATUS_FAILED_PRECONDITION);
}

// ---- from where nobody lets anybody in who may not be there ----

static struct prefix_list list_of(const char *texts) {
    struct prefix_list list = {ARENA_NEW_ARRAY(&arena, struct ip_prefix, 4), 0};
    struct bytes rest = bytes_of_text(texts);
    assert_non_null(list.prefixes);
    while (rest.len > 0)
        assert_int_equal(ip_prefix_parse(bytes_split(&rest, ' '), &list.prefixes[list.count++]), IP_PARSE_OK);
    return list;
}

static bool may_let_in(const char *after, const char *before, const char *token, const char *member) {
    struct prefix_list lists[] = {list_of(after), list_of(before), list_of(token), list_of(member)};
    const struct caller caller = {.allowed_ips = lists[2].prefixes,
                                  .allowed_ip_count = lists[2].count,
                                  .member_ips = lists[3].prefixes,
                                  .member_ip_count = lists[3].count};
    fault_init(&fault, &arena);
    enum status status = member_check_let_in(&lists[0], &lists[1], &caller, &arena, &fault);
    assert_true(status == STATUS_OK || strcmp(fault.reason, "GRANT_EXCEEDS_CALLER") == 0);
    return status == STATUS_OK;
}

static void what_a_list_gains_lies_in_every_list_of_the_caller(void **state) {
    (void)state;
    static const struct {
        const char *after, *before, *token, *member;
        bool may;
    } cases[] = {
        {"", "10.0.0.0/8", "", "", true}, // who is bound by nothing
        {"192.0.2.7", "10.0.0.0/8", "", "", true},
        {"", "10.0.0.0/8", "", "10.0.0.0/8", false}, // one's own
        {"10.0.0.0/7", "10.0.0.0/8", "", "10.0.0.0/8", false},
        {"10.1.0.0/16", "10.0.0.0/8", "", "10.0.0.0/8", true},
        {"10.1.0.0/16", "10.0.0.0/8", "192.0.2.0/24", "", true}, // narrower
        {"10.0.0.0/8 192.0.2.7", "10.0.0.0/8", "192.0.2.0/24", "", true},
        {"10.0.0.0/8 192.0.2.7", "10.0.0.0/8", "192.0.2.0/24", "203.0.113.0/24", false},
        {"10.0.0.0/8 192.0.2.7", "10.0.0.0/8", "203.0.113.0/24", "192.0.2.0/24", false},
        {"10.0.0.0/8 192.0.2.7", "10.0.0.0/8", "192.0.2.0/24", "192.0.2.7", true},
        {"", "10.0.0.0/8", "0.0.0.0/0", "", false},
        {"", "", "192.0.2.0/24", "192.0.2.0/24", true}, // was open before
        {"192.0.2.7", "", "10.0.0.0/8", "10.0.0.0/8", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (may_let_in(cases[i].after, cases[i].before, cases[i].token, cases[i].member) != cases[i].may)
            fail_msg("%s after %s, by %s and %s", cases[i].after, cases[i].before, cases[i].token,
                     cases[i].member);
}

static void the_refusal_says_which_list_of_the_caller_it_is(void **state) {
    (void)state;
    assert_false(may_let_in("", "10.0.0.0/8", "10.0.0.0/8", ""));
    assert_non_null(strstr(fault.message, "of the token that you call with"));
    assert_false(may_let_in("", "10.0.0.0/8", "", "10.0.0.0/8"));
    assert_non_null(strstr(fault.message, "that you have as a member"));
}

static void running_out_of_memory_is_told_whenever_it_happens(void **state) {
    (void)state;
    char *ids[] = {(char *)role, (char *)other_role}, *ips[] = {(char *)"10.0.0.0/8", (char *)"::1"};
    struct member_wish wish = wish_of(MEMBER_FIELDS_ALL);
    wish.role_ids = ids;
    wish.allowed_ips = ips;
    wish.role_id_count = wish.allowed_ip_count = 2;
    enum status status = STATUS_NO_MEMORY;
    for (size_t limit = 1; status != STATUS_OK; limit++) {
        struct arena small;
        arena_init(&small, limit);
        fault_init(&fault, &arena);
        status = member_check_wish(&wish, &small, &fault, &draft);
        arena_fini(&small);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        assert_true(limit < 100000);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_wished_is_looked_at_and_changed),
        TEST(texts_have_their_limits),
        TEST(roles_are_kept_in_order_each_once),
        TEST(a_member_has_at_most_so_many_roles),
        TEST(issuer_and_subject_stand_together),
        TEST(every_field_makes_a_difference_and_three_make_another_person),
        TEST(an_own_list_must_hold_the_callers_address),
        TEST(what_a_list_gains_lies_in_every_list_of_the_caller),
        TEST(the_refusal_says_which_list_of_the_caller_it_is),
        TEST(running_out_of_memory_is_told_whenever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
