// The follower loads what is there and follows every kind of change. It polls once a minute here: what comes
// at once has come by NOTIFY.
#include "common/access/decision.h"
#include "common/base/clock.h"
#include "services/validator/image/image.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/unit.h"

static struct scene scene;

static int set_up(void **state) {
    (void)state;
    scene_init_serving(&scene);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scene_fini(&scene);
    return 0;
}

static void change(const char *sql) {
    scene_run(&scene, sql);
    scene_follow(&scene);
}

static const struct company_facts *get_company(void) {
    return image_get_company(scene_get_image(&scene), scene_find(&scene, 1));
}

static const struct member_facts *get_member(void) {
    return image_get_member(scene_get_image(&scene), scene_find(&scene, 1));
}

static const struct policy *get_policy(void) {
    return image_get_policy(scene_get_image(&scene), scene_find(&scene, 1));
}

static int64_t get_expiry_ms(unsigned number) {
    return token_record_get_expires_at_ms(scene_find(&scene, number));
}

static bool may(const struct permission_set *set, const char *name) {
    const struct permission_catalogue *catalogue = image_get_catalogue(scene_get_image(&scene));
    uint32_t id = permission_catalogue_find_id(catalogue, bytes_of_text(name));
    return id != PERMISSION_ID_NONE && permission_set_has(set, id);
}

static bool is_listed(const struct ip_set *ips, const char *text, int64_t now_ms) {
    struct ip_address address;
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return ip_set_contains(ips, &address, now_ms);
}

static int64_t now_ms(void) {
    return clock_get_realtime_ms(clock_get_system());
}

static void what_is_there_is_loaded(void **state) {
    (void)state;
    const struct token_record *token = scene_find(&scene, 1);
    assert_non_null(token);
    assert_true(uuid_is_equal(token->token_id, scene_get_uuid('t', 1)));
    assert_int_equal(token->channels, 1);
    assert_false(token->is_deactivated);
    assert_true(may(policy_get_granted(get_policy()), "charges.read"));
    assert_false(may(policy_get_granted(get_policy()), "latchkey.tokens.read"));
    assert_true(uuid_is_equal(get_company()->company_id, scene_get_uuid('c', 1)));
    assert_false(get_company()->is_whitelist_enabled);
    assert_false(get_member()->is_removed);
    assert_true(may(get_member()->permissions, "charges.create"));
    assert_true(may(get_member()->permissions, "latchkey.tokens.manage"));
    assert_false(may(get_member()->permissions, "latchkey.operate"));
    assert_null(scene_find(&scene, 2));
}

static void a_company_is_suspended_and_resumed(void **state) {
    (void)state;
    change("UPDATE latchkey.company SET suspended = true");
    assert_true(get_company()->is_suspended);
    change("UPDATE latchkey.company SET suspended = false");
    assert_false(get_company()->is_suspended);
}

static void a_member_is_removed_and_confined(void **state) {
    (void)state;
    change("UPDATE latchkey.member SET allowed_ips = '{10.0.0.0/8}'");
    assert_true(is_listed(get_member()->ips, "10.1.2.3", 0));
    assert_false(is_listed(get_member()->ips, "11.1.2.3", 0));
    change("UPDATE latchkey.member SET removed_at = now()");
    assert_true(get_member()->is_removed);
}

static void roles_give_and_take_permissions(void **state) {
    (void)state;
    change("INSERT INTO latchkey.role (role_id, company_id, name, permissions)"
           " VALUES ($r2, $c1, 'Reader', '{charges.read}');"
           "UPDATE latchkey.member_role SET role_id = $r2");
    assert_true(may(get_member()->permissions, "charges.read"));
    assert_false(may(get_member()->permissions, "charges.create"));
    change("UPDATE latchkey.role SET permissions = '{charges.create}' WHERE role_id = $r2");
    assert_false(may(get_member()->permissions, "charges.read"));
    assert_true(may(get_member()->permissions, "charges.create"));
    change("DELETE FROM latchkey.member_role; DELETE FROM latchkey.role WHERE role_id = $r2");
    assert_false(may(get_member()->permissions, "charges.create"));
}

static void the_catalogue_grows_and_shrinks(void **state) {
    (void)state;
    change("INSERT INTO latchkey.permission (name) VALUES ('charges.void')");
    assert_true(may(policy_get_granted(get_policy()), "charges.void"));
    assert_true(may(get_member()->permissions, "charges.void"));
    change("DELETE FROM latchkey.permission WHERE name = 'charges.read'");
    assert_false(may(policy_get_granted(get_policy()), "charges.read"));
    assert_true(may(policy_get_granted(get_policy()), "charges.create"));
}

