#include "services/validator/feed/feed_rows.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "common/access/decision.h"
#include "common/grpc/framing.h"
#include "common/protobuf/wire_writer.h"

enum {
    MESSAGE_BYTES = 256 * 1024, // a message ends behind the row with which it has as many
    ENTRIES_MAX = 4096,         // of a list in one message
    ROW_BYTES = 256,            // more than all fields of a row take that are of one size
    TEXT_HEAD_BYTES = 8,
    PREFIX_BYTES = 32, // with its head
    ENTRY_BYTES = PREFIX_BYTES + 16,
    ID_BYTES = sizeof(struct uuid) + TEXT_HEAD_BYTES,
};

// Fields of FeedRows.
enum { CATALOGUE = 1, COMPANIES, WHITELISTS, ENTRIES, ROLES, MEMBERS, TOKENS, LOOKUPS };

enum { RESPONSE_ROWS = 2, RESPONSE_GOES_ON = 10, TAG_LENGTH_BYTES = 16 };

void feed_rows_fini(struct feed_rows *rows) {
    buffer_fini(&rows->frames);
    buffer_fini(&rows->rows);
}

void feed_rows_reset(struct feed_rows *rows) {
    buffer_reset(&rows->frames);
    buffer_reset(&rows->rows);
}

// ---- messages ----

void feed_rows_end_message(struct feed_rows *rows) {
    uint8_t head[TAG_LENGTH_BYTES], prefix[FRAMING_PREFIX_BYTES];
    if (rows->rows.failed)
        rows->frames.failed = true;
    if (rows->rows.len == 0 || rows->frames.failed)
        return;
    // why not wire_writer_wrap(): what it would count stands elsewhere.
    struct wire_writer writer = wire_writer_of(head, sizeof(head));
    wire_writer_head(&writer, RESPONSE_ROWS, rows->rows.len);
    wire_writer_number(&writer, RESPONSE_GOES_ON, rows->is_run && rows->frames.len > 0);
    struct bytes written = wire_writer_get(&writer);
    framing_write_prefix(prefix, (uint32_t)(written.len + rows->rows.len));
    buffer_append(&rows->frames, bytes_of(prefix, sizeof(prefix)));
    buffer_append(&rows->frames, written);
    buffer_append(&rows->frames, buffer_get_bytes(&rows->rows));
    buffer_reset(&rows->rows);
}

// ---- one row ----

// A writer with that much room, which is the buffer's own; false when out of memory.
static bool begin(struct feed_rows *rows, size_t size, struct wire_writer *writer) {
    if (rows->rows.len >= MESSAGE_BYTES)
        feed_rows_end_message(rows);
    uint8_t *room = buffer_reserve(&rows->rows, size);
    if (room)
        *writer = wire_writer_of(room, size);
    return room != NULL;
}

// It has been written from the end of the room.
static void end(struct feed_rows *rows, struct wire_writer *writer, uint32_t field) {
    wire_writer_wrap(writer, field, (struct wire_mark){0});
    struct bytes written = wire_writer_get(writer);
    assert(written.data);
    memmove(rows->rows.data + rows->rows.len, written.data, written.len);
    buffer_advance(&rows->rows, written.len);
}

static size_t measure_texts(const struct bytes *texts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += texts[i].len + TEXT_HEAD_BYTES;
    return size;
}

static void write_texts(struct wire_writer *writer, uint32_t field, const struct bytes *texts, size_t count) {
    while (count > 0)
        wire_writer_text(writer, field, texts[--count]);
}

static void write_id(struct wire_writer *writer, uint32_t field, const struct uuid *id) {
    wire_writer_text(writer, field, bytes_of(id, sizeof(*id)));
}

static void write_prefix(struct wire_writer *writer, uint32_t field, const struct ip_prefix *prefix) {
    struct wire_mark mark = wire_writer_mark(writer);
    size_t len = prefix->address.family == IP_FAMILY_V4 ? 4 : prefix->address.family == IP_FAMILY_V6 ? 16 : 0;
    wire_writer_number(writer, 2, prefix->bits);
    wire_writer_text(writer, 1, bytes_of(prefix->address.bytes, len));
    wire_writer_wrap(writer, field, mark);
}

static void write_prefixes(struct wire_writer *writer, uint32_t field, const struct ip_prefix *prefixes,
                           size_t count) {
    while (count > 0)
        write_prefix(writer, field, &prefixes[--count]);
}

// ---- the kinds ----

void feed_rows_add_catalogue(struct feed_rows *rows, const struct permission_definition *definitions,
                             size_t count) {
    struct wire_writer writer;
    if (!begin(rows, ROW_BYTES + count * (PERMISSION_NAME_MAX + 2 * TEXT_HEAD_BYTES), &writer))
        return;
    for (size_t i = count; i-- > 0;) {
        struct wire_mark mark = wire_writer_mark(&writer);
        if (!permission_is_valid(definitions[i].name))
            continue; // nobody holds it
        wire_writer_number(&writer, 2, definitions[i].is_operator_only);
        wire_writer_text(&writer, 1, definitions[i].name);
        wire_writer_wrap(&writer, 1, mark);
    }
    end(rows, &writer, CATALOGUE);
}

void feed_rows_add_company(struct feed_rows *rows, const struct company_row *row) {
    struct wire_writer writer;
    if (!begin(rows, ROW_BYTES + row->external_id.len, &writer))
        return;
    wire_writer_number(&writer, 3, row->is_suspended);
    wire_writer_text(&writer, 2, row->external_id);
    write_id(&writer, 1, &row->company_id);
    end(rows, &writer, COMPANIES);
}

