#include "services/validator/image/token_table.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/image/token_table_bucket.h"

enum {
    LARGE_BITS = 12,
    PREFETCH_AHEAD = 16,
    // why not always large: with so few records most buckets would be empty, and who looks for one that is
    // not there would find no decoy (token_table_end_probe()).
    LARGE_FROM = 65536,
    SMALL_BELOW = LARGE_FROM / 2,
};

struct directory {
    unsigned bits;
    _Atomic uint64_t partitions[]; // release stores by the writer, acquire loads by readers
};

struct token_table {
    struct fingerprint_key key;
    const struct slab *records;
    _Atomic(struct directory *) directory; // release store by the writer, acquire load by readers

    // The writer's.
    size_t count, bucket_count;
    struct reclaim *reclaim;
};

static size_t get_partition_index(const struct directory *directory, const struct fingerprint *fingerprint) {
    return fingerprint->words[0] >> 1 >> (63 - directory->bits);
}

static struct token_place find_place(const struct token_table *table, const struct fingerprint *fingerprint) {
    const struct directory *directory = atomic_load_explicit(&table->directory, memory_order_acquire);
    const _Atomic uint64_t *partition = &directory->partitions[get_partition_index(directory, fingerprint)];
    return token_table_bucket_find_place(atomic_load_explicit(partition, memory_order_acquire), fingerprint);
}

static const struct token_record *get_record(const struct token_table *table, uint32_t number) {
    return slab_get(table->records, number);
}

static bool has_fingerprint(const struct token_table *table, uint32_t number,
                            const struct fingerprint *fingerprint) {
    return number != SLAB_NONE && fingerprint_is_equal(&get_record(table, number)->fingerprint, fingerprint);
}

// --- for readers ---

// All that have the tag: what one candidate has not settled.
static uint32_t search(const struct token_table *table, const struct fingerprint *fingerprint) {
    struct token_place place = find_place(table, fingerprint);
    uint64_t matches, taken;
    token_table_bucket_scan(&place, &matches, &taken);
    for (; matches; matches &= matches - 1) {
        uint32_t number = token_table_bucket_read(token_table_bucket_get_slot(&place, matches));
        if (has_fingerprint(table, number, fingerprint))
            return number;
    }
    return SLAB_NONE;
}

void token_table_begin_probe(const struct token_table *table, const struct digest *digest,
                             struct token_probe *ret_probe) {
    ret_probe->fingerprint = fingerprint_of(&table->key, digest);
    token_table_prefetch(table, &ret_probe->fingerprint);
}

// Without a branch, which the compiler would make of the plain operator, and of a mask that it can see
// through.
static inline uint64_t choose(bool condition, uint64_t yes, uint64_t no) {
    uint64_t mask = -(uint64_t)condition;
    __asm__("" : "+r"(mask));
    return (yes & mask) | (no & ~mask);
}

// why: both buckets are looked at in the same way, whatever is in them; the record that is chosen, a decoy
// too, lies as far from the cache as any. Any of them is a decoy at times: a few, always the
// same, would be in the cache.
void token_table_advance_probe(const struct token_table *table, struct token_probe *probe) {
    struct token_place place = find_place(table, &probe->fingerprint);
    uint64_t matches, taken;
    token_table_bucket_scan(&place, &matches, &taken);
    uint64_t slots = choose(matches != 0, matches, taken);
    probe->is_match = matches != 0;
    probe->candidate = SLAB_NONE;
    if (UNLIKELY(slots == 0))
        return;
    uint16_t hash = (uint16_t)(probe->fingerprint.words[0] >> 32);
    probe->candidate = token_table_bucket_read(token_table_bucket_choose_slot(&place, slots, hash));
    if (UNLIKELY(probe->candidate == SLAB_NONE)) // just removed
        return;
    const char *record = (const char *)get_record(table, probe->candidate);
    __builtin_prefetch(record);
    __builtin_prefetch(record + sizeof(struct token_record) - 1); // half of them lie in two lines
}

