#include "services/validator/follow/change_round.h"

#define READ_TIMEOUT_NS (UINT64_C(120) * 1000000000) // of all changes of one round

static enum status read_and_apply(struct applier *applier, struct db_transaction *transaction,
                                  struct arena *arena, const struct renewal *renewal, struct change_set *set,
                                  uint64_t *ret_count) {
    struct lanes *lanes = image_get_own_lanes(applier->reader.image);
    const struct db_result *changes;
    enum status status =
        follower_store_read_changes(transaction, arena, lanes, renewal->heads, set, &changes);
    if (status == STATUS_OK)
        status = applier_apply(applier, transaction, set);
    if (status == STATUS_OK)
        *ret_count = follower_store_note_changes(changes, lanes);
    return status;
}

enum status change_round_apply(struct follower_session session, struct applier *applier,
                               const struct renewal *renewal, uint64_t *ret_count) {
    struct arena arena;
    struct change_set set = {0};
    arena_init(&arena, 0);
    struct db_begin_options options = {.arena = &arena,
                                       .deadline_ns = clock_get_monotonic_ns(session.clock) + READ_TIMEOUT_NS,
                                       .access = DB_READ_ONLY,
                                       .isolation = DB_REPEATABLE_READ};
    struct db_transaction *transaction;
    enum status status = db_begin(session.connection, &options, &transaction);
    if (status == STATUS_OK) {
        status = read_and_apply(applier, transaction, &arena, renewal, &set, ret_count);
        db_rollback(transaction);
    }
    change_set_fini(&set);
    arena_fini(&arena);
    return status;
}
