// From a path to its method: an immutable hash table with open addressing over all tables that a server was
// given.
#ifndef LATCHKEY_COMMON_GRPC_ROUTER_H
#define LATCHKEY_COMMON_GRPC_ROUTER_H

#include <stddef.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/method.h"

struct router;

struct router_table {
    const struct grpc_method *methods;
    size_t count;
};

// Borrows the rows. ALREADY_EXISTS when two have the same path, INVALID when one is not "/service/method" or
// lacks what its shape needs.
MUST_CHECK enum status router_new(const struct router_table *tables, size_t table_count,
                                  struct router **ret_router);
void router_free(struct router *router);

// NULL if there is none. `*ret_index` is the method's number, 0 .. count-1, in the order of the tables. Any
// thread.
const struct grpc_method *router_find(const struct router *router, struct bytes path, size_t *ret_index);

size_t router_get_count(const struct router *router);
const struct grpc_method *router_get_method(const struct router *router, size_t index);

#endif
