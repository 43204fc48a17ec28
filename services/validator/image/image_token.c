// Token records of an image: made, replaced as a whole, removed.
#include <stdlib.h>
#include <string.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "services/validator/image/image_internal.h"

static struct token_record *get_record(const struct image *image, uint32_t number) {
    return slab_get(&image->records, number);
}

// --- what few tokens have ---

static size_t get_extra_size(const struct token_extra *extra) {
    return sizeof(*extra) + extra->external_id_len;
}

static bool needs_extra(const struct token_row *row) {
    return row->external_id.len > 0 || row->not_before_ms != CLOCK_ALWAYS_MS ||
           (row->is_suspended && row->suspended_until_ms != CLOCK_NEVER_MS);
}

static struct token_extra *new_extra(const struct token_row *row, const struct policy *policy) {
    struct token_extra *extra = malloc(sizeof(*extra) + row->external_id.len);
    if (!extra)
        return NULL;
    extra->policy = policy;
    extra->not_before_ms = row->not_before_ms;
    extra->suspended_until_ms = row->suspended_until_ms;
    extra->external_id_len = (uint16_t)row->external_id.len;
    if (row->external_id.len > 0)
        memcpy(extra->external_id, row->external_id.data, row->external_id.len);
    return extra;
}

static enum status add_extra(struct image *image, const struct token_row *row, const struct policy *policy,
                             struct token_record *record) {
    uint32_t number = slab_allocate(&image->extras);
    if (number == SLAB_NONE)
        return STATUS_NO_MEMORY;
    struct token_extra *extra = new_extra(row, policy);
    if (!extra) {
        slab_release(&image->extras, number);
        return STATUS_NO_MEMORY;
    }
    *(const struct token_extra **)slab_get(&image->extras, number) = extra;
    image->extra_bytes += get_extra_size(extra);
    record->has_extra = true;
    record->terms = number;
    return STATUS_OK;
}

// --- making one ---

// Frees a record that no reader can hold.
static void free_record(struct image *image, uint32_t number) {
    struct token_record *record = get_record(image, number);
    const struct token_extra *extra = image_get_extra(image, record);
    policy_table_release(&image->policies, image_get_policy(image, record));
    if (extra) {
        image->extra_bytes -= get_extra_size(extra);
        slab_release(&image->extras, record->terms);
        free((struct token_extra *)extra);
    }
    slab_release(&image->records, number);
}

static void release_record(void *image, void *number) {
    free_record(image, (uint32_t)(uintptr_t)number);
}

// Not in the table any more, nor in the index.
static void retire_record(struct image *image, uint32_t number) {
    get_record(image, number)->state = TOKEN_FREE;
    reclaim_add(image->reclaim, release_record, image, (void *)(uintptr_t)number);
}

static enum status set_owner(struct image *image, const struct token_row *row, struct token_record *record) {
    struct company *company = image_touch_company(image, &row->company_id);
    if (!company)
        return STATUS_NO_MEMORY;
    record->owner = company->number;
    if (uuid_is_zero(row->member_id))
        return STATUS_OK;
    struct member *member = image_touch_member(image, &row->member_id, company);
    if (!member)
        return STATUS_NO_MEMORY;
    record->owner = member->number;
    record->has_member = true;
    return STATUS_OK;
}

static enum status set_terms(struct image *image, const struct token_row *row, struct token_record *record) {
    const struct policy *policy;
    enum status status =
        policy_table_intern(&image->policies, image_get_own_catalogue(image), &row->rule, &policy);
    if (status != STATUS_OK)
        return status;
    record->terms = policy->number;
    if (!needs_extra(row))
        return STATUS_OK;
    status = row->external_id.len > UINT16_MAX ? STATUS_TOO_LARGE : add_extra(image, row, policy, record);
    if (status != STATUS_OK)
        policy_table_release(&image->policies, policy);
    return status;
}

static enum status fill_record(struct image *image, const struct token_row *row,
                               struct token_record *record) {
    *record = (struct token_record){.fingerprint = row->fingerprint,
                                    .token_id = row->token_id,
                                    .kind = row->kind <= TOKEN_KIND_LOGIN ? row->kind : TOKEN_KIND_NONE,
                                    .channels = row->channels & CHANNEL_BITS_ALL,
                                    .is_deactivated = row->is_deactivated,
                                    .is_suspended = row->is_suspended};
    token_record_set_expires_at_ms(record, row->expires_at_ms);
    token_table_prefetch(image->tokens, &record->fingerprint);
    token_index_prefetch(&image->tokens_by_id, &record->token_id);
    enum status status = set_owner(image, row, record);
    return status == STATUS_OK ? set_terms(image, row, record) : status;
}

// --- the pass ---

static bool has_room(struct image *image) {
    if (image->fresh_count < image->fresh_capacity || image->generation == 0)
        return true;
    size_t capacity = image->fresh_capacity ? image->fresh_capacity * 2 : 64;
    uint32_t *grown = realloc(image->fresh, capacity * sizeof(*grown));
    if (!grown)
        return false;
    image->fresh = grown;
    image->fresh_capacity = capacity;
    return true;
}