static void tokens_are_made_and_ended(void **state) {
    (void)state;
    change("INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, expires_at)"
           " VALUES ($t2, $c1, $m1, 'l', 2, '2027-01-01T00:00:00Z');"
           "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint, expires_at)"
           " VALUES ($s2, $t2, $c1, 'x', NULL), ($s3, $t2, $c1, 'y', '2026-12-24T00:00:00.250Z')");
    assert_int_equal(scene_find(&scene, 2)->kind, TOKEN_KIND_LOGIN);
    assert_true(get_expiry_ms(2) == INT64_C(1798761600000));
    assert_true(get_expiry_ms(3) == INT64_C(1798070400250));
    change("UPDATE latchkey.token SET deactivated_at = now() WHERE token_id = $t2");
    assert_true(scene_find(&scene, 2)->is_deactivated);
    assert_true(scene_find(&scene, 3)->is_deactivated);
    assert_false(scene_find(&scene, 1)->is_deactivated);
    change("DELETE FROM latchkey.token_secret WHERE digest = $s3");
    assert_non_null(scene_find(&scene, 2));
    assert_null(scene_find(&scene, 3));
    change(
        "DELETE FROM latchkey.token_secret WHERE token_id = $t2; DELETE FROM latchkey.token WHERE token_id = $t2");
    assert_null(scene_find(&scene, 2));
}

static void a_token_is_suspended_and_confined(void **state) {
    (void)state;
    change("UPDATE latchkey.token SET suspended = true, suspended_until = '2027-01-01T00:00:00Z',"
           " not_before = '2026-01-01T00:00:00Z', allowed_ips = '{192.0.2.0/24,2001:db8::/32}',"
           " allowed_domains = '{shop.example}', external_id = 'mine'");
    const struct token_record *token = scene_find(&scene, 1);
    assert_true(token->is_suspended);
    const struct token_extra *extra = image_get_extra(scene_get_image(&scene), token);
    assert_true(extra->suspended_until_ms == INT64_C(1798761600000));
    assert_true(extra->not_before_ms == INT64_C(1767225600000));
    assert_int_equal(extra->external_id_len, 4);
    assert_true(is_listed(get_policy()->ips, "2001:db8::1", 0));
    assert_false(is_listed(get_policy()->ips, "192.0.3.1", 0));
    assert_non_null(get_policy()->domains);
    change("UPDATE latchkey.token SET suspended = false, suspended_until = NULL, allowed_ips = '{}'");
    assert_false(scene_find(&scene, 1)->is_suspended);
    assert_null(get_policy()->ips);
}

static void a_whitelist_is_switched_filled_and_moved(void **state) {
    (void)state;
    change("UPDATE latchkey.whitelist SET enabled = true, scope = 2");
    assert_true(get_company()->is_whitelist_enabled);
    assert_int_equal(get_company()->whitelist_scope, WHITELIST_SCOPE_LOGINS);
    assert_false(is_listed(get_company()->ips, "10.0.0.1", now_ms()));

    change("INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, expires_at)"
           " VALUES ($e1, $c1, $l1, '10.0.0.0/8', '10.0.0.0/8', NULL),"
           " ($e2, $c1, $l1, '11.0.0.0/8', '11.0.0.0/8', to_timestamp(4000000000))");
    assert_true(is_listed(get_company()->ips, "10.0.0.1", now_ms()));
    assert_true(is_listed(get_company()->ips, "11.0.0.1", INT64_C(3999999999999)));
    assert_false(is_listed(get_company()->ips, "11.0.0.1", INT64_C(4000000000000)));

    change("UPDATE latchkey.whitelist_entry SET disabled = true WHERE entry_id = $e1");
    assert_false(is_listed(get_company()->ips, "10.0.0.1", now_ms()));

    // A list that is prepared counts only once it is pointed to.
    change("INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l2, $c1);"
           "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
           " VALUES ($e1, $c1, $l2, '12.0.0.0/8', '12.0.0.0/8')");
    assert_false(is_listed(get_company()->ips, "12.0.0.1", now_ms()));
    change("UPDATE latchkey.whitelist SET live_list_id = $l2");
    assert_true(is_listed(get_company()->ips, "12.0.0.1", now_ms()));
    assert_false(is_listed(get_company()->ips, "11.0.0.1", now_ms()));
    change("DELETE FROM latchkey.whitelist_entry WHERE list_id = $l2");
    assert_false(is_listed(get_company()->ips, "12.0.0.1", now_ms()));
}

