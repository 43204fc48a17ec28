#include "services/validator/follow/row_reader.h"

#include <assert.h>
#include <string.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "common/db/copy.h"
#include "services/validator/image/row_fields.h"

enum {
    RECLAIM_ROWS = 65536, // so that what a large reading replaces (a growing table) does not pile up
};

struct row_source {
    struct db_statement statement; // without its WHERE
    size_t columns;
    const char *id, *company; // columns to select by
    const char *order;        // of all rows; "" = any
    enum status (*put)(struct row_reader *reader, struct row_fields *fields);
    enum status (*finish)(struct row_reader *reader); // NULL = nothing to do after the last row
};

// --- one row of each kind ---

static enum status append(struct buffer *to, const void *element, size_t size) {
    buffer_append(to, bytes_of(element, size));
    return to->failed ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status put_permission(struct row_reader *reader, struct row_fields *fields) {
    struct bytes name = row_fields_take_text(fields);
    struct permission_definition definition = {0};
    definition.is_operator_only = row_fields_take_bool(fields);
    if (fields->status != STATUS_OK)
        return fields->status;
    char *copy = arena_copy_bytes(&reader->arena, name); // which is not reset before the end
    if (!copy)
        return STATUS_NO_MEMORY;
    definition.name = bytes_of(copy, name.len);
    return append(&reader->definitions, &definition, sizeof(definition));
}

static enum status finish_permissions(struct row_reader *reader) {
    return image_set_catalogue(reader->image, (void *)reader->definitions.data,
                               reader->definitions.len / sizeof(struct permission_definition));
}

static enum status put_company(struct row_reader *reader, struct row_fields *fields) {
    struct company_row row = {0};
    row.company_id = row_fields_take_uuid(fields);
    row.is_suspended = row_fields_take_bool(fields);
    row.external_id = row_fields_take_text(fields);
    return fields->status == STATUS_OK ? image_put_company(reader->image, &row) : fields->status;
}

static enum status put_whitelist(struct row_reader *reader, struct row_fields *fields) {
    struct whitelist_row row = {0};
    row.company_id = row_fields_take_uuid(fields);
    row.is_enabled = row_fields_take_bool(fields);
    row.scope = (uint8_t)row_fields_take_int16(fields);
    row.live_list_id = row_fields_take_uuid(fields);
    return fields->status == STATUS_OK ? image_put_whitelist(reader->image, &row) : fields->status;
}

static enum status put_entries(struct row_reader *reader) {
    const struct ip_set_change change = {
        .prefixes = (void *)reader->prefixes.data,
        .prefix_count = reader->prefixes.len / sizeof(struct ip_prefix),
        .entries = (void *)reader->entries.data,
        .entry_count = reader->entries.len / sizeof(struct ip_set_entry),
    };
    if (change.prefix_count > 0)
        return image_change_entries(reader->image, &reader->entries_of, &change);
    return image_set_entries(reader->image, &reader->entries_of, change.entries, change.entry_count);
}

// Gives the company whose entries have been gathered its list, and begins to gather another's.
static enum status end_entries(struct row_reader *reader, struct uuid next_company) {
    enum status status = STATUS_OK;
    if (!uuid_is_zero(reader->entries_of))
        status = put_entries(reader);
    reader->entries_of = next_company;
    buffer_reset(&reader->entries);
    return status;
}

static enum status put_entry(struct row_reader *reader, struct row_fields *fields) {
    struct uuid company_id = row_fields_take_uuid(fields);
    struct ip_set_entry entry = {0};
    entry.prefix = row_fields_take_prefix(fields);
    entry.ends_at_ms = row_fields_take_time_ms(fields, CLOCK_NEVER_MS);
    if (fields->status != STATUS_OK)
        return fields->status;
    if (!uuid_is_equal(company_id, reader->entries_of)) {
        enum status status = end_entries(reader, company_id);
        if (status != STATUS_OK)
            return status;
    }
    if (reader->entries.len / sizeof(entry) >= IP_SET_MAX_ENTRIES)
        return STATUS_TOO_LARGE;
    return append(&reader->entries, &entry, sizeof(entry));
}

static enum status finish_entries(struct row_reader *reader) {
    return end_entries(reader, (struct uuid){{0}});
}

static enum status put_role(struct row_reader *reader, struct row_fields *fields) {
    struct role_row row = {0};
    row.role_id = row_fields_take_uuid(fields);
    row.company_id = row_fields_take_uuid(fields);
    row.is_administrator = row_fields_take_bool(fields);
    row.grants = row_fields_take_texts(fields, &row.grant_count);
    return fields->status == STATUS_OK ? image_put_role(reader->image, &row) : fields->status;
}

static enum status put_member(struct row_reader *reader, struct row_fields *fields) {
    struct member_row row = {0};
    row.member_id = row_fields_take_uuid(fields);
    row.company_id = row_fields_take_uuid(fields);
    row.is_removed = row_fields_take_bool(fields);
    row.ips = row_fields_take_prefixes(fields, &row.ip_count);
    row.role_ids = row_fields_take_uuids(fields, &row.role_count);
    return fields->status == STATUS_OK ? image_put_member(reader->image, &row) : fields->status;
}

// A letter that this release does not know is no kind at all, and such a token is refused.
static uint8_t get_kind(char letter) {
    return letter == 'a' ? TOKEN_KIND_ACCESS : letter == 'l' ? TOKEN_KIND_LOGIN : TOKEN_KIND_NONE;
}

static struct fingerprint take_fingerprint(const struct row_reader *reader, struct row_fields *fields) {
    if (reader->has_fingerprints)
        return row_fields_take_fingerprint(fields);
    struct digest digest = row_fields_take_digest(fields);
    return fingerprint_of(image_get_fingerprint_key(reader->image), &digest);
}

static enum status put_token(struct row_reader *reader, struct row_fields *fields) {
    struct token_row row = {0};
    row.fingerprint = take_fingerprint(reader, fields);
    row.token_id = row_fields_take_uuid(fields);
    row.company_id = row_fields_take_uuid(fields);
    row.member_id = row_fields_take_uuid_or_zero(fields);
    row.kind = get_kind(row_fields_take_char(fields));
    row.channels = (uint8_t)row_fields_take_int16(fields);
    row.is_deactivated = row_fields_take_bool(fields);
    row.is_suspended = row_fields_take_bool(fields);
    row.suspended_until_ms = row_fields_take_time_ms(fields, CLOCK_NEVER_MS);
    row.not_before_ms = row_fields_take_time_ms(fields, CLOCK_ALWAYS_MS);
    row.expires_at_ms = row_fields_take_time_ms(fields, CLOCK_NEVER_MS);
    row.external_id = row_fields_take_text(fields);
    row.rule.grants = row_fields_take_texts(fields, &row.rule.grant_count);
    row.rule.domains = row_fields_take_texts(fields, &row.rule.domain_count);
    row.rule.ips = row_fields_take_prefixes(fields, &row.rule.ip_count);
    return fields->status == STATUS_OK ? image_put_token(reader->image, &row) : fields->status;
}

// --- the statements ---

static const struct row_source sources[] = {
    [ROW_PERMISSION] = {{"image_permissions", "SELECT p.name, p.operator_only FROM latchkey.permission p"},
                        .columns = 2,
                        .order = " ORDER BY p.name",
                        .put = put_permission,
                        .finish = finish_permissions},
    [ROW_COMPANY] = {{"image_companies",
                      "SELECT c.company_id, c.suspended, c.external_id FROM latchkey.company c"},
                     .columns = 3,
                     .id = "c.company_id",
                     .order = "",
                     .put = put_company},
    [ROW_WHITELIST] = {{"image_whitelists",
                        "SELECT w.company_id, w.enabled, w.scope, w.live_list_id FROM latchkey.whitelist w"},
                       .columns = 4,
                       .id = "w.company_id",
                       .order = "",
                       .put = put_whitelist},
    // Those that have ended as well: whoever decides compares, and an explanation names them.
    [ROW_ENTRY] = {{"image_entries",
                    "SELECT w.company_id, e.cidr, e.expires_at FROM latchkey.whitelist w"
                    " JOIN latchkey.whitelist_entry e ON e.list_id = w.live_list_id AND NOT e.disabled"},
                   .columns = 3,
                   .company = "w.company_id",
                   .order = " ORDER BY w.company_id",
                   .put = put_entry,
                   .finish = finish_entries},
    [ROW_ROLE] = {{"image_roles", "SELECT r.role_id, r.company_id, r.builtin = 'administrator', r.permissions"
                                  " FROM latchkey.role r"},
                  .columns = 4,
                  .id = "r.role_id",
                  .company = "r.company_id",
                  .order = "",
                  .put = put_role},
    [ROW_MEMBER] = {{"image_members",
                     "SELECT m.member_id, m.company_id, m.removed_at IS NOT NULL, m.allowed_ips,"
                     " ARRAY(SELECT mr.role_id FROM latchkey.member_role mr WHERE mr.member_id = m.member_id)"
                     " FROM latchkey.member m"},
                    .columns = 5,
                    .id = "m.member_id",
                    .company = "m.company_id",
                    .order = "",
                    .put = put_member},
    [ROW_TOKEN] = {{"image_tokens",
                    "SELECT s.digest, t.token_id, t.company_id, t.member_id, t.kind, t.channels,"
                    " t.deactivated_at IS NOT NULL, t.suspended, t.suspended_until, t.not_before,"
                    " least(t.expires_at, s.expires_at), t.external_id, t.permissions, t.allowed_domains,"
                    " t.allowed_ips FROM latchkey.token t"
                    " JOIN latchkey.token_secret s ON s.token_id = t.token_id"},
                   .columns = 15,
                   .id = "t.token_id",
                   .company = "t.company_id",
                   .order = "",
                   .put = put_token},
};

// --- reading ---

void row_reader_init(struct row_reader *reader, struct image *image, struct reclaim *reclaim,
                     const atomic_bool *is_stopping) {
    *reader = (struct row_reader){.image = image, .reclaim = reclaim, .is_stopping = is_stopping};
    arena_init(&reader->arena, 0);
}

void row_reader_fini(struct row_reader *reader) {
    arena_fini(&reader->arena);
    buffer_fini(&reader->sql);
    buffer_fini(&reader->entries);
    buffer_fini(&reader->prefixes);
    buffer_fini(&reader->definitions);
}

size_t row_kind_get_columns(enum row_kind kind) {
    return sources[kind].columns;
}

static enum status put_row(struct row_reader *reader, const struct row_source *source,
                           const struct bytes *row) {
    if (atomic_load_explicit(reader->is_stopping, memory_order_relaxed))
        return STATUS_CANCELLED;
    if (!source->finish) // else rows may be kept
        arena_reset(&reader->arena);
    struct row_fields fields = row_fields_of(row, &reader->arena);
    enum status status = source->put(reader, &fields);
    if (status != STATUS_OK)
        return status;
    if (reader->progress)
        snapshot_progress_add(reader->progress);
    if (++reader->rows_since_reclaim == RECLAIM_ROWS) {
        reclaim_run(reader->reclaim);
        reader->rows_since_reclaim = 0;
    }
    return STATUS_OK;
}

enum status row_reader_put(struct row_reader *reader, enum row_kind kind, const struct bytes *row) {
    return put_row(reader, &sources[kind], row);
}

enum status row_reader_finish(struct row_reader *reader, enum row_kind kind) {
    return sources[kind].finish ? sources[kind].finish(reader) : STATUS_OK;
}

static enum status read_rows(struct row_reader *reader, const struct row_source *source,
                             struct db_copy *copy) {
    for (;;) {
        struct bytes row[ROW_COLUMNS_MAX];
        bool has_row = false;
        enum status status = db_copy_next(copy, row, &has_row);
        if (status != STATUS_OK || !has_row)
            return status;
        status = put_row(reader, source, row);
        if (status != STATUS_OK)
            return status;
    }
}

// `reader->sql` holds the statement.
static enum status run(struct row_reader *reader, struct db_transaction *transaction,
                       const struct row_source *source) {
    buffer_append_text(&reader->sql, ") TO STDOUT (FORMAT binary)");
    buffer_append_byte(&reader->sql, '\0');
    if (reader->sql.failed)
        return STATUS_NO_MEMORY;
    struct db_statement statement = {source->statement.name, (const char *)reader->sql.data};
    struct db_copy *copy;
    enum status status = db_copy_begin(transaction, &statement, source->columns, &copy);
    if (status != STATUS_OK)
        return status;
    status = read_rows(reader, source, copy);
    db_copy_finish(copy);
    return status == STATUS_OK && source->finish ? source->finish(reader) : status;
}

static const struct row_source *begin(struct row_reader *reader, enum row_kind kind) {
    const struct row_source *source = &sources[kind];
    arena_reset(&reader->arena);
    buffer_reset(&reader->entries);
    buffer_reset(&reader->prefixes);
    buffer_reset(&reader->definitions);
    reader->entries_of = (struct uuid){{0}};
    buffer_reset(&reader->sql);
    buffer_append_format(&reader->sql, "COPY (%s", source->statement.sql);
    return source;
}

static void append_uuid(struct buffer *sql, struct uuid uuid) {
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(uuid, text);
    buffer_append_text(sql, text);
}

enum status row_reader_read_all(struct row_reader *reader, struct db_transaction *transaction,
                                enum row_kind kind) {
    const struct row_source *source = begin(reader, kind);
    buffer_append_text(&reader->sql, source->order);
    return run(reader, transaction, source);
}

enum status row_reader_read_ids(struct row_reader *reader, struct db_transaction *transaction,
                                enum row_kind kind, const struct uuid *ids, size_t count) {
    assert(count <= ROW_READER_IDS_MAX && sources[kind].id);
    const struct row_source *source = begin(reader, kind);
    buffer_append_format(&reader->sql, " WHERE %s = ANY ('{", source->id);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&reader->sql, i > 0 ? "," : "");
        append_uuid(&reader->sql, ids[i]);
    }
    buffer_append_text(&reader->sql, "}'::uuid[])");
    return run(reader, transaction, source);
}

