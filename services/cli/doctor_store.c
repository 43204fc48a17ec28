#include "services/cli/doctor_store.h"

enum {
    SERVER,
    CONNECTIONS,
    DEPLOYMENT,
    VALIDATORS,
    SERVED,
    MAIL,
    LOCKED_OUT,
    STATEMENT_COUNT,
    CLOCK = STATEMENT_COUNT
};

#define MS_SINCE(time) "(extract(epoch FROM clock_timestamp() - " time ") * 1000)::bigint"

static const struct db_statement statements[] = {
    [SERVER] = {"doctor_server",
                "SELECT current_setting('server_version_num')::bigint, pg_is_in_recovery(),"
                " current_setting('fsync')::boolean, current_setting('full_page_writes')::boolean,"
                " current_setting('synchronous_commit'),"
                " current_setting('synchronous_standby_names') <> '',"
                " (SELECT count(*) FROM pg_stat_replication)"},
    // why: of others' sessions pg_stat_activity tells a common user nothing.
    [CONNECTIONS] = {"doctor_connections", "SELECT current_setting('max_connections')::bigint"
                                           " - current_setting('superuser_reserved_connections')::bigint,"
                                           " (SELECT sum(numbackends)::bigint FROM pg_stat_database)"},
    [DEPLOYMENT] = {"doctor_deployment",
                    "SELECT EXISTS (SELECT FROM latchkey.company WHERE is_operator),"
                    " (SELECT count(*) FROM latchkey.change_lane),"
                    " latchkey.timeline_current(), latchkey.timeline_is_accepted(),"
                    " (SELECT count(*) FROM latchkey.loss_report WHERE settled_at IS NULL)"},
    [VALIDATORS] =
        {"doctor_validators",
         "SELECT v.name, (SELECT coalesce(sum(greatest(l.head - v.positions[l.lane + 1], 0)), 0)"
         "::bigint FROM latchkey.change_lane l), " MS_SINCE(
             "v.renewed_at") ","
                             " v.lease_ms::bigint FROM latchkey.validator v ORDER BY v.name, v.instance"},
    // Gaps as ranges: "32-63".
    [SERVED] = {"doctor_served",
                "WITH served AS (SELECT l.lane, count(v.instance) AS validators FROM latchkey.change_lane l"
                " LEFT JOIN latchkey.validator v ON v.positions[l.lane + 1] IS NOT NULL"
                " AND v.renewed_at > clock_timestamp() - v.lease_ms * interval '1 ms'"
                " WHERE l.lane < 64 GROUP BY l.lane),"
                " gap AS (SELECT min(lane) AS first, max(lane) AS last FROM (SELECT lane,"
                " lane - row_number() OVER (ORDER BY lane) AS gap FROM served WHERE validators = 0) AS bare"
                " GROUP BY gap)"
                " SELECT coalesce(min(validators), 0), coalesce(max(validators), 0),"
                " (SELECT coalesce(string_agg(first || CASE WHEN last > first THEN '-' || last ELSE '' END,"
                " ',' ORDER BY first), '') FROM gap) FROM served"},
    [MAIL] = {"doctor_mail", "SELECT count(*), coalesce(max(" MS_SINCE(
                                 "created_at") "), 0)"
                                               " FROM latchkey.mail_outbox WHERE state = 'q'"},
    [LOCKED_OUT] = {"doctor_locked_out",
                    "SELECT w.company_id FROM latchkey.whitelist w WHERE w.enabled AND NOT EXISTS"
                    " (SELECT FROM latchkey.whitelist_entry e WHERE e.list_id = w.live_list_id"
                    " AND NOT e.disabled AND (e.expires_at IS NULL OR e.expires_at > now()))"
                    " ORDER BY w.company_id LIMIT 10"},
    [CLOCK] = {"doctor_clock", "SELECT clock_timestamp()"},
};

