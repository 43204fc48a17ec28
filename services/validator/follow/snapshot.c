#include "services/validator/follow/snapshot.h"

#include "common/db/transaction.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/row_reader.h"
#include "services/validator/follow/snapshot_readers.h"
#include "services/validator/follow/token_stream.h"

// Of the whole load: a bound for a server that hangs, not for one that works.
#define LOAD_TIMEOUT_NS (UINT64_C(3600) * 1000000000)

// why: the tokens and their secrets are joined by hash, which with the server's default goes through
// temporary files.
static const struct db_statement memory_statement = {"snapshot_memory", "SET LOCAL work_mem = '256MB'"};

// In the order of the image: the catalogue before what is granted from it, roles before members.
static const enum row_kind kinds[] = {ROW_PERMISSION, ROW_COMPANY, ROW_WHITELIST,
                                      ROW_ENTRY,      ROW_ROLE,    ROW_MEMBER};

struct load {
    const struct snapshot_options *options;
    struct arena arena;
    struct db_transaction *transaction; // NULL = none
    struct snapshot_readers readers;
    struct token_stream *tokens;
    struct image *image;
};

// --- transactions ---

static uint64_t get_deadline_ns(const struct load *load) {
    return clock_get_monotonic_ns(load->options->clock) + LOAD_TIMEOUT_NS;
}

static enum status begin(struct load *load) {
    const struct db_begin_options options = {.arena = &load->arena,
                                             .deadline_ns = get_deadline_ns(load),
                                             .access = DB_READ_ONLY,
                                             .isolation = DB_REPEATABLE_READ};
    return db_begin(load->options->connection, &options, &load->transaction);
}

static void rollback(struct load *load) {
    db_rollback(load->transaction);
    load->transaction = NULL;
}

// Where the snapshot can't be shared: alone, in another transaction.
static enum status open_readers(struct load *load) {
    enum status status =
        snapshot_readers_init(&load->readers, load->options->more_connections, load->transaction,
                              load->options->database, get_deadline_ns(load));
    if (status == STATUS_OK)
        return STATUS_OK;
    rollback(load);
    return begin(load);
}

static enum status set_memory(struct db_transaction *transaction) {
    return db_query(transaction, &memory_statement, NULL, NULL);
}

// --- tokens ---

static enum status begin_part(struct load *load, struct db_transaction *transaction) {
    enum status status = set_memory(transaction);
    return status == STATUS_OK ? token_stream_add(load->tokens, transaction) : status;
}

// The other connections begin at once, whatever else comes first.
static enum status begin_tokens(struct load *load) {
    const struct token_stream_options options = {.reader_count = load->readers.count + 1,
                                                 .lanes = load->options->lanes,
                                                 .key = &load->options->key,
                                                 .is_stopping = load->options->is_stopping};
    enum status status = token_stream_new(&options, &load->tokens);
    for (size_t i = 0; i < load->readers.count && status == STATUS_OK; i++)
        status = begin_part(load, load->readers.readers[i].transaction);
    return status;
}

static enum status take_tokens(struct load *load, struct row_reader *reader) {
    size_t count;
    enum status status = STATUS_OK;
    for (const struct token_row *rows;
         status == STATUS_OK && (rows = token_stream_take(load->tokens, &count));)
        status = row_reader_put_tokens(reader, rows, count);
    image_trim_tokens(load->image);
    enum status end = token_stream_free(load->tokens);
    load->tokens = NULL;
    return status == STATUS_OK ? end : status;
}

// --- all ---

static enum status read_kinds(struct load *load, struct row_reader *reader) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds) && status == STATUS_OK; i++)
        status = row_reader_read_all(reader, load->transaction, kinds[i]);
    if (status == STATUS_OK)
        status = token_stream_add(load->tokens, load->transaction);
    if (status == STATUS_OK)
        status = take_tokens(load, reader);
    return status == STATUS_OK ? image_apply_roles(load->image) : status;
}

static enum status read_rows(struct load *load) {
    struct row_reader reader;
    row_reader_init(&reader, load->image, load->options->reclaim, load->options->is_stopping);
    reader.progress = load->options->progress;
    enum status status = begin_tokens(load);
    if (status == STATUS_OK)
        status = read_kinds(load, &reader);
    row_reader_fini(&reader);
    return status;
}

// Of rows that are counted over all lanes: companies are spread over them evenly.
static uint64_t get_share(const struct load *load, uint64_t rows) {
    return rows * lane_set_count(load->options->lanes) / LANE_DEPLOYMENT;
}

static enum status estimate(struct load *load) {
    struct row_estimate estimate = {0};
    enum status status = follower_store_estimate_rows(load->transaction, &estimate);
    snapshot_progress_begin(load->options->progress, load->options->clock, get_share(load, estimate.all));
    image_reserve_tokens(load->image, get_share(load, estimate.tokens));
    return status;
}

static enum status load_image(struct load *load) {
    struct lanes *lanes = image_get_own_lanes(load->image);
    enum status status = begin(load);
    if (status == STATUS_OK)
        status = open_readers(load);
    if (status == STATUS_OK)
        status = set_memory(load->transaction);
    if (status == STATUS_OK)
        status = estimate(load);
    if (status == STATUS_OK)
        status = follower_store_read_lanes(load->transaction, lanes);
    if (status == STATUS_OK)
        status = read_rows(load);
    if (status == STATUS_OK)
        status = lanes_publish(lanes, load->options->round, lanes->next.seqs, load->options->reclaim);
    return status;
}

// The stream first: its threads use the transactions.
static void end(struct load *load) {
    (void)token_stream_free(load->tokens);
    snapshot_readers_fini(&load->readers);
    rollback(load);
    arena_fini(&load->arena);
}

enum status snapshot_load(const struct snapshot_options *options, struct image **ret_image) {
    struct load load = {.options = options};
    enum status status = image_new(options->reclaim, &options->key, options->lanes, &load.image);
    if (status != STATUS_OK)
        return status;
    arena_init(&load.arena, 0);
    status = load_image(&load);
    end(&load);
    reclaim_run(options->reclaim);
    if (status == STATUS_OK)
        *ret_image = load.image;
    else
        image_free(load.image);
    return status;
}
