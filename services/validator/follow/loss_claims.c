#include "services/validator/follow/loss_claims.h"

#include "common/base/clock.h"
#include "services/validator/image/image_compare.h"
#include "services/validator/image/image_export.h"

struct walk {
    const struct image *memory;
    const struct loss_claims_options *options;
};

static enum status tell(const struct walk *walk, enum lost_change_kind kind, struct uuid company_id,
                        struct uuid object_id, int64_t until_ms) {
    const struct loss_claim claim = {bytes_of_text(lost_change_get_name(kind)), company_id, object_id,
                                     until_ms};
    if (!walk->options->lanes[image_get_lane_of(&company_id)])
        return STATUS_OK;
    return walk->options->tell(walk->options->context, &claim);
}

static enum status visit_company(void *context, const struct company_row *row) {
    if (!row->is_suspended)
        return STATUS_OK;
    return tell(context, LOST_COMPANY_SUSPENDED, row->company_id, row->company_id, CLOCK_NEVER_MS);
}

static enum status visit_member(void *context, const struct member_row *row) {
    if (!row->is_removed)
        return STATUS_OK;
    return tell(context, LOST_MEMBER_REMOVED, row->company_id, row->member_id, CLOCK_NEVER_MS);
}

// Of the token: a secret that was rotated away ends before.
static int64_t get_expires_at_ms(const struct image *memory, const struct uuid *token_id) {
    const struct token_record *last = image_find_token_by_id(memory, token_id);
    return last ? token_record_get_expires_at_ms(last) : CLOCK_NEVER_MS;
}

static enum status visit_token(void *context, const struct token_row *row) {
    const struct walk *walk = context;
    struct uuid company_id = row->company_id, token_id = row->token_id;
    if (row->is_deactivated)
        return tell(walk, LOST_TOKEN_DEACTIVATED, company_id, token_id, CLOCK_NEVER_MS);
    int64_t expires_at_ms = get_expires_at_ms(walk->memory, &token_id);
    enum status status = STATUS_OK;
    if (row->is_suspended && row->suspended_until_ms > walk->options->now_ms)
        status = tell(walk, LOST_TOKEN_SUSPENDED, company_id, token_id, row->suspended_until_ms);
    if (status == STATUS_OK && expires_at_ms != CLOCK_NEVER_MS)
        status = tell(walk, LOST_TOKEN_EXPIRY_SHORTENED, company_id, token_id, expires_at_ms);
    return status;
}

static enum status pass_permission(void *context, const struct permission_definition *definition) {
    (void)context, (void)definition;
    return STATUS_OK;
}

static enum status pass_whitelist(void *context, const struct whitelist_row *row,
                                  const struct ip_set_entry *entries, size_t count) {
    (void)context, (void)row, (void)entries, (void)count;
    return STATUS_OK;
}

static enum status pass_role(void *context, const struct role_row *row) {
    (void)context, (void)row;
    return STATUS_OK;
}

static const struct image_visitor visitor = {.permission = pass_permission,
                                             .company = visit_company,
                                             .whitelist = pass_whitelist,
                                             .role = pass_role,
                                             .member = visit_member,
                                             .token = visit_token};

enum status loss_claims_list(const struct image *memory, const struct loss_claims_options *options) {
    struct walk walk = {memory, options};
    struct image_export export;
    enum status status = image_export_init(&export, memory);
    while (status == STATUS_OK && export.stage != EXPORT_DONE)
        status = image_export_step(&export, &visitor, &walk);
    image_export_fini(&export);
    return status;
}
