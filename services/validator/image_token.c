// Token records of an image: made, replaced as a whole, removed.
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/validator/image_internal.h"

static size_t get_extra_size(const struct token_extra *extra) {
    return extra ? sizeof(*extra) + extra->external_id_len : 0;
}

// Frees a record that no reader can hold.
static void release_record(void *owner, void *object) {
    struct image *image = owner;
    struct token_record *record = object;
    policy_table_release(&image->policies, record->policy);
    image->extra_bytes -= get_extra_size(record->extra);
    free((struct token_extra *)record->extra);
    slab_release(&image->records, record);
}

static bool needs_extra(const struct token_row *row) {
    return row->external_id.len > 0 || row->not_before_ms != CLOCK_ALWAYS_MS ||
           (row->is_suspended && row->suspended_until_ms != CLOCK_NEVER_MS);
}

static enum status make_extra(const struct token_row *row, struct token_extra **ret_extra) {
    *ret_extra = NULL;
    if (!needs_extra(row))
        return STATUS_OK;
    if (row->external_id.len > UINT16_MAX)
        return STATUS_TOO_LARGE;
    struct token_extra *extra = malloc(sizeof(*extra) + row->external_id.len);
    if (!extra)
        return STATUS_NO_MEMORY;
    extra->not_before_ms = row->not_before_ms;
    extra->suspended_until_ms = row->suspended_until_ms;
    extra->external_id_len = (uint16_t)row->external_id.len;
    if (row->external_id.len > 0)
        memcpy(extra->external_id, row->external_id.data, row->external_id.len);
    *ret_extra = extra;
    return STATUS_OK;
}

// The cells that the row names; the member of a company-owned token stays NULL.
static enum status find_cells(struct image *image, const struct token_row *row, struct token_record *record) {
    record->company = image_touch_company(image, &row->company_id);
    if (!record->company)
        return STATUS_NO_MEMORY;
    if (uuid_is_zero(row->member_id))
        return STATUS_OK;
    record->member = image_touch_member(image, &row->member_id, record->company);
    return record->member ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status fill_record(struct image *image, const struct token_row *row,
                               struct token_record *record) {
    *record = (struct token_record){.digest = row->digest,
                                    .token_id = row->token_id,
                                    .expires_at_ms = row->expires_at_ms,
                                    .generation = image->generation,
                                    .kind = row->kind,
                                    .channels = row->channels,
                                    .is_deactivated = row->is_deactivated,
                                    .is_suspended = row->is_suspended};
    struct token_extra *extra;
    enum status status = find_cells(image, row, record);
    if (status == STATUS_OK)
        status = make_extra(row, &extra);
    if (status != STATUS_OK)
        return status;
    record->extra = extra;
    status =
        policy_table_intern(&image->policies, image_get_own_catalogue(image), &row->rule, &record->policy);
    if (status != STATUS_OK) {
        free(extra);
        return status;
    }
    image->extra_bytes += get_extra_size(extra);
    return STATUS_OK;
}

// In the table and the index, or in neither.
static enum status place_record(struct image *image, struct token_record *record) {
    const struct token_record *present = token_table_find(image->tokens, &record->digest);
    bool is_same_token = present && uuid_is_equal(present->token_id, record->token_id);
    if (!is_same_token && uuid_index_add(&image->tokens_by_id, record) != STATUS_OK)
        return STATUS_NO_MEMORY;
    const struct token_record *replaced;
    enum status status = token_table_put(image->tokens, record, &replaced);
    if (status != STATUS_OK) {
        if (!is_same_token)
            uuid_index_remove(&image->tokens_by_id, record);
        return status;
    }
    if (is_same_token)
        uuid_index_replace(&image->tokens_by_id, replaced, record);
    else if (replaced)
        uuid_index_remove(&image->tokens_by_id, replaced);
    reclaim_add(image->reclaim, release_record, image, (void *)replaced);
    return STATUS_OK;
}

enum status image_put_token(struct image *image, const struct token_row *row) {
    struct token_record *record = slab_allocate(&image->records);
    if (!record)
        return STATUS_NO_MEMORY;
    enum status status = fill_record(image, row, record);
    if (status != STATUS_OK) {
        slab_release(&image->records, record);
        return status;
    }
    status = place_record(image, record);
    if (status != STATUS_OK)
        release_record(image, record);
    return status;
}

static void remove_record(struct image *image, const struct token_record *record) {
    uuid_index_remove(&image->tokens_by_id, record);
    token_table_remove(image->tokens, &record->digest);
    reclaim_add(image->reclaim, release_record, image, (void *)record);
}

static const struct token_record *find_stale(const struct image *image, const struct uuid *token_id) {
    size_t cursor = 0;
    const struct token_record *record;
    while ((record = uuid_index_next(&image->tokens_by_id, token_id, &cursor)))
        if (record->generation != image->generation)
            return record;
    return NULL;
}

void image_sweep_token(struct image *image, const struct uuid *token_id) {
    for (const struct token_record *record; (record = find_stale(image, token_id));)
        remove_record(image, record);
}

// why a walk over everything: it is asked for only when more than a hundred tokens of a company have changed
// at once, and costs less than having read them.
void image_sweep_tokens_of(struct image *image, const struct uuid *company_id) {
    const struct company *company = uuid_index_find(&image->companies, company_id);
    size_t cursor = 0;
    for (const struct token_record *record; (record = token_table_next(image->tokens, &cursor));)
        if (record->company == company && record->generation != image->generation)
            remove_record(image, record);
}

void image_free_tokens(struct image *image) {
    size_t cursor = 0;
    if (image->tokens)
        for (const struct token_record *record; (record = token_table_next(image->tokens, &cursor));)
            release_record(image, (void *)record);
    token_table_free(image->tokens);
    uuid_index_fini(&image->tokens_by_id);
    slab_fini(&image->records);
}
