// An image that has followed a thousand random changes is the one that a fresh load makes, whether the
// follower went on all the time or was started again from a snapshot file, a new or an old one. LATCHKEY_SEED
// repeats a run.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/validator/follow/snapshot.h"
#include "services/validator/image/quiescence.h"
#include "tests/integration/validator/image_dump.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 40, CHANGES_MAX = 12, OBJECTS = 8, PROBES = 24 };

#define NOW_MS INT64_C(1800000000000)

static struct scene scene;
static struct seed seed;
static struct ip_address probes[PROBES];
static char kept_path[96];

static unsigned pick(unsigned count) {
    return (unsigned)seed_next_below(&seed, count);
}

static unsigned pick_object(void) {
    return 1 + pick(OBJECTS);
}

// --- changes ---

// Each %u is the number of some object; company 1 has the odd ones, company 2 the even ones, so that one and
// the same $-number always names an object with its company.
static const char *const changes[] = {
    "INSERT INTO latchkey.token (token_id, company_id, kind, channels, permissions) SELECT $t%1$u, company_id, 'a',"
    " 1, '{charges.read}' FROM latchkey.company WHERE company_id = $c%2$u ON CONFLICT DO NOTHING",
    "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint) SELECT $s%1$u, token_id, company_id, 'x'"
    " FROM latchkey.token WHERE token_id = $t%1$u ON CONFLICT DO NOTHING",
    "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint, expires_at)"
    " SELECT $s10%1$u, token_id, company_id, 'x', to_timestamp(1800000000 + %3$u - 4) FROM latchkey.token"
    " WHERE token_id = $t%1$u ON CONFLICT DO NOTHING",
    "DELETE FROM latchkey.token_secret WHERE token_id = $t%1$u",
    "DELETE FROM latchkey.token_secret WHERE digest = $s%3$u",
    "UPDATE latchkey.token SET deactivated_at = CASE WHEN deactivated_at IS NULL THEN now() END"
    " WHERE token_id = $t%1$u",
    "UPDATE latchkey.token SET suspended = true, suspended_until = to_timestamp(1800000000 + %3$u)"
    " WHERE token_id = $t%1$u",
    "UPDATE latchkey.token SET suspended = false, suspended_until = NULL, not_before = to_timestamp(%3$u)"
    " WHERE token_id = $t%1$u",
    "UPDATE latchkey.token SET allowed_ips = array[(10 + %3$u || '.0.0.0/8')::cidr], external_id = 'ext%1$u'"
    " WHERE token_id = $t%1$u",
    "UPDATE latchkey.token SET permissions = array['charges.*', 'charges.p%3$u'], allowed_domains = '{a.example}'"
    " WHERE token_id = $t%1$u",
    "UPDATE latchkey.token SET channels = 1 + channels %% 3 WHERE company_id = $c%2$u",
    "UPDATE latchkey.company SET suspended = NOT suspended WHERE company_id = $c%2$u",
    "UPDATE latchkey.company SET external_id = 'of%1$u' || company_id WHERE company_id = $c%2$u",
    "INSERT INTO latchkey.role (role_id, company_id, name, permissions)"
    " VALUES ($r1%1$u, $c%2$u, 'role %1$u', '{charges.read}') ON CONFLICT DO NOTHING",
    "UPDATE latchkey.role SET permissions = array['charges.p%3$u'] WHERE role_id = $r1%1$u",
    "DELETE FROM latchkey.member_role WHERE role_id = $r1%1$u; DELETE FROM latchkey.role WHERE role_id = $r1%1$u",
    "INSERT INTO latchkey.member (member_id, company_id, email)"
    " VALUES ($m1%1$u, $c%2$u, 'm%1$u@example.com') ON CONFLICT DO NOTHING",
    "UPDATE latchkey.member SET removed_at = now() WHERE member_id = $m1%1$u",
    "UPDATE latchkey.member SET allowed_ips = array[(10 + %3$u || '.0.0.0/8')::cidr] WHERE member_id = $m1%1$u",
    "INSERT INTO latchkey.member_role SELECT m.company_id, m.member_id, r.role_id FROM latchkey.member m"
    " JOIN latchkey.role r USING (company_id) WHERE m.member_id = $m1%1$u AND %3$u > 3"
    " ON CONFLICT DO NOTHING",
    "DELETE FROM latchkey.member_role WHERE member_id = $m1%1$u",
    "UPDATE latchkey.token SET member_id = $m1%1$u WHERE token_id = $t%1$u"
    " AND EXISTS (SELECT FROM latchkey.member WHERE member_id = $m1%1$u)",
    "UPDATE latchkey.whitelist SET enabled = NOT enabled, scope = 3 - scope WHERE company_id = $c%2$u",
    "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, expires_at)"
    " SELECT $e%1$u%3$u, company_id, live_list_id, '1.1.1.1', (10 + %3$u || '.0.0.0/8')::cidr,"
    " to_timestamp(1800000000 + %3$u - 4) FROM latchkey.whitelist WHERE company_id = $c%2$u"
    " ON CONFLICT DO NOTHING",
    "UPDATE latchkey.whitelist_entry SET cidr = (10 + %3$u || '.1.0.0/16')::cidr WHERE entry_id = $e%1$u%3$u",
    "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
    " SELECT gen_random_uuid(), company_id, live_list_id, '2.2.2.2', ('12.%3$u.' || n || '.0/24')::cidr"
    " FROM latchkey.whitelist, generate_series(1, 250) AS n WHERE company_id = $c%2$u",
    "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
    " SELECT gen_random_uuid(), company_id, live_list_id, '2.2.2.2', ('12.' || n / 250 || '.' || n %% 250 || '.%3$u')::cidr"
    " FROM latchkey.whitelist, generate_series(1, 10100) AS n WHERE company_id = $c%2$u",
    "UPDATE latchkey.whitelist_entry SET expires_at = to_timestamp(1800000000 + %3$u - 4)"
    " WHERE cidr = ('12.%1$u.%3$u.0/24')::cidr",
    "DELETE FROM latchkey.whitelist_entry WHERE company_id = $c%2$u AND address = '2.2.2.2'"
    " AND cidr <<= ('12.%3$u.0.0/16')::cidr",
    "DELETE FROM latchkey.whitelist_entry WHERE company_id = $c%2$u AND address = '2.2.2.2'",
    "UPDATE latchkey.whitelist_entry SET disabled = NOT disabled WHERE entry_id = $e%1$u%3$u",
    "UPDATE latchkey.whitelist_entry SET expires_at = NULL WHERE company_id = $c%2$u",
    "DELETE FROM latchkey.whitelist_entry WHERE entry_id = $e%1$u%3$u",
    "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l1%1$u, $c%2$u) ON CONFLICT DO NOTHING;"
    "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
    " VALUES ($e%3$u, $c%2$u, $l1%1$u, '1.1.1.1', (10 + %3$u || '.0.0.0/8')::cidr) ON CONFLICT DO NOTHING",
    "UPDATE latchkey.whitelist SET live_list_id = $l1%1$u WHERE company_id = $c%2$u"
    " AND EXISTS (SELECT FROM latchkey.whitelist_list WHERE list_id = $l1%1$u)",
    "DELETE FROM latchkey.whitelist WHERE company_id = $c%2$u",
    "INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES ($c%2$u, $l%2$u) ON CONFLICT DO NOTHING",
    "INSERT INTO latchkey.permission (name) VALUES ('charges.p%3$u') ON CONFLICT DO NOTHING",
    "DELETE FROM latchkey.permission WHERE name = 'charges.p%3$u'",
    "INSERT INTO latchkey.token (token_id, company_id, kind, channels)"
    " SELECT gen_random_uuid(), $c%2$u, 'a', 1 FROM generate_series(1, 120);"
    "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
    " SELECT sha256(uuid_send(token_id)), token_id, company_id, 'y' FROM latchkey.token ON CONFLICT DO NOTHING",
    "DELETE FROM latchkey.token_secret WHERE hint = 'y'",
};

