// Permissions by name and by number. A permission is `resource.action`, the resource of one or more parts:
// `charges.create`, `latchkey.tokens.read`. A grant is a permission, or a group, `charges.*`: all whose names
// start with `charges.`. The catalogue is what the deployment defines; a token holds grants, a decision asks
// for names.
//
// A catalogue is an immutable snapshot that gives each name an id, a small number; what a token or a member
// may do is a set of those ids, so that "granted AND owner" is a few machine words. Look-ups allocate
// nothing, any thread.
#ifndef LATCHKEY_COMMON_ACCESS_PERMISSION_H
#define LATCHKEY_COMMON_ACCESS_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define PERMISSION_NAME_MAX 100
// Ids of a catalogue are below this; the caller that loads one checks the number of definitions first.
#define PERMISSION_MAX_COUNT 16384
// What an unknown name is: in no set, so whoever needs it is refused.
#define PERMISSION_ID_NONE UINT32_MAX

// Two or more parts of [a-z0-9_-], each beginning with a letter, joined by dots; at most PERMISSION_NAME_MAX
// bytes.
bool permission_is_valid(struct bytes name);

// A permission, or one or more such parts and `.*`.
bool permission_grant_is_valid(struct bytes grant);

// True if `grant`, valid, is `name` or the group of it.
bool permission_grant_covers(struct bytes grant, struct bytes name);

// A set of ids. Filled by its maker, then only read. NULL is the empty set in every question below.
struct permission_set;

// Empty, with room for ids below `limit`; NULL when out of memory. Freed with permission_set_free().
MUST_CHECK struct permission_set *permission_set_new(size_t limit);
// The same in an arena: never freed by hand.
MUST_CHECK struct permission_set *permission_set_new_in_arena(struct arena *arena, size_t limit);
void permission_set_free(struct permission_set *set);

void permission_set_add(struct permission_set *set, uint32_t id); // `id` is below its limit

bool permission_set_has(const struct permission_set *set, uint32_t id);
bool permission_set_contains_all(const struct permission_set *set, const struct permission_set *others);
bool permission_set_contains_any(const struct permission_set *set, const struct permission_set *others);
bool permission_set_is_equal(const struct permission_set *a,
                             const struct permission_set *b);   // limits do not count
uint64_t permission_set_hash(const struct permission_set *set); // equal sets, equal hashes; for interning
size_t permission_set_get_count(const struct permission_set *set);
size_t permission_set_get_size_bytes(const struct permission_set *set);

// Keeps in `set` what `others` has too.
void permission_set_intersect(struct permission_set *set, const struct permission_set *others);
// Adds to `set` what `others` has; its limit is at least as large.
void permission_set_unite(struct permission_set *set, const struct permission_set *others);

struct permission_definition {
    struct bytes name; // valid, and only once in a catalogue
    bool is_operator_only;
};

struct permission_catalogue;

// Copies the names. A name that `previous` (or NULL) knows keeps its id, so that sets made with `previous`
// stay right; ids of names that are gone are not given to others as long as each catalogue is made from the
// one before. NULL when out of memory, or when more than PERMISSION_MAX_COUNT ids would be needed: then start
// afresh with `previous` NULL and new sets.
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

// The known name that `name` is most likely meant to be, or NULL. For error sentences.
const char *permission_catalogue_find_nearest(const struct permission_catalogue *catalogue,
                                              struct bytes name);

// Adds to `set` (its limit at least the catalogue's) what `grant` covers: false if that is nothing at all.
MUST_CHECK bool permission_catalogue_expand(const struct permission_catalogue *catalogue, struct bytes grant,
                                            struct permission_set *set);

// What administrators may: adds everything but the operator-only permissions.
void permission_catalogue_expand_administrator(const struct permission_catalogue *catalogue,
                                               struct permission_set *set);

// Present names of the set in order of the alphabet, in the arena; false when out of memory.
MUST_CHECK bool permission_catalogue_list(const struct permission_catalogue *catalogue,
                                          const struct permission_set *set, struct arena *arena,
                                          const char ***ret_names, size_t *ret_count);

#endif
