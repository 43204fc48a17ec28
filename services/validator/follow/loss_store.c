#include "services/validator/follow/loss_store.h"

enum { QUERY_TIMEOUT_MS = 5000 };

enum { KEEP, CHECK, KNOW, ADD, CLAIM, END, WITHDRAW };

#define STANDING \
    "SELECT compared, settled, lost::bigint[], coalesce(back_to, '{}'), coalesce(back_marks, '{}') FROM "

static const struct db_statement statements[] = {
    [KEEP] = {"loss_report_keep", STANDING "latchkey.loss_report_keep($1, $2, $3, $4)"},
    [CHECK] = {"loss_report_check", STANDING "latchkey.loss_report_check($1, $2, $3, $4)"},
    [KNOW] = {"loss_report_know", "SELECT latchkey.loss_report_know($1, $2, $3, $4)"},
    [ADD] = {"loss_report_add", "SELECT latchkey.loss_report_add($1, $2, $3, $4, $5)"},
    [CLAIM] = {"loss_report_claim", "SELECT latchkey.loss_report_claim($1, $2, $3, $4, $5)"},
    [END] = {"loss_report_end", "SELECT latchkey.loss_report_end($1, $2)"},
    [WITHDRAW] = {"loss_report_withdraw", "SELECT latchkey.loss_report_withdraw($1)"},
};

// A round trip being put together: commands and their parameters, in the arena.
struct trip {
    struct arena arena;
    struct db_command commands[4];
    struct db_params params[4];
    size_t count;
    enum status status; // NO_MEMORY: something is missing
};

static void begin(struct trip *trip) {
    trip->count = 0;
    trip->status = STATUS_OK;
    arena_init(&trip->arena, 0);
}

static struct db_params *add(struct trip *trip, int statement, struct uuid report_id) {
    struct db_params *params = &trip->params[trip->count];
    db_params_init(params, &trip->arena);
    db_params_add_uuid(params, report_id);
    trip->commands[trip->count++] = (struct db_command){&statements[statement], params, NULL};
    return params;
}

static enum status run(struct trip *trip, struct follower_session session) {
    struct db_begin_options options = {.arena = &trip->arena,
                                       .deadline_ns = clock_get_monotonic_ns(session.clock) +
                                                      QUERY_TIMEOUT_MS * UINT64_C(1000000)};
    if (trip->status != STATUS_OK)
        return trip->status;
    return db_execute(session.connection, &options, trip->commands, trip->count);
}

static enum status finish(struct trip *trip, struct follower_session session) {
    enum status status = run(trip, session);
    arena_fini(&trip->arena);
    return status;
}

// ---- parameters ----

static void *allocate(struct trip *trip, size_t count, size_t size) {
    void *array = arena_allocate(&trip->arena, count * size + 1);
    if (!array)
        trip->status = STATUS_NO_MEMORY;
    return array;
}

static void add_positions(struct trip *trip, int statement, const struct loss_message *message) {
    struct db_params *params = add(trip, statement, message->report_id);
    db_params_add_text(params, message->validator);
    db_params_add_int64_array(params, message->seqs, LANE_COUNT);
    db_params_add_int64_array(params, message->marks, LANE_COUNT);
}