enum status row_reader_read_company(struct row_reader *reader, struct db_transaction *transaction,
                                    enum row_kind kind, const struct uuid *company_id) {
    assert(sources[kind].company);
    const struct row_source *source = begin(reader, kind);
    if (kind == ROW_ENTRY)
        reader->entries_of = *company_id;
    buffer_append_format(&reader->sql, " WHERE %s = '", source->company);
    append_uuid(&reader->sql, *company_id);
    buffer_append_text(&reader->sql, "'");
    return run(reader, transaction, source);
}

// why the list by name: so that the index of prefixes is used whatever the statistics say.
enum status row_reader_read_prefixes(struct row_reader *reader, struct db_transaction *transaction,
                                     const struct uuid *company_id, const struct changed_prefix *prefixes,
                                     size_t count) {
    assert(count > 0 && count <= ROW_READER_PREFIXES_MAX);
    const struct row_source *source = begin(reader, ROW_ENTRY);
    reader->entries_of = *company_id;
    buffer_append_text(&reader->sql, " WHERE w.company_id = '");
    append_uuid(&reader->sql, *company_id);
    buffer_append_text(&reader->sql, "' AND e.list_id = '");
    append_uuid(&reader->sql, prefixes[0].list_id);
    buffer_append_text(&reader->sql, "' AND e.cidr = ANY ('{");
    for (size_t i = 0; i < count; i++) {
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&prefixes[i].prefix, text);
        buffer_append_text(&reader->sql, i > 0 ? "," : "");
        buffer_append_text(&reader->sql, text);
        buffer_append(&reader->prefixes, bytes_of(&prefixes[i].prefix, sizeof(prefixes[i].prefix)));
    }
    buffer_append_text(&reader->sql, "}'::cidr[])");
    return reader->prefixes.failed ? STATUS_NO_MEMORY : run(reader, transaction, source);
}
