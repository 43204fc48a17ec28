#include "services/validator/follow/follower_store.h"

#include <string.h>

#include "common/db/array.h"
#include "common/db/value.h"
#include "services/validator/follow/change_rows.h"

enum { QUERY_TIMEOUT_MS = 5000 };

enum {
    REGISTER,
    RENEW,
    DEREGISTER,
    IDENTITY,
    TIMELINE,
    ACCEPT_TIMELINE,
    LANES,
    ESTIMATE,
    CHANGES,
};

static const struct db_statement statements[] = {
    [REGISTER] = {"follower_register", "SELECT latchkey.validator_register($1, $2, $3, $4, $5)"},
    [RENEW] = {"follower_renew", "SELECT registered, heads, position_marks, floors, database_now,"
                                 " loss_reported FROM latchkey.validator_renew($1, $2, $3, $4)"},
    [DEREGISTER] = {"follower_deregister", "SELECT latchkey.validator_deregister($1)"},
    [IDENTITY] = {"follower_identity",
                  "SELECT (SELECT system_identifier FROM pg_control_system()),"
                  " (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),"
                  " latchkey.timeline_current(), (SELECT max(number)::bigint FROM latchkey.migration)"},
    [TIMELINE] = {"follower_timeline",
                  "SELECT latchkey.timeline_current(), latchkey.timeline_is_accepted($1)"},
    [ACCEPT_TIMELINE] = {"follower_accept_timeline", "SELECT latchkey.timeline_accept($1, $2)"
                                                     " WHERE NOT latchkey.timeline_is_accepted($2)"},
    // The head from its own row: that it is still in the log as well is not for sure.
    [LANES] = {"follower_lanes",
               "SELECT c.lane, c.seq, c.mark FROM latchkey.change_lane l, LATERAL"
               " (SELECT c.lane, c.seq, c.mark FROM latchkey.change c WHERE c.lane = l.lane"
               " AND c.seq > l.head - $1 AND c.seq < l.head) AS c"
               " UNION ALL SELECT lane, head, mark FROM latchkey.change_lane ORDER BY 1, 2"},
    [ESTIMATE] =
        {"follower_estimate",
         "SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint,"
         " coalesce(sum(greatest(reltuples, 0))"
         " FILTER (WHERE oid = 'latchkey.token_secret'::regclass), 0)::bigint FROM pg_class WHERE oid IN"
         " ('latchkey.company'::regclass, 'latchkey.whitelist'::regclass, 'latchkey.role'::regclass,"
         " 'latchkey.whitelist_entry'::regclass, 'latchkey.member'::regclass,"
         " 'latchkey.token_secret'::regclass)"},
    [CHANGES] = {"follower_changes", "SELECT lane, seq, mark, kind, company_id, list_id, objects,"
                                     " prefixes FROM latchkey.changes_since($1, $2)"},
};

// --- outside of a transaction ---

static enum status execute(struct follower_session session, struct arena *arena, struct db_command *command) {
    struct db_begin_options options = {.arena = arena,
                                       .deadline_ns = clock_get_monotonic_ns(session.clock) +
                                                      QUERY_TIMEOUT_MS * UINT64_C(1000000)};
    return db_execute(session.connection, &options, command, 1);
}

// NULL where a lane is not served.
static void add_seqs(struct db_params *params, struct lane_set lanes, const int64_t seqs[LANE_COUNT]) {
    enum { NOT_SERVED = -1 };
    int64_t given[LANE_COUNT];
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        given[lane] = lane_set_has(lanes, lane) ? seqs[lane] : NOT_SERVED;
    db_params_add_int64_array_or_null(params, given, LANE_COUNT, NOT_SERVED);
}

static void add_lanes(struct db_params *params, struct lane_set lanes) {
    db_params_add_int64(params, (int64_t)lanes.companies);
}

enum status follower_store_register(struct follower_session session,
                                    const struct follower_registration *registration,
                                    const int64_t positions[LANE_COUNT]) {
    struct arena arena;
    struct db_params params;
    arena_init(&arena, 0);
    db_params_init(&params, &arena);
    db_params_add_uuid(&params, registration->instance);
    db_params_add_text(&params, bytes_of_text(registration->name));
    db_params_add_text(&params, bytes_of_text(registration->address));
    db_params_add_int32(&params, (int32_t)registration->lease_ms);
    add_seqs(&params, registration->lanes, positions);
    struct db_command command = {&statements[REGISTER], &params, NULL};
    enum status status = execute(session, &arena, &command);
    arena_fini(&arena);
    return status;
}

