// What an image remembers and the database has not: for each kind of change, made, loaded, and taken back.
#include <stdlib.h>
#include <string.h>

#include "common/base/typeid.h"
#include "services/validator/follow/loss_report.h"
#include "services/validator/follow/snapshot.h"
#include "services/validator/image/image_compare.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct scene scene;
static struct reclaim reclaim;

static atomic_bool is_stopping;
static struct snapshot_progress progress;

// On a connection of its own.
static struct snapshot_options open_options(void) {
    struct snapshot_options options = {.clock = clock_get_system(),
                                       .lanes = LANE_SET_ALL,
                                       .reclaim = &reclaim,
                                       .key = {{1, 2}},
                                       .is_stopping = &is_stopping,
                                       .progress = &progress};
    struct db_connect_failure failure;
    assert_int_equal(
        db_connection_open(&scene.connection, deadline_in_ms(10000), &options.connection, &failure),
        STATUS_OK);
    return options;
}

static struct image *load(void) {
    struct snapshot_options options = open_options();
    struct image *image;
    assert_int_equal(snapshot_load(&options, &image), STATUS_OK);
    db_connection_close(options.connection);
    return image;
}

// "token.deactivated t1 "; the letter and the number are the object's, 0 the catalogue's.
static enum status write(void *context, const struct lost_change *change) {
    struct buffer *to = context;
    uint8_t letter = change->object_id.bytes[9];
    buffer_append_format(to, "%s %c%u%s ", lost_change_get_name(change->kind), letter ? letter : '-',
                         change->object_id.bytes[15], change->until_ms == CLOCK_NEVER_MS ? "" : " until");
    return STATUS_OK;
}

static struct image_compare_options compare_all(int64_t now_ms) {
    struct image_compare_options options = {.now_ms = now_ms};
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        options.lanes[lane] = true;
    return options;
}

static char *compare(const struct image *memory, const struct image *database) {
    struct buffer text = {0};
    const struct image_compare_options options = compare_all(clock_get_realtime_ms(clock_get_system()));
    assert_int_equal(image_compare(memory, database, &options, write, &text), STATUS_OK);
    buffer_append_byte(&text, '\0');
    assert_false(text.failed);
    return (char *)text.data;
}

