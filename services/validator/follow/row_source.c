#include "services/validator/follow/row_source.h"

#include <assert.h>
#include <inttypes.h>

static const struct source {
    const char *name, *sql; // without its WHERE
    size_t columns;
    const char *id, *company; // columns to select by
    const char *owner;        // the column of the company whose lane it is in; NULL = the deployment's
    const char *order;        // of all rows; NULL = any
} sources[] = {
    [ROW_PERMISSION] = {"image_permissions", "SELECT p.name, p.operator_only FROM latchkey.permission p",
                        .columns = 2, .order = "p.name"},
    [ROW_COMPANY] = {"image_companies",
                     "SELECT c.company_id, c.suspended, c.external_id FROM latchkey.company c", .columns = 3,
                     .id = "c.company_id", .owner = "c.company_id"},
    [ROW_WHITELIST] = {"image_whitelists",
                       "SELECT w.company_id, w.enabled, w.scope, w.live_list_id FROM latchkey.whitelist w",
                       .columns = 4, .id = "w.company_id", .owner = "w.company_id"},
    // Those that have ended as well: whoever decides compares, and an explanation names them.
    [ROW_ENTRY] = {"image_entries",
                   "SELECT w.company_id, e.cidr, e.expires_at FROM latchkey.whitelist w"
                   " JOIN latchkey.whitelist_entry e ON e.list_id = w.live_list_id AND NOT e.disabled",
                   .columns = 3, .company = "w.company_id", .owner = "w.company_id", .order = "w.company_id"},
    [ROW_ROLE] = {"image_roles",
                  "SELECT r.role_id, r.company_id, r.builtin = 'administrator', r.permissions"
                  " FROM latchkey.role r",
                  .columns = 4, .id = "r.role_id", .company = "r.company_id", .owner = "r.company_id"},
    [ROW_MEMBER] = {"image_members",
                    "SELECT m.member_id, m.company_id, m.removed_at IS NOT NULL, m.allowed_ips,"
                    " ARRAY(SELECT mr.role_id FROM latchkey.member_role mr WHERE mr.member_id = m.member_id)"
                    " FROM latchkey.member m",
                    .columns = 5, .id = "m.member_id", .company = "m.company_id", .owner = "m.company_id"},
    [ROW_TOKEN] = {"image_tokens",
                   "SELECT s.digest, t.token_id, t.company_id, t.member_id, t.kind, t.channels,"
                   " t.deactivated_at IS NOT NULL, t.suspended, t.suspended_until, t.not_before,"
                   " least(t.expires_at, s.expires_at), t.external_id, t.permissions, t.allowed_domains,"
                   " t.allowed_ips FROM latchkey.token t"
                   " JOIN latchkey.token_secret s ON s.token_id = t.token_id",
                   .columns = 15, .id = "t.token_id", .company = "t.company_id", .owner = "t.company_id"},
};

size_t row_kind_get_columns(enum row_kind kind) {
    return sources[kind].columns;
}

static void append_uuid(struct buffer *sql, struct uuid uuid) {
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(uuid, text);
    buffer_append_text(sql, text);
}

static void append_ids(struct buffer *sql, const struct row_selection *selection) {
    buffer_append_format(sql, " WHERE %s = ANY ('{", sources[selection->kind].id);
    for (size_t i = 0; i < selection->id_count; i++) {
        buffer_append_text(sql, i > 0 ? "," : "");
        append_uuid(sql, selection->ids[i]);
    }
    buffer_append_text(sql, "}'::uuid[])");
}

static void append_company(struct buffer *sql, const struct row_selection *selection) {
    buffer_append_format(sql, " WHERE %s = '", sources[selection->kind].company);
    append_uuid(sql, *selection->company_id);
    buffer_append_text(sql, "'");
}

// why the list by name: so that the index of prefixes is used whatever the statistics say.
static void append_prefixes(struct buffer *sql, const struct row_selection *selection) {
    buffer_append_text(sql, " AND e.list_id = '");
    append_uuid(sql, selection->prefixes[0].list_id);
    buffer_append_text(sql, "' AND e.cidr = ANY ('{");
    for (size_t i = 0; i < selection->prefix_count; i++) {
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&selection->prefixes[i].prefix, text);
        buffer_append_text(sql, i > 0 ? "," : "");
        buffer_append_text(sql, text);
    }
    buffer_append_text(sql, "}'::cidr[])");
}

// Of the numbers that PostgreSQL's hash of a token's id can be, which are as even as anything; companies, and
// so lanes, are not.
//
// why of both tables: so that each connection hashes its part for the join, and not all of it.
static void append_part(struct buffer *sql, const struct row_selection *selection) {
    const int64_t all = INT64_C(1) << 32;
    int64_t from = INT32_MIN + all * selection->part / selection->part_count;
    int64_t last = INT32_MIN + all * (selection->part + 1) / selection->part_count - 1;
    buffer_append_format(sql,
                         " AND uuid_hash(t.token_id) BETWEEN %" PRId64 " AND %" PRId64
                         " AND uuid_hash(s.token_id) BETWEEN %" PRId64 " AND %" PRId64,
                         from, last, from, last);
}

static void append_lanes(struct buffer *sql, const struct row_selection *selection) {
    bool is_first = true;
    buffer_append_format(sql, " AND latchkey.company_lane(%s) = ANY ('{", sources[selection->kind].owner);
    for (unsigned lane = 0; lane < LANE_DEPLOYMENT; lane++) {
        if (!lane_set_has(selection->lanes, lane))
            continue;
        buffer_append_format(sql, is_first ? "%u" : ",%u", lane);
        is_first = false;
    }
    buffer_append_text(sql, "}'::smallint[])");
}

// All rows of the kind, or those of a part of it.
static void append_all(struct buffer *sql, const struct row_selection *selection) {
    const struct source *source = &sources[selection->kind];
    buffer_append_text(sql, " WHERE true");
    if (selection->part_count > 1)
        append_part(sql, selection);
    if (source->owner && !lane_set_is_all(selection->lanes))
        append_lanes(sql, selection);
    if (source->order)
        buffer_append_format(sql, " ORDER BY %s", source->order);
}

static void append_where(struct buffer *sql, const struct row_selection *selection) {
    if (selection->ids)
        append_ids(sql, selection);
    else if (selection->company_id)
        append_company(sql, selection);
    else
        append_all(sql, selection);
    if (selection->prefix_count > 0)
        append_prefixes(sql, selection);
}

enum status row_source_open(struct row_statement *statement, struct db_transaction *transaction,
                            const struct row_selection *selection, struct db_copy **ret_copy) {
    const struct source *source = &sources[selection->kind];
    assert(!selection->ids || source->id);
    assert(!selection->company_id || source->company);
    struct buffer *sql = &statement->sql;
    buffer_reset(sql);
    buffer_append_format(sql, "COPY (%s", source->sql);
    append_where(sql, selection);
    buffer_append_text(sql, ") TO STDOUT (FORMAT binary)");
    buffer_append_byte(sql, '\0');
    if (sql->failed)
        return STATUS_NO_MEMORY;
    statement->statement = (struct db_statement){source->name, (const char *)sql->data};
    return db_copy_begin(transaction, &statement->statement, source->columns, ret_copy);
}

void row_statement_fini(struct row_statement *statement) {
    buffer_fini(&statement->sql);
}
