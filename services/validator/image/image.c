#include "services/validator/image/image.h"

#include <stdlib.h>
#include <string.h>

#include "services/validator/image/image_internal.h"

// --- life ---

// Objects in a block: records fill three huge pages, the others some small ones.
enum { RECORD_BITS = 17, CELL_BITS = 12 };

static void init_slabs(struct image *image) {
    slab_init(&image->records, image->reclaim, sizeof(struct token_record), RECORD_BITS);
    slab_init(&image->extras, image->reclaim, sizeof(struct token_extra *), CELL_BITS);
    slab_init(&image->company_cells, image->reclaim, sizeof(struct company_cell), CELL_BITS);
    slab_init(&image->member_cells, image->reclaim, sizeof(struct member_cell), CELL_BITS);
}

static void fini_slabs(struct image *image) {
    slab_fini(&image->records);
    slab_fini(&image->extras);
    slab_fini(&image->company_cells);
    slab_fini(&image->member_cells);
}

enum status image_new(struct reclaim *reclaim, const struct fingerprint_key *key, struct lane_set served,
                      struct image **ret_image) {
    struct image *image = calloc(1, sizeof(*image));
    if (!image)
        return STATUS_NO_MEMORY;
    image->reclaim = reclaim;
    init_slabs(image);
    content_pool_init(&image->pool, reclaim);
    token_index_init(&image->tokens_by_id, &image->records);
    uuid_index_init(&image->companies, offsetof(struct company, company_id));
    uuid_index_init(&image->members, offsetof(struct member, member_id));
    uuid_index_init(&image->roles, offsetof(struct role, role_id));

    enum status status = lanes_init(&image->lanes, served);
    if (status == STATUS_OK)
        status = policy_table_init(&image->policies, &image->pool, reclaim);
    if (status == STATUS_OK)
        status = token_table_new(reclaim, &image->records, key, &image->tokens);
    if (status == STATUS_OK)
        status = image_set_catalogue(image, NULL, 0);
    if (status != STATUS_OK) {
        image_free(image);
        return status;
    }
    *ret_image = image;
    return STATUS_OK;
}

void image_free(struct image *image) {
    if (!image)
        return;
    image_free_tokens(image);
    image_free_members(image);
    image_free_roles(image);
    image_free_companies(image);
    policy_table_fini(&image->policies);
    content_pool_fini(&image->pool);
    permission_catalogue_free((struct permission_catalogue *)image_get_own_catalogue(image));
    lanes_fini(&image->lanes);
    fini_slabs(image);
    free(image);
}

// --- for readers ---

const struct token_record *image_find_token_or_decoy(const struct image *image, const struct digest *digest,
                                                     bool *ret_is_found) {
    return token_table_find_or_decoy(image->tokens, digest, ret_is_found);
}

void image_begin_probe(const struct image *image, const struct digest *digest,
                       struct token_probe *ret_probe) {
    token_table_begin_probe(image->tokens, digest, ret_probe);
}

void image_advance_probe(const struct image *image, struct token_probe *probe) {
    token_table_advance_probe(image->tokens, probe);
}

const struct token_record *image_end_probe(const struct image *image, const struct token_probe *probe,
                                           bool *ret_is_found) {
    return token_table_end_probe(image->tokens, probe, ret_is_found);
}

const struct company_facts *image_get_company(const struct image *image, const struct token_record *record) {
    const struct company_cell *cell = image_get_company_cell(image, image_get_company_number(image, record));
    return atomic_load_explicit(&cell->facts, memory_order_acquire);
}

const struct member_facts *image_get_member(const struct image *image, const struct token_record *record) {
    return atomic_load_explicit(&image_get_member_cell(image, record->owner)->facts, memory_order_acquire);
}

const struct token_extra *image_get_extra(const struct image *image, const struct token_record *record) {
    return record->has_extra ? *(const struct token_extra **)slab_get(&image->extras, record->terms) : NULL;
}

const struct policy *image_get_policy(const struct image *image, const struct token_record *record) {
    return record->has_extra ? image_get_extra(image, record)->policy
                             : policy_table_get(&image->policies, record->terms);
}

const struct permission_catalogue *image_get_catalogue(const struct image *image) {
    return atomic_load_explicit(&image->catalogue, memory_order_acquire);
}

const struct lanes *image_get_lanes(const struct image *image) {
    return &image->lanes;
}

bool image_serves(const struct image *image, unsigned lane) {
    return lane_set_has(image->lanes.served, lane);
}

// --- for the writer ---

struct lanes *image_get_own_lanes(struct image *image) {
    return &image->lanes;
}

const struct fingerprint_key *image_get_fingerprint_key(const struct image *image) {
    return token_table_get_key(image->tokens);
}

void image_set_observer(struct image *image, const struct image_observer *observer, void *context) {
    image->observer = observer;
    image->observer_context = context;
}

void image_begin_pass(struct image *image) {
    image_age_tokens(image);
    image->generation++;
}

static void release_catalogue(void *owner, void *catalogue) {
    (void)owner;
    permission_catalogue_free(catalogue);
}

// The members of every company: their sets are of ids that the new catalogue may have moved in or out of a
// group.
static enum status publish_all_members(struct image *image) {
    size_t cursor = 0;
    for (struct member *member; (member = uuid_index_next_of_all(&image->members, &cursor));) {
        enum status status = image_publish_member(image, member);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status image_set_catalogue(struct image *image, const struct permission_definition *definitions,
                                size_t count) {
    const struct permission_catalogue *old = image_get_own_catalogue(image);
    struct permission_catalogue *catalogue = permission_catalogue_new(old, definitions, count);
    if (!catalogue)
        return permission_catalogue_get_limit(old) + count > PERMISSION_SET_LIMIT_MAX ? STATUS_TOO_LARGE
                                                                                      : STATUS_NO_MEMORY;
    // The names first: a set that is newer than the names a reader holds only has ids without a name.
    atomic_store_explicit(&image->catalogue, catalogue, memory_order_release);
    reclaim_add(image->reclaim, release_catalogue, NULL, (void *)old);

    enum status status = policy_table_expand(&image->policies, catalogue);
    if (status == STATUS_OK)
        status = image_expand_roles(image);
    if (status == STATUS_OK)
        status = publish_all_members(image);
    if (status == STATUS_OK)
        IMAGE_TELL(image, on_catalogue, definitions, count);
    return status;
}

struct image_statistics image_get_statistics(const struct image *image) {
    return (struct image_statistics){
        .tokens = token_table_get_count(image->tokens),
        .companies = image->companies.count,
        .members = image->members.count,
        .roles = image->roles.count,
        .policies = image->policies.count,
        .token_bytes = token_table_get_size_bytes(image->tokens) + slab_get_size_bytes(&image->records) +
                       token_index_get_size_bytes(&image->tokens_by_id) + image->policies.size_bytes +
                       image->extra_bytes,
        .list_bytes = content_pool_get_size_bytes(&image->pool),
    };
}
