// The inside of an image, shared by image*.c.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_INTERNAL_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_INTERNAL_H

#include "services/validator/image.h"
#include "services/validator/policy.h"
#include "services/validator/slab.h"
#include "services/validator/uuid_index.h"

struct company {
    _Atomic(const struct company_facts *) facts; // release store by the writer, acquire load by readers

    // The writer's: what the facts are made of.
    struct uuid company_id;
    uint32_t generation; // of the pass that put the company's row
    uint32_t whitelist_generation;
    bool exists, is_suspended;
    bool has_whitelist, is_whitelist_enabled;
    uint8_t whitelist_scope;
    bool roles_changed; // since the last image_apply_roles(); then it is on that list
    struct company *next_changed;
    struct uuid live_list_id;
    struct ip_set *ips;
    char *external_id; // NULL = ""
    size_t external_id_len;
    struct role *roles;
    struct member *members;
};

struct role {
    struct uuid role_id;
    struct company *company;
    struct role *next; // of the company
    uint32_t generation;
    bool is_administrator;
    struct permission_set *permissions; // expanded; NULL = nothing
    size_t grants_len;
    char *grants; // each ended by a newline, to be expanded again
};

struct member {
    _Atomic(const struct member_facts *) facts; // release store by the writer, acquire load by readers

    // The writer's.
    struct uuid member_id;
    struct company *company;
    struct member *next; // of the company
    uint32_t generation;
    bool exists, is_removed;
    struct ip_set *ips;
    size_t role_count;
    struct uuid *role_ids;
};

struct image {
    // Readers'.
    struct token_table *tokens;
    _Atomic(const struct permission_catalogue *) catalogue; // release store, acquire load
    struct lanes lanes;

    // The writer's.
    struct reclaim *reclaim;
    uint32_t generation;
    struct company *changed_companies; // whose members need their permissions anew
    struct slab records;
    struct uuid_index tokens_by_id, companies, members, roles;
    struct policy_table policies;
    size_t extra_bytes;
    size_t list_bytes;
};

// The cell with that id, made if there was none. NULL when out of memory.
struct company *image_touch_company(struct image *image, const struct uuid *company_id);
struct member *image_touch_member(struct image *image, const struct uuid *member_id, struct company *company);

// Makes the facts of a cell anew from what the writer has, and publishes them.
MUST_CHECK enum status image_publish_member(struct image *image, struct member *member);

// After the catalogue has changed.
MUST_CHECK enum status image_expand_roles(struct image *image);

// Frees all of a kind, for image_free().
void image_free_companies(struct image *image);
void image_free_members(struct image *image);
void image_free_roles(struct image *image);
void image_free_tokens(struct image *image);

// For reclaim_add().
void image_release_ip_set(void *owner, void *set);

// The writer's own view of its last store.
static inline const struct permission_catalogue *image_get_own_catalogue(const struct image *image) {
    return atomic_load_explicit(&image->catalogue, memory_order_relaxed);
}

#endif
