// The catalogue is one block: names by id, the same in order of the alphabet (so that a group is a run of
// neighbours), and an open-addressing hash table over them, at most half full.
#include "common/access/permission.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"
#include "common/base/text.h"

#define NO_SLOT UINT32_MAX

static_assert(PERMISSION_NAME_MAX <= UINT8_MAX, "a length is a byte");

struct permission_catalogue {
    uint32_t count; // present names
    uint32_t limit; // ids, present or gone
    uint32_t slot_mask;
    const char **names;        // [limit] by id, NULL = gone; NUL-terminated
    const char **sorted_names; // [count]
    uint32_t *sorted_ids;      // [count]
    uint32_t *slots;           // [slot_mask + 1] ids or NO_SLOT
    uint16_t *ranks;        // [limit] by id, where it stands among the sorted; of no meaning for who is gone
    uint8_t *lengths;       // [limit] of the names, by id
    bool *is_operator_only; // [limit] by id
};

static bool is_letter(uint8_t character) {
    return character >= 'a' && character <= 'z';
}

static bool is_part(struct bytes part) {
    if (part.len == 0 || !is_letter(part.data[0]))
        return false;
    for (size_t i = 1; i < part.len; i++) {
        uint8_t character = part.data[i];
        bool is_digit = character >= '0' && character <= '9';
        if (!is_letter(character) && !is_digit && character != '_')
            return false;
    }
    return true;
}

// How many parts stand between dots; 0 if one of them is none.
static size_t count_parts(struct bytes name) {
    size_t count = 0;
    while (name.data) {
        if (!is_part(bytes_split(&name, '.')))
            return 0;
        count++;
    }
    return count;
}

bool permission_is_group(struct bytes grant) {
    return grant.len > 2 && memcmp(grant.data + grant.len - 2, ".*", 2) == 0;
}

// "charges.*" to "charges.".
static struct bytes get_group_prefix(struct bytes grant) {
    return bytes_of(grant.data, grant.len - 1);
}

bool permission_is_valid(struct bytes name) {
    return name.len <= PERMISSION_NAME_MAX && count_parts(name) >= 2;
}

bool permission_grant_is_valid(struct bytes grant) {
    if (!permission_is_group(grant))
        return permission_is_valid(grant);
    return grant.len <= PERMISSION_NAME_MAX && count_parts(bytes_of(grant.data, grant.len - 2)) >= 1;
}

// Names come from whoever defines the catalogue, not from those who ask: keys that everybody knows will do.
static uint32_t hash_name(struct bytes name) {
    static const uint64_t keys[2] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9};
    return (uint32_t)multiply_fold_bytes(name, keys);
}

static bool has_name(const struct permission_catalogue *catalogue, uint32_t id, struct bytes name) {
    return catalogue->lengths[id] == name.len && memcmp(catalogue->names[id], name.data, name.len) == 0;
}

// The slot that holds `name`, or the free one where it would go.
static uint32_t find_slot(const struct permission_catalogue *catalogue, struct bytes name) {
    uint32_t slot = hash_name(name) & catalogue->slot_mask;
    while (catalogue->slots[slot] != NO_SLOT && !has_name(catalogue, catalogue->slots[slot], name))
        slot = (slot + 1) & catalogue->slot_mask;
    return slot;
}

static uint32_t round_up_to_power_of_two(uint32_t value) {
    uint32_t power = 1;
    while (power < value)
        power *= 2;
    return power;
}

struct layout {
    size_t count, limit; // at most
    size_t slot_count;
    size_t text_bytes;
};

static struct layout measure(const struct permission_catalogue *previous,
                             const struct permission_definition *definitions, size_t count) {
    struct layout layout = {.count = count, .limit = permission_catalogue_get_limit(previous)};
    for (size_t i = 0; i < count; i++) {
        struct bytes name = definitions[i].name;
        layout.text_bytes += name.len <= PERMISSION_NAME_MAX ? name.len + 1 : 0;
        layout.limit += permission_catalogue_find_id(previous, name) == PERMISSION_ID_NONE;
    }
    layout.slot_count = round_up_to_power_of_two((uint32_t)(2 * count + 1));
    return layout;
}

static size_t get_size_bytes(const struct layout *layout) {
    return sizeof(struct permission_catalogue) + (layout->limit + layout->count) * sizeof(const char *) +
           (layout->count + layout->slot_count) * sizeof(uint32_t) + layout->limit * sizeof(uint16_t) +
           layout->limit + layout->limit * sizeof(bool) + layout->text_bytes;
}