static const struct {
    const char *done, *undone, *lost;
} changes[] = {
    {"SELECT 1", "SELECT 1", ""},
    // --- tokens ---
    {"UPDATE latchkey.token SET deactivated_at = now()", "UPDATE latchkey.token SET deactivated_at = NULL",
     "token.deactivated t1 "},
    {"SELECT 1", "UPDATE latchkey.token SET deactivated_at = now()", ""}, // stricter than it was
    {"UPDATE latchkey.token SET deactivated_at = NULL, suspended = true",
     "UPDATE latchkey.token SET suspended = false", "token.suspended t1 "},
    {"UPDATE latchkey.token SET suspended = true, suspended_until = now() + interval '1 hour'",
     "UPDATE latchkey.token SET suspended = false, suspended_until = NULL", "token.suspended t1 until "},
    {"UPDATE latchkey.token SET suspended = true, suspended_until = now() - interval '1 hour'",
     "UPDATE latchkey.token SET suspended = false, suspended_until = NULL", ""},
    {"UPDATE latchkey.token SET expires_at = now() + interval '1 hour'",
     "UPDATE latchkey.token SET expires_at = NULL", "token.expiry_shortened t1 until "},
    {"UPDATE latchkey.token SET expires_at = now() - interval '1 hour'",
     "UPDATE latchkey.token SET expires_at = NULL", "token.expiry_shortened t1 until "},
    {"SELECT 1", "UPDATE latchkey.token SET expires_at = now() + interval '1 hour'", ""},
    {"SELECT 1", "UPDATE latchkey.token SET expires_at = NULL", "token.expiry_shortened t1 until "},
    {"UPDATE latchkey.token_secret SET rotated_at = now(), expires_at = '-infinity';"
     "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint) VALUES ($s2, $t1, $c1, 'h')",
     "DELETE FROM latchkey.token_secret WHERE digest = $s2;"
     "UPDATE latchkey.token_secret SET rotated_at = NULL, expires_at = NULL",
     "token.rotated t1 token.rotated t1 "},
    {"UPDATE latchkey.token_secret SET digest = $s2", "UPDATE latchkey.token_secret SET digest = $s1",
     "token.rotated t1 token.rotated t1 "},
    // A spent secret that only the memory still knows says nothing.
    {"INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint, rotated_at, expires_at)"
     " VALUES ($s2, $t1, $c1, 'h', now(), '-infinity')",
     "DELETE FROM latchkey.token_secret WHERE digest = $s2", ""},
    {"UPDATE latchkey.token_secret SET digest = $s2; UPDATE latchkey.token SET deactivated_at = now()",
     "UPDATE latchkey.token_secret SET digest = $s1; UPDATE latchkey.token SET deactivated_at = NULL",
     "token.deactivated t1 token.deactivated t1 "},
    {"UPDATE latchkey.token SET permissions = '{charges.read}'",
     "UPDATE latchkey.token SET permissions = '{charges.*}'", "token.updated t1 "},
    {"UPDATE latchkey.token SET allowed_ips = '{10.0.0.0/8}'", "UPDATE latchkey.token SET allowed_ips = '{}'",
     "token.updated t1 "},
    {"UPDATE latchkey.token SET not_before = now()", "UPDATE latchkey.token SET not_before = NULL",
     "token.updated t1 "},
    {"UPDATE latchkey.token SET channels = 3", "UPDATE latchkey.token SET channels = 1", "token.updated t1 "},
    {"UPDATE latchkey.token SET member_id = NULL", "UPDATE latchkey.token SET member_id = $m1",
     "token.updated t1 "},
    {"INSERT INTO latchkey.token (token_id, company_id, kind, channels) VALUES ($t2, $c1, 'a', 1);"
     "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint) VALUES ($s2, $t2, $c1, 'h')",
     "DELETE FROM latchkey.token_secret WHERE digest = $s2; DELETE FROM latchkey.token WHERE token_id = $t2",
     "token.created t2 "},
    {"SELECT 1",
     "INSERT INTO latchkey.token (token_id, company_id, kind, channels) VALUES ($t2, $c1, 'a', 1);"
     "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint) VALUES ($s2, $t2, $c1, 'h')",
     "token.unknown t2 "},
    {"DELETE FROM latchkey.token_secret WHERE digest = $s2; DELETE FROM latchkey.token WHERE token_id = $t2",
     "SELECT 1", ""},
    // --- members and roles ---
    {"UPDATE latchkey.member SET removed_at = now()", "UPDATE latchkey.member SET removed_at = NULL",
     "member.removed m1 "},
    {"SELECT 1", "UPDATE latchkey.member SET removed_at = now()", "member.created m1 "},
    {"UPDATE latchkey.member SET removed_at = NULL", "SELECT 1", ""},
    {"UPDATE latchkey.member SET allowed_ips = '{10.0.0.0/8}'",
     "UPDATE latchkey.member SET allowed_ips = '{}'", "member.updated m1 "},
    {"DELETE FROM latchkey.member_role", "INSERT INTO latchkey.member_role VALUES ($c1, $m1, $r1)",
     "member.updated m1 "},
    {"SELECT 1",
     "INSERT INTO latchkey.member (member_id, company_id, email) VALUES ($m2, $c1, 'bob@example.com')",
     "member.unknown m2 "},
    {"SELECT 1", "DELETE FROM latchkey.member WHERE member_id = $m2", "member.created m2 "},
    {"INSERT INTO latchkey.role (role_id, company_id, name, permissions)"
     " VALUES ($r2, $c1, 'clerk', '{charges.read}')",
     "UPDATE latchkey.role SET permissions = '{charges.*}' WHERE role_id = $r2", "role.updated r2 "},
    {"SELECT 1", "DELETE FROM latchkey.role WHERE role_id = $r2", "role.created r2 "},
    {"SELECT 1", "INSERT INTO latchkey.role (role_id, company_id, name) VALUES ($r2, $c1, 'clerk')",
     "role.unknown r2 "},
    // --- companies and the catalogue ---
    {"UPDATE latchkey.company SET suspended = true", "UPDATE latchkey.company SET suspended = false",
     "company.suspended c1 "},
    {"UPDATE latchkey.whitelist SET enabled = true", "UPDATE latchkey.whitelist SET enabled = false",
     "whitelist.updated c1 "},
    {"UPDATE latchkey.whitelist SET scope = 2", "UPDATE latchkey.whitelist SET scope = 1",
     "whitelist.updated c1 "},
    {"SELECT 1",
     "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
     " VALUES ($e1, $c1, $l1, '10.0.0.0/8', '10.0.0.0/8')",
     "whitelist.updated c1 "},
    {"SELECT 1", "INSERT INTO latchkey.company (company_id, name) VALUES ($c2, 'Beta')",
     "company.unknown c2 "},
    {"SELECT 1", "DELETE FROM latchkey.company WHERE company_id = $c2", "company.created c2 "},
    {"DELETE FROM latchkey.permission WHERE name = 'charges.read'",
     "INSERT INTO latchkey.permission (name) VALUES ('charges.read')", "permissions.set -0 "},
};

