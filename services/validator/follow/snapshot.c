#include "services/validator/follow/snapshot.h"

#include "common/db/transaction.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/row_reader.h"

// Of the whole load: a bound for a server that hangs, not for one that works.
#define LOAD_TIMEOUT_NS (UINT64_C(3600) * 1000000000)

// why: the tokens and their secrets are joined by hash, which with the server's default goes through
// temporary files.
static const struct db_statement memory_statement = {"snapshot_memory", "SET LOCAL work_mem = '256MB'"};

// In the order of the image: the catalogue before what is granted from it, roles before members.
static const enum row_kind kinds[] = {ROW_PERMISSION, ROW_COMPANY, ROW_WHITELIST, ROW_ENTRY,
                                      ROW_ROLE,       ROW_MEMBER,  ROW_TOKEN};

static enum status read_kinds(struct row_reader *reader, struct db_transaction *transaction) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds) && status == STATUS_OK; i++)
        status = row_reader_read_all(reader, transaction, kinds[i]);
    return status == STATUS_OK ? image_apply_roles(reader->image) : status;
}

static enum status read_rows(const struct snapshot_options *options, struct db_transaction *transaction,
                             struct image *image) {
    struct row_reader reader;
    row_reader_init(&reader, image, options->reclaim, options->is_stopping);
    reader.progress = options->progress;
    enum status status = read_kinds(&reader, transaction);
    row_reader_fini(&reader);
    return status;
}

static enum status estimate(const struct snapshot_options *options, struct db_transaction *transaction) {
    uint64_t expected_rows = 0;
    enum status status = follower_store_estimate_rows(transaction, &expected_rows);
    snapshot_progress_begin(options->progress, options->clock, expected_rows);
    return status;
}

static enum status load(const struct snapshot_options *options, struct db_transaction *transaction,
                        struct image *image) {
    struct lanes *lanes = image_get_own_lanes(image);
    enum status status = db_query(transaction, &memory_statement, NULL, NULL);
    if (status == STATUS_OK)
        status = estimate(options, transaction);
    if (status == STATUS_OK)
        status = follower_store_read_lanes(transaction, lanes);
    if (status == STATUS_OK)
        status = read_rows(options, transaction, image);
    if (status == STATUS_OK)
        status = lanes_publish(lanes, options->round, lanes->next.seqs, options->reclaim);
    return status;
}

static enum status load_in_transaction(const struct snapshot_options *options, struct image *image) {
    struct arena arena;
    arena_init(&arena, 0);
    struct db_begin_options begin = {.arena = &arena,
                                     .deadline_ns = clock_get_monotonic_ns(options->clock) + LOAD_TIMEOUT_NS,
                                     .access = DB_READ_ONLY,
                                     .isolation = DB_REPEATABLE_READ};
    struct db_transaction *transaction;
    enum status status = db_begin(options->connection, &begin, &transaction);
    if (status == STATUS_OK) {
        status = load(options, transaction, image);
        db_rollback(transaction);
    }
    arena_fini(&arena);
    return status;
}

enum status snapshot_load(const struct snapshot_options *options, struct image **ret_image) {
    struct image *image;
    enum status status = image_new(options->reclaim, &options->key, &image);
    if (status != STATUS_OK)
        return status;
    status = load_in_transaction(options, image);
    reclaim_run(options->reclaim);
    if (status == STATUS_OK)
        *ret_image = image;
    else
        image_free(image);
    return status;
}
