#include "services/validator/token_table.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(void *) == 8, "a partition is a pointer of 48 bits and a count of 16");

enum {
    SLOTS = 10,
    LANES = 4, // tags of 16 bits in a word
    WORDS = 3, // of tags; the last two lanes have no slot
    LANE_BITS = 16,
    POINTER_BITS = 48,
    BUCKETS_MAX = UINT16_MAX,
    LARGE_BITS = 12,
    PREFETCH_AHEAD = 16,
    // why not always large: with so few records most buckets would be empty, and who looks for one that is
    // not there would find no decoy (end_probe()).
    LARGE_FROM = 65536,
    SMALL_BELOW = LARGE_FROM / 2,
};

#define LANE_ONES UINT64_C(0x0001000100010001)
#define LANE_LOW_BITS (LANE_ONES * 0x7fff)
#define TAG_FREE UINT16_C(0) // and its number is SLAB_NONE

struct bucket {
    _Atomic uint64_t tags[WORDS];    // release stores by the writer, acquire loads by readers
    _Atomic uint32_t numbers[SLOTS]; // the same
};
static_assert(sizeof(struct bucket) == 64, "one cache line");

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

// Where a fingerprint may stand, in one version of its partition.
struct place {
    struct bucket *buckets[2];
    uint16_t tag;
};

// A slot in a mask of slots, one bit each: lane l of word w is bit 16 l + w, the second bucket's words being
// 3 to 5.
struct slot {
    struct bucket *bucket;
    unsigned index;
};

// --- places ---

// What a partition without a record is: nothing is ever written to it.
static struct bucket no_records;

static struct bucket *get_buckets(uint64_t partition) {
    return (struct bucket *)(uintptr_t)(partition & ((UINT64_C(1) << POINTER_BITS) - 1));
}

static uint32_t get_bucket_count(uint64_t partition) {
    return (uint32_t)(partition >> POINTER_BITS);
}

static uint64_t make_partition(struct bucket *buckets, uint32_t count) {
    uint64_t pointer = (uint64_t)(uintptr_t)buckets;
    assert(pointer >> POINTER_BITS == 0 && count > 0 && count <= BUCKETS_MAX);
    return pointer | (uint64_t)count << POINTER_BITS;
}

static bool is_empty(uint64_t partition) {
    return get_buckets(partition) == &no_records;
}

static size_t get_partition_index(const struct directory *directory, const struct fingerprint *fingerprint) {
    return fingerprint->words[0] >> 1 >> (63 - directory->bits);
}

// One of `count`, by 32 bits of a hash.
static uint32_t scale(uint32_t hash, uint32_t count) {
    return (uint32_t)((uint64_t)hash * count >> 32);
}

static struct place get_place(uint64_t partition, const struct fingerprint *fingerprint) {
    struct bucket *buckets = get_buckets(partition);
    uint32_t count = get_bucket_count(partition);
    uint32_t first = scale((uint32_t)fingerprint->words[0], count);
    uint32_t second = scale((uint32_t)fingerprint->words[1], count);
    uint32_t next = first + 1 == count ? 0 : first + 1;
    uint16_t tag = (uint16_t)(fingerprint->words[1] >> POINTER_BITS);
    return (struct place){{&buckets[first], &buckets[second == first ? next : second]},
                          tag == TAG_FREE ? 1 : tag};
}

static struct place find_place(const struct token_table *table, const struct fingerprint *fingerprint) {
    const struct directory *directory = atomic_load_explicit(&table->directory, memory_order_acquire);
    const _Atomic uint64_t *partition = &directory->partitions[get_partition_index(directory, fingerprint)];
    return get_place(atomic_load_explicit(partition, memory_order_acquire), fingerprint);
}

// --- slots ---

// The top bit of each lane that is zero: exact, and without a branch.
static inline uint64_t mark_zero_lanes(uint64_t word) {
    return ~(((word & LANE_LOW_BITS) + LANE_LOW_BITS) | word | LANE_LOW_BITS);
}

// The slots with that tag, and the slots with any.
static inline void scan(const struct place *place, uint64_t *ret_matches, uint64_t *ret_taken) {
    uint64_t matches = 0, free = 0;
    for (unsigned i = 0; i < 2 * WORDS; i++) {
        const _Atomic uint64_t *word = &place->buckets[i / WORDS]->tags[i % WORDS];
        uint64_t tags = atomic_load_explicit(word, memory_order_acquire);
        matches |= mark_zero_lanes(tags ^ place->tag * LANE_ONES) >> (LANE_BITS - 1 - i);
        free |= mark_zero_lanes(tags) >> (LANE_BITS - 1 - i);
    }
    const uint64_t all = LANE_ONES * ((1 << 2 * WORDS) - 1);
    *ret_matches = matches;
    *ret_taken = ~free & all;
}

