// A file of routes up to a NUL, and a request's method and target behind it: a mistake is told with its line,
// what is found is a line's, and a path that is written in another way never falls to a wider route.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/gateway/route_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum route_match find(const struct route_table *table, struct bytes method, struct bytes target,
                             const struct route **ret_route) {
    struct arena arena;
    arena_init(&arena, 0);
    *ret_route = NULL;
    enum route_match match = route_table_find(table, method, target, &arena, ret_route);
    assert((match == ROUTE_FOUND) == (*ret_route != NULL));
    arena_fini(&arena);
    return match;
}

// The same target with the byte at `at` encoded.
static struct bytes disguise(struct bytes target, size_t at, uint8_t *room) {
    static const char digits[] = "0123456789abcdef";
    memcpy(room, target.data, at);
    room[at] = '%';
    room[at + 1] = (uint8_t)digits[target.data[at] >> 4];
    room[at + 2] = (uint8_t)digits[target.data[at] & 15];
    memcpy(room + at + 3, target.data + at + 1, target.len - at - 1);
    return bytes_of(room, target.len + 2);
}

// Encoding a byte of a path leads to the same route, or to none. A "/" is another path then.
static void check_disguises(const struct route_table *table, struct bytes method, struct bytes target,
                            const struct route *route) {
    uint8_t *room = malloc(target.len + 2);
    assert(room);
    for (size_t i = 0; i < target.len && target.data[i] != '?'; i++) {
        const struct route *other;
        enum route_match match = find(table, method, disguise(target, i, room), &other);
        assert(match == ROUTE_FOUND ? other == route : match == ROUTE_AMBIGUOUS);
    }
    free(room);
}

static void look_up(const struct route_table *table, struct bytes request) {
    struct bytes target = request;
    struct bytes method = bytes_split(&target, ' ');
    const struct route *route;
    if (find(table, method, target, &route) == ROUTE_FOUND)
        check_disguises(table, method, target, route);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[512] = "";
    struct route_table *table = NULL;
    struct bytes request = bytes_of(data, size);
    struct bytes file = bytes_split(&request, '\0');
    enum status status = route_table_parse(file, "file", &table, error, sizeof(error));
    if (status == STATUS_OK) {
        look_up(table, request);
    } else {
        assert(status == STATUS_INVALID && !table);
        assert(strncmp(error, "file:", 5) == 0);
    }
    route_table_release(table);
    return 0;
}