// Arrays in order of their alignment. Returns where the text goes.
static char *lay_out(struct permission_catalogue *catalogue, const struct layout *layout) {
    catalogue->count = 0;
    catalogue->limit = 0;
    catalogue->slot_mask = (uint32_t)layout->slot_count - 1;
    catalogue->names = (void *)(catalogue + 1);
    catalogue->sorted_names = catalogue->names + layout->limit;
    catalogue->sorted_ids = (void *)(catalogue->sorted_names + layout->count);
    catalogue->slots = catalogue->sorted_ids + layout->count;
    catalogue->ranks = (void *)(catalogue->slots + layout->slot_count);
    catalogue->lengths = (void *)(catalogue->ranks + layout->limit);
    catalogue->is_operator_only = (void *)(catalogue->lengths + layout->limit);
    memset(catalogue->names, 0, layout->limit * sizeof(*catalogue->names));
    memset(catalogue->slots, 0xff, layout->slot_count * sizeof(*catalogue->slots));
    return (char *)(catalogue->is_operator_only + layout->limit);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(struct permission_catalogue *catalogue) {
    for (uint32_t id = 0; id < catalogue->limit; id++)
        if (catalogue->names[id])
            catalogue->sorted_names[catalogue->count++] = catalogue->names[id];
    if (catalogue->count > 0)
        qsort(catalogue->sorted_names, catalogue->count, sizeof(*catalogue->sorted_names), compare_names);
    for (uint32_t i = 0; i < catalogue->count; i++) {
        struct bytes name = bytes_of_text(catalogue->sorted_names[i]);
        catalogue->sorted_ids[i] = permission_catalogue_find_id(catalogue, name);
        catalogue->ranks[catalogue->sorted_ids[i]] = (uint16_t)i;
    }
}

static void fill(struct permission_catalogue *catalogue, char *text,
                 const struct permission_catalogue *previous, const struct permission_definition *definitions,
                 size_t count) {
    catalogue->limit = (uint32_t)permission_catalogue_get_limit(previous);
    for (size_t i = 0; i < count; i++) {
        struct bytes name = definitions[i].name;
        uint32_t slot = find_slot(catalogue, name);
        if (!permission_is_valid(name) || catalogue->slots[slot] != NO_SLOT)
            continue;
        uint32_t id = permission_catalogue_find_id(previous, name);
        if (id == PERMISSION_ID_NONE)
            id = catalogue->limit++;
        memcpy(text, name.data, name.len);
        text[name.len] = '\0';
        catalogue->names[id] = text;
        catalogue->lengths[id] = (uint8_t)name.len;
        catalogue->is_operator_only[id] = definitions[i].is_operator_only;
        catalogue->slots[slot] = id;
        text += name.len + 1;
    }
    sort(catalogue);
}

// In the arena, or on the heap where that is NULL.
static struct permission_catalogue *new_catalogue(struct arena *arena,
                                                  const struct permission_catalogue *previous,
                                                  const struct permission_definition *definitions,
                                                  size_t count) {
    if (count > PERMISSION_SET_LIMIT_MAX)
        return NULL;
    struct layout layout = measure(previous, definitions, count);
    if (layout.limit > PERMISSION_SET_LIMIT_MAX)
        return NULL;
    size_t size_bytes = get_size_bytes(&layout);
    struct permission_catalogue *catalogue = arena ? arena_allocate(arena, size_bytes) : malloc(size_bytes);
    if (catalogue)
        fill(catalogue, lay_out(catalogue, &layout), previous, definitions, count);
    return catalogue;
}

struct permission_catalogue *permission_catalogue_new(const struct permission_catalogue *previous,
                                                      const struct permission_definition *definitions,
                                                      size_t count) {
    return new_catalogue(NULL, previous, definitions, count);
}

struct permission_catalogue *permission_catalogue_new_in_arena(
    struct arena *arena, const struct permission_catalogue *previous,
    const struct permission_definition *definitions, size_t count) {
    assert(arena);
    return new_catalogue(arena, previous, definitions, count);
}

void permission_catalogue_free(struct permission_catalogue *catalogue) {
    free(catalogue);
}

size_t permission_catalogue_get_count(const struct permission_catalogue *catalogue) {
    return catalogue ? catalogue->count : 0;
}

size_t permission_catalogue_get_limit(const struct permission_catalogue *catalogue) {
    return catalogue ? catalogue->limit : 0;
}

uint32_t permission_catalogue_find_id(const struct permission_catalogue *catalogue, struct bytes name) {
    if (!catalogue)
        return PERMISSION_ID_NONE;
    uint32_t id = catalogue->slots[find_slot(catalogue, name)];
    return id == NO_SLOT ? PERMISSION_ID_NONE : id;
}

const char *permission_catalogue_find_name(const struct permission_catalogue *catalogue, uint32_t id) {
    return catalogue && id < catalogue->limit ? catalogue->names[id] : NULL;
}

bool permission_catalogue_is_operator_only(const struct permission_catalogue *catalogue, uint32_t id) {
    return catalogue->is_operator_only[id];
}

const char *permission_catalogue_find_nearest(const struct permission_catalogue *catalogue,
                                              struct bytes name) {
    return catalogue ? text_find_nearest(name, catalogue->sorted_names, catalogue->count) : NULL;
}

// Where names that begin with `prefix` would begin in order of the alphabet.
static uint32_t find_first(const struct permission_catalogue *catalogue, struct bytes prefix) {
    uint32_t low = 0, high = catalogue->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strncmp(catalogue->sorted_names[middle], (const char *)prefix.data, prefix.len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool expand_group(const struct permission_catalogue *catalogue, struct bytes prefix,
                         struct permission_set *set) {
    bool covers_any = false;
    for (uint32_t i = find_first(catalogue, prefix); i < catalogue->count; i++) {
        if (!bytes_has_prefix(bytes_of_text(catalogue->sorted_names[i]), prefix))
            break;
        uint32_t id = catalogue->sorted_ids[i];
        if (catalogue->is_operator_only[id])
            continue;
        permission_set_add(set, id);
        covers_any = true;
    }
    return covers_any;
}

bool permission_catalogue_expand(const struct permission_catalogue *catalogue, struct bytes grant,
                                 struct permission_set *set) {
    if (!catalogue || !permission_grant_is_valid(grant))
        return false;
    if (permission_is_group(grant))
        return expand_group(catalogue, get_group_prefix(grant), set);
    uint32_t id = permission_catalogue_find_id(catalogue, grant);
    if (id == PERMISSION_ID_NONE)
        return false;
    permission_set_add(set, id);
    return true;
}

void permission_catalogue_expand_administrator(const struct permission_catalogue *catalogue,
                                               struct permission_set *set) {
    for (size_t i = 0; i < permission_catalogue_get_count(catalogue); i++) {
        uint32_t id = catalogue->sorted_ids[i];
        if (!catalogue->is_operator_only[id])
            permission_set_add(set, id);
    }
}

static struct bytes get_resource(struct bytes name) {
    return bytes_split(&name, '.');
}

bool permission_catalogue_list_administrator_groups(const struct permission_catalogue *catalogue,
                                                    struct arena *arena, struct bytes **ret_groups,
                                                    size_t *ret_count) {
    size_t known = permission_catalogue_get_count(catalogue), count = 0;
    struct bytes *groups = ARENA_NEW_ARRAY(arena, struct bytes, known), last = {0};
    if (!groups)
        return false;
    for (size_t i = 0; i < known; i++) {
        struct bytes resource = get_resource(bytes_of_text(catalogue->sorted_names[i]));
        if (catalogue->is_operator_only[catalogue->sorted_ids[i]] || bytes_is_equal(resource, last))
            continue;
        const char *group = arena_format(arena, "%.*s.*", BYTES_FORMAT(resource));
        if (!group)
            return false;
        groups[count++] = bytes_of_text(group);
        last = resource;
    }
    *ret_groups = groups;
    *ret_count = count;
    return true;
}

// A set in the order of the alphabet: bits by rank.
struct ranked {
    size_t word_count;
    uint64_t words[PERMISSION_SET_LIMIT_MAX / 64];
};

// What is there of both; how many.
static size_t rank(const struct permission_catalogue *catalogue, const struct permission_set *set,
                   struct ranked *ret_ranked) {
    size_t count = 0;
    ret_ranked->word_count = (catalogue->count + 63) / 64;
    memset(ret_ranked->words, 0, ret_ranked->word_count * sizeof(ret_ranked->words[0]));
    for (size_t i = 0; i < set->word_count; i++) {
        for (uint64_t left = set->words[i]; left != 0; left &= left - 1) {
            size_t id = i * 64 + (size_t)__builtin_ctzll(left);
            if (id >= catalogue->limit || !catalogue->names[id])
                continue;
            unsigned at = catalogue->ranks[id];
            ret_ranked->words[at / 64] |= UINT64_C(1) << at % 64;
            count++;
        }
    }
    return count;
}

// why by ranks: a token has few of the names that there are.
bool permission_catalogue_list(const struct permission_catalogue *catalogue, const struct permission_set *set,
                               struct arena *arena, const struct bytes **ret_names, size_t *ret_count) {
    struct ranked ranked;
    ranked.word_count = 0;
    size_t room = catalogue && set ? rank(catalogue, set, &ranked) : 0, count = 0;
    struct bytes *names = arena_allocate(arena, room * sizeof(*names));
    if (!names)
        return false;
    for (size_t i = 0; i < ranked.word_count; i++) {
        for (uint64_t left = ranked.words[i]; left != 0; left &= left - 1) {
            size_t at = i * 64 + (size_t)__builtin_ctzll(left);
            uint8_t len = catalogue->lengths[catalogue->sorted_ids[at]];
            names[count++] = bytes_of(catalogue->sorted_names[at], len);
        }
    }
    *ret_names = names;
    *ret_count = count;
    return true;
}