// False when it is not an array of a value for each lane; NULL is for the lanes that have none.
static bool read_lane_array(const struct db_result *result, int column, int64_t ret_values[LANE_COUNT],
                            bool ret_has_value[LANE_COUNT]) {
    struct db_array array = db_result_get_array(result, 0, column, DB_TYPE_INT64);
    if (array.count != LANE_COUNT)
        return false;
    struct bytes element;
    for (int lane = 0; db_array_next(&array, &element); lane++) {
        ret_has_value[lane] = element.data != NULL;
        if (element.data && !db_value_read_int64(element, &ret_values[lane]))
            return false;
    }
    return true;
}

static bool read_renewal(const struct db_result *result, struct renewal *renewal) {
    bool has_value[LANE_COUNT];
    renewal->is_registered = db_result_get_bool(result, 0, 0);
    renewal->database_now_ms = db_result_get_time_ms(result, 0, 4);
    renewal->is_loss_reported = db_result_get_bool(result, 0, 5);
    return read_lane_array(result, 1, renewal->heads, has_value) &&
           read_lane_array(result, 3, renewal->floors, has_value) &&
           read_lane_array(result, 2, renewal->position_marks, renewal->has_position_mark);
}

enum status follower_store_renew(struct follower_session session,
                                 const struct follower_registration *registration,
                                 const int64_t positions[LANE_COUNT], const struct follower_told *told,
                                 struct renewal *ret_renewal) {
    struct arena arena;
    struct db_params params;
    arena_init(&arena, 0);
    db_params_init(&params, &arena);
    db_params_add_uuid(&params, registration->instance);
    add_seqs(&params, registration->lanes, positions);
    add_seqs(&params, registration->lanes, told->seqs);
    db_params_add_text(&params, bytes_of_text(told->lagging));
    struct db_command command = {&statements[RENEW], &params, NULL};

    struct renewal renewal = {.sent_boottime_ns = clock_get_boottime_ns(session.clock),
                              .sent_realtime_ms = clock_get_realtime_ms(session.clock),
                              .valid_ns = UINT64_MAX,
                              .is_newest = true};
    enum status status = execute(session, &arena, &command);
    renewal.received_realtime_ms = clock_get_realtime_ms(session.clock);
    if (status == STATUS_OK && !read_renewal(command.result, &renewal))
        status = STATUS_MALFORMED;
    if (status == STATUS_OK) {
        renewal_keep_lanes(&renewal, registration->lanes);
        *ret_renewal = renewal;
    }
    arena_fini(&arena);
    return status;
}

enum status follower_store_deregister(struct follower_session session, struct uuid instance) {
    struct arena arena;
    struct db_params params;
    arena_init(&arena, 0);
    db_params_init(&params, &arena);
    db_params_add_uuid(&params, instance);
    struct db_command command = {&statements[DEREGISTER], &params, NULL};
    enum status status = execute(session, &arena, &command);
    arena_fini(&arena);
    return status;
}

enum status follower_store_read_identity(struct follower_session session,
                                         struct snapshot_identity *ret_identity) {
    struct arena arena;
    arena_init(&arena, 0);
    struct db_command command = {&statements[IDENTITY], NULL, NULL};
    enum status status = execute(session, &arena, &command);
    if (status == STATUS_OK)
        *ret_identity =
            (struct snapshot_identity){.system_identifier = db_result_get_int64(command.result, 0, 0),
                                       .database_oid = db_result_get_int64(command.result, 0, 1),
                                       .timeline = db_result_get_int64(command.result, 0, 2),
                                       .schema_version = db_result_get_int64(command.result, 0, 3)};
    arena_fini(&arena);
    return status;
}

enum status follower_store_is_timeline_accepted(struct follower_session session, struct lane_set lanes,
                                                int64_t *ret_timeline, bool *ret_is_accepted) {
    struct arena arena;
    struct db_params params;
    arena_init(&arena, 0);
    db_params_init(&params, &arena);
    add_lanes(&params, lanes);
    struct db_command command = {&statements[TIMELINE], &params, NULL};
    enum status status = execute(session, &arena, &command);
    if (status == STATUS_OK) {
        *ret_timeline = db_result_get_int64(command.result, 0, 0);
        *ret_is_accepted = db_result_get_bool(command.result, 0, 1);
    }
    arena_fini(&arena);
    return status;
}