void feed_rows_add_whitelist(struct feed_rows *rows, const struct whitelist_row *row) {
    struct wire_writer writer;
    if (!begin(rows, ROW_BYTES, &writer))
        return;
    write_id(&writer, 4, &row->live_list_id);
    wire_writer_number(&writer, 3, row->scope == WHITELIST_SCOPE_LOGINS);
    wire_writer_number(&writer, 2, row->is_enabled);
    write_id(&writer, 1, &row->company_id);
    end(rows, &writer, WHITELISTS);
}

void feed_rows_add_role(struct feed_rows *rows, const struct role_row *row) {
    struct wire_writer writer;
    if (!begin(rows, ROW_BYTES + measure_texts(row->grants, row->grant_count), &writer))
        return;
    write_texts(&writer, 4, row->grants, row->grant_count);
    wire_writer_number(&writer, 3, row->is_administrator);
    write_id(&writer, 2, &row->company_id);
    write_id(&writer, 1, &row->role_id);
    end(rows, &writer, ROLES);
}

void feed_rows_add_member(struct feed_rows *rows, const struct member_row *row) {
    struct wire_writer writer;
    if (!begin(rows, ROW_BYTES + row->ip_count * PREFIX_BYTES + row->role_count * ID_BYTES, &writer))
        return;
    for (size_t i = row->role_count; i-- > 0;)
        write_id(&writer, 5, &row->role_ids[i]);
    write_prefixes(&writer, 4, row->ips, row->ip_count);
    wire_writer_number(&writer, 3, row->is_removed);
    write_id(&writer, 2, &row->company_id);
    write_id(&writer, 1, &row->member_id);
    end(rows, &writer, MEMBERS);
}

static void write_fingerprint(struct wire_writer *writer, uint32_t field,
                              const struct fingerprint *fingerprint) {
    const uint64_t words[2] = {htole64(fingerprint->words[0]), htole64(fingerprint->words[1])};
    wire_writer_text(writer, field, bytes_of(words, sizeof(words)));
}

void feed_rows_add_token(struct feed_rows *rows, const struct token_row *row) {
    const struct policy_rule *rule = &row->rule;
    struct wire_writer writer;
    if (!begin(rows,
               ROW_BYTES + row->external_id.len + measure_texts(rule->grants, rule->grant_count) +
                   measure_texts(rule->domains, rule->domain_count) + rule->ip_count * PREFIX_BYTES,
               &writer))
        return;
    write_prefixes(&writer, 15, rule->ips, rule->ip_count);
    write_texts(&writer, 14, rule->domains, rule->domain_count);
    write_texts(&writer, 13, rule->grants, rule->grant_count);
    wire_writer_text(&writer, 12, row->external_id);
    wire_writer_number(&writer, 11, (uint64_t)row->expires_at_ms);
    wire_writer_number(&writer, 10, (uint64_t)row->not_before_ms);
    wire_writer_number(&writer, 9, (uint64_t)row->suspended_until_ms);
    wire_writer_number(&writer, 8, row->is_suspended);
    wire_writer_number(&writer, 7, row->is_deactivated);
    wire_writer_number(&writer, 6, row->channels);
    wire_writer_number(&writer, 5, row->kind);
    if (!uuid_is_zero(row->member_id))
        write_id(&writer, 4, &row->member_id);
    write_id(&writer, 3, &row->company_id);
    write_id(&writer, 2, &row->token_id);
    write_fingerprint(&writer, 1, &row->fingerprint);
    end(rows, &writer, TOKENS);
}

static void write_entry(struct wire_writer *writer, const struct ip_set_entry *entry) {
    struct wire_mark mark = wire_writer_mark(writer);
    wire_writer_number(writer, 2, (uint64_t)entry->ends_at_ms);
    write_prefix(writer, 1, &entry->prefix);
    wire_writer_wrap(writer, 2, mark);
}

// As many as fit into one message are taken from the front of `rest`.
static void add_some_entries(struct feed_rows *rows, const struct uuid *company_id,
                             struct ip_set_change *rest) {
    size_t entries = rest->entry_count < ENTRIES_MAX ? rest->entry_count : ENTRIES_MAX;
    size_t prefixes = rest->prefix_count < ENTRIES_MAX ? rest->prefix_count : ENTRIES_MAX;
    struct wire_writer writer;
    bool has_room = begin(rows, ROW_BYTES + entries * ENTRY_BYTES + prefixes * PREFIX_BYTES, &writer);
    struct ip_set_change after = {.prefixes = rest->prefixes ? rest->prefixes + prefixes : NULL,
                                  .prefix_count = rest->prefix_count - prefixes,
                                  .entries = rest->entries ? rest->entries + entries : NULL,
                                  .entry_count = rest->entry_count - entries};
    if (has_room) {
        wire_writer_number(&writer, 4, after.entry_count + after.prefix_count > 0);
        write_prefixes(&writer, 3, rest->prefixes, prefixes);
        for (size_t i = entries; i-- > 0;)
            write_entry(&writer, &rest->entries[i]);
        write_id(&writer, 1, company_id);
        end(rows, &writer, ENTRIES);
    }
    *rest = after;
}

void feed_rows_add_entries(struct feed_rows *rows, const struct uuid *company_id,
                           const struct ip_set_change *change) {
    struct ip_set_change rest = *change;
    do
        add_some_entries(rows, company_id, &rest);
    while (rest.entry_count + rest.prefix_count > 0);
}

void feed_rows_add_lookup(struct feed_rows *rows, enum image_scope scope, const struct uuid *id) {
    struct wire_writer writer;
    if (!begin(rows, ROW_BYTES, &writer))
        return;
    write_id(&writer, 2, id);
    wire_writer_number(&writer, 1, scope);
    end(rows, &writer, LOOKUPS);
}
