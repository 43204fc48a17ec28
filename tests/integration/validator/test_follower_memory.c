// A load that runs out of memory anywhere leaves nothing behind, and the next one is complete.
#include <stdlib.h>

#include "services/validator/follow/snapshot.h"
#include "tests/integration/validator/image_dump.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct scene scene;

// On a connection of its own, which is made while memory is there.
static bool load_with_failure(size_t k, char **ret_dump) {
    struct reclaim reclaim = {0};
    atomic_bool is_stopping = false;
    struct snapshot_progress progress = {0};
    struct db_connection *connection = NULL;
    struct db_connect_failure failure;
    assert_int_equal(db_connection_open(&scene.connection, deadline_in_ms(10000), &connection, &failure),
                     STATUS_OK);
    struct snapshot_options options = {.connection = connection,
                                       .database = &scene.connection,
                                       .more_connections = 1,
                                       .clock = clock_get_system(),
                                       .lanes = LANE_SET_ALL,
                                       .reclaim = &reclaim,
                                       .key = {{1, 2}},
                                       .is_stopping = &is_stopping,
                                       .progress = &progress};
    struct image *image = NULL;
    allocation_failure_begin(k);
    enum status status = snapshot_load(&options, &image);
    size_t count = allocation_failure_end();
    assert_int_equal(status != STATUS_OK, image == NULL);
    if (image)
        *ret_dump = image_dump(image, NULL, 0, 0);
    reclaim_fini(&reclaim);
    image_free(image);
    db_connection_close(connection);
    return k == 0 || k > count;
}

static void a_load_without_memory_is_no_load(void **state) {
    (void)state;
    char *wanted = NULL;
    assert_true(load_with_failure(0, &wanted));
    assert_non_null(wanted);
    bool is_undisturbed = false;
    for (size_t k = 1; !is_undisturbed; k++) {
        char *dump = NULL;
        is_undisturbed = load_with_failure(k, &dump);
        // What is only remembered to be freed later, or may be done without, is no failure.
        if (dump)
            assert_string_equal(dump, wanted);
        assert_true(dump || !is_undisturbed);
        assert_true(k > 50 || !is_undisturbed); // so many there are at least
        free(dump);
    }
    free(wanted);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_load_without_memory_is_no_load, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