// Any record that there is.
static uint32_t find_any(const struct token_table *table) {
    const struct directory *directory = atomic_load_explicit(&table->directory, memory_order_acquire);
    for (size_t i = 0; i < (size_t)1 << directory->bits; i++) {
        uint64_t partition = atomic_load_explicit(&directory->partitions[i], memory_order_acquire);
        for (uint32_t k = 0; k < token_table_bucket_get_count(partition) * TOKEN_TABLE_BUCKET_SLOTS; k++) {
            uint32_t number = token_table_bucket_read(
                (struct token_slot){&token_table_bucket_get_all(partition)[k / TOKEN_TABLE_BUCKET_SLOTS],
                                    k % TOKEN_TABLE_BUCKET_SLOTS});
            if (number != SLAB_NONE)
                return number;
        }
    }
    return SLAB_NONE;
}

// The candidate was another's, or there is none.
static const struct token_record *search_or_decoy(const struct token_table *table,
                                                  const struct token_probe *probe, bool *ret_is_found) {
    uint32_t number = search(table, &probe->fingerprint);
    *ret_is_found = number != SLAB_NONE;
    if (number == SLAB_NONE)
        number = probe->candidate != SLAB_NONE ? probe->candidate : find_any(table);
    return number == SLAB_NONE ? NULL : get_record(table, number);
}

const struct token_record *token_table_end_probe(const struct token_table *table,
                                                 const struct token_probe *probe, bool *ret_is_found) {
    if (UNLIKELY(probe->candidate == SLAB_NONE))
        return search_or_decoy(table, probe, ret_is_found);
    const struct token_record *record = get_record(table, probe->candidate);
    uint64_t difference = fingerprint_get_difference(&record->fingerprint, &probe->fingerprint);
    // why one condition, that nearly never holds: a branch at `difference` would be guessed right for what
    // is asked about more often, a secret that is there or one that is not.
    if (UNLIKELY(choose(probe->is_match, difference, 0) != 0))
        return search_or_decoy(table, probe, ret_is_found);
    *ret_is_found = probe->is_match;
    return record;
}

const struct token_record *token_table_find_or_decoy(const struct token_table *table,
                                                     const struct digest *digest, bool *ret_is_found) {
    struct token_probe probe;
    token_table_begin_probe(table, digest, &probe);
    token_table_advance_probe(table, &probe);
    return token_table_end_probe(table, &probe, ret_is_found);
}

// --- partitions ---

static struct directory *get_own_directory(const struct token_table *table) {
    return atomic_load_explicit(&table->directory, memory_order_relaxed);
}

static uint64_t get_own_partition(const struct directory *directory, size_t index) {
    return atomic_load_explicit(&directory->partitions[index], memory_order_relaxed);
}

static void prefetch_record(const struct token_table *table, uint64_t partition, size_t slot) {
    uint32_t number = slot < token_table_bucket_get_slot_count(partition)
                          ? token_table_bucket_get_number(partition, slot)
                          : SLAB_NONE;
    if (number != SLAB_NONE)
        __builtin_prefetch(get_record(table, number));
}

// False: a place in the new one is full.
static bool copy_partition(const struct token_table *table, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < token_table_bucket_get_slot_count(from); i++) {
        prefetch_record(table, from, i + PREFETCH_AHEAD);
        uint32_t number = token_table_bucket_get_number(from, i);
        if (number == SLAB_NONE)
            continue;
        struct token_place place = token_table_bucket_find_place(to, &get_record(table, number)->fingerprint);
        if (!token_table_bucket_take(&place, number))
            return false;
    }
    return true;
}

// An eighth more, again and again until all have a place.
static uint32_t choose_larger(uint32_t count) {
    return count + (count / 8 > 0 ? count / 8 : 1);
}