static inline struct slot get_slot(const struct place *place, uint64_t mask) {
    unsigned bit = (unsigned)__builtin_ctzll(mask), word = bit % LANE_BITS;
    return (struct slot){place->buckets[word / WORDS], word % WORDS * LANES + bit / LANE_BITS};
}

static uint32_t read_number(struct slot slot) {
    return atomic_load_explicit(&slot.bucket->numbers[slot.index], memory_order_acquire);
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
    struct place place = find_place(table, fingerprint);
    uint64_t matches, taken;
    scan(&place, &matches, &taken);
    for (; matches; matches &= matches - 1) {
        uint32_t number = read_number(get_slot(&place, matches));
        if (has_fingerprint(table, number, fingerprint))
            return number;
    }
    return SLAB_NONE;
}

const struct token_record *token_table_find(const struct token_table *table, const struct digest *digest) {
    struct fingerprint fingerprint = fingerprint_of(&table->key, digest);
    uint32_t number = search(table, &fingerprint);
    return number == SLAB_NONE ? NULL : get_record(table, number);
}

void token_table_begin_probe(const struct token_table *table, const struct digest *digest,
                             struct token_probe *ret_probe) {
    ret_probe->fingerprint = fingerprint_of(&table->key, digest);
    token_table_prefetch(table, &ret_probe->fingerprint);
}

// Without a branch, which the compiler would make of the plain operator.
static inline uint64_t choose(bool condition, uint64_t yes, uint64_t no) {
    uint64_t mask = -(uint64_t)condition;
    return (yes & mask) | (no & ~mask);
}

