// Who may log in from where, without a database.
#include <string.h>

#include "common/base/clock.h"
#include "services/token/login.h"
#include "services/token/login_rules.h"
#include "tests/unit/unit.h"

#define NOW_MS CLOCK_MANUAL_START_MS

static const struct login_wish plain = {.member_id = "mbr_01h455vb4pex5vsknk084sn02q",
                                        .email = "",
                                        .issuer = "",
                                        .subject = "",
                                        .client_ip = "203.0.113.7",
                                        .user_agent = ""};

struct checked {
    struct arena arena;
    struct fault fault;
    struct login_draft draft;
};

static enum status check(struct checked *checked, const struct login_wish *wish) {
    arena_init(&checked->arena, 0);
    fault_init(&checked->fault, &checked->arena);
    return login_check_wish(wish, &checked->fault, &checked->draft);
}

static void assert_bad(const struct login_wish *wish, const char *field) {
    struct checked checked;
    assert_int_equal(check(&checked, wish), STATUS_INVALID);
    assert_int_equal(checked.fault.field_count, 1);
    assert_string_equal(checked.fault.fields->field, field);
    arena_fini(&checked.arena);
}

static void a_person_has_exactly_one_name(void **state) {
    (void)state;
    struct login_wish wish = plain;
    wish.email = "ada@example.com";
    assert_bad(&wish, "member_id");
    wish.member_id = "";
    wish.issuer = "https://id.example";
    assert_bad(&wish, "subject");
    wish.email = "";
    assert_bad(&wish, "subject");
    wish.issuer = "";
    assert_bad(&wish, "member_id");
    wish.subject = "ada";
    assert_bad(&wish, "issuer");
    wish = plain;
    wish.member_id = "tok_01h455vb4pex5vsknk084sn02q";
    assert_bad(&wish, "member_id");
}

static void an_address_may_stand_beside_an_identity(void **state) {
    (void)state;
    struct checked checked;
    struct login_wish wish = plain;
    wish.member_id = "";
    wish.email = "ada@example.com";
    assert_int_equal(check(&checked, &wish), STATUS_OK);
    assert_int_equal(checked.draft.key, LOGIN_BY_EMAIL);
    arena_fini(&checked.arena);
    wish.issuer = "https://id.example";
    wish.subject = "ada";
    assert_int_equal(check(&checked, &wish), STATUS_OK);
    assert_int_equal(checked.draft.key, LOGIN_BY_SUBJECT);
    arena_fini(&checked.arena);
    wish.member_id = plain.member_id;
    assert_bad(&wish, "member_id");
}

static void an_address_is_canonical_or_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"010.0.0.1", "10.0.0.0/8", "::1%eth0", "host", " 10.0.0.1", "1.2.3"};
    struct login_wish wish = plain;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        wish.client_ip = bad[i];
        assert_bad(&wish, "client_ip");
    }
    struct checked checked;
    wish.client_ip = "::ffff:203.0.113.7";
    assert_int_equal(check(&checked, &wish), STATUS_OK);
    assert_string_equal(checked.draft.client_ip, "203.0.113.7");
    arena_fini(&checked.arena);
    wish.client_ip = "";
    assert_int_equal(check(&checked, &wish), STATUS_OK);
    assert_int_equal(checked.draft.address.family, IP_FAMILY_NONE);
    arena_fini(&checked.arena);
}

static void an_agent_is_cut_between_characters(void **state) {
    (void)state;
    char agent[2 * LOGIN_USER_AGENT_MAX + 3] = "";
    for (size_t i = 0; i <= LOGIN_USER_AGENT_MAX; i++)
        memcpy(agent + 2 * i, "\xc3\xbc", 2);
    agent[2 * LOGIN_USER_AGENT_MAX + 2] = '\0';
    struct login_wish wish = plain;
    wish.user_agent = agent;
    struct checked checked;
    assert_int_equal(check(&checked, &wish), STATUS_OK);
    assert_int_equal(checked.draft.user_agent.len, 2 * LOGIN_USER_AGENT_MAX);
    assert_int_equal(checked.draft.channel, CHANNEL_UI);
    arena_fini(&checked.arena);
}

// ---- the decision ----

static struct ip_set *make_list(const char *cidr, int64_t ends_at_ms) {
    struct ip_set_entry entry = {.ends_at_ms = ends_at_ms};
    assert_int_equal(ip_prefix_parse(bytes_of_text(cidr), &entry.prefix), IP_PARSE_OK);
    struct ip_set *set = ip_set_new(&entry, 1);
    assert_non_null(set);
    return set;
}

static enum reason decide(const struct login_person *person, const char *client_ip) {
    struct login_draft draft = {.channel = CHANNEL_UI};
    if (*client_ip)
        assert_int_equal(ip_address_parse(bytes_of_text(client_ip), &draft.address), IP_PARSE_OK);
    return login_decide(person, &draft, NOW_MS);
}

