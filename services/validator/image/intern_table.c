#include "services/validator/image/intern_table.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/random.h"

enum { BUCKETS_MIN = 64 };

void intern_table_init(struct intern_table *table, const struct intern_kind *kind, struct reclaim *reclaim) {
    *table = (struct intern_table){.kind = kind, .reclaim = reclaim};
    random_fill(table->keys, sizeof(table->keys));
}

void intern_table_fini(struct intern_table *table) {
    assert(table->count == 0);
    free(table->buckets);
    *table = (struct intern_table){0};
}

static struct interned **get_bucket(const struct intern_table *table, uint32_t hash) {
    return &table->buckets[hash & (table->capacity - 1)];
}

static void link_interned(struct intern_table *table, struct interned *interned) {
    struct interned **bucket = get_bucket(table, interned->hash);
    interned->next = *bucket;
    *bucket = interned;
}

// Without memory for more buckets the table only gets slower, once it has some.
static bool grow(struct intern_table *table) {
    struct intern_table grown = *table;
    grown.capacity = table->capacity ? table->capacity * 2 : BUCKETS_MIN;
    grown.buckets = calloc(grown.capacity, sizeof(grown.buckets[0]));
    if (!grown.buckets)
        return table->capacity > 0;
    for (size_t i = 0; i < table->capacity; i++)
        for (struct interned *interned = table->buckets[i], *next; interned; interned = next) {
            next = interned->next;
            link_interned(&grown, interned);
        }
    free(table->buckets);
    *table = grown;
    return true;
}

static struct interned *find(const struct intern_table *table, const void *object, uint32_t hash) {
    for (struct interned *interned = table->count > 0 ? *get_bucket(table, hash) : NULL; interned;
         interned = interned->next)
        if (interned->hash == hash && table->kind->is_equal(interned->object, object))
            return interned;
    return NULL;
}

static size_t get_size_bytes(const struct intern_table *table, const struct interned *interned) {
    return sizeof(*interned) + table->kind->get_size_bytes(interned->object);
}

// Takes the object if there is memory.
static struct interned *add(struct intern_table *table, void *object, uint32_t hash) {
    if (table->count >= table->capacity && !grow(table))
        return NULL;
    struct interned *interned = malloc(sizeof(*interned));
    if (!interned)
        return NULL;
    *interned = (struct interned){.object = object, .hash = hash};
    link_interned(table, interned);
    table->count++;
    table->size_bytes += get_size_bytes(table, interned);
    return interned;
}

enum status intern_table_put(struct intern_table *table, void *object, struct interned **ret) {
    if (!object)
        return STATUS_NO_MEMORY;
    uint32_t hash = (uint32_t)(table->kind->get_hash(object, table->keys) >> 32);
    struct interned *interned = find(table, object, hash);
    if (interned || !(interned = add(table, object, hash)))
        table->kind->free(object);
    if (!interned)
        return STATUS_NO_MEMORY;
    assert(interned->references < UINT32_MAX);
    interned->references++;
    *ret = interned;
    return STATUS_OK;
}

void intern_table_release(struct intern_table *table, struct interned *interned) {
    if (!interned || --interned->references > 0)
        return;
    struct interned **link = get_bucket(table, interned->hash);
    while (*link != interned)
        link = &(*link)->next;
    *link = interned->next;
    table->count--;
    table->size_bytes -= get_size_bytes(table, interned);
    table->kind->free(interned->object);
    free(interned);
}

static void release(void *table, void *interned) {
    intern_table_release(table, interned);
}

void intern_table_retire(struct intern_table *table, struct interned *interned) {
    reclaim_add(table->reclaim, release, table, interned);
}