static bool read_server(const struct db_result *row, struct arena *arena, struct database_facts *facts) {
    facts->version = db_result_get_int64(row, 0, 0);
    facts->is_in_recovery = db_result_get_bool(row, 0, 1);
    facts->keeps_fsync = db_result_get_bool(row, 0, 2);
    facts->keeps_full_pages = db_result_get_bool(row, 0, 3);
    facts->synchronous_commit = db_result_copy_text(row, 0, 4, arena);
    facts->has_synchronous_standbys = db_result_get_bool(row, 0, 5);
    facts->standbys = db_result_get_int64(row, 0, 6);
    return facts->synchronous_commit != NULL;
}

static void read_connections(const struct db_result *row, struct database_facts *facts) {
    facts->all_connections = db_result_get_int64(row, 0, 0);
    facts->free_connections = facts->all_connections - db_result_get_int64(row, 0, 1);
}

static void read_deployment(const struct db_result *row, struct database_facts *facts) {
    facts->has_operator = db_result_get_bool(row, 0, 0);
    facts->lanes = db_result_get_int64(row, 0, 1);
    facts->timeline = db_result_get_int64(row, 0, 2);
    facts->is_timeline_accepted = db_result_get_bool(row, 0, 3);
    facts->loss_reports = db_result_get_int64(row, 0, 4);
}

static bool read_validators(const struct db_result *rows, struct arena *arena, struct database_facts *facts) {
    facts->validator_count = (size_t)db_result_get_row_count(rows);
    facts->validators = ARENA_NEW_ARRAY(arena, struct validator_facts, facts->validator_count);
    for (size_t i = 0; facts->validators && i < facts->validator_count; i++) {
        struct validator_facts *validator = &facts->validators[i];
        validator->name = db_result_copy_text(rows, (int)i, 0, arena);
        validator->behind = db_result_get_int64(rows, (int)i, 1);
        validator->silent_ms = db_result_get_int64(rows, (int)i, 2);
        validator->lease_ms = db_result_get_int64(rows, (int)i, 3);
        if (!validator->name)
            return false;
    }
    return facts->validators != NULL;
}

static bool read_served(const struct db_result *row, struct arena *arena, struct database_facts *facts) {
    facts->fewest_servers = db_result_get_int64(row, 0, 0);
    facts->most_servers = db_result_get_int64(row, 0, 1);
    facts->unserved = db_result_copy_text(row, 0, 2, arena);
    return facts->unserved != NULL;
}

static bool read_locked_out(const struct db_result *rows, struct arena *arena, struct database_facts *facts) {
    facts->locked_out_count = (size_t)db_result_get_row_count(rows);
    facts->locked_out = ARENA_NEW_ARRAY(arena, struct uuid, facts->locked_out_count);
    for (size_t i = 0; facts->locked_out && i < facts->locked_out_count; i++)
        facts->locked_out[i] = db_result_get_uuid(rows, (int)i, 0);
    return facts->locked_out != NULL;
}

enum status doctor_store_read(struct db_transaction *transaction, struct arena *arena,
                              struct database_facts *ret_facts) {
    struct db_command commands[STATEMENT_COUNT];
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        commands[i] = (struct db_command){&statements[i], NULL, NULL};
    enum status status = db_query_batch(transaction, commands, STATEMENT_COUNT);
    if (status != STATUS_OK)
        return status;
    read_connections(commands[CONNECTIONS].result, ret_facts);
    read_deployment(commands[DEPLOYMENT].result, ret_facts);
    ret_facts->queued_mails = db_result_get_int64(commands[MAIL].result, 0, 0);
    ret_facts->oldest_mail_ms = db_result_get_int64(commands[MAIL].result, 0, 1);
    bool is_read = read_served(commands[SERVED].result, arena, ret_facts) &&
                   read_server(commands[SERVER].result, arena, ret_facts) &&
                   read_validators(commands[VALIDATORS].result, arena, ret_facts) &&
                   read_locked_out(commands[LOCKED_OUT].result, arena, ret_facts);
    return is_read ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status doctor_store_read_clock(struct db_transaction *transaction, int64_t *ret_now_ms) {
    const struct db_result *result;
    enum status status = db_query(transaction, &statements[CLOCK], NULL, &result);
    if (status == STATUS_OK)
        *ret_now_ms = db_result_get_time_ms(result, 0, 0);
    return status;
}
