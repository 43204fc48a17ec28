// The order is that of the image: the catalogue before what is granted from it, roles before members.
#include "services/validator/follow/applier.h"

#include <stdbool.h>

// --- ids, read in chunks and swept ---

// How one kind is read again: single rows, or all that a company has.
static const struct scope {
    enum row_kind kind;
    bool is_of_company;
    enum image_scope swept;
} scopes[CHANGE_SCOPES] = {
    [CHANGE_COMPANIES] = {ROW_COMPANY, false, IMAGE_COMPANY},
    [CHANGE_WHITELISTS] = {ROW_WHITELIST, false, IMAGE_WHITELIST},
    [CHANGE_ROLES] = {ROW_ROLE, false, IMAGE_ROLE},
    [CHANGE_ROLES_OF] = {ROW_ROLE, true, IMAGE_ROLES_OF},
    [CHANGE_MEMBERS] = {ROW_MEMBER, false, IMAGE_MEMBER},
    [CHANGE_MEMBERS_OF] = {ROW_MEMBER, true, IMAGE_MEMBERS_OF},
    [CHANGE_TOKENS] = {ROW_TOKEN, false, IMAGE_TOKEN},
    [CHANGE_TOKENS_OF] = {ROW_TOKEN, true, IMAGE_TOKENS_OF},
};

// What was asked for and has not come is gone.
static enum status sweep(struct image *image, const struct scope *scope, const struct uuid *ids,
                         size_t count) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = image_sweep(image, scope->swept, &ids[i]);
    return status;
}

static enum status read_scope(struct applier *applier, struct db_transaction *transaction,
                              const struct change_set *set, enum change_scope which) {
    const struct scope *scope = &scopes[which];
    size_t count, step = scope->is_of_company ? 1 : ROW_READER_IDS_MAX;
    const struct uuid *ids = change_set_get_ids(set, which, &count);
    enum status status = STATUS_OK;
    for (size_t from = 0; from < count && status == STATUS_OK; from += step) {
        size_t length = count - from < step ? count - from : step;
        status = scope->is_of_company
                     ? row_reader_read_company(&applier->reader, transaction, scope->kind, &ids[from])
                     : row_reader_read_ids(&applier->reader, transaction, scope->kind, &ids[from], length);
        if (status == STATUS_OK)
            status = sweep(applier->reader.image, scope, &ids[from], length);
    }
    return status;
}

// --- whitelists ---

// All of a company's entries, or those under the prefixes that have changed.
static enum status read_list(struct applier *applier, struct db_transaction *transaction,
                             const struct uuid *company_id) {
    return row_reader_read_company(&applier->reader, transaction, ROW_ENTRY, company_id);
}

static enum status copy_live_lists(const struct image *image, const struct uuid *companies, size_t count,
                                   struct buffer *lists) {
    for (size_t i = 0; i < count; i++) {
        struct uuid list = image_find_live_list(image, &companies[i]);
        buffer_append(lists, bytes_of(&list, sizeof(list)));
    }
    return lists->failed ? STATUS_NO_MEMORY : STATUS_OK;
}

// Companies whose pointer has moved get the entries of the list that it points to now.
static enum status read_moved(struct applier *applier, struct db_transaction *transaction,
                              const struct uuid *companies, size_t count, const struct uuid *old_lists) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct uuid list = image_find_live_list(applier->reader.image, &companies[i]);
        if (applier->is_half_applied || !uuid_is_equal(list, old_lists[i]))
            status = read_list(applier, transaction, &companies[i]);
    }
    return status;
}

static enum status read_settings(struct applier *applier, struct db_transaction *transaction,
                                 const struct change_set *set) {
    size_t count;
    const struct uuid *companies = change_set_get_ids(set, CHANGE_WHITELISTS, &count);
    struct buffer old_lists = {0};
    enum status status = copy_live_lists(applier->reader.image, companies, count, &old_lists);
    if (status == STATUS_OK)
        status = read_scope(applier, transaction, set, CHANGE_WHITELISTS);
    if (status == STATUS_OK)
        status = read_moved(applier, transaction, companies, count, (void *)old_lists.data);
    buffer_fini(&old_lists);
    return status;
}

// why a limit: a round of the log may name more than the list has.
static enum status read_part(struct applier *applier, struct db_transaction *transaction,
                             const struct uuid *company_id, const struct changed_prefix *prefixes,
                             size_t count) {
    if (count > ROW_READER_PREFIXES_MAX)
        return read_list(applier, transaction, company_id);
    return row_reader_read_prefixes(&applier->reader, transaction, company_id, prefixes, count);
}

// After the settings: only what changed in the list that is live by now is of interest.
static enum status read_changed_lists(struct applier *applier, struct db_transaction *transaction,
                                      const struct change_set *set) {
    size_t count;
    const struct uuid *companies = change_set_get_ids(set, CHANGE_LISTS_OF, &count);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct uuid list = image_find_live_list(applier->reader.image, &companies[i]);
        size_t prefix_count;
        const struct changed_prefix *prefixes = change_set_get_prefixes(set, &list, &prefix_count);
        if (change_set_has(set, CHANGE_LISTS, &list))
            status = read_list(applier, transaction, &companies[i]);
        else if (prefix_count > 0)
            status = read_part(applier, transaction, &companies[i], prefixes, prefix_count);
    }
    return status;
}

// --- all ---

static enum status apply(struct applier *applier, struct db_transaction *transaction,
                         const struct change_set *set) {
    enum status status = STATUS_OK;
    if (set->has_catalogue)
        status = row_reader_read_all(&applier->reader, transaction, ROW_PERMISSION);
    if (status == STATUS_OK)
        status = read_scope(applier, transaction, set, CHANGE_COMPANIES);
    if (status == STATUS_OK)
        status = read_settings(applier, transaction, set);
    if (status == STATUS_OK)
        status = read_changed_lists(applier, transaction, set);
    for (enum change_scope scope = CHANGE_ROLES; scope < CHANGE_SCOPES && status == STATUS_OK; scope++) {
        if (scope == CHANGE_MEMBERS)
            status = image_apply_roles(applier->reader.image);
        if (status == STATUS_OK)
            status = read_scope(applier, transaction, set, scope);
    }
    return status;
}

// Each whole company costs a walk over all tokens (image_token.c).
static bool is_cheap(const struct change_set *set) {
    size_t count;
    change_set_get_ids(set, CHANGE_TOKENS_OF, &count);
    return count <= APPLIER_COMPANIES_MAX;
}

enum status applier_apply(struct applier *applier, struct db_transaction *transaction,
                          const struct change_set *set) {
    if (!is_cheap(set))
        return STATUS_TOO_LARGE;
    image_begin_pass(applier->reader.image);
    enum status status = apply(applier, transaction, set);
    applier->is_half_applied = status != STATUS_OK;
    return status;
}
