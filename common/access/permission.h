// Permissions by name and by number. A permission is `resource.action`, the resource of one or more parts:
// `charges.create`, `latchkey.tokens.read`. A grant is a permission, or a group, `charges.*`: all whose names
// start with `charges.`, but for the operator-only ones, which are granted by their own name alone. The
// catalogue is what the deployment defines; a token holds grants, a decision asks for names.
//
// A catalogue is an immutable snapshot that gives each name an id, a small number, and so makes of grants a
// permission_set. Look-ups allocate nothing; any thread.
#ifndef LATCHKEY_COMMON_ACCESS_PERMISSION_H
#define LATCHKEY_COMMON_ACCESS_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/permission_set.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define PERMISSION_NAME_MAX 100

// Two or more parts of [a-z0-9_], each beginning with a letter, joined by dots; at most PERMISSION_NAME_MAX
// bytes.
bool permission_is_valid(struct bytes name);

// A permission, or one or more such parts and `.*`.
bool permission_grant_is_valid(struct bytes grant);

// Of a valid grant: whether it is a group.
bool permission_is_group(struct bytes grant);

struct permission_definition {
    struct bytes name; // one that is not valid, or comes a second time, is left out: nobody holds it
    bool is_operator_only;
};

struct permission_catalogue;

// Copies the names. A name that `previous` (or NULL) knows keeps its id, so that sets made with `previous`
// stay right; ids of names that are gone are not given to others as long as each catalogue is made from the
// one before. NULL when out of memory, or when more than PERMISSION_SET_LIMIT_MAX ids would be needed: then
// start afresh with `previous` NULL and new sets.
MUST_CHECK struct permission_catalogue *permission_catalogue_new(
    const struct permission_catalogue *previous, const struct permission_definition *definitions,
    size_t count);
// The same in an arena: never freed by hand.
MUST_CHECK struct permission_catalogue *permission_catalogue_new_in_arena(
    struct arena *arena, const struct permission_catalogue *previous,
    const struct permission_definition *definitions, size_t count);
void permission_catalogue_free(struct permission_catalogue *catalogue);

size_t permission_catalogue_get_count(const struct permission_catalogue *catalogue); // present names
size_t permission_catalogue_get_limit(const struct permission_catalogue *catalogue); // every id is below it

// The id, or PERMISSION_ID_NONE. The name of an id that has one, else NULL; lives as long as the catalogue.
uint32_t permission_catalogue_find_id(const struct permission_catalogue *catalogue, struct bytes name);
const char *permission_catalogue_find_name(const struct permission_catalogue *catalogue, uint32_t id);

// Of an id that has a name.
bool permission_catalogue_is_operator_only(const struct permission_catalogue *catalogue, uint32_t id);

// The known name that `name` is most likely meant to be, or NULL. For error sentences.
const char *permission_catalogue_find_nearest(const struct permission_catalogue *catalogue,
                                              struct bytes name);

// Adds to `set` (its limit at least the catalogue's) what `grant` covers: false if that is nothing at all.
MUST_CHECK bool permission_catalogue_expand(const struct permission_catalogue *catalogue, struct bytes grant,
                                            struct permission_set *set);

// What administrators may: adds everything but the operator-only permissions.
void permission_catalogue_expand_administrator(const struct permission_catalogue *catalogue,
                                               struct permission_set *set);

// The same as groups, one for each resource that there is, `charges.*`: a list in the arena, which a NUL
// stands behind each of; false when out of memory.
MUST_CHECK bool permission_catalogue_list_administrator_groups(const struct permission_catalogue *catalogue,
                                                               struct arena *arena, struct bytes **ret_groups,
                                                               size_t *ret_count);

// Present names of the set in order of the alphabet, a list in the arena; false when out of memory. The names
// live as long as the catalogue, and a NUL stands behind each.
MUST_CHECK bool permission_catalogue_list(const struct permission_catalogue *catalogue,
                                          const struct permission_set *set, struct arena *arena,
                                          const struct bytes **ret_names, size_t *ret_count);

#endif