static void add_known(struct trip *trip, const struct loss_message *message) {
    size_t count = message->known_count;
    struct db_params *params = add(trip, KNOW, message->report_id);
    int64_t *columns[3];
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        if (!(columns[i] = allocate(trip, count, sizeof(int64_t))))
            return;
    for (size_t i = 0; i < count; i++) {
        columns[0][i] = message->known[i].lane;
        columns[1][i] = message->known[i].seq;
        columns[2][i] = message->known[i].mark;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        db_params_add_int64_array(params, columns[i], count);
}

static void add_claims(struct trip *trip, int statement, const struct loss_message *message) {
    size_t count = message->claim_count;
    struct db_params *params = add(trip, statement, message->report_id);
    struct bytes *whats = allocate(trip, count, sizeof(*whats));
    struct uuid *companies = allocate(trip, count, sizeof(*companies));
    struct uuid *objects = allocate(trip, count, sizeof(*objects));
    int64_t *until_ms = allocate(trip, count, sizeof(*until_ms));
    if (trip->status != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        whats[i] = message->claims[i].what;
        companies[i] = message->claims[i].company_id;
        objects[i] = message->claims[i].object_id;
        until_ms[i] = message->claims[i].until_ms;
    }
    db_params_add_text_array(params, whats, count);
    db_params_add_uuid_array(params, companies, count);
    db_params_add_uuid_array(params, objects, count);
    db_params_add_time_ms_array(params, until_ms, count);
}

static void add_end(struct trip *trip, const struct loss_message *message) {
    db_params_add_text(add(trip, END, message->report_id), message->failure);
}

// ---- how it stands ----

static void read_lanes(const struct db_result *row, struct loss_standing *standing) {
    struct db_array lost = db_result_get_array(row, 0, 2, DB_TYPE_INT64);
    struct db_array seqs = db_result_get_array(row, 0, 3, DB_TYPE_INT64);
    struct db_array marks = db_result_get_array(row, 0, 4, DB_TYPE_INT64);
    int64_t lane, seq, mark;
    while (db_array_next_int64(&lost, -1, &lane))
        if (lane >= 0 && lane < LANE_COUNT)
            standing->lanes[lane] = true;
    for (size_t i = 0;
         i < LANE_COUNT && db_array_next_int64(&seqs, -1, &seq) && db_array_next_int64(&marks, 0, &mark);
         i++) {
        standing->is_settled[i] = seq >= 0;
        standing->before_seqs[i] = seq;
        standing->before_marks[i] = mark;
    }
}

static bool is_any_lost(const struct loss_standing *standing) {
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (standing->lanes[i])
            return true;
    return false;
}

static enum loss_state get_state(const struct db_result *row, const struct loss_standing *standing) {
    if (db_result_get_bool(row, 0, 1))
        return LOSS_SETTLED;
    if (db_result_get_bool(row, 0, 0))
        return LOSS_COMPARED;
    return is_any_lost(standing) ? LOSS_REPORTED : LOSS_NONE;
}

static void read_standing(const struct db_result *row, struct loss_standing *ret_standing) {
    *ret_standing = (struct loss_standing){.state = LOSS_NONE};
    read_lanes(row, ret_standing);
    ret_standing->state = get_state(row, ret_standing);
}

// ---- public ----

enum status loss_store_keep(struct follower_session session, const struct loss_message *message,
                            struct loss_standing *ret_standing) {
    struct trip trip;
    begin(&trip);
    add_positions(&trip, KEEP, message);
    enum status status = run(&trip, session);
    if (status == STATUS_OK)
        read_standing(trip.commands[0].result, ret_standing);
    arena_fini(&trip.arena);
    return status;
}

enum status loss_store_tell(struct follower_session session, const struct loss_message *message,
                            struct loss_standing *ret_standing) {
    struct trip trip;
    begin(&trip);
    add_positions(&trip, CHECK, message);
    if (message->known_count > 0)
        add_known(&trip, message);
    if (message->claim_count > 0)
        add_claims(&trip, CLAIM, message);
    if (message->is_complete)
        add_end(&trip, message);
    enum status status = run(&trip, session);
    if (status == STATUS_OK)
        read_standing(trip.commands[0].result, ret_standing);
    arena_fini(&trip.arena);
    return status;
}

enum status loss_store_know(struct follower_session session, const struct loss_message *message) {
    struct trip trip;
    begin(&trip);
    add_known(&trip, message);
    return finish(&trip, session);
}

enum status loss_store_add(struct follower_session session, const struct loss_message *message) {
    struct trip trip;
    begin(&trip);
    add_claims(&trip, ADD, message);
    return finish(&trip, session);
}

enum status loss_store_end(struct follower_session session, const struct loss_message *message) {
    struct trip trip;
    begin(&trip);
    add_end(&trip, message);
    return finish(&trip, session);
}

enum status loss_store_withdraw(struct follower_session session, struct uuid report_id) {
    struct trip trip;
    begin(&trip);
    add(&trip, WITHDRAW, report_id);
    return finish(&trip, session);
}