static enum status build_partition(const struct token_table *table, uint64_t old, uint32_t count,
                                   uint64_t *ret_partition) {
    for (; count <= TOKEN_TABLE_BUCKETS_MAX; count = choose_larger(count)) {
        struct token_table_bucket *buckets = token_table_bucket_new(count);
        if (!buckets)
            return STATUS_NO_MEMORY;
        *ret_partition = token_table_bucket_make_partition(buckets, count);
        if (copy_partition(table, old, *ret_partition))
            return STATUS_OK;
        free(buckets);
    }
    return STATUS_TOO_LARGE;
}

static void publish_partition(struct token_table *table, struct directory *directory, size_t index,
                              uint64_t partition) {
    uint64_t old = get_own_partition(directory, index);
    atomic_store_explicit(&directory->partitions[index], partition, memory_order_release);
    table->bucket_count +=
        token_table_bucket_is_none(partition) ? 0 : token_table_bucket_get_count(partition);
    table->bucket_count -= token_table_bucket_is_none(old) ? 0 : token_table_bucket_get_count(old);
    reclaim_add_memory(table->reclaim,
                       token_table_bucket_is_none(old) ? NULL : token_table_bucket_get_all(old));
}

static enum status grow_partition(struct token_table *table, struct directory *directory, size_t index) {
    uint64_t old = get_own_partition(directory, index), grown;
    uint32_t count = token_table_bucket_is_none(old) ? 1 : choose_larger(token_table_bucket_get_count(old));
    enum status status = build_partition(table, old, count, &grown);
    if (status == STATUS_OK)
        publish_partition(table, directory, index, grown);
    return status;
}

// Into `directory`, where it is not yet.
static enum status add(struct token_table *table, struct directory *directory, uint32_t number) {
    const struct fingerprint *fingerprint = &get_record(table, number)->fingerprint;
    size_t index = get_partition_index(directory, fingerprint);
    for (;;) {
        uint64_t partition = get_own_partition(directory, index);
        struct token_place place = token_table_bucket_find_place(partition, fingerprint);
        if (!token_table_bucket_is_none(partition) && token_table_bucket_take(&place, number))
            return STATUS_OK;
        enum status status = grow_partition(table, directory, index);
        if (status != STATUS_OK)
            return status;
    }
}

// --- directories ---

static struct directory *new_directory(unsigned bits) {
    size_t count = (size_t)1 << bits;
    struct directory *directory = malloc(sizeof(*directory) + count * sizeof(directory->partitions[0]));
    if (!directory)
        return NULL;
    directory->bits = bits;
    for (size_t i = 0; i < count; i++)
        atomic_init(&directory->partitions[i],
                    token_table_bucket_make_partition(&token_table_bucket_none, 1));
    return directory;
}

static void retire_directory(struct token_table *table, struct directory *directory) {
    for (size_t i = 0; i < (size_t)1 << directory->bits; i++) {
        uint64_t old = get_own_partition(directory, i);
        table->bucket_count -= token_table_bucket_is_none(old) ? 0 : token_table_bucket_get_count(old);
        reclaim_add_memory(table->reclaim,
                           token_table_bucket_is_none(old) ? NULL : token_table_bucket_get_all(old));
    }
    reclaim_add_memory(table->reclaim, directory);
}

static enum status copy_directory(struct token_table *table, const struct directory *from,
                                  struct directory *to) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < (size_t)1 << from->bits; i++) {
        uint64_t partition = get_own_partition(from, i);
        for (size_t k = 0; k < token_table_bucket_get_slot_count(partition) && status == STATUS_OK; k++)
            if (token_table_bucket_get_number(partition, k) != SLAB_NONE)
                status = add(table, to, token_table_bucket_get_number(partition, k));
    }
    return status;
}

// All records into a directory of another size.
static enum status spread(struct token_table *table, unsigned bits) {
    struct directory *old = get_own_directory(table), *directory = new_directory(bits);
    if (!directory)
        return STATUS_NO_MEMORY;
    enum status status = copy_directory(table, old, directory);
    if (status == STATUS_OK)
        atomic_store_explicit(&table->directory, directory, memory_order_release);
    retire_directory(table, status == STATUS_OK ? old : directory);
    return status;
}

