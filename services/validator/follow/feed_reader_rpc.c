#include "services/validator/follow/feed_reader_rpc.h"

#include <endian.h>
#include <string.h>

#include "common/access/decision.h"

// ---- values; the error is the caller's to look at ----

struct values {
    struct arena *arena;
    enum status status; // sticky: OK, MALFORMED or NO_MEMORY
};

static void fail(struct values *values, enum status status) {
    if (values->status == STATUS_OK)
        values->status = status;
}

static struct uuid read_id(struct values *values, ProtobufCBinaryData bytes) {
    struct uuid id = {{0}};
    if (bytes.len == sizeof(id))
        memcpy(&id, bytes.data, sizeof(id));
    if (uuid_is_zero(id))
        fail(values, STATUS_MALFORMED);
    return id;
}

static struct fingerprint read_fingerprint(struct values *values, ProtobufCBinaryData bytes) {
    struct fingerprint fingerprint = {{0}};
    if (bytes.len != sizeof(fingerprint)) {
        fail(values, STATUS_MALFORMED);
        return fingerprint;
    }
    memcpy(&fingerprint, bytes.data, sizeof(fingerprint));
    fingerprint.words[0] = le64toh(fingerprint.words[0]);
    fingerprint.words[1] = le64toh(fingerprint.words[1]);
    return fingerprint;
}

static struct ip_prefix read_prefix(struct values *values, const Latchkey__V1__FeedPrefix *told) {
    static const Latchkey__V1__FeedPrefix nothing = LATCHKEY__V1__FEED_PREFIX__INIT;
    const struct ip_prefix none = {.bits = 0};
    if (!told)
        told = &nothing;
    struct ip_address address = {.family = told->address.len == 4    ? IP_FAMILY_V4
                                           : told->address.len == 16 ? IP_FAMILY_V6
                                                                     : IP_FAMILY_NONE};
    if (address.family == IP_FAMILY_NONE || told->bits > told->address.len * 8) {
        fail(values, STATUS_MALFORMED);
        return none;
    }
    memcpy(address.bytes, told->address.data, told->address.len);
    struct ip_prefix prefix = ip_prefix_of(&address, told->bits);
    if (memcmp(prefix.address.bytes, address.bytes, sizeof(address.bytes)) != 0)
        fail(values, STATUS_MALFORMED);
    return prefix;
}

static struct ip_prefix *read_prefixes(struct values *values, Latchkey__V1__FeedPrefix *const *told,
                                       size_t count) {
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(values->arena, struct ip_prefix, count + 1);
    if (!prefixes)
        fail(values, STATUS_NO_MEMORY);
    for (size_t i = 0; prefixes && i < count; i++)
        prefixes[i] = read_prefix(values, told[i]);
    return prefixes;
}

static struct bytes *read_texts(struct values *values, char *const *told, size_t count) {
    struct bytes *texts = ARENA_NEW_ARRAY(values->arena, struct bytes, count + 1);
    if (!texts)
        fail(values, STATUS_NO_MEMORY);
    for (size_t i = 0; texts && i < count; i++)
        texts[i] = bytes_of_text(told[i]);
    return texts;
}

static struct uuid *read_ids(struct values *values, const ProtobufCBinaryData *told, size_t count) {
    struct uuid *ids = ARENA_NEW_ARRAY(values->arena, struct uuid, count + 1);
    if (!ids)
        fail(values, STATUS_NO_MEMORY);
    for (size_t i = 0; ids && i < count; i++)
        ids[i] = read_id(values, told[i]);
    return ids;
}

// ---- rows ----

static enum status put_catalogue(struct feed_reader *reader, const Latchkey__V1__FeedCatalogue *told) {
    struct permission_definition *definitions =
        ARENA_NEW_ARRAY(reader->arena, struct permission_definition, told->n_permissions + 1);
    if (!definitions)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < told->n_permissions; i++)
        definitions[i] = (struct permission_definition){bytes_of_text(told->permissions[i]->name),
                                                        told->permissions[i]->operator_only};
    return image_set_catalogue(reader->image, definitions, told->n_permissions);
}

static enum status put_company(struct feed_reader *reader, const Latchkey__V1__FeedCompany *told) {
    struct values values = {reader->arena, STATUS_OK};
    const struct company_row row = {.company_id = read_id(&values, told->company_id),
                                    .is_suspended = told->suspended,
                                    .external_id = bytes_of_text(told->external_id)};
    return values.status == STATUS_OK ? image_put_company(reader->image, &row) : values.status;
}