static void every_list_that_applies_has_to_hold_the_address(void **state) {
    (void)state;
    struct ip_set *company = make_list("203.0.113.0/24", CLOCK_NEVER_MS);
    struct ip_set *member = make_list("203.0.113.0/28", CLOCK_NEVER_MS);
    struct login_person person = {.company_ips = company, .whitelist_scope = WHITELIST_SCOPE_LOGINS};
    assert_int_equal(decide(&person, "198.51.100.7"), REASON_OK);
    assert_int_equal(decide(&person, ""), REASON_OK);
    person.is_whitelist_enabled = true;
    assert_int_equal(decide(&person, "203.0.113.99"), REASON_OK);
    assert_int_equal(decide(&person, "198.51.100.7"), REASON_COMPANY_IP_NOT_LISTED);
    assert_int_equal(decide(&person, ""), REASON_COMPANY_IP_NOT_LISTED);
    person.member_ips = member;
    assert_int_equal(decide(&person, "203.0.113.7"), REASON_OK);
    assert_int_equal(decide(&person, "203.0.113.99"), REASON_MEMBER_IP_NOT_LISTED);
    person.is_removed = true;
    assert_int_equal(decide(&person, "203.0.113.7"), REASON_MEMBER_REMOVED);
    person.is_company_suspended = true;
    assert_int_equal(decide(&person, "203.0.113.7"), REASON_COMPANY_SUSPENDED);
    person = (struct login_person){.is_whitelist_enabled = true};
    assert_int_equal(decide(&person, "203.0.113.7"), REASON_COMPANY_IP_NOT_LISTED);
    ip_set_free(member);
    ip_set_free(company);
}

// ---- the refusal ----

static void a_refusal_names_the_address_and_what_comes_nearest(void **state) {
    (void)state;
    struct arena arena;
    struct fault fault;
    struct login_draft draft = {.client_ip = "203.0.113.99"};
    assert_int_equal(ip_address_parse(bytes_of_text(draft.client_ip), &draft.address), IP_PARSE_OK);
    struct ip_set *list = make_list("203.0.113.0/28", CLOCK_NEVER_MS);
    struct ip_set *ended = make_list("203.0.113.0/24", NOW_MS);
    arena_init(&arena, 0);

    struct login_near near = login_find_near(list, &draft.address, NOW_MS);
    fault_init(&fault, &arena);
    assert_int_equal(login_refuse(&fault, REASON_MEMBER_IP_NOT_LISTED, &draft, &near),
                     STATUS_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "MEMBER_IP_NOT_LISTED");
    assert_non_null(strstr(fault.message, "203.0.113.99"));
    assert_non_null(strstr(fault.message, "203.0.113.0/28"));
    assert_non_null(strstr(fault.message, "25 of 28"));

    near = login_find_near(ended, &draft.address, NOW_MS);
    fault_init(&fault, &arena);
    assert_int_equal(login_refuse(&fault, REASON_COMPANY_IP_NOT_LISTED, &draft, &near),
                     STATUS_PERMISSION_DENIED);
    assert_non_null(strstr(fault.message, "has ended"));

    near = (struct login_near){0};
    fault_init(&fault, &arena);
    assert_int_equal(login_refuse(&fault, REASON_COMPANY_SUSPENDED, &draft, &near),
                     STATUS_FAILED_PRECONDITION);
    fault_init(&fault, &arena);
    assert_int_equal(login_refuse(&fault, REASON_EXPIRED, &draft, &near), STATUS_PERMISSION_DENIED);
    arena_fini(&arena);
    ip_set_free(ended);
    ip_set_free(list);
}

static void a_log_in_ends_by_itself_or_by_hand(void **state) {
    (void)state;
    struct login login = {.expires_at_ms = NOW_MS + 1, .deactivated_at_ms = CLOCK_NEVER_MS};
    assert_int_equal(login_get_state(&login, NOW_MS), TOKEN_STATE_ACTIVE);
    assert_int_equal(login_get_state(&login, NOW_MS + 1), TOKEN_STATE_EXPIRED);
    login.deactivated_at_ms = NOW_MS;
    assert_int_equal(login_get_state(&login, NOW_MS + 1), TOKEN_STATE_DEACTIVATED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_has_exactly_one_name),
        cmocka_unit_test(an_address_may_stand_beside_an_identity),
        cmocka_unit_test(an_address_is_canonical_or_refused),
        cmocka_unit_test(an_agent_is_cut_between_characters),
        cmocka_unit_test(every_list_that_applies_has_to_hold_the_address),
        cmocka_unit_test(a_refusal_names_the_address_and_what_comes_nearest),
        cmocka_unit_test(a_log_in_ends_by_itself_or_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
