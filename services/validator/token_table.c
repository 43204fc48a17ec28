#include "services/validator/token_table.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"
#include "common/base/random.h"

static_assert(sizeof(void *) == 8, "a slot holds a pointer of 48 bits");

enum {
    CAPACITY_MIN = 64,
    FINGERPRINT_SHIFT = 48,
    WINDOW = 16, // slots, two lines of the cache
};

#define SLOT_EMPTY UINT64_C(0)
#define SLOT_DELETED UINT64_C(1)
#define POINTER_MASK ((UINT64_C(1) << FINGERPRINT_SHIFT) - 1)

struct slots {
    size_t mask;              // capacity - 1, the capacity a power of two
    size_t used;              // the writer's: records and deleted marks
    _Atomic uint64_t slots[]; // release stores by the writer, acquire loads by readers
};

struct token_table {
    uint64_t keys[4];
    _Atomic(struct slots *) slots; // release store by the writer, acquire load by readers

    // The writer's.
    size_t count;
    struct reclaim *reclaim;
};

// All of the digest takes part: who can choose half of it gains nothing.
static uint64_t hash_digest(const struct token_table *table, const struct digest *digest) {
    uint64_t words[4];
    memcpy(words, digest->bytes, sizeof(words));
    return multiply_fold(words[0] ^ table->keys[0], words[1] ^ table->keys[1]) ^
           multiply_fold(words[2] ^ table->keys[2], words[3] ^ table->keys[3]);
}

static const struct token_record *get_record(uint64_t slot) {
    return (const struct token_record *)(uintptr_t)(slot & POINTER_MASK);
}

static uint64_t make_slot(const struct token_record *record, uint64_t hash) {
    uint64_t pointer = (uint64_t)(uintptr_t)record;
    assert(pointer > SLOT_DELETED && pointer <= POINTER_MASK);
    return pointer | (hash & ~POINTER_MASK);
}

static bool slot_holds(uint64_t slot, uint64_t hash, const struct digest *digest) {
    return slot > SLOT_DELETED && (slot ^ hash) >> FINGERPRINT_SHIFT == 0 &&
           memcmp(&get_record(slot)->digest, digest, sizeof(*digest)) == 0;
}

// The writer alone stores, so it reads its own stores in order.
static uint64_t read_own_slot(const struct slots *slots, size_t index) {
    return atomic_load_explicit(&slots->slots[index], memory_order_relaxed);
}

static struct slots *get_own_slots(const struct token_table *table) {
    return atomic_load_explicit(&table->slots, memory_order_relaxed);
}

static void publish_slot(struct slots *slots, size_t index, uint64_t slot) {
    atomic_store_explicit(&slots->slots[index], slot, memory_order_release);
}

static struct slots *new_slots(size_t capacity) {
    struct slots *slots = calloc(1, sizeof(*slots) + capacity * sizeof(slots->slots[0]));
    if (slots)
        slots->mask = capacity - 1;
    return slots;
}

enum status token_table_new(struct reclaim *reclaim, struct token_table **ret_table) {
    struct token_table *table = calloc(1, sizeof(*table));
    struct slots *slots = new_slots(CAPACITY_MIN);
    if (!table || !slots) {
        free(table);
        free(slots);
        return STATUS_NO_MEMORY;
    }
    random_fill(table->keys, sizeof(table->keys));
    table->reclaim = reclaim;
    atomic_init(&table->slots, slots);
    *ret_table = table;
    return STATUS_OK;
}

void token_table_free(struct token_table *table) {
    if (!table)
        return;
    free(get_own_slots(table));
    free(table);
}

const struct token_record *token_table_find(const struct token_table *table, const struct digest *digest) {
    uint64_t hash = hash_digest(table, digest);
    const struct slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    // Ends: a quarter of the slots is empty.
    for (size_t i = hash & slots->mask;; i = (i + 1) & slots->mask) {
        uint64_t slot = atomic_load_explicit(&slots->slots[i], memory_order_acquire);
        if (slot == SLOT_EMPTY)
            return NULL;
        if (slot_holds(slot, hash, digest))
            return get_record(slot);
    }
}

