// Paths to methods, against a plain search through the tables.
#include <stdio.h>
#include <string.h>

#include "common/grpc/router.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void on_message(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)call, (void)request;
}

static void on_bytes(struct grpc_call *call, struct bytes request) {
    (void)call, (void)request;
}

static const struct grpc_handler handler = {.on_message = on_message};
static const struct grpc_handler raw_handler = {.on_bytes = on_bytes};
static const struct grpc_handler no_handler = {0};
static const struct grpc_handler both_handlers = {.on_message = on_message, .on_bytes = on_bytes};

#define TYPE (&google__protobuf__string_value__descriptor)
#define METHOD(path_) \
    { .path = (path_), .request = TYPE, .response = TYPE, .handler = &handler }

static void paths_of_all_tables_are_found_and_no_others(void **state) {
    (void)state;
    const struct grpc_method first[] = {METHOD("/a.B/C"), METHOD("/a.B/D")}, second[] = {METHOD("/a.E/C")};
    const struct router_table tables[] = {{first, 2}, {NULL, 0}, {second, 1}};
    struct router *router;
    size_t index;
    assert_int_equal(router_new(tables, 3, &router), STATUS_OK);
    assert_int_equal(router_get_count(router), 3);
    assert_ptr_equal(router_find(router, BYTES_LITERAL("/a.E/C"), &index), &second[0]);
    assert_int_equal(index, 2);
    assert_ptr_equal(router_get_method(router, 2), &second[0]);
    static const char *const unknown[] = {"",      "/",       "/a.B",     "/a.B/", "/a.B/c",
                                          "a.B/C", "/a.B/C/", "/a.B/C?x", "/a.b/C"};
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++)
        assert_null(router_find(router, bytes_of_text(unknown[i]), &index));
    assert_null(router_find(router, BYTES_LITERAL("/a.B/C\0"), &index));
    router_free(router);
}

static void a_router_without_methods_finds_nothing(void **state) {
    (void)state;
    struct router *router;
    size_t index;
    assert_int_equal(router_new(NULL, 0, &router), STATUS_OK);
    assert_null(router_find(router, BYTES_LITERAL("/a.B/C"), &index));
    router_free(router);
    router_free(NULL);
}

static void the_same_path_twice_is_refused(void **state) {
    (void)state;
    const struct grpc_method methods[] = {METHOD("/a.B/C"), METHOD("/a.B/C")};
    const struct router_table table = {methods, 2};
    struct router *router;
    assert_int_equal(router_new(&table, 1, &router), STATUS_ALREADY_EXISTS);
}

static void rows_that_cannot_serve_are_refused(void **state) {
    (void)state;
    const struct grpc_method bad[] = {
        METHOD(NULL),
        METHOD("a.B/C"),
        METHOD("/a.B"),
        METHOD("//C"),
        METHOD("/a.B/"),
        METHOD("/a.B/C/D"),
        {.path = "/a.B/C", .request = TYPE, .response = TYPE},
        {.path = "/a.B/C", .request = TYPE, .response = TYPE, .handler = &no_handler},
        {.path = "/a.B/C", .request = TYPE, .response = TYPE, .handler = &both_handlers},
        {.path = "/a.B/C", .request = TYPE, .handler = &handler},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        const struct router_table table = {&bad[i], 1};
        struct router *router;
        assert_int_equal(router_new(&table, 1, &router), STATUS_INVALID);
    }
    const struct grpc_method good = {
        .path = "/a.B/C", .request = TYPE, .response = TYPE, .handler = &raw_handler};
    const struct router_table table = {&good, 1};
    struct router *router;
    assert_int_equal(router_new(&table, 1, &router), STATUS_OK);
    router_free(router);
}

static void random_paths_agree_with_a_plain_search(void **state) {
    (void)state;
    enum { METHODS = 300 };
    static char paths[METHODS][24];
    static struct grpc_method methods[METHODS];
    struct seed seed = seed_new();
    for (unsigned i = 0; i < METHODS; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/s%u.T/m%u", (unsigned)seed_next_below(&seed, 50), i);
        methods[i] = (struct grpc_method)METHOD(paths[i]);
    }
    const struct router_table table = {methods, METHODS};
    struct router *router;
    assert_int_equal(router_new(&table, 1, &router), STATUS_OK);
    for (unsigned i = 0; i < 100000; i++) {
        char path[24];
        snprintf(path, sizeof(path), "/s%u.T/m%u", (unsigned)seed_next_below(&seed, 50),
                 (unsigned)seed_next_below(&seed, METHODS + 20));
        const struct grpc_method *expected = NULL;
        for (unsigned k = 0; k < METHODS; k++)
            if (strcmp(paths[k], path) == 0)
                expected = &methods[k];
        size_t index = SIZE_MAX;
        assert_ptr_equal(router_find(router, bytes_of_text(path), &index), expected);
        assert_true(!expected || router_get_method(router, index) == expected);
    }
    router_free(router);
}

static bool make_a_router(void *context) {
    (void)context;
    const struct grpc_method method = METHOD("/a.B/C");
    const struct router_table table = {&method, 1};
    struct router *router;
    if (router_new(&table, 1, &router) != STATUS_OK)
        return false;
    router_free(router);
    return true;
}

static void every_failed_allocation_is_survived(void **state) {
    (void)state;
    assert_int_equal(allocation_failure_try_each(make_a_router, NULL), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_all_tables_are_found_and_no_others),
        cmocka_unit_test(a_router_without_methods_finds_nothing),
        cmocka_unit_test(the_same_path_twice_is_refused),
        cmocka_unit_test(rows_that_cannot_serve_are_refused),
        cmocka_unit_test(random_paths_agree_with_a_plain_search),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
