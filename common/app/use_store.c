#include "common/app/use_store.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/base/multiply_fold.h"
#include "common/base/typeid.h"
#include "common/db/transaction.h"

enum { BATCH_USES = 1000, MINUTE_MS = 60000 };

enum { RECORD_USES, RECORD_HITS, RECORD_REUSES };

static const struct db_statement statements[] = {
    [RECORD_USES] = {"use_record", "SELECT latchkey.token_use_record($1, $2, $3, $4)"},
    [RECORD_HITS] = {"use_record_hits", "SELECT latchkey.whitelist_hit_record($1, $2, $3)"},
    // Of the secrets that came too late those count that a rotation has replaced: the function knows them.
    [RECORD_REUSES] = {"use_record_reuses", "SELECT latchkey.token_reuse_record($1, $2, $3, $4)"},
};

// Columns of one statement.
struct columns {
    size_t count;
    struct bytes digests[BATCH_USES];
    int64_t times_ms[BATCH_USES];
    struct ip_address addresses[BATCH_USES];
    struct bytes askers[BATCH_USES];
};

struct batch {
    struct columns uses, hits, late;
    struct typeid ids[BATCH_USES]; // what `askers` points to, of uses and late ones
};

// ---- from uses to columns ----

static struct bytes name_asker(const struct use_store *store, const struct use_table *table, uint16_t by,
                               struct typeid *memory) {
    if (by == USE_BY_LOCAL)
        return BYTES_LITERAL("local");
    if (by == USE_BY_SERVER)
        return bytes_of_text(store->server);
    struct uuid token_id = use_table_get_asker(table, by);
    if (uuid_is_zero(token_id))
        return BYTES_LITERAL("");
    *memory = typeid_of(TYPEID_TOKEN, token_id);
    return bytes_of_text(memory->text);
}

static void add(struct columns *columns, const struct use *use, struct bytes asker) {
    size_t i = columns->count++;
    columns->digests[i] = bytes_of(use->digest.bytes, DIGEST_LENGTH);
    columns->times_ms[i] = use->at_ms;
    columns->addresses[i] = use->address;
    columns->askers[i] = asker;
}

// Whether this pair of secret and address has not been told in this minute; it has, from now on.
static bool take_hit(struct use_store *store, const struct use *use) {
    uint64_t digest, high, low;
    memcpy(&digest, use->digest.bytes, sizeof(digest));
    memcpy(&high, use->address.bytes, sizeof(high));
    memcpy(&low, use->address.bytes + sizeof(high), sizeof(low));
    uint64_t pair = digest ^ multiply_fold(high ^ UINT64_C(0x9e3779b97f4a7c15), low ^ digest);
    uint64_t told = pair ^ (uint64_t)(use->at_ms / MINUTE_MS) << 32 ^ 1;
    uint64_t *slot = &store->recent_hits[pair % USE_RECENT_HITS];
    bool is_new = *slot != told;
    *slot = told;
    return is_new;
}

// Up to BATCH_USES from `*position` on; false when there were none.
static bool fill(struct use_store *store, const struct use_table *table, size_t *position,
                 struct batch *batch) {
    const struct use *use;
    size_t count = 0;
    batch->uses.count = batch->hits.count = batch->late.count = 0;
    while (count < BATCH_USES && (use = use_table_next(table, position))) {
        bool is_admitted = use->kind == USE_ADMITTED;
        struct bytes asker = name_asker(store, table, use->by, &batch->ids[count++]);
        add(is_admitted ? &batch->uses : &batch->late, use, asker);
        if (is_admitted && use->address.family != IP_FAMILY_NONE && take_hit(store, use))
            add(&batch->hits, use, BYTES_EMPTY);
    }
    return count > 0;
}

// ---- to the database ----

static void init_params(struct db_params *params, const struct columns *columns, struct arena *arena) {
    db_params_init(params, arena);
    db_params_add_bytes_array(params, columns->digests, columns->count);
    db_params_add_time_ms_array(params, columns->times_ms, columns->count);
    db_params_add_address_array(params, columns->addresses, columns->count);
}

static void init_uses(struct db_params *params, const struct columns *columns, struct arena *arena) {
    init_params(params, columns, arena);
    db_params_add_text_array(params, columns->askers, columns->count);
}

static enum status write_batch(struct use_store *store, const struct batch *batch, struct arena *arena,
                               uint64_t deadline_ns) {
    struct db_begin_options options = {.arena = arena, .deadline_ns = deadline_ns};
    struct db_params uses, hits, late;
    struct db_command commands[3];
    size_t count = 0;
    init_uses(&uses, &batch->uses, arena);
    init_params(&hits, &batch->hits, arena);
    init_uses(&late, &batch->late, arena);
    if (batch->uses.count > 0)
        commands[count++] = (struct db_command){&statements[RECORD_USES], &uses, NULL};
    if (batch->hits.count > 0)
        commands[count++] = (struct db_command){&statements[RECORD_HITS], &hits, NULL};
    if (batch->late.count > 0)
        commands[count++] = (struct db_command){&statements[RECORD_REUSES], &late, NULL};
    return db_execute(store->connection, &options, commands, count);
}

static enum status write_all(struct use_store *store, const struct use_table *table, struct arena *arena,
                             uint64_t deadline_ns) {
    struct batch *batch = ARENA_NEW(arena, struct batch);
    enum status status = batch ? STATUS_OK : STATUS_NO_MEMORY;
    size_t position = 0;
    while (status == STATUS_OK && fill(store, table, &position, batch))
        status = write_batch(store, batch, arena, deadline_ns);
    return status;
}

static enum status connect_if_needed(struct use_store *store, uint64_t deadline_ns) {
    struct db_connect_failure failure;
    if (store->connection && !db_connection_is_broken(store->connection))
        return STATUS_OK;
    db_connection_close(store->connection);
    store->connection = NULL;
    return db_connection_open(&store->options, deadline_ns, &store->connection, &failure);
}

enum status use_store_write(struct use_store *store, const struct use_table *table, uint64_t deadline_ns) {
    enum status status = connect_if_needed(store, deadline_ns);
    if (status != STATUS_OK)
        return status;
    struct arena arena;
    arena_init(&arena, 0);
    status = write_all(store, table, &arena, deadline_ns);
    arena_fini(&arena);
    if (status != STATUS_OK)
        memset(store->recent_hits, 0, sizeof(store->recent_hits)); // nobody knows what has been told
    return status;
}

void use_store_fini(struct use_store *store) {
    db_connection_close(store->connection);
    store->connection = NULL;
}