static void make_second_company(void) {
    scene_run(&scene, "INSERT INTO latchkey.company (company_id, name) VALUES ($c2, 'Second');"
                      "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l2, $c2);"
                      "INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES ($c2, $l2)");
}

// Some changes, in as many transactions.
static void make_changes(void) {
    for (unsigned i = 1 + pick(CHANGES_MAX); i > 0; i--) {
        char format[2048], sql[2048];
        unsigned object = pick_object(), company = 1 + (object + 1) % 2;
        // Fortified, printf ends a program whose format skips a number.
        snprintf(format, sizeof(format), "%s /* %%1$u %%2$u %%3$u */", changes[pick(ARRAY_LENGTH(changes))]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(sql, sizeof(sql), format, object, company, pick_object());
#pragma GCC diagnostic pop
        scene_run(&scene, sql);
    }
}

// --- comparing ---

// With which the same digest is the same in both.
static struct fingerprint_key get_key(void) {
    quiescence_go_online();
    struct fingerprint_key key = *image_get_fingerprint_key(scene_get_image(&scene));
    quiescence_go_offline();
    return key;
}

static char *dump_fresh(void) {
    struct reclaim reclaim = {0};
    atomic_bool is_stopping = false;
    struct snapshot_progress progress = {0};
    struct db_connection *connection = NULL;
    struct db_connect_failure failure;
    assert_int_equal(db_connection_open(&scene.connection, deadline_in_ms(10000), &connection, &failure),
                     STATUS_OK);
    struct snapshot_options options = {.connection = connection,
                                       .database = &scene.connection,
                                       .more_connections = 2,
                                       .clock = clock_get_system(),
                                       .lanes = LANE_SET_ALL,
                                       .reclaim = &reclaim,
                                       .key = get_key(),
                                       .is_stopping = &is_stopping,
                                       .progress = &progress};
    struct image *image;
    assert_int_equal(snapshot_load(&options, &image), STATUS_OK);
    char *text = image_dump(image, probes, PROBES, NOW_MS);
    reclaim_fini(&reclaim);
    image_free(image);
    db_connection_close(connection);
    return text;
}

// Each round of the follower replaces the positions: what is read is held.
static char *dump_followed(void) {
    quiescence_go_online();
    char *text = image_dump(scene_get_image(&scene), probes, PROBES, NOW_MS);
    quiescence_go_offline();
    return text;
}

static void expect_same(const char *followed, const char *fresh) {
    if (strcmp(followed, fresh) == 0)
        return;
    size_t at = 0;
    while (followed[at] == fresh[at])
        at++;
    while (at > 0 && followed[at - 1] != '\n')
        at--;
    fail_msg("followed\n%.600s\nfresh\n%.600s", followed + at, fresh + at);
}

static void make_probes(void) {
    for (unsigned i = 0; i < PROBES; i++) {
        char text[32];
        snprintf(text, sizeof(text), i < PROBES / 2 ? "%u.1.2.3" : "12.1.%u.1", 9 + i % (PROBES / 2));
        assert_int_equal(ip_address_parse(bytes_of_text(text), &probes[i]), IP_PARSE_OK);
    }
}

// The file as it is now, while others take its place.
static void keep_file(void) {
    unlink(kept_path);
    assert_true(link(scene.snapshot_path, kept_path) == 0 ||
                access(scene.snapshot_path, F_OK) != 0); // none is written yet
}

// With a file that may be much older than what it knew.
static void start_again(void) {
    scene_stop(&scene);
    if (pick(2) == 0 && access(kept_path, F_OK) == 0) {
        assert_int_equal(unlink(scene.snapshot_path), 0);
        assert_int_equal(link(kept_path, scene.snapshot_path), 0);
    }
    scene_start(&scene);
    scene_await_head(&scene);
}

static void a_followed_image_is_the_one_that_a_load_makes(void **state) {
    (void)state;
    make_second_company();
    for (unsigned i = 0; i < ROUNDS; i++) {
        make_changes();
        scene_follow(&scene);
        char *followed = dump_followed();
        char *fresh = dump_fresh();
        expect_same(followed, fresh);
        free(followed);
        free(fresh);
        if (pick(8) == 0)
            scene_kill_backend(&scene);
        if (pick(8) == 0)
            keep_file();
        if (pick(6) == 0)
            start_again();
    }
}

static int set_up(void **state) {
    (void)state;
    seed = seed_new();
    make_probes();
    scene_init(&scene);
    scene_keep_file(&scene, 1);
    snprintf(kept_path, sizeof(kept_path), "%s/kept", scene.directory);
    scene_start(&scene);
    scene_await_state(&scene, LEASE_SERVING);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(kept_path);
    scene_fini(&scene);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_followed_image_is_the_one_that_a_load_makes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