// There is room. Nothing of a load is swept, so it need not be told from the rest.
static void note_fresh(struct image *image, uint32_t number) {
    get_record(image, number)->state = image->generation == 0 ? TOKEN_OLD : TOKEN_FRESH;
    if (image->generation > 0)
        image->fresh[image->fresh_count++] = number;
}

// Some have been removed since, and their numbers may be others' by now.
void image_age_tokens(struct image *image) {
    for (size_t i = 0; i < image->fresh_count; i++) {
        struct token_record *record = get_record(image, image->fresh[i]);
        if (record->state == TOKEN_FRESH)
            record->state = TOKEN_OLD;
    }
    free(image->fresh);
    image->fresh = NULL;
    image->fresh_count = image->fresh_capacity = 0;
}

// In the table and the index, or in neither.
static enum status place_record(struct image *image, uint32_t number) {
    const struct token_record *record = get_record(image, number);
    uint32_t present = token_table_find_number(image->tokens, &record->fingerprint), replaced;
    bool is_same_token =
        present != SLAB_NONE && uuid_is_equal(get_record(image, present)->token_id, record->token_id);
    if (!is_same_token && token_index_add(&image->tokens_by_id, number) != STATUS_OK)
        return STATUS_NO_MEMORY;
    enum status status = token_table_put(image->tokens, number, &replaced);
    if (status != STATUS_OK) {
        if (!is_same_token)
            token_index_remove(&image->tokens_by_id, number);
        return status;
    }
    if (is_same_token)
        token_index_replace(&image->tokens_by_id, replaced, number);
    else if (replaced != SLAB_NONE)
        token_index_remove(&image->tokens_by_id, replaced);
    if (replaced != SLAB_NONE)
        retire_record(image, replaced);
    return STATUS_OK;
}

void image_reserve_tokens(struct image *image, size_t count) {
    token_table_reserve(image->tokens, count);
    token_index_reserve(&image->tokens_by_id, count);
}

void image_trim_tokens(struct image *image) {
    token_table_trim(image->tokens);
    token_index_trim(&image->tokens_by_id);
}

void image_prefetch_token(const struct image *image, const struct token_row *row) {
    token_table_prefetch(image->tokens, &row->fingerprint);
    token_index_prefetch(&image->tokens_by_id, &row->token_id);
}

enum status image_put_token(struct image *image, const struct token_row *row) {
    if (!image_takes(image, &row->company_id))
        return STATUS_OK;
    uint32_t number = has_room(image) ? slab_allocate(&image->records) : SLAB_NONE;
    if (number == SLAB_NONE)
        return STATUS_NO_MEMORY;
    enum status status = fill_record(image, row, get_record(image, number));
    if (status != STATUS_OK) {
        slab_release(&image->records, number);
        return status;
    }
    status = place_record(image, number);
    if (status != STATUS_OK) {
        free_record(image, number);
        return status;
    }
    note_fresh(image, number);
    IMAGE_TELL(image, on_token, row);
    return STATUS_OK;
}

// --- sweeping ---

static void remove_record(struct image *image, uint32_t number) {
    token_index_remove(&image->tokens_by_id, number);
    token_table_remove(image->tokens, number);
    retire_record(image, number);
}

static uint32_t find_old(const struct image *image, const struct uuid *token_id) {
    size_t cursor = 0;
    uint32_t number;
    while ((number = token_index_next(&image->tokens_by_id, token_id, &cursor)) != SLAB_NONE)
        if (get_record(image, number)->state == TOKEN_OLD)
            return number;
    return SLAB_NONE;
}

const struct token_record *image_find_token_by_id(const struct image *image, const struct uuid *token_id) {
    const struct token_record *best = NULL;
    size_t cursor = 0;
    uint32_t number;
    while ((number = token_index_next(&image->tokens_by_id, token_id, &cursor)) != SLAB_NONE) {
        const struct token_record *record = get_record(image, number);
        if (!best || token_record_get_expires_at_ms(record) > token_record_get_expires_at_ms(best))
            best = record;
    }
    return best;
}

enum status image_sweep_token(struct image *image, const struct uuid *token_id) {
    for (uint32_t number; (number = find_old(image, token_id)) != SLAB_NONE;)
        remove_record(image, number);
    return STATUS_OK;
}

// why a walk over everything: it is asked for only when more than a hundred tokens of a company have changed
// at once, and costs less than having read them.
enum status image_sweep_tokens_of(struct image *image, const struct uuid *company_id) {
    const struct company *company = uuid_index_find(&image->companies, company_id);
    uint32_t number = SLAB_NONE;
    if (!company)
        return STATUS_OK;
    for (const struct token_record *record; (record = slab_next(&image->records, &number));)
        if (record->state == TOKEN_OLD && image_get_company_number(image, record) == company->number)
            remove_record(image, number);
    return STATUS_OK;
}

void image_free_tokens(struct image *image) {
    uint32_t number = SLAB_NONE;
    for (const struct token_record *record; (record = slab_next(&image->records, &number));)
        if (record->state != TOKEN_FREE)
            free_record(image, number);
    token_table_free(image->tokens);
    token_index_fini(&image->tokens_by_id);
    free(image->fresh);
}