// why: both buckets are looked at in the same way, whatever is in them; the record that is chosen, a decoy
// too, lies as far from the cache as any.
void token_table_advance_probe(const struct token_table *table, struct token_probe *probe) {
    struct place place = find_place(table, &probe->fingerprint);
    uint64_t matches, taken;
    scan(&place, &matches, &taken);
    uint64_t slots = choose(matches != 0, matches, taken);
    probe->is_match = matches != 0;
    probe->candidate = SLAB_NONE;
    if (UNLIKELY(slots == 0))
        return;
    probe->candidate = read_number(get_slot(&place, slots));
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
        for (uint32_t k = 0; k < get_bucket_count(partition) * SLOTS; k++) {
            uint32_t number = read_number((struct slot){&get_buckets(partition)[k / SLOTS], k % SLOTS});
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
    bool is_equal = fingerprint_is_equal(&record->fingerprint, &probe->fingerprint);
    if (UNLIKELY(probe->is_match & !is_equal))
        return search_or_decoy(table, probe, ret_is_found);
    *ret_is_found = is_equal & probe->is_match;
    return record;
}

const struct token_record *token_table_find_or_decoy(const struct token_table *table,
                                                     const struct digest *digest, bool *ret_is_found) {
    struct token_probe probe;
    token_table_begin_probe(table, digest, &probe);
    token_table_advance_probe(table, &probe);
    return token_table_end_probe(table, &probe, ret_is_found);
}

// --- the writer's slots; it alone stores, so it reads its own stores in order ---

static void set_tag(struct slot slot, uint16_t tag) {
    _Atomic uint64_t *word = &slot.bucket->tags[slot.index / LANES];
    unsigned shift = slot.index % LANES * LANE_BITS;
    uint64_t others = atomic_load_explicit(word, memory_order_relaxed) & ~(UINT64_C(0xffff) << shift);
    atomic_store_explicit(word, others | (uint64_t)tag << shift, memory_order_release);
}

static void set_number(struct slot slot, uint32_t number) {
    atomic_store_explicit(&slot.bucket->numbers[slot.index], number, memory_order_release);
}

// The number is there before the tag that leads to it.
static void fill_slot(struct slot slot, uint16_t tag, uint32_t number) {
    set_number(slot, number);
    set_tag(slot, tag);
}

static void clear_slot(struct slot slot) {
    set_tag(slot, TAG_FREE);
    set_number(slot, SLAB_NONE);
}

static unsigned count_free(const struct bucket *bucket, unsigned *ret_first) {
    unsigned count = 0;
    for (unsigned i = SLOTS; i-- > 0;)
        if (atomic_load_explicit(&bucket->numbers[i], memory_order_relaxed) == SLAB_NONE) {
            *ret_first = i;
            count++;
        }
    return count;
}

// False: both buckets are full.
static bool take_slot(const struct place *place, uint32_t number) {
    unsigned first[2] = {0};
    unsigned free[] = {count_free(place->buckets[0], &first[0]), count_free(place->buckets[1], &first[1])};
    unsigned emptier = free[1] > free[0];
    if (free[emptier] == 0)
        return false;
    fill_slot((struct slot){place->buckets[emptier], first[emptier]}, place->tag, number);
    return true;
}

// Where the number stands.
static struct slot find_slot(const struct place *place, uint32_t number) {
    uint64_t matches, taken;
    scan(place, &matches, &taken);
    for (; matches; matches &= matches - 1)
        if (read_number(get_slot(place, matches)) == number)
            break;
    assert(matches);
    return get_slot(place, matches);
}

// --- partitions ---

static struct directory *get_own_directory(const struct token_table *table) {
    return atomic_load_explicit(&table->directory, memory_order_relaxed);
}

static uint64_t get_own_partition(const struct directory *directory, size_t index) {
    return atomic_load_explicit(&directory->partitions[index], memory_order_relaxed);
}

static uint32_t get_number(uint64_t partition, size_t slot) {
    return atomic_load_explicit(&get_buckets(partition)[slot / SLOTS].numbers[slot % SLOTS],
                                memory_order_relaxed);
}

static size_t get_slot_count(uint64_t partition) {
    return is_empty(partition) ? 0 : (size_t)get_bucket_count(partition) * SLOTS;
}

static struct bucket *new_buckets(uint32_t count) {
    struct bucket *buckets = aligned_alloc(sizeof(*buckets), count * sizeof(*buckets));
    if (buckets)
        memset(buckets, 0, count * sizeof(*buckets));
    return buckets;
}

static void prefetch_record(const struct token_table *table, uint64_t partition, size_t slot) {
    uint32_t number = slot < get_slot_count(partition) ? get_number(partition, slot) : SLAB_NONE;
    if (number != SLAB_NONE)
        __builtin_prefetch(get_record(table, number));
}

// False: a place in the new one is full.
static bool copy_partition(const struct token_table *table, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < get_slot_count(from); i++) {
        prefetch_record(table, from, i + PREFETCH_AHEAD);
        uint32_t number = get_number(from, i);
        if (number == SLAB_NONE)
            continue;
        struct place place = get_place(to, &get_record(table, number)->fingerprint);
        if (!take_slot(&place, number))
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
    for (; count <= BUCKETS_MAX; count = choose_larger(count)) {
        struct bucket *buckets = new_buckets(count);
        if (!buckets)
            return STATUS_NO_MEMORY;
        *ret_partition = make_partition(buckets, count);
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
    table->bucket_count += is_empty(partition) ? 0 : get_bucket_count(partition);
    table->bucket_count -= is_empty(old) ? 0 : get_bucket_count(old);
    reclaim_add_memory(table->reclaim, is_empty(old) ? NULL : get_buckets(old));
}

static enum status grow_partition(struct token_table *table, struct directory *directory, size_t index) {
    uint64_t old = get_own_partition(directory, index), grown;
    uint32_t count = is_empty(old) ? 1 : choose_larger(get_bucket_count(old));
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
        struct place place = get_place(partition, fingerprint);
        if (!is_empty(partition) && take_slot(&place, number))
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
        atomic_init(&directory->partitions[i], make_partition(&no_records, 1));
    return directory;
}

static void retire_directory(struct token_table *table, struct directory *directory) {
    for (size_t i = 0; i < (size_t)1 << directory->bits; i++) {
        uint64_t old = get_own_partition(directory, i);
        table->bucket_count -= is_empty(old) ? 0 : get_bucket_count(old);
        reclaim_add_memory(table->reclaim, is_empty(old) ? NULL : get_buckets(old));
    }
    reclaim_add_memory(table->reclaim, directory);
}

static enum status copy_directory(struct token_table *table, const struct directory *from,
                                  struct directory *to) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < (size_t)1 << from->bits; i++) {
        uint64_t partition = get_own_partition(from, i);
        for (size_t k = 0; k < get_slot_count(partition) && status == STATUS_OK; k++)
            if (get_number(partition, k) != SLAB_NONE)
                status = add(table, to, get_number(partition, k));
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

static size_t count_taken(uint64_t partition) {
    size_t count = 0;
    for (size_t i = 0; i < get_slot_count(partition); i++)
        count += get_number(partition, i) != SLAB_NONE;
    return count;
}

// So that four fifths are taken. Without memory for it the partition stays as it is.
static void shrink_partition(struct token_table *table, struct directory *directory, size_t index) {
    uint64_t old = get_own_partition(directory, index), smaller = make_partition(&no_records, 1);
    size_t taken = count_taken(old), count = taken / (SLOTS * 4 / 5) + 1;
    if (taken > 0 && (count >= get_bucket_count(old) ||
                      build_partition(table, old, (uint32_t)count, &smaller) != STATUS_OK))
        return;
    publish_partition(table, directory, index, smaller);
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
        if (!is_empty(get_own_partition(directory, i)))
            free(get_buckets(get_own_partition(directory, i)));
    free(directory);
    free(table);
}

const struct fingerprint_key *token_table_get_key(const struct token_table *table) {
    return &table->key;
}

struct fingerprint token_table_get_fingerprint(const struct token_table *table, const struct digest *digest) {
    return fingerprint_of(&table->key, digest);
}

void token_table_prefetch(const struct token_table *table, const struct fingerprint *fingerprint) {
    struct place place = find_place(table, fingerprint);
    __builtin_prefetch(place.buckets[0]);
    __builtin_prefetch(place.buckets[1]);
}

uint32_t token_table_find_number(const struct token_table *table, const struct fingerprint *fingerprint) {
    return search(table, fingerprint);
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
        struct place place = find_place(table, fingerprint);
        set_number(find_slot(&place, replaced), number);
    }
    *ret_replaced = replaced;
    return STATUS_OK;
}

void token_table_remove(struct token_table *table, uint32_t number) {
    const struct fingerprint *fingerprint = &get_record(table, number)->fingerprint;
    struct directory *directory = get_own_directory(table);
    struct place place = find_place(table, fingerprint);
    clear_slot(find_slot(&place, number));
    table->count--;
    if (directory->bits > 0 && table->count < SMALL_BELOW && spread(table, 0) == STATUS_OK)
        return;
    if (table->count * 8 < table->bucket_count * SLOTS * 5)
        shrink_partition(table, directory, get_partition_index(directory, fingerprint));
}

size_t token_table_get_count(const struct token_table *table) {
    return table->count;
}

size_t token_table_get_size_bytes(const struct token_table *table) {
    const struct directory *directory = get_own_directory(table);
    return sizeof(*table) + sizeof(*directory) + (sizeof(directory->partitions[0]) << directory->bits) +
           table->bucket_count * sizeof(struct bucket);
}

// --- checking ---

static const char *check_slot(const struct token_table *table, const struct directory *directory,
                              size_t index, size_t k) {
    uint64_t partition = get_own_partition(directory, index);
    struct bucket *bucket = &get_buckets(partition)[k / SLOTS];
    uint32_t number = get_number(partition, k);
    uint64_t word = atomic_load_explicit(&bucket->tags[k % SLOTS / LANES], memory_order_relaxed);
    uint16_t tag = (uint16_t)(word >> k % SLOTS % LANES * LANE_BITS);
    if (number == SLAB_NONE)
        return tag == TAG_FREE ? NULL : "a free slot has a tag";
    const struct fingerprint *fingerprint = &get_record(table, number)->fingerprint;
    struct place place = get_place(partition, fingerprint);
    if (get_partition_index(directory, fingerprint) != index)
        return "a record is in another partition than its own";
    if (place.buckets[0] != bucket && place.buckets[1] != bucket)
        return "a record is in neither of its buckets";
    if (tag != place.tag)
        return "a tag is not its record's";
    return search(table, fingerprint) == number ? NULL : "a record is found elsewhere, or twice there";
}

static const char *check_spare_lanes(const struct bucket *bucket) {
    uint64_t word = atomic_load_explicit(&bucket->tags[WORDS - 1], memory_order_relaxed);
    return word >> SLOTS % LANES * LANE_BITS == 0 ? NULL : "a lane without a slot has a tag";
}

static const char *check_partition(const struct token_table *table, const struct directory *directory,
                                   size_t index) {
    uint64_t partition = get_own_partition(directory, index);
    const char *broken = NULL;
    for (size_t k = 0; k < get_slot_count(partition) && !broken; k++)
        broken = check_slot(table, directory, index, k);
    for (size_t i = 0; i < get_bucket_count(partition) && !broken; i++)
        broken = check_spare_lanes(&get_buckets(partition)[i]);
    return broken;
}

const char *token_table_check(const struct token_table *table) {
    const struct directory *directory = get_own_directory(table);
    size_t records = 0, buckets = 0;
    const char *broken = count_taken(make_partition(&no_records, 1)) == 0 ? NULL : "nothing has a record";
    for (size_t i = 0; i < (size_t)1 << directory->bits && !broken; i++) {
        uint64_t partition = get_own_partition(directory, i);
        records += count_taken(partition);
        buckets += is_empty(partition) ? 0 : get_bucket_count(partition);
        broken = check_partition(table, directory, i);
    }
    if (broken)
        return broken;
    if (records != table->count)
        return "the number of records is wrong";
    return buckets == table->bucket_count ? NULL : "the number of buckets is wrong";
}
