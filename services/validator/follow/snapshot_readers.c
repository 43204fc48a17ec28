#include "services/validator/follow/snapshot_readers.h"

#include "common/base/log.h"

static void tell(const char *why) {
    log_event(LOG_LEVEL_WARNING, "the database is read over fewer connections than asked for",
              LOG_TEXT("why", why));
}

static void close_reader(struct snapshot_reader *reader) {
    db_rollback(reader->transaction);
    db_connection_close(reader->connection);
    arena_fini(&reader->arena);
}

// NULL, or the sentence for why not.
static const char *join(struct snapshot_reader *reader, const struct db_shared_snapshot *snapshot,
                        uint64_t deadline_ns) {
    const struct db_begin_options options = {.arena = &reader->arena,
                                             .deadline_ns = deadline_ns,
                                             .access = DB_READ_ONLY,
                                             .isolation = DB_REPEATABLE_READ,
                                             .snapshot = snapshot};
    enum status status = db_begin(reader->connection, &options, &reader->transaction);
    if (status != STATUS_OK)
        return status_get_text(status);
    return db_sees_snapshot(reader->transaction, snapshot)
               ? NULL
               : "another connection does not see the snapshot of the first";
}

static bool open_reader(struct snapshot_reader *reader, const struct db_shared_snapshot *snapshot,
                        const struct db_connection_options *database, uint64_t deadline_ns) {
    struct db_connect_failure failure;
    *reader = (struct snapshot_reader){0};
    arena_init(&reader->arena, 0);
    enum status status = db_connection_open(database, deadline_ns, &reader->connection, &failure);
    const char *why = status == STATUS_OK ? join(reader, snapshot, deadline_ns) : failure.sentence;
    if (!why)
        return true;
    tell(why);
    close_reader(reader);
    return false;
}

enum status snapshot_readers_init(struct snapshot_readers *readers, size_t wanted,
                                  struct db_transaction *transaction,
                                  const struct db_connection_options *database, uint64_t deadline_ns) {
    readers->count = 0;
    if (wanted == 0)
        return STATUS_OK;
    enum status status = db_share_snapshot(transaction, &readers->snapshot);
    if (status != STATUS_OK) {
        tell("a snapshot can't be shared");
        return status;
    }
    while (readers->count < wanted &&
           open_reader(&readers->readers[readers->count], &readers->snapshot, database, deadline_ns))
        readers->count++;
    return STATUS_OK;
}

void snapshot_readers_fini(struct snapshot_readers *readers) {
    while (readers->count > 0)
        close_reader(&readers->readers[--readers->count]);
}