static enum status put_whitelist(struct feed_reader *reader, const Latchkey__V1__FeedWhitelist *told) {
    struct values values = {reader->arena, STATUS_OK};
    const struct whitelist_row row = {.company_id = read_id(&values, told->company_id),
                                      .is_enabled = told->enabled,
                                      .scope =
                                          told->logins_only ? WHITELIST_SCOPE_LOGINS : WHITELIST_SCOPE_ALL,
                                      .live_list_id = read_id(&values, told->list_id)};
    return values.status == STATUS_OK ? image_put_whitelist(reader->image, &row) : values.status;
}

static enum status put_gathered(struct feed_reader *reader, const struct uuid *company_id) {
    const struct ip_set_change change = {
        .prefixes = (void *)reader->prefixes.data,
        .prefix_count = reader->prefixes.len / sizeof(struct ip_prefix),
        .entries = (void *)reader->entries.data,
        .entry_count = reader->entries.len / sizeof(struct ip_set_entry),
    };
    enum status status = change.prefix_count > 0 ? image_change_entries(reader->image, company_id, &change)
                                                 : image_set_entries(reader->image, company_id,
                                                                     change.entries, change.entry_count);
    feed_reader_reset(reader);
    return status;
}

static enum status gather(struct feed_reader *reader, struct values *values,
                          const Latchkey__V1__FeedEntries *told) {
    for (size_t i = 0; i < told->n_entries; i++) {
        const struct ip_set_entry entry = {.prefix = read_prefix(values, told->entries[i]->prefix),
                                           .ends_at_ms = told->entries[i]->expires_at_ms};
        buffer_append(&reader->entries, bytes_of(&entry, sizeof(entry)));
    }
    for (size_t i = 0; i < told->n_prefixes; i++) {
        const struct ip_prefix prefix = read_prefix(values, told->prefixes[i]);
        buffer_append(&reader->prefixes, bytes_of(&prefix, sizeof(prefix)));
    }
    if (reader->entries.failed || reader->prefixes.failed)
        fail(values, STATUS_NO_MEMORY);
    return values->status;
}

static enum status put_entries(struct feed_reader *reader, const Latchkey__V1__FeedEntries *told) {
    struct values values = {reader->arena, STATUS_OK};
    struct uuid company_id = read_id(&values, told->company_id);
    enum status status = gather(reader, &values, told);
    return status == STATUS_OK && !told->continues ? put_gathered(reader, &company_id) : status;
}

static enum status put_role(struct feed_reader *reader, const Latchkey__V1__FeedRole *told) {
    struct values values = {reader->arena, STATUS_OK};
    const struct role_row row = {.role_id = read_id(&values, told->role_id),
                                 .company_id = read_id(&values, told->company_id),
                                 .is_administrator = told->administrator,
                                 .grants = read_texts(&values, told->grants, told->n_grants),
                                 .grant_count = told->n_grants};
    return values.status == STATUS_OK ? image_put_role(reader->image, &row) : values.status;
}

static enum status put_member(struct feed_reader *reader, const Latchkey__V1__FeedMember *told) {
    struct values values = {reader->arena, STATUS_OK};
    const struct member_row row = {.member_id = read_id(&values, told->member_id),
                                   .company_id = read_id(&values, told->company_id),
                                   .is_removed = told->removed,
                                   .ips = read_prefixes(&values, told->allowed_ips, told->n_allowed_ips),
                                   .ip_count = told->n_allowed_ips,
                                   .role_ids = read_ids(&values, told->role_ids, told->n_role_ids),
                                   .role_count = told->n_role_ids};
    return values.status == STATUS_OK ? image_put_member(reader->image, &row) : values.status;
}

// A kind that this release does not know is no kind at all, and such a token is refused.
static uint8_t read_kind(Latchkey__V1__TokenKind told) {
    return told == LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_ACCESS  ? TOKEN_KIND_ACCESS
           : told == LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_LOGIN ? TOKEN_KIND_LOGIN
                                                                : TOKEN_KIND_NONE;
}

