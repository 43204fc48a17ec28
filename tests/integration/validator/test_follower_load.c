// A load over any number of connections is the load over one, and does without those that can't be had.
#include <stdlib.h>

#include "services/validator/follow/snapshot.h"
#include "services/validator/follow/snapshot_readers.h"
#include "tests/integration/validator/image_dump.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/unit.h"

static struct scene scene;

// More than a batch of each part.
static const char many_tokens[] =
    "INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, external_id, permissions,"
    " allowed_domains, allowed_ips) SELECT ('01900000-0000-7000-9000-' || lpad(to_hex(i), 12, '0'))::uuid, $c1, $m1,"
    " 'a', 1, CASE WHEN i % 7 = 0 THEN 'ext' || i ELSE '' END, array['charges.p' || i % 5], array['a.example'],"
    " array[(i % 200 || '.0.0.0/8')::cidr] FROM generate_series(1, 20000) AS i;"
    "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
    " SELECT sha256(i::text::bytea), ('01900000-0000-7000-9000-' || lpad(to_hex(i % 20000 + 1), 12, '0'))::uuid, $c1, 'x'"
    " FROM generate_series(1, 21000) AS i";

static enum status load(size_t more_connections, const struct db_connection_options *database,
                        const atomic_bool *is_stopping, char **ret_dump) {
    struct reclaim reclaim = {0};
    struct snapshot_progress progress = {0};
    struct db_connection *connection = NULL;
    struct db_connect_failure failure;
    assert_int_equal(db_connection_open(&scene.connection, deadline_in_ms(10000), &connection, &failure),
                     STATUS_OK);
    struct snapshot_options options = {.connection = connection,
                                       .database = database,
                                       .more_connections = more_connections,
                                       .clock = clock_get_system(),
                                       .lanes = LANE_SET_ALL,
                                       .reclaim = &reclaim,
                                       .key = {{1, 2}},
                                       .is_stopping = is_stopping,
                                       .progress = &progress};
    struct image *image = NULL;
    enum status status = snapshot_load(&options, &image);
    if (image)
        *ret_dump = image_dump(image, NULL, 0, 0);
    reclaim_fini(&reclaim);
    image_free(image);
    db_connection_close(connection);
    return status;
}

static char *load_all(size_t more_connections, const struct db_connection_options *database) {
    const atomic_bool is_stopping = false;
    char *dump = NULL;
    assert_int_equal(load(more_connections, database, &is_stopping, &dump), STATUS_OK);
    return dump;
}

static void any_number_of_connections_loads_the_same(void **state) {
    (void)state;
    static const size_t counts[] = {1, 2, 4, SNAPSHOT_READERS_MAX};
    scene_run(&scene, many_tokens);
    char *wanted = load_all(0, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        char *dump = load_all(counts[i], &scene.connection);
        assert_string_equal(dump, wanted);
        free(dump);
    }
    free(wanted);
}

// Nobody listens there; and another database, where the snapshot is not.
static void connections_that_can_not_be_had_are_done_without(void **state) {
    (void)state;
    struct database elsewhere = database_new();
    char nowhere[DATABASE_URL_MAX + 1];
    database_url_with(scene.url, "port", "1", nowhere);
    const char *urls[] = {nowhere, elsewhere.url};
    scene_run(&scene, many_tokens);
    char *wanted = load_all(0, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        const struct db_connection_options database = {.url = urls[i]};
        char *dump = load_all(3, &database);
        assert_string_equal(dump, wanted);
        free(dump);
    }
    free(wanted);
    database_drop(&elsewhere);
}

static void a_stop_ends_a_load_over_several_connections(void **state) {
    (void)state;
    const atomic_bool is_stopping = true;
    char *dump = NULL;
    scene_run(&scene, many_tokens);
    assert_int_equal(load(3, &scene.connection, &is_stopping, &dump), STATUS_CANCELLED);
    assert_null(dump);
}

// Of many tokens, so that each connection has one.
static void a_row_that_is_none_fails_the_load(void **state) {
    (void)state;
    const atomic_bool is_stopping = false;
    char *dump = NULL;
    scene_run(&scene, many_tokens);
    scene_run(
        &scene,
        "ALTER TABLE latchkey.token_secret DROP CONSTRAINT IF EXISTS token_secret_digest_check;"
        "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
        " SELECT set_byte('\\x0000', 1, i), ('01900000-0000-7000-9000-' || lpad(to_hex(i), 12, '0'))::uuid, $c1,"
        " 'x' FROM generate_series(1, 100) AS i");
    assert_int_equal(load(1, &scene.connection, &is_stopping, &dump), STATUS_MALFORMED);
    assert_null(dump);
}

static int set_up(void **state) {
    (void)state;
    scene_init(&scene);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scene_fini(&scene);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(any_number_of_connections_loads_the_same),
        CASE(connections_that_can_not_be_had_are_done_without),
        CASE(a_stop_ends_a_load_over_several_connections),
        CASE(a_row_that_is_none_fails_the_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
