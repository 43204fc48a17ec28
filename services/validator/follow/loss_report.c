#include "services/validator/follow/loss_report.h"

enum { QUERY_TIMEOUT_MS = 5000, BATCH_MAX = 500 };

enum { KEEP, ADD, END, WITHDRAW };

static const struct db_statement statements[] = {
    [KEEP] = {"loss_report_keep", "SELECT compared, settled FROM latchkey.loss_report_keep($1, $2, $3, $4)"},
    [ADD] = {"loss_report_add", "SELECT latchkey.loss_report_add($1, $2, $3, $4, $5)"},
    [END] = {"loss_report_end", "SELECT latchkey.loss_report_end($1, $2)"},
    [WITHDRAW] = {"loss_report_withdraw", "SELECT latchkey.loss_report_withdraw($1)"},
};

// `params` are in `arena`.
static enum status execute(struct follower_session session, struct arena *arena, int statement,
                           const struct db_params *params, const struct db_result **ret_result) {
    struct db_begin_options options = {.arena = arena,
                                       .deadline_ns = clock_get_monotonic_ns(session.clock) +
                                                      QUERY_TIMEOUT_MS * UINT64_C(1000000)};
    struct db_command command = {&statements[statement], params, NULL};
    enum status status = db_execute(session.connection, &options, &command, 1);
    if (status == STATUS_OK && ret_result)
        *ret_result = command.result;
    return status;
}

static void init_params(struct db_params *params, struct arena *arena, struct uuid report) {
    arena_init(arena, 0);
    db_params_init(params, arena);
    db_params_add_uuid(params, report);
}

enum standing {
    NOT_COMPARED, // reported, and the memory is yet to be compared
    COMPARED,     // the operator's turn
    SETTLED,
};

static enum status keep(struct follower_session session, struct uuid report,
                        const struct loss_witness *witness, enum standing *ret_standing) {
    const struct positions *positions = witness->positions;
    struct arena arena;
    struct db_params params;
    const struct db_result *row;
    init_params(&params, &arena, report);
    db_params_add_text(&params, bytes_of_text(witness->name));
    db_params_add_int64_array(&params, positions->seqs, LANE_COUNT);
    db_params_add_int64_array(&params, positions->marks, LANE_COUNT);
    enum status status = execute(session, &arena, KEEP, &params, &row);
    if (status == STATUS_OK)
        *ret_standing = db_result_get_bool(row, 0, 1)   ? SETTLED
                        : db_result_get_bool(row, 0, 0) ? COMPARED
                                                        : NOT_COMPARED;
    arena_fini(&arena);
    return status;
}

// `failure` "": with all that there is.
static enum status end(struct follower_session session, struct uuid report, const char *failure) {
    struct arena arena;
    struct db_params params;
    init_params(&params, &arena, report);
    db_params_add_text(&params, bytes_of_text(failure));
    enum status status = execute(session, &arena, END, &params, NULL);
    arena_fini(&arena);
    return status;
}

// --- comparing ---

// What has been found and not been sent: the columns of loss_report_add().
struct batch {
    struct follower_session session;
    struct uuid report;
    size_t count;
    struct bytes whats[BATCH_MAX];
    struct uuid companies[BATCH_MAX], objects[BATCH_MAX];
    int64_t until_ms[BATCH_MAX];
};

static enum status send(struct batch *batch) {
    struct arena arena;
    struct db_params params;
    init_params(&params, &arena, batch->report);
    db_params_add_text_array(&params, batch->whats, batch->count);
    db_params_add_uuid_array(&params, batch->companies, batch->count);
    db_params_add_uuid_array(&params, batch->objects, batch->count);
    db_params_add_time_ms_array(&params, batch->until_ms, batch->count);
    enum status status = batch->count > 0 ? execute(batch->session, &arena, ADD, &params, NULL) : STATUS_OK;
    batch->count = 0;
    arena_fini(&arena);
    return status;
}

static enum status add(void *context, const struct lost_change *change) {
    struct batch *batch = context;
    size_t i = batch->count++;
    batch->whats[i] = bytes_of_text(lost_change_get_name(change->kind));
    batch->companies[i] = change->company_id;
    batch->objects[i] = change->object_id;
    batch->until_ms[i] = change->until_ms;
    return batch->count == BATCH_MAX ? send(batch) : STATUS_OK;
}

static enum status compare(struct follower_session session, struct uuid report,
                           const struct snapshot_options *options, const struct loss_witness *witness) {
    struct batch batch = {.session = session, .report = report};
    struct image *database;
    enum status status = snapshot_load(options, &database);
    if (status != STATUS_OK)
        return status;
    status = image_compare(witness->memory, database, &witness->of, add, &batch);
    if (status == STATUS_OK)
        status = send(&batch);
    if (status == STATUS_OK)
        status = end(session, report, "");
    image_free(database);
    return status;
}

// --- public ---

enum status loss_report_advance(struct loss_report *report, const struct snapshot_options *options,
                                const struct loss_witness *witness, bool *ret_is_settled) {
    struct follower_session session = {options->connection, options->clock};
    enum standing standing;
    if (!loss_report_is_open(report))
        *report = (struct loss_report){.id = uuid_new(options->clock)};
    enum status status = keep(session, report->id, witness, &standing);
    if (status != STATUS_OK)
        return status;
    *ret_is_settled = standing == SETTLED;
    if (standing == SETTLED)
        report->id = (struct uuid){{0}};
    if (standing != NOT_COMPARED)
        return STATUS_OK;
    if (report->is_beyond_memory)
        return end(session, report->id, "the validator has no memory for comparing");
    status = compare(session, report->id, options, witness);
    // why it is told in the next turn: this connection may be in the middle of a COPY.
    report->is_beyond_memory = status == STATUS_NO_MEMORY;
    return status;
}

enum status loss_report_withdraw(struct loss_report *report, struct follower_session session) {
    struct arena arena;
    struct db_params params;
    init_params(&params, &arena, report->id);
    enum status status = execute(session, &arena, WITHDRAW, &params, NULL);
    if (status == STATUS_OK)
        report->id = (struct uuid){{0}};
    arena_fini(&arena);
    return status;
}
