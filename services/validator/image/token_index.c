#include "services/validator/image/token_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"
#include "common/base/random.h"
#include "services/validator/image/token_record.h"

enum { PARTITION_BITS = 10, CAPACITY_MIN = 4, PREFETCH_AHEAD = 16 };
static_assert(TOKEN_INDEX_PARTITIONS == 1 << PARTITION_BITS, "as many as bits name");

static uint64_t hash_id(const struct token_index *index, const struct uuid *id) {
    uint64_t words[2];
    memcpy(words, id->bytes, sizeof(words));
    return multiply_fold(words[0] ^ index->keys[0], words[1] ^ index->keys[1]);
}

static const struct uuid *get_id(const struct token_index *index, uint32_t number) {
    return &((const struct token_record *)slab_get(index->records, number))->token_id;
}

static struct token_partition *get_partition(const struct token_index *index, uint64_t hash) {
    return (struct token_partition *)&index->partitions[hash >> (64 - PARTITION_BITS)];
}

static uint32_t get_home(const struct token_partition *partition, uint64_t hash) {
    return (uint32_t)((uint64_t)(uint32_t)hash * partition->capacity >> 32);
}

static uint32_t step(const struct token_partition *partition, uint32_t at) {
    return at + 1 == partition->capacity ? 0 : at + 1;
}

static uint32_t measure_distance(const struct token_partition *partition, uint32_t from, uint32_t to) {
    return to >= from ? to - from : to + partition->capacity - from;
}

void token_index_init(struct token_index *index, const struct slab *records) {
    *index = (struct token_index){.records = records};
    random_fill(index->keys, sizeof(index->keys));
}

void token_index_fini(struct token_index *index) {
    for (size_t i = 0; i < TOKEN_INDEX_PARTITIONS; i++)
        free(index->partitions[i].slots);
    *index = (struct token_index){0};
}

static void place(struct token_partition *partition, uint64_t hash, uint32_t number) {
    uint32_t at = get_home(partition, hash);
    while (partition->slots[at] != SLAB_NONE)
        at = step(partition, at);
    partition->slots[at] = number;
}

static void prefetch_record(const struct token_index *index, const struct token_partition *partition,
                            uint32_t at) {
    if (at < partition->capacity && partition->slots[at] != SLAB_NONE)
        __builtin_prefetch(get_id(index, partition->slots[at]));
}

static enum status resize(struct token_index *index, struct token_partition *partition, uint32_t capacity) {
    struct token_partition resized = {.capacity = capacity, .count = partition->count};
    resized.slots = calloc(capacity, sizeof(resized.slots[0]));
    if (!resized.slots)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < partition->capacity; i++) {
        prefetch_record(index, partition, i + PREFETCH_AHEAD);
        if (partition->slots[i] != SLAB_NONE)
            place(&resized, hash_id(index, get_id(index, partition->slots[i])), partition->slots[i]);
    }
    index->capacity = index->capacity - partition->capacity + capacity;
    free(partition->slots);
    *partition = resized;
    return STATUS_OK;
}

// Without memory for it the partition stays as it is.
static void shrink_if_sparse(struct token_index *index, struct token_partition *partition) {
    if (partition->count < partition->capacity / 2 && partition->capacity > 2 * CAPACITY_MIN)
        (void)!resize(index, partition, partition->count + partition->count / 4 + CAPACITY_MIN);
}

void token_index_reserve(struct token_index *index, size_t count) {
    size_t each = count / TOKEN_INDEX_PARTITIONS;
    if (index->count > 0 || each > UINT32_MAX / 2)
        return;
    for (size_t i = 0; i < TOKEN_INDEX_PARTITIONS; i++)
        if (index->partitions[i].capacity < each)
            (void)!resize(index, &index->partitions[i], (uint32_t)(each + each / 5 + CAPACITY_MIN));
}

void token_index_trim(struct token_index *index) {
    for (size_t i = 0; i < TOKEN_INDEX_PARTITIONS; i++)
        shrink_if_sparse(index, &index->partitions[i]);
}

static bool is_full(const struct token_partition *partition) {
    return partition->count + 1 > partition->capacity / 8 * 7 + partition->capacity % 8 / 2;
}

void token_index_prefetch(const struct token_index *index, const struct uuid *id) {
    uint64_t hash = hash_id(index, id);
    const struct token_partition *partition = get_partition(index, hash);
    if (partition->capacity > 0)
        __builtin_prefetch(&partition->slots[get_home(partition, hash)]);
}

