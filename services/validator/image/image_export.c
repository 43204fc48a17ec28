#include "services/validator/image/image_export.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "services/validator/image/grant_text.h"
#include "services/validator/image/image_internal.h"

enum { STEP_TOKENS = 64 };

// --- who has which number ---

// Cells are never released, so who had a number at the beginning keeps it. Who comes later is changed later.
static enum status number_companies(struct image_export *export) {
    const struct image *image = export->image;
    export->company_limit = image->company_cells.first_fresh;
    export->companies = calloc(export->company_limit, sizeof(export->companies[0]));
    size_t cursor = 0;
    for (const struct company *company;
         export->companies && (company = uuid_index_next_of_all(&image->companies, &cursor));)
        export->companies[company->number] = company;
    return export->companies ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status number_members(struct image_export *export) {
    const struct image *image = export->image;
    export->member_limit = image->member_cells.first_fresh;
    export->members = calloc(export->member_limit, sizeof(export->members[0]));
    size_t cursor = 0;
    for (const struct member *member;
         export->members && (member = uuid_index_next_of_all(&image->members, &cursor));)
        export->members[member->number] = member;
    return export->members ? STATUS_OK : STATUS_NO_MEMORY;
}

// --- one company ---

static enum status visit_company(struct image_export *export, const struct company *company,
                                 const struct image_visitor *visitor, void *context) {
    (void)export;
    if (!company->exists)
        return STATUS_OK;
    const struct company_row row = {.company_id = company->company_id,
                                    .is_suspended = company->is_suspended,
                                    .external_id = bytes_of(company->external_id, company->external_id_len)};
    return visitor->company(context, &row);
}

static enum status visit_list(struct image_export *export, const struct company *company,
                              const struct image_visitor *visitor, void *context) {
    if (!company->has_whitelist)
        return STATUS_OK;
    const struct whitelist_row row = {.company_id = company->company_id,
                                      .is_enabled = company->is_whitelist_enabled,
                                      .scope = company->whitelist_scope,
                                      .live_list_id = company->live_list_id};
    const struct ip_set *ips = interned_get_object(company->ips);
    size_t count = ip_set_get_count(ips);
    struct ip_set_entry *entries = ARENA_NEW_ARRAY(&export->arena, struct ip_set_entry, count);
    if (!entries)
        return STATUS_NO_MEMORY;
    ip_set_copy_entries(ips, entries);
    return visitor->whitelist(context, &row, entries, count);
}

static enum status visit_roles(struct image_export *export, const struct company *company,
                               const struct image_visitor *visitor, void *context) {
    enum status status = STATUS_OK;
    for (const struct role *role = company->roles; role && status == STATUS_OK; role = role->next) {
        struct role_row row = {.role_id = role->role_id,
                               .company_id = company->company_id,
                               .is_administrator = role->is_administrator};
        struct bytes grants = bytes_of(role->grants, role->grants_len);
        status = grant_text_split(grants, &export->arena, &row.grants, &row.grant_count)
                     ? visitor->role(context, &row)
                     : STATUS_NO_MEMORY;
        arena_reset(&export->arena);
    }
    return status;
}

static enum status copy_ips(const struct member *member, struct arena *arena, struct member_row *row) {
    const struct ip_set *ips = interned_get_object(member->ips);
    if (!ips)
        return STATUS_OK;
    row->ip_count = ip_set_get_count(ips);
    row->ips = ip_set_copy_prefixes(ips, arena);
    return row->ips ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status visit_members(struct image_export *export, const struct company *company,
                                 const struct image_visitor *visitor, void *context) {
    enum status status = STATUS_OK;
    for (const struct member *member = company->members; member && status == STATUS_OK;
         member = member->next) {
        if (!member->exists)
            continue;
        struct member_row row = {.member_id = member->member_id,
                                 .company_id = company->company_id,
                                 .is_removed = member->is_removed,
                                 .role_ids = member->role_ids,
                                 .role_count = member->role_count};
        status = copy_ips(member, &export->arena, &row);
        if (status == STATUS_OK)
            status = visitor->member(context, &row);
        arena_reset(&export->arena);
    }
    return status;
}

// --- one token ---

// False where the owner came after the beginning.
static bool get_owner(const struct image_export *export, const struct token_record *record,
                      struct token_row *row) {
    uint32_t number = image_get_company_number(export->image, record);
    const struct company *company = number < export->company_limit ? export->companies[number] : NULL;
    const struct member *member =
        record->has_member && record->owner < export->member_limit ? export->members[record->owner] : NULL;
    if (!company || (record->has_member && !member))
        return false;
    row->company_id = company->company_id;
    row->member_id = member ? member->member_id : (struct uuid){{0}};
    return true;
}

static void get_terms(const struct image_export *export, const struct token_record *record,
                      struct token_row *row) {
    const struct token_extra *extra = image_get_extra(export->image, record);
    row->suspended_until_ms = extra ? extra->suspended_until_ms : CLOCK_NEVER_MS;
    row->not_before_ms = extra ? extra->not_before_ms : CLOCK_ALWAYS_MS;
    row->external_id = extra ? bytes_of(extra->external_id, extra->external_id_len) : BYTES_EMPTY;
}

static enum status visit_token(struct image_export *export, const struct token_record *record,
                               const struct image_visitor *visitor, void *context) {
    struct token_row row = {.fingerprint = record->fingerprint,
                            .token_id = record->token_id,
                            .kind = record->kind,
                            .channels = record->channels,
                            .is_deactivated = record->is_deactivated,
                            .is_suspended = record->is_suspended,
                            .expires_at_ms = token_record_get_expires_at_ms(record)};
    if (record->state == TOKEN_FREE || !get_owner(export, record, &row))
        return STATUS_OK;
    get_terms(export, record, &row);
    enum status status = policy_get_rule(image_get_policy(export->image, record), &export->arena, &row.rule);
    return status == STATUS_OK ? visitor->token(context, &row) : status;
}

// --- steps ---

static enum status step_catalogue(struct image_export *export, const struct image_visitor *visitor,
                                  void *context) {
    const struct permission_catalogue *catalogue = image_get_catalogue(export->image);
    enum status status = STATUS_OK;
    for (uint32_t id = 0; id < permission_catalogue_get_limit(catalogue) && status == STATUS_OK; id++) {
        const char *name = permission_catalogue_find_name(catalogue, id);
        if (!name)
            continue;
        const struct permission_definition definition = {
            bytes_of_text(name), permission_catalogue_is_operator_only(catalogue, id)};
        status = visitor->permission(context, &definition);
    }
    export->stage++;
    return status;
}

static enum status (*const visit_of[EXPORT_DONE])(struct image_export *export, const struct company *company,
                                                  const struct image_visitor *visitor, void *context) = {
    [EXPORT_COMPANIES] = visit_company,
    [EXPORT_LISTS] = visit_list,
    [EXPORT_ROLES] = visit_roles,
    [EXPORT_MEMBERS] = visit_members,
};

static enum status step_company(struct image_export *export, const struct image_visitor *visitor,
                                void *context) {
    while (export->next < export->company_limit && !export->companies[export->next])
        export->next++;
    if (export->next < export->company_limit)
        return visit_of[export->stage](export, export->companies[export->next++], visitor, context);
    export->next = SLAB_NONE;
    export->stage++;
    return STATUS_OK;
}

static enum status step_tokens(struct image_export *export, const struct image_visitor *visitor,
                               void *context) {
    uint32_t number = (uint32_t) export->next;
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < STEP_TOKENS && status == STATUS_OK; i++) {
        const struct token_record *record = slab_next(&export->image->records, &number);
        if (!record) {
            export->stage++;
            return STATUS_OK;
        }
        status = visit_token(export, record, visitor, context);
        arena_reset(&export->arena);
    }
    export->next = number;
    return status;
}

enum status image_export_step(struct image_export *export, const struct image_visitor *visitor,
                              void *context) {
    arena_reset(&export->arena);
    if (export->stage == EXPORT_CATALOGUE)
        return step_catalogue(export, visitor, context);
    return export->stage == EXPORT_TOKENS ? step_tokens(export, visitor, context)
                                          : step_company(export, visitor, context);
}

enum status image_export_init(struct image_export *export, const struct image *image) {
    *export = (struct image_export){.image = image};
    arena_init(&export->arena, 0);
    enum status status = number_companies(export);
    if (status == STATUS_OK)
        status = number_members(export);
    if (status != STATUS_OK)
        image_export_fini(export);
    return status;
}

void image_export_fini(struct image_export *export) {
    free(export->companies);
    free(export->members);
    arena_fini(&export->arena);
    *export = (struct image_export){.image = NULL};
}
