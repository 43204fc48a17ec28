#include "common/app/use_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"
#include "common/base/random.h"

// Slots that are looked at for one use. Clients choose addresses: who finds some that collide fills so many.
enum { PROBES_MAX = 32 };

struct use_table {
    size_t mask; // of slots
    size_t count, max;
    uint64_t key; // of the hash
    uint16_t last_asker, asker_count;
    struct uuid askers[USE_TOKENS_MAX];
    _Alignas(64) struct use slots[];
};

static size_t round_up(size_t wanted) {
    size_t size = 64;
    while (size < wanted)
        size *= 2;
    return size;
}

enum status use_table_new(size_t capacity, struct use_table **ret_table) {
    size_t slots = round_up(capacity + capacity / 2); // two thirds full at most: probes stay short
    struct use_table *table = aligned_alloc(64, sizeof(*table) + slots * sizeof(table->slots[0]));
    if (!table)
        return STATUS_NO_MEMORY;
    *table = (struct use_table){.mask = slots - 1, .max = capacity, .key = random_get_u64()};
    memset(table->slots, 0, slots * sizeof(table->slots[0]));
    *ret_table = table;
    return STATUS_OK;
}

void use_table_free(struct use_table *table) {
    free(table);
}

// A digest is as good as random; the address is spread over it.
static size_t get_home(const struct use_table *table, const struct use *use) {
    uint64_t digest, high, low;
    memcpy(&digest, use->digest.bytes, sizeof(digest));
    memcpy(&high, use->address.bytes, sizeof(high));
    memcpy(&low, use->address.bytes + sizeof(high), sizeof(low));
    return (size_t)(digest ^ multiply_fold(high ^ table->key, low ^ ~table->key)) & table->mask;
}

static bool is_same(const struct use *a, const struct use *b) {
    return a->kind == b->kind && memcmp(&a->digest, &b->digest, sizeof(a->digest)) == 0 &&
           ip_address_is_equal(&a->address, &b->address);
}

bool use_table_note(struct use_table *table, const struct use *use) {
    size_t home = get_home(table, use);
    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct use *slot = &table->slots[(home + i) & table->mask];
        if (is_same(slot, use)) {
            slot->at_ms = use->at_ms;
            slot->by = use->by;
            return true;
        }
        if (slot->kind != USE_NONE)
            continue;
        if (table->count == table->max)
            return false;
        *slot = *use;
        table->count++;
        return true;
    }
    return false;
}

void use_table_prefetch(const struct use_table *table, const struct use *use) {
    __builtin_prefetch(&table->slots[get_home(table, use)], 1);
}

uint16_t use_table_get_by(struct use_table *table, struct uuid token_id) {
    uint16_t i = table->last_asker;
    if (i < table->asker_count && uuid_is_equal(table->askers[i], token_id))
        return (uint16_t)(USE_BY_TOKEN + i);
    for (i = 0; i < table->asker_count && !uuid_is_equal(table->askers[i], token_id); i++)
        ;
    if (i == USE_TOKENS_MAX)
        return USE_BY_UNKNOWN;
    if (i == table->asker_count)
        table->askers[table->asker_count++] = token_id;
    table->last_asker = i;
    return (uint16_t)(USE_BY_TOKEN + i);
}

struct uuid use_table_get_asker(const struct use_table *table, uint16_t by) {
    bool is_token = by >= USE_BY_TOKEN && by - USE_BY_TOKEN < table->asker_count;
    return is_token ? table->askers[by - USE_BY_TOKEN] : (struct uuid){{0}};
}

size_t use_table_get_count(const struct use_table *table) {
    return table->count;
}

bool use_table_is_filling(const struct use_table *table) {
    return table->count >= table->max - table->max / 4;
}

const struct use *use_table_next(const struct use_table *table, size_t *position) {
    while (*position <= table->mask) {
        const struct use *use = &table->slots[(*position)++];
        if (use->kind != USE_NONE)
            return use;
    }
    return NULL;
}

void use_table_clear(struct use_table *table) {
    memset(table->slots, 0, (table->mask + 1) * sizeof(table->slots[0]));
    table->count = 0;
    table->asker_count = table->last_asker = 0;
}