enum status token_index_add(struct token_index *index, uint32_t number) {
    uint64_t hash = hash_id(index, get_id(index, number));
    struct token_partition *partition = get_partition(index, hash);
    if (is_full(partition)) {
        enum status status =
            resize(index, partition, partition->capacity + partition->capacity / 8 + CAPACITY_MIN);
        if (status != STATUS_OK)
            return status;
    }
    place(partition, hash, number);
    partition->count++;
    index->count++;
    return STATUS_OK;
}

static uint32_t find_slot(const struct token_partition *partition, uint64_t hash, uint32_t number) {
    uint32_t at = get_home(partition, hash);
    while (partition->slots[at] != number) {
        assert(partition->slots[at] != SLAB_NONE);
        at = step(partition, at);
    }
    return at;
}

// Moves into the hole whatever may stand there, until what follows may stay: no look-up ever crosses a hole.
static void close_hole(const struct token_index *index, struct token_partition *partition, uint32_t hole) {
    for (uint32_t at = step(partition, hole); partition->slots[at] != SLAB_NONE; at = step(partition, at)) {
        uint32_t home = get_home(partition, hash_id(index, get_id(index, partition->slots[at])));
        if (measure_distance(partition, home, at) < measure_distance(partition, hole, at))
            continue;
        partition->slots[hole] = partition->slots[at];
        hole = at;
    }
    partition->slots[hole] = SLAB_NONE;
}

void token_index_remove(struct token_index *index, uint32_t number) {
    uint64_t hash = hash_id(index, get_id(index, number));
    struct token_partition *partition = get_partition(index, hash);
    close_hole(index, partition, find_slot(partition, hash, number));
    partition->count--;
    index->count--;
    shrink_if_sparse(index, partition);
}

void token_index_replace(struct token_index *index, uint32_t number, uint32_t by) {
    uint64_t hash = hash_id(index, get_id(index, by));
    assert(uuid_is_equal(*get_id(index, number), *get_id(index, by)));
    struct token_partition *partition = get_partition(index, hash);
    partition->slots[find_slot(partition, hash, number)] = by;
}

// The cursor counts the slots looked at, from the home slot on.
uint32_t token_index_next(const struct token_index *index, const struct uuid *id, size_t *cursor) {
    uint64_t hash = hash_id(index, id);
    const struct token_partition *partition = get_partition(index, hash);
    if (partition->capacity == 0)
        return SLAB_NONE;
    uint32_t home = get_home(partition, hash);
    for (;;) {
        uint32_t number = partition->slots[(home + *cursor) % partition->capacity];
        if (number == SLAB_NONE)
            return SLAB_NONE;
        ++*cursor;
        if (uuid_is_equal(*get_id(index, number), *id))
            return number;
    }
}

static const char *check_partition(const struct token_index *index, const struct token_partition *partition) {
    uint32_t count = 0;
    for (uint32_t at = 0; at < partition->capacity; at++) {
        uint32_t number = partition->slots[at];
        if (number == SLAB_NONE)
            continue;
        uint64_t hash = hash_id(index, get_id(index, number));
        count++;
        if (get_partition(index, hash) != partition)
            return "a number is in another partition than its own";
        for (uint32_t i = get_home(partition, hash); i != at; i = step(partition, i))
            if (partition->slots[i] == SLAB_NONE || partition->slots[i] == number)
                return "a hole stands between a number and its home, or it is there twice";
    }
    if (count != partition->count)
        return "the number of a partition's numbers is wrong";
    return count > 0 && count == partition->capacity ? "a partition has no hole" : NULL;
}

const char *token_index_check(const struct token_index *index) {
    size_t count = 0, capacity = 0;
    const char *broken = NULL;
    for (size_t i = 0; i < TOKEN_INDEX_PARTITIONS && !broken; i++) {
        broken = check_partition(index, &index->partitions[i]);
        count += index->partitions[i].count;
        capacity += index->partitions[i].capacity;
    }
    if (broken)
        return broken;
    return count == index->count && capacity == index->capacity ? NULL : "the sums are wrong";
}

size_t token_index_get_size_bytes(const struct token_index *index) {
    return index->capacity * sizeof(index->partitions[0].slots[0]);
}
