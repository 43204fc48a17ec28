// Look-ups in a token_table, alone and many at once, against liburcu's own hash table (rculfhash), whose
// nodes hold the whole digest. Both are asked about the same tokens in the same order.
//
// usage: bench-token-table TOKENS
//
// Prints one JSON object a round: CPU-ns per look-up of each, among all tokens at random and among few that
// stay in the cache; then one with what they take, in bytes a token, and the CPU time of one put, in ns.
#define _LGPL_SOURCE
#include "services/validator/image/token_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include "services/validator/image/token_index.h"

enum { ROUNDS = 7, LOOK_UPS = 500000, WARM = 1000, BATCH = 64, RECORD_BITS = 17 };

struct node {
    struct cds_lfht_node hash_node;
    struct digest digest;
};

static struct {
    uint32_t count;
    struct reclaim reclaim;
    struct slab records;
    struct token_table *table;
    struct token_index index;
    struct fingerprint_key key;
    struct cds_lfht *peer;
    struct digest questions[LOOK_UPS];
} bench;

static void fail(const char *what) {
    fprintf(stderr, "bench-token-table: %s\n", what);
    exit(EXIT_FAILURE);
}

static double get_cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

// As good as any other 32 bytes, and sooner made than SHA-256's.
static struct digest make_digest(uint64_t token) {
    struct digest digest;
    uint64_t words[4];
    for (uint64_t i = 0; i < 4; i++)
        words[i] = mix(token * 4 + i + 1);
    memcpy(digest.bytes, words, sizeof(words));
    return digest;
}

// ---- filling ----

static void put(uint32_t token) {
    struct digest digest = make_digest(token);
    uint32_t number = slab_allocate(&bench.records), replaced;
    if (number == SLAB_NONE)
        fail("out of memory");
    struct token_record *record = slab_get(&bench.records, number);
    *record = (struct token_record){.fingerprint = fingerprint_of(&bench.key, &digest)};
    memcpy(record->token_id.bytes, digest.bytes, sizeof(record->token_id.bytes));
    token_table_prefetch(bench.table, &record->fingerprint);
    token_index_prefetch(&bench.index, &record->token_id);
    if (token_table_put(bench.table, number, &replaced) != STATUS_OK ||
        token_index_add(&bench.index, number) != STATUS_OK || replaced != SLAB_NONE)
        fail("out of memory, or a token is there twice");
}

static double fill(void) {
    double started = get_cpu_ns();
    for (uint32_t token = 0; token < bench.count; token++) {
        put(token);
        if (token % 65536 == 0)
            reclaim_run(&bench.reclaim);
    }
    reclaim_run(&bench.reclaim);
    return (get_cpu_ns() - started) / bench.count;
}

static unsigned long hash_for_peer(const struct digest *digest) {
    return fingerprint_of(&bench.key, digest).words[0];
}

static double fill_peer(void) {
    unsigned long size = 1;
    while (size < bench.count)
        size *= 2;
    bench.peer = cds_lfht_new(size, size, size, 0, NULL);
    struct node *nodes = calloc(bench.count, sizeof(*nodes));
    if (!bench.peer || !nodes)
        fail("out of memory");
    double started = get_cpu_ns();
    for (uint32_t token = 0; token < bench.count; token++) {
        nodes[token].digest = make_digest(token);
        cds_lfht_add(bench.peer, hash_for_peer(&nodes[token].digest), &nodes[token].hash_node);
    }
    return (get_cpu_ns() - started) / bench.count;
}

// ---- asking ----

static void draw_questions(uint32_t among) {
    for (size_t i = 0; i < LOOK_UPS; i++)
        bench.questions[i] = make_digest((uint64_t)lrand48() % among);
}

static size_t ask_alone(void) {
    size_t found = 0;
    for (size_t i = 0; i < LOOK_UPS; i++) {
        bool is_found;
        const struct token_record *record =
            token_table_find_or_decoy(bench.table, &bench.questions[i], &is_found);
        found += is_found && record->owner == 0;
    }
    return found;
}

static size_t ask_in_batches(void) {
    size_t found = 0;
    struct token_probe probes[BATCH];
    for (size_t from = 0; from + BATCH <= LOOK_UPS; from += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            token_table_begin_probe(bench.table, &bench.questions[from + i], &probes[i]);
        for (size_t i = 0; i < BATCH; i++)
            token_table_advance_probe(bench.table, &probes[i]);
        for (size_t i = 0; i < BATCH; i++) {
            bool is_found;
            const struct token_record *record = token_table_end_probe(bench.table, &probes[i], &is_found);
            found += is_found && record->owner == 0;
        }
    }
    return found + LOOK_UPS % BATCH;
}

static int is_digest(struct cds_lfht_node *hash_node, const void *digest) {
    return memcmp(&caa_container_of(hash_node, struct node, hash_node)->digest, digest, DIGEST_LENGTH) == 0;
}

static size_t ask_peer(void) {
    size_t found = 0;
    for (size_t i = 0; i < LOOK_UPS; i++) {
        struct cds_lfht_iter iter;
        const struct digest *digest = &bench.questions[i];
        cds_lfht_lookup(bench.peer, hash_for_peer(digest), is_digest, digest, &iter);
        found += cds_lfht_iter_get_node(&iter) != NULL;
    }
    return found;
}

static double time_of(size_t (*ask)(void)) {
    double started = get_cpu_ns();
    if (ask() != LOOK_UPS)
        fail("a token is not found");
    return (get_cpu_ns() - started) / LOOK_UPS;
}

static void measure(const char *name, uint32_t among) {
    draw_questions(among);
    double alone = time_of(ask_alone), batch = time_of(ask_in_batches), peer = time_of(ask_peer);
    printf("\"%s\": {\"alone\": %.2f, \"batch\": %.2f, \"peer\": %.2f}", name, alone, batch, peer);
}

static double get_bytes_a_token(void) {
    return (double)(slab_get_size_bytes(&bench.records) + token_table_get_size_bytes(bench.table) +
                    token_index_get_size_bytes(&bench.index)) /
           bench.count;
}

int main(int argc, char **argv) {
    bench.count = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    if (bench.count < WARM)
        fail("usage: bench-token-table TOKENS");
    rcu_register_thread();
    rcu_thread_offline();
    bench.key = fingerprint_key_new();
    slab_init(&bench.records, &bench.reclaim, sizeof(struct token_record), RECORD_BITS);
    token_index_init(&bench.index, &bench.records);
    if (token_table_new(&bench.reclaim, &bench.records, &bench.key, &bench.table) != STATUS_OK)
        fail("out of memory");
    double put_ns = fill();
    rcu_thread_online();
    double peer_put_ns = fill_peer();
    srand48(1);
    for (int round = 0; round < ROUNDS; round++) {
        printf("{");
        measure("random", bench.count);
        printf(", ");
        measure("warm", WARM);
        printf("}\n");
    }
    printf("{\"bytes\": %.2f, \"put_ns\": %.1f, \"peer_put_ns\": %.1f}\n", get_bytes_a_token(), put_ns,
           peer_put_ns);
    rcu_unregister_thread();
    // The process ends here: what it holds is the system's to take back.
    return EXIT_SUCCESS;
}
