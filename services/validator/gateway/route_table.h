// What the requests to a service need, as a file says it (word_file.h): on each line methods, a path, and
// what whoever comes there must have.
//
//     # methods    path                      needs
//     GET          /charges                  charges.read
//     POST         /charges                  charges.create
//     GET          /charges/*                charges.read
//     *            /charges/*/refunds        charges.read refunds.create
//     GET,POST     /console/**               token channel=ui
//     GET          /healthz                  public
//     *            /internal/**              deny
//
// A method of "*" is every one that no other line of the same path names; HEAD is GET where no line names it.
// In a path "*" is one segment, and "**" at its end any number of them, also none. Needs are permissions, all
// of them; or `token`, any that is good; `channel=ui`, or `api`; or `public` (nothing is asked) or `deny`
// alone.
//
// One line decides. Of the paths that fit it is the one that is most exact: from the left, a segment as
// written goes before "*", and that before "**". Only then the method is looked at: a method that the lines
// of this path do not name is refused, and does not fall to a wider path. What fits no line is refused.
//
// A request is refused, too, where a server behind might see another path or method in it than is seen here:
// route_path.h; segments that would be a written one but for case, encoding, or what follows a dot or a space
// (/charges.json, unless that is written as well); methods with anything but capitals and "-".
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_ROUTE_TABLE_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_ROUTE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Zeroed memory is `deny`.
enum route_access { ROUTE_DENY, ROUTE_PUBLIC, ROUTE_TOKEN };

struct route {
    enum route_access access;
    int32_t channel; // enum channel; 0 = the line does not say
    const struct bytes *permissions;
    size_t permission_count;
};

// Why there is no route.
enum route_match {
    ROUTE_FOUND,
    ROUTE_NONE,      // no line has the path
    ROUTE_NO_METHOD, // lines have the path, and not the method
    ROUTE_AMBIGUOUS, // the path may be more than one
    ROUTE_NO_MEMORY,
};

struct route_table; // immutable, held by all who use it

// INVALID, and a sentence that begins with `name` and the line's number; NO_MEMORY. *ret_table has one
// holder.
MUST_CHECK enum status route_table_parse(struct bytes text, const char *name, struct route_table **ret_table,
                                         char *ret_error, size_t error_size);
// The same of a file. UNAVAILABLE: it could not be read now (whole_file.h).
MUST_CHECK enum status route_table_read(const char *path, struct route_table **ret_table, char *ret_error,
                                        size_t error_size);

// Any thread. The last one to release frees it. Both take NULL.
struct route_table *route_table_hold(struct route_table *table);
void route_table_release(struct route_table *table);

// `target` is the path with its query, as sent. *ret_route lives as long as the table, and is touched only if
// one is found. The arena is for what is encoded in the path.
MUST_CHECK enum route_match route_table_find(const struct route_table *table, struct bytes method,
                                             struct bytes target, struct arena *arena,
                                             const struct route **ret_route);

#endif