// So that four fifths are taken.
static uint32_t count_buckets(size_t records) {
    return (uint32_t)(records / (TOKEN_TABLE_BUCKET_SLOTS * 4 / 5) + 1);
}

// Without memory for it the partition stays as it is.
static void shrink_partition(struct token_table *table, struct directory *directory, size_t index) {
    uint64_t old = get_own_partition(directory, index),
             smaller = token_table_bucket_make_partition(&token_table_bucket_none, 1);
    size_t taken = token_table_bucket_count_taken(old);
    uint32_t count = count_buckets(taken);
    if (taken > 0 && (count >= token_table_bucket_get_count(old) ||
                      build_partition(table, old, count, &smaller) != STATUS_OK))
        return;
    publish_partition(table, directory, index, smaller);
}

static bool is_sparse(size_t records, size_t buckets) {
    return records * 8 < buckets * TOKEN_TABLE_BUCKET_SLOTS * 5;
}

// Those that are made are of use even where others can't be.
static void make_partitions(struct token_table *table, struct directory *directory, size_t records) {
    size_t partitions = (size_t)1 << directory->bits;
    uint64_t made, none = token_table_bucket_make_partition(&token_table_bucket_none, 1);
    for (size_t i = 0; i < partitions; i++)
        if (build_partition(table, none, count_buckets(records / partitions), &made) == STATUS_OK)
            publish_partition(table, directory, i, made);
}

// --- public ---

enum status token_table_new(struct reclaim *reclaim, const struct slab *records,
                            const struct fingerprint_key *key, struct token_table **ret_table) {
    struct token_table *table = calloc(1, sizeof(*table));
    struct directory *directory = new_directory(0);
    if (!table || !directory) {
        free(table);
        free(directory);
        return STATUS_NO_MEMORY;
    }
    table->key = *key;
    table->records = records;
    table->reclaim = reclaim;
    atomic_init(&table->directory, directory);
    *ret_table = table;
    return STATUS_OK;
}

void token_table_free(struct token_table *table) {
    if (!table)
        return;
    struct directory *directory = get_own_directory(table);
    for (size_t i = 0; i < (size_t)1 << directory->bits; i++)
        if (!token_table_bucket_is_none(get_own_partition(directory, i)))
            free(token_table_bucket_get_all(get_own_partition(directory, i)));
    free(directory);
    free(table);
}

const struct fingerprint_key *token_table_get_key(const struct token_table *table) {
    return &table->key;
}

void token_table_prefetch(const struct token_table *table, const struct fingerprint *fingerprint) {
    struct token_place place = find_place(table, fingerprint);
    __builtin_prefetch(place.buckets[0]);
    __builtin_prefetch(place.buckets[1]);
}

uint32_t token_table_find_number(const struct token_table *table, const struct fingerprint *fingerprint) {
    return search(table, fingerprint);
}

void token_table_reserve(struct token_table *table, size_t count) {
    struct directory *old = get_own_directory(table);
    if (old->bits > 0 || table->count > 0 || count < LARGE_FROM)
        return;
    struct directory *directory = new_directory(LARGE_BITS);
    if (!directory)
        return;
    make_partitions(table, directory, count);
    atomic_store_explicit(&table->directory, directory, memory_order_release);
    retire_directory(table, old);
}

void token_table_trim(struct token_table *table) {
    struct directory *directory = get_own_directory(table);
    if (directory->bits > 0 && table->count < SMALL_BELOW && spread(table, 0) == STATUS_OK)
        return;
    for (size_t i = 0; i < (size_t)1 << directory->bits; i++) {
        uint64_t partition = get_own_partition(directory, i);
        if (!token_table_bucket_is_none(partition) &&
            is_sparse(token_table_bucket_count_taken(partition), token_table_bucket_get_count(partition)))
            shrink_partition(table, directory, i);
    }
}

static enum status add_record(struct token_table *table, uint32_t number) {
    enum status status = STATUS_OK;
    if (get_own_directory(table)->bits == 0 && table->count >= LARGE_FROM)
        status = spread(table, LARGE_BITS);
    if (status == STATUS_OK)
        status = add(table, get_own_directory(table), number);
    table->count += status == STATUS_OK;
    return status;
}