// why not memcmp: it is done sooner with a decoy.
static bool has_digest(const struct token_record *record, const struct digest *digest) {
    uint64_t a[4], b[4];
    memcpy(a, record->digest.bytes, sizeof(a));
    memcpy(b, digest->bytes, sizeof(b));
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == 0;
}

static uint64_t read_slot(const struct slots *slots, size_t index) {
    return atomic_load_explicit(&slots->slots[index & slots->mask], memory_order_acquire);
}

// Whole clusters, and further on to a record where there is none: what the window has not settled.
static const struct token_record *search(const struct slots *slots, uint64_t hash,
                                         const struct digest *digest, bool *ret_is_found) {
    const struct token_record *decoy = NULL;
    bool may_follow = true;
    for (size_t i = 0; i <= slots->mask && (may_follow || !decoy); i++) {
        uint64_t slot = read_slot(slots, hash + i);
        may_follow = may_follow && slot != SLOT_EMPTY;
        if (may_follow && slot_holds(slot, hash, digest)) {
            *ret_is_found = true;
            return get_record(slot);
        }
        if (slot > SLOT_DELETED && !decoy)
            decoy = get_record(slot);
    }
    *ret_is_found = false;
    return decoy;
}

// Without a branch, which the compiler would make of the plain operator.
static uint64_t choose(bool condition, uint64_t yes, uint64_t no) {
    uint64_t mask = -(uint64_t)condition;
    return (yes & mask) | (no & ~mask);
}

// why: all slots of the window are looked at in the same way, whatever is in them; the record that is chosen,
// a decoy too, lies as far from the cache as any, and is compared whole.
const struct token_record *token_table_find_or_decoy(const struct token_table *table,
                                                     const struct digest *digest, bool *ret_is_found) {
    uint64_t hash = hash_digest(table, digest);
    const struct slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    uint64_t match = SLOT_EMPTY, decoy = SLOT_EMPTY;
    bool is_settled = false;
    for (size_t i = WINDOW; i-- > 0;) {
        uint64_t slot = read_slot(slots, hash + i);
        bool is_record = slot > SLOT_DELETED;
        decoy = choose(is_record, slot, decoy);
        match = choose(is_record & ((slot ^ hash) >> FINGERPRINT_SHIFT == 0), slot, match);
        is_settled |= slot == SLOT_EMPTY;
    }
    const struct token_record *record = get_record(choose(match != SLOT_EMPTY, match, decoy));
    if (UNLIKELY(!record))
        return search(slots, hash, digest, ret_is_found);
    *ret_is_found = has_digest(record, digest) & (match != SLOT_EMPTY);
    uint64_t is_open = choose(*ret_is_found, false, choose(match != SLOT_EMPTY, true, !is_settled));
    if (UNLIKELY(is_open != 0))
        return search(slots, hash, digest, ret_is_found);
    return record;
}

// The smallest array in which `count` records leave room for as many again.
static size_t choose_capacity(size_t count) {
    size_t capacity = CAPACITY_MIN;
    while (count > capacity / 8 * 3)
        capacity *= 2;
    return capacity;
}

static void copy_record(const struct token_table *table, struct slots *slots, uint64_t slot) {
    size_t i = hash_digest(table, &get_record(slot)->digest) & slots->mask;
    while (read_own_slot(slots, i) != SLOT_EMPTY)
        i = (i + 1) & slots->mask;
    atomic_store_explicit(&slots->slots[i], slot, memory_order_relaxed);
    slots->used++;
}

static enum status rebuild(struct token_table *table) {
    struct slots *old = get_own_slots(table);
    struct slots *slots = new_slots(choose_capacity(table->count + 1));
    if (!slots)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i <= old->mask; i++) {
        uint64_t slot = read_own_slot(old, i);
        if (slot > SLOT_DELETED)
            copy_record(table, slots, slot);
    }
    atomic_store_explicit(&table->slots, slots, memory_order_release);
    reclaim_add_memory(table->reclaim, old);
    return STATUS_OK;
}