static enum status put_token(struct feed_reader *reader, const Latchkey__V1__FeedToken *told) {
    struct values values = {reader->arena, STATUS_OK};
    const struct token_row row = {
        .fingerprint = read_fingerprint(&values, told->fingerprint),
        .token_id = read_id(&values, told->token_id),
        .company_id = read_id(&values, told->company_id),
        .member_id = told->member_id.len > 0 ? read_id(&values, told->member_id) : (struct uuid){{0}},
        .kind = read_kind(told->kind),
        .channels = (uint8_t)(told->channels & CHANNEL_BITS_ALL),
        .is_deactivated = told->deactivated,
        .is_suspended = told->suspended,
        .suspended_until_ms = told->suspended_until_ms,
        .not_before_ms = told->not_before_ms,
        .expires_at_ms = told->expires_at_ms,
        .external_id = bytes_of_text(told->external_id),
        .rule = {.grants = read_texts(&values, told->grants, told->n_grants),
                 .grant_count = told->n_grants,
                 .domains = read_texts(&values, told->allowed_domains, told->n_allowed_domains),
                 .domain_count = told->n_allowed_domains,
                 .ips = read_prefixes(&values, told->allowed_ips, told->n_allowed_ips),
                 .ip_count = told->n_allowed_ips}};
    return values.status == STATUS_OK ? image_put_token(reader->image, &row) : values.status;
}

// ---- what was looked up and did not come ----

#define SAME(ours, theirs) \
    static_assert((int)(ours) == LATCHKEY__V1__FEED_LOOKUP_KIND__FEED_LOOKUP_KIND_##theirs, "of the contract")
SAME(IMAGE_COMPANY, COMPANY);
SAME(IMAGE_WHITELIST, WHITELIST);
SAME(IMAGE_ROLE, ROLE);
SAME(IMAGE_MEMBER, MEMBER);
SAME(IMAGE_TOKEN, TOKEN);
SAME(IMAGE_ROLES_OF, ROLES_OF_COMPANY);
SAME(IMAGE_MEMBERS_OF, MEMBERS_OF_COMPANY);
SAME(IMAGE_TOKENS_OF, TOKENS_OF_COMPANY);

static enum status sweep(struct feed_reader *reader, const Latchkey__V1__FeedLookup *told) {
    struct values values = {reader->arena, STATUS_OK};
    int scope = (int)told->kind;
    if (scope < IMAGE_COMPANY || scope >= IMAGE_SCOPE_COUNT)
        return STATUS_INVALID;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < told->n_ids && status == STATUS_OK; i++) {
        struct uuid id = read_id(&values, told->ids[i]);
        status = values.status == STATUS_OK ? image_sweep(reader->image, (enum image_scope)scope, &id)
                                            : values.status;
    }
    return status;
}

static bool is_about_roles(const Latchkey__V1__FeedLookup *told) {
    return (int)told->kind == IMAGE_ROLE || (int)told->kind == IMAGE_ROLES_OF;
}

// ---- a message ----

// Of one kind, until one fails.
#define PUT_ALL(status, reader, rows, kind, put)                             \
    for (size_t i = 0; i < (rows)->n_##kind && (status) == STATUS_OK; i++) { \
        (status) = put((reader), (rows)->kind[i]);                           \
        (reader)->row_count++;                                               \
    }

static enum status sweep_all(struct feed_reader *reader, const Latchkey__V1__FeedRows *rows,
                             bool are_about_roles) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < rows->n_lookups && status == STATUS_OK; i++)
        if (is_about_roles(rows->lookups[i]) == are_about_roles)
            status = sweep(reader, rows->lookups[i]);
    return status;
}

// Roles are swept before members are made of them.
static enum status apply_roles(struct feed_reader *reader, const Latchkey__V1__FeedRows *rows) {
    enum status status = STATUS_OK;
    PUT_ALL(status, reader, rows, roles, put_role)
    if (status == STATUS_OK)
        status = sweep_all(reader, rows, true);
    return status == STATUS_OK ? image_apply_roles(reader->image) : status;
}

enum status feed_reader_apply(struct feed_reader *reader, const Latchkey__V1__FeedRows *rows) {
    enum status status = rows->catalogue ? put_catalogue(reader, rows->catalogue) : STATUS_OK;
    PUT_ALL(status, reader, rows, companies, put_company)
    PUT_ALL(status, reader, rows, whitelists, put_whitelist)
    PUT_ALL(status, reader, rows, entries, put_entries)
    if (status == STATUS_OK)
        status = apply_roles(reader, rows);
    PUT_ALL(status, reader, rows, members, put_member)
    PUT_ALL(status, reader, rows, tokens, put_token)
    return status == STATUS_OK ? sweep_all(reader, rows, false) : status;
}

void feed_reader_reset(struct feed_reader *reader) {
    buffer_reset(&reader->entries);
    buffer_reset(&reader->prefixes);
}

void feed_reader_fini(struct feed_reader *reader) {
    buffer_fini(&reader->entries);
    buffer_fini(&reader->prefixes);
}