enum status token_table_put(struct token_table *table, uint32_t number, uint32_t *ret_replaced) {
    const struct fingerprint *fingerprint = &get_record(table, number)->fingerprint;
    uint32_t replaced = search(table, fingerprint);
    if (replaced == SLAB_NONE) {
        enum status status = add_record(table, number);
        if (status != STATUS_OK)
            return status;
    } else {
        struct token_place place = find_place(table, fingerprint);
        token_table_bucket_replace(token_table_bucket_find(&place, replaced), number);
    }
    *ret_replaced = replaced;
    return STATUS_OK;
}

void token_table_remove(struct token_table *table, uint32_t number) {
    const struct fingerprint *fingerprint = &get_record(table, number)->fingerprint;
    struct directory *directory = get_own_directory(table);
    struct token_place place = find_place(table, fingerprint);
    token_table_bucket_clear(token_table_bucket_find(&place, number));
    table->count--;
    if (directory->bits > 0 && table->count < SMALL_BELOW && spread(table, 0) == STATUS_OK)
        return;
    if (is_sparse(table->count, table->bucket_count))
        shrink_partition(table, directory, get_partition_index(directory, fingerprint));
}

size_t token_table_get_count(const struct token_table *table) {
    return table->count;
}

size_t token_table_get_size_bytes(const struct token_table *table) {
    const struct directory *directory = get_own_directory(table);
    return sizeof(*table) + sizeof(*directory) + (sizeof(directory->partitions[0]) << directory->bits) +
           table->bucket_count * sizeof(struct token_table_bucket);
}

// --- checking ---

static const char *check_slot(const struct token_table *table, const struct directory *directory,
                              size_t index, size_t k) {
    uint64_t partition = get_own_partition(directory, index);
    uint32_t number = token_table_bucket_get_number(partition, k);
    if (number == SLAB_NONE)
        return NULL;
    const struct token_table_bucket *bucket =
        &token_table_bucket_get_all(partition)[k / TOKEN_TABLE_BUCKET_SLOTS];
    const struct fingerprint *fingerprint = &get_record(table, number)->fingerprint;
    struct token_place place = token_table_bucket_find_place(partition, fingerprint);
    if (get_partition_index(directory, fingerprint) != index)
        return "a record is in another partition than its own";
    if (place.buckets[0] != bucket && place.buckets[1] != bucket)
        return "a record is in neither of its buckets";
    if (token_table_bucket_get_tag(partition, k) != place.tag)
        return "a tag is not its record's";
    return search(table, fingerprint) == number ? NULL : "a record is found elsewhere, or twice there";
}

static const char *check_partition(const struct token_table *table, const struct directory *directory,
                                   size_t index) {
    uint64_t partition = get_own_partition(directory, index);
    const char *broken = NULL;
    for (size_t i = 0; i < token_table_bucket_get_count(partition) && !broken; i++)
        broken = token_table_bucket_check(&token_table_bucket_get_all(partition)[i]);
    for (size_t k = 0; k < token_table_bucket_get_slot_count(partition) && !broken; k++)
        broken = check_slot(table, directory, index, k);
    return broken;
}

const char *token_table_check(const struct token_table *table) {
    const struct directory *directory = get_own_directory(table);
    size_t records = 0, buckets = 0;
    const char *broken = NULL;
    for (size_t i = 0; i < (size_t)1 << directory->bits && !broken; i++) {
        uint64_t partition = get_own_partition(directory, i);
        records += token_table_bucket_count_taken(partition);
        buckets += token_table_bucket_is_none(partition) ? 0 : token_table_bucket_get_count(partition);
        broken = check_partition(table, directory, i);
    }
    if (broken)
        return broken;
    if (records != table->count)
        return "the number of records is wrong";
    return buckets == table->bucket_count ? NULL : "the number of buckets is wrong";
}
