#include "services/validator/follow/row_reader.h"

#include <assert.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/validator/follow/token_fields.h"
#include "services/validator/image/row_fields.h"

enum {
    RECLAIM_ROWS = 65536, // so that what a large reading replaces (a growing table) does not pile up
    PREFETCH_ROWS = 8,    // ahead: as many as the memory serves at once
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

static enum status put_token(struct row_reader *reader, struct row_fields *fields) {
    const struct fingerprint_key *key =
        reader->has_fingerprints ? NULL : image_get_fingerprint_key(reader->image);
    struct token_row row;
    enum status status = token_row_parse(fields, key, &row);
    return status == STATUS_OK ? image_put_token(reader->image, &row) : status;
}

static const struct taker {
    enum status (*put)(struct row_reader *reader, struct row_fields *fields);
    enum status (*finish)(struct row_reader *reader); // NULL = nothing to do after the last row
} takers[] = {
    [ROW_PERMISSION] = {put_permission, finish_permissions},
    [ROW_COMPANY] = {put_company, NULL},
    [ROW_WHITELIST] = {put_whitelist, NULL},
    [ROW_ENTRY] = {put_entry, finish_entries},
    [ROW_ROLE] = {put_role, NULL},
    [ROW_MEMBER] = {put_member, NULL},
    [ROW_TOKEN] = {put_token, NULL},
};

// --- reading ---

void row_reader_init(struct row_reader *reader, struct image *image, struct reclaim *reclaim,
                     const atomic_bool *is_stopping) {
    *reader = (struct row_reader){.image = image, .reclaim = reclaim, .is_stopping = is_stopping};
    arena_init(&reader->arena, 0);
}

void row_reader_fini(struct row_reader *reader) {
    arena_fini(&reader->arena);
    row_statement_fini(&reader->statement);
    buffer_fini(&reader->entries);
    buffer_fini(&reader->prefixes);
    buffer_fini(&reader->definitions);
}

static enum status note_row(struct row_reader *reader) {
    if (reader->progress)
        snapshot_progress_add(reader->progress);
    if (++reader->rows_since_reclaim == RECLAIM_ROWS) {
        reclaim_run(reader->reclaim);
        reader->rows_since_reclaim = 0;
    }
    return atomic_load_explicit(reader->is_stopping, memory_order_relaxed) ? STATUS_CANCELLED : STATUS_OK;
}

enum status row_reader_put(struct row_reader *reader, enum row_kind kind, const struct bytes *row) {
    const struct taker *taker = &takers[kind];
    if (!taker->finish) // else rows may be kept
        arena_reset(&reader->arena);
    struct row_fields fields = row_fields_of(row, &reader->arena);
    enum status status = taker->put(reader, &fields);
    return status == STATUS_OK ? note_row(reader) : status;
}

enum status row_reader_put_tokens(struct row_reader *reader, const struct token_row *rows, size_t count) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (i + PREFETCH_ROWS < count)
            image_prefetch_token(reader->image, &rows[i + PREFETCH_ROWS]);
        status = image_put_token(reader->image, &rows[i]);
        if (status == STATUS_OK)
            status = note_row(reader);
    }
    return status;
}

enum status row_reader_finish(struct row_reader *reader, enum row_kind kind) {
    return takers[kind].finish ? takers[kind].finish(reader) : STATUS_OK;
}

static enum status read_rows(struct row_reader *reader, enum row_kind kind, struct db_copy *copy) {
    for (;;) {
        struct bytes row[ROW_COLUMNS_MAX];
        bool has_row = false;
        enum status status = db_copy_next(copy, row, &has_row);
        if (status != STATUS_OK || !has_row)
            return status;
        status = row_reader_put(reader, kind, row);
        if (status != STATUS_OK)
            return status;
    }
}

static void begin(struct row_reader *reader) {
    arena_reset(&reader->arena);
    buffer_reset(&reader->entries);
    buffer_reset(&reader->prefixes);
    buffer_reset(&reader->definitions);
    reader->entries_of = (struct uuid){{0}};
}

static enum status read_selection(struct row_reader *reader, struct db_transaction *transaction,
                                  const struct row_selection *selection) {
    struct db_copy *copy;
    enum status status = row_source_open(&reader->statement, transaction, selection, &copy);
    if (status != STATUS_OK)
        return status;
    status = read_rows(reader, selection->kind, copy);
    db_copy_finish(copy);
    return status == STATUS_OK ? row_reader_finish(reader, selection->kind) : status;
}

enum status row_reader_read_all(struct row_reader *reader, struct db_transaction *transaction,
                                enum row_kind kind) {
    begin(reader);
    return read_selection(
        reader, transaction,
        &(struct row_selection){.kind = kind, .lanes = image_get_lanes(reader->image)->served});
}

enum status row_reader_read_ids(struct row_reader *reader, struct db_transaction *transaction,
                                enum row_kind kind, const struct uuid *ids, size_t count) {
    assert(count <= ROW_READER_IDS_MAX);
    begin(reader);
    return read_selection(reader, transaction,
                          &(struct row_selection){.kind = kind, .ids = ids, .id_count = count});
}

enum status row_reader_read_company(struct row_reader *reader, struct db_transaction *transaction,
                                    enum row_kind kind, const struct uuid *company_id) {
    begin(reader);
    if (kind == ROW_ENTRY)
        reader->entries_of = *company_id;
    return read_selection(reader, transaction,
                          &(struct row_selection){.kind = kind, .company_id = company_id});
}

enum status row_reader_read_prefixes(struct row_reader *reader, struct db_transaction *transaction,
                                     const struct uuid *company_id, const struct changed_prefix *prefixes,
                                     size_t count) {
    assert(count > 0 && count <= ROW_READER_PREFIXES_MAX);
    begin(reader);
    reader->entries_of = *company_id;
    for (size_t i = 0; i < count; i++)
        buffer_append(&reader->prefixes, bytes_of(&prefixes[i].prefix, sizeof(prefixes[i].prefix)));
    if (reader->prefixes.failed)
        return STATUS_NO_MEMORY;
    return read_selection(
        reader, transaction,
        &(struct row_selection){
            .kind = ROW_ENTRY, .company_id = company_id, .prefixes = prefixes, .prefix_count = count});
}