enum status token_table_put(struct token_table *table, const struct token_record *record,
                            const struct token_record **ret_replaced) {
    if (get_own_slots(table)->used + 1 > (get_own_slots(table)->mask + 1) / 4 * 3) {
        enum status status = rebuild(table);
        if (status != STATUS_OK)
            return status;
    }

    struct slots *slots = get_own_slots(table);
    uint64_t hash = hash_digest(table, &record->digest);
    size_t place = SIZE_MAX; // the first deleted slot on the way
    size_t i = hash & slots->mask;
    for (;; i = (i + 1) & slots->mask) {
        uint64_t slot = read_own_slot(slots, i);
        if (slot == SLOT_EMPTY)
            break;
        if (slot == SLOT_DELETED && place == SIZE_MAX)
            place = i;
        if (slot_holds(slot, hash, &record->digest)) {
            publish_slot(slots, i, make_slot(record, hash));
            *ret_replaced = get_record(slot);
            return STATUS_OK;
        }
    }
    if (place == SIZE_MAX) {
        place = i;
        slots->used++;
    }
    publish_slot(slots, place, make_slot(record, hash));
    table->count++;
    *ret_replaced = NULL;
    return STATUS_OK;
}

// Leaves no deleted mark in front of an empty slot. From the back to the front: the invariant holds after
// each store.
static void clear_slot(struct slots *slots, size_t index) {
    if (read_own_slot(slots, (index + 1) & slots->mask) != SLOT_EMPTY) {
        publish_slot(slots, index, SLOT_DELETED);
        return;
    }
    do {
        publish_slot(slots, index, SLOT_EMPTY);
        slots->used--;
        index = (index - 1) & slots->mask;
    } while (read_own_slot(slots, index) == SLOT_DELETED);
}

const struct token_record *token_table_remove(struct token_table *table, const struct digest *digest) {
    struct slots *slots = get_own_slots(table);
    uint64_t hash = hash_digest(table, digest);
    for (size_t i = hash & slots->mask;; i = (i + 1) & slots->mask) {
        uint64_t slot = read_own_slot(slots, i);
        if (slot == SLOT_EMPTY)
            return NULL;
        if (!slot_holds(slot, hash, digest))
            continue;
        clear_slot(slots, i);
        table->count--;
        return get_record(slot);
    }
}

const struct token_record *token_table_next(const struct token_table *table, size_t *cursor) {
    const struct slots *slots = get_own_slots(table);
    while (*cursor <= slots->mask) {
        uint64_t slot = read_own_slot(slots, (*cursor)++);
        if (slot > SLOT_DELETED)
            return get_record(slot);
    }
    return NULL;
}

size_t token_table_get_count(const struct token_table *table) {
    return table->count;
}

size_t token_table_get_size_bytes(const struct token_table *table) {
    return sizeof(*table) + sizeof(struct slots) +
           (get_own_slots(table)->mask + 1) * sizeof(get_own_slots(table)->slots[0]);
}

const char *token_table_check(const struct token_table *table) {
    const struct slots *slots = get_own_slots(table);
    size_t records = 0, used = 0;
    for (size_t i = 0; i <= slots->mask; i++) {
        uint64_t slot = read_own_slot(slots, i), next = read_own_slot(slots, (i + 1) & slots->mask);
        used += slot != SLOT_EMPTY;
        if (slot == SLOT_DELETED && next == SLOT_EMPTY)
            return "a deleted mark stands before an empty slot";
        if (slot <= SLOT_DELETED)
            continue;
        records++;
        uint64_t hash = hash_digest(table, &get_record(slot)->digest);
        if ((slot ^ hash) >> FINGERPRINT_SHIFT != 0)
            return "a fingerprint is not its record's";
        for (size_t at = hash & slots->mask; at != i; at = (at + 1) & slots->mask)
            if (read_own_slot(slots, at) == SLOT_EMPTY)
                return "an empty slot stands between a record and its home";
        if (token_table_find(table, &get_record(slot)->digest) != get_record(slot))
            return "a record is found elsewhere, or twice there";
    }
    if (records != table->count)
        return "the number of records is wrong";
    if (used != slots->used)
        return "the number of used slots is wrong";
    if (used > (slots->mask + 1) / 4 * 3)
        return "the table is too full";
    return NULL;
}