enum status follower_store_accept_timeline(struct follower_session session,
                                           const struct follower_registration *registration,
                                           bool *ret_is_new) {
    struct arena arena;
    struct db_params params;
    arena_init(&arena, 0);
    db_params_init(&params, &arena);
    db_params_add_text(&params, bytes_of_text(registration->name));
    add_lanes(&params, registration->lanes);
    struct db_command command = {&statements[ACCEPT_TIMELINE], &params, NULL};
    enum status status = execute(session, &arena, &command);
    if (status == STATUS_OK)
        *ret_is_new = db_result_get_row_count(command.result) > 0;
    arena_fini(&arena);
    return status;
}

// --- within a snapshot ---

static struct revision read_position(const struct db_result *result, int row) {
    return (struct revision){.lane = (uint8_t)db_result_get_int16(result, row, 0),
                             .seq = db_result_get_int64(result, row, 1),
                             .mark = db_result_get_int64(result, row, 2)};
}

enum status follower_store_read_lanes(struct db_transaction *transaction, struct lanes *lanes) {
    struct arena arena;
    struct db_params params;
    const struct db_result *result;
    arena_init(&arena, 0);
    db_params_init(&params, &arena);
    db_params_add_int64(&params, LANES_WINDOW);
    enum status status = db_query(transaction, &statements[LANES], &params, &result);
    arena_fini(&arena);
    if (status != STATUS_OK)
        return status;

    unsigned lane_count = 0;
    for (int row = 0; row < db_result_get_row_count(result); row++) {
        struct revision position = read_position(result, row);
        bool is_first = row == 0 || position.lane != db_result_get_int16(result, row - 1, 0);
        if (position.lane >= LANE_COUNT)
            return STATUS_MALFORMED;
        lane_count += is_first;
        if (lane_set_has(lanes->served, position.lane))
            lanes_note(lanes, position);
    }
    return lane_count == LANE_COUNT ? STATUS_OK : STATUS_MALFORMED;
}

enum status follower_store_estimate_rows(struct db_transaction *transaction,
                                         struct row_estimate *ret_estimate) {
    const struct db_result *result;
    enum status status = db_query(transaction, &statements[ESTIMATE], NULL, &result);
    if (status == STATUS_OK)
        *ret_estimate = (struct row_estimate){.all = (uint64_t)db_result_get_int64(result, 0, 0),
                                              .tokens = (uint64_t)db_result_get_int64(result, 0, 1)};
    return status;
}

static enum status add_change(const struct db_result *result, int row, struct arena *arena,
                              struct change_run *run, struct change_set *set) {
    struct bytes values[CHANGE_ROW_COLUMNS];
    struct change_row change;
    db_result_get_row(result, row, values, CHANGE_ROW_COLUMNS);
    struct row_fields fields = row_fields_of(values, arena);
    enum status status = change_row_parse(&fields, &change);
    if (status != STATUS_OK)
        return status;
    return change_run_add(run, &change.position) ? change_set_add(set, &change.change) : STATUS_NOT_FOUND;
}

enum status follower_store_read_changes(struct db_transaction *transaction, struct arena *arena,
                                        const struct lanes *lanes, const int64_t heads[LANE_COUNT],
                                        struct change_set *set, const struct db_result **ret_changes) {
    const int64_t *positions = lanes_get_positions(lanes)->seqs;
    struct db_params params;
    db_params_init(&params, arena);
    add_seqs(&params, lanes->served, positions);
    db_params_add_int32(&params, LANES_ROUND_MAX);
    const struct db_result *result;
    enum status status = db_query(transaction, &statements[CHANGES], &params, &result);
    struct change_run run = change_run_from(positions);
    for (int row = 0; status == STATUS_OK && row < db_result_get_row_count(result); row++)
        status = add_change(result, row, arena, &run, set);
    if (status == STATUS_OK && !change_run_is_whole(&run, heads))
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = change_set_finish(set);
    if (status == STATUS_OK)
        *ret_changes = result;
    return status;
}

uint64_t follower_store_note_changes(const struct db_result *changes, struct lanes *lanes) {
    int count = db_result_get_row_count(changes);
    for (int row = 0; row < count; row++)
        lanes_note(lanes, read_position(changes, row));
    return (uint64_t)count;
}