static void check(size_t i) {
    scene_run(&scene, changes[i].done);
    struct image *memory = load();
    scene_run(&scene, changes[i].undone);
    struct image *database = load();
    char *lost = compare(memory, database);
    if (strcmp(lost, changes[i].lost) != 0)
        fail_msg("after %s, then %s: told %s, not %s", changes[i].done, changes[i].undone, lost,
                 changes[i].lost);
    free(lost);
    reclaim_run(&reclaim);
    image_free(memory);
    image_free(database);
}

static void each_lost_change_is_told_by_its_name(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++)
        check(i);
}

static enum status refuse(void *context, const struct lost_change *change) {
    (void)change;
    ++*(int *)context;
    return STATUS_UNAVAILABLE;
}

static void a_refusal_to_hear_more_ends_it(void **state) {
    (void)state;
    int count = 0;
    struct image *memory = load();
    scene_run(&scene, "UPDATE latchkey.company SET external_id = 'same for this'");
    scene_run(&scene, "UPDATE latchkey.whitelist SET enabled = true; UPDATE latchkey.token SET channels = 2");
    struct image *database = load();
    const struct image_compare_options options = compare_all(0);
    assert_int_equal(image_compare(memory, database, &options, refuse, &count), STATUS_UNAVAILABLE);
    assert_int_equal(count, 1);
    image_free(memory);
    image_free(database);
}

// --- memory ---

static enum status advance(struct loss_report *report, const struct image *memory, size_t failing,
                           size_t *ret_count) {
    const struct loss_witness witness = {"a witness", memory, lanes_get_positions(image_get_lanes(memory)),
                                         compare_all(0)};
    struct snapshot_options options = open_options();
    bool is_settled = false;
    allocation_failure_begin(failing);
    enum status status = loss_report_advance(report, &options, &witness, &is_settled);
    *ret_count = allocation_failure_end();
    db_connection_close(options.connection);
    assert_false(is_settled);
    return status;
}

static void a_comparison_that_runs_out_of_memory_says_so_in_the_report(void **state) {
    (void)state;
    struct image *memory = load();
    bool is_undisturbed = false;
    for (size_t k = 1; !is_undisturbed; k += 5) {
        struct loss_report report = {0};
        size_t count;
        enum status status = advance(&report, memory, k, &count);
        is_undisturbed = count < k;
        size_t undisturbed;
        assert_true(status == STATUS_OK || advance(&report, memory, 0, &undisturbed) == STATUS_OK);
    }
    assert_true(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report WHERE failure <> ''") > 5);
    assert_int_equal(scene_ask(&scene, "SELECT count(*) FROM latchkey.loss_report"
                                       " WHERE failure = '' AND compared_at IS NULL"),
                     0);
    image_free(memory);
}

static int set_up(void **state) {
    (void)state;
    scene_init(&scene);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    reclaim_fini(&reclaim);
    reclaim = (struct reclaim){0};
    scene_fini(&scene);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_lost_change_is_told_by_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_to_hear_more_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_comparison_that_runs_out_of_memory_says_so_in_the_report, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