static void more_changes_than_fit_in_a_round_are_followed(void **state) {
    (void)state;
    change("DO $$ BEGIN FOR i IN 1..2500 LOOP"
           " UPDATE latchkey.company SET external_id = i::text WHERE company_id = $c1;"
           " SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; END LOOP; END $$");
    assert_memory_equal(get_company()->external_id, "2500", 4);
}

static void a_whole_company_changed_at_once_is_followed(void **state) {
    (void)state;
    change("INSERT INTO latchkey.token (token_id, company_id, kind, channels)"
           " SELECT gen_random_uuid(), $c1, 'a', 1 FROM generate_series(1, 3000);"
           "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
           " SELECT sha256(uuid_send(token_id)), token_id, company_id, 'x' FROM latchkey.token"
           " WHERE token_id <> $t1");
    assert_int_equal(image_get_statistics(scene_get_image(&scene)).tokens, 3001);
    change("DELETE FROM latchkey.token_secret WHERE token_id <> $t1");
    assert_int_equal(image_get_statistics(scene_get_image(&scene)).tokens, 1);
    assert_non_null(scene_find(&scene, 1));
}

static const struct image *first_image;

static bool has_another_image(struct scene *of) {
    return scene_get_image(of) != first_image;
}

static void so_many_companies_changed_at_once_are_loaded_anew(void **state) {
    (void)state;
    first_image = scene_get_image(&scene);
    scene_run(&scene, "INSERT INTO latchkey.company (company_id, name)"
                      " SELECT gen_random_uuid(), 'Many ' || i FROM generate_series(1, 70) AS i;"
                      "INSERT INTO latchkey.token (token_id, company_id, kind, channels)"
                      " SELECT gen_random_uuid(), company_id, 'a', 1 FROM latchkey.company,"
                      " generate_series(1, 101) WHERE name LIKE 'Many %';"
                      "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                      " SELECT sha256(uuid_send(token_id)), token_id, company_id, 'x' FROM latchkey.token"
                      " WHERE company_id <> $c1");
    follower_wake(scene.follower);
    scene_await(&scene, has_another_image);
    assert_int_equal(image_get_statistics(scene_get_image(&scene)).tokens, 7071);
    change("UPDATE latchkey.company SET suspended = true WHERE company_id = $c1");
    assert_true(get_company()->is_suspended);
    assert_int_equal(scene_get_state(&scene), LEASE_SERVING);
}

static void its_row_says_how_far_it_is(void **state) {
    (void)state;
    change("UPDATE latchkey.company SET name = 'Acme & Sons'");
    scene_await_answer(&scene,
                       "SELECT count(*) FROM latchkey.validator v JOIN latchkey.change_lane l ON l.lane = 1"
                       " WHERE v.name = 'validator under test' AND v.address = '127.0.0.1:7078'"
                       " AND v.lease_ms = 3600000 AND v.positions[2] = l.head",
                       1);
}

static void stopping_gives_the_lease_back(void **state) {
    (void)state;
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.validator"), 1);
    scene_stop(&scene);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.validator"), 0);
}

static void a_wake_begins_a_round(void **state) {
    (void)state;
    scene_run(&scene, "UPDATE latchkey.company SET suspended = true");
    follower_wake(scene.follower);
    scene_await_head(&scene);
    assert_true(get_company()->is_suspended);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_there_is_loaded),
        CASE(a_company_is_suspended_and_resumed),
        CASE(a_member_is_removed_and_confined),
        CASE(roles_give_and_take_permissions),
        CASE(the_catalogue_grows_and_shrinks),
        CASE(tokens_are_made_and_ended),
        CASE(a_token_is_suspended_and_confined),
        CASE(a_whitelist_is_switched_filled_and_moved),
        CASE(more_changes_than_fit_in_a_round_are_followed),
        CASE(a_whole_company_changed_at_once_is_followed),
        CASE(so_many_companies_changed_at_once_are_loaded_anew),
        CASE(its_row_says_how_far_it_is),
        CASE(stopping_gives_the_lease_back),
        CASE(a_wake_begins_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
