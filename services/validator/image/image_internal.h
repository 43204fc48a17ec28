// The inside of an image, shared by image*.c.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_INTERNAL_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_INTERNAL_H

#include "services/validator/image/content_pool.h"
#include "services/validator/image/image.h"
#include "services/validator/image/policy.h"
#include "services/validator/image/slab.h"
#include "services/validator/image/token_index.h"
#include "services/validator/image/uuid_index.h"

// What readers see of a company and of a member, by its number: a release store by the writer, an acquire
// load by readers.
struct company_cell {
    _Atomic(const struct company_facts *) facts;
};

struct member_cell {
    _Atomic(const struct member_facts *) facts;
    uint32_t company; // its number; never changes
};

// The rest of both is the writer's: what the facts are made of.
struct company {
    uint32_t number;
    struct uuid company_id;
    uint32_t generation; // of the pass that put the company's row
    uint32_t whitelist_generation;
    bool exists, is_suspended;
    bool has_whitelist, is_whitelist_enabled;
    uint8_t whitelist_scope;
    bool roles_changed; // since the last image_apply_roles(); then it is on that list
    struct company *next_changed;
    struct uuid live_list_id;
    struct interned *ips;
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
    uint32_t number;
    struct uuid member_id;
    struct company *company;
    struct member *next; // of the company
    uint32_t generation;
    bool exists, is_removed;
    struct interned *ips, *permissions;
    size_t role_count;
    struct uuid *role_ids;
};

struct image {
    // Readers'.
    struct token_table *tokens;
    struct slab records;                     // struct token_record
    struct slab extras;                      // const struct token_extra *
    struct slab company_cells, member_cells; // never released: a cell lives as long as the image
    struct policy_table policies;
    _Atomic(const struct permission_catalogue *) catalogue; // release store, acquire load
    struct lanes lanes;

    // The writer's.
    struct reclaim *reclaim;
    const struct image_observer *observer; // NULL = nobody is told
    void *observer_context;
    uint32_t generation;
    struct company *changed_companies; // whose members need their permissions anew
    struct uuid_index companies, members, roles;
    struct token_index tokens_by_id;
    uint32_t *fresh; // numbers of the records that this pass has put
    size_t fresh_count, fresh_capacity;
    size_t extra_bytes;
    struct content_pool pool;
};

// Whether rows of that company have a place here.
static inline bool image_takes(const struct image *image, const struct uuid *company_id) {
    return lane_set_has(image->lanes.served, image_get_lane_of(company_id));
}

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

// What the pass before has put is old now.
void image_age_tokens(struct image *image);

// The sweeps of each kind (image_sweep.c).
MUST_CHECK enum status image_sweep_company(struct image *image, const struct uuid *company_id);
MUST_CHECK enum status image_sweep_whitelist(struct image *image, const struct uuid *company_id);
MUST_CHECK enum status image_sweep_role(struct image *image, const struct uuid *role_id);
MUST_CHECK enum status image_sweep_member(struct image *image, const struct uuid *member_id);
MUST_CHECK enum status image_sweep_token(struct image *image, const struct uuid *token_id);
MUST_CHECK enum status image_sweep_roles_of(struct image *image, const struct uuid *company_id);
MUST_CHECK enum status image_sweep_members_of(struct image *image, const struct uuid *company_id);
MUST_CHECK enum status image_sweep_tokens_of(struct image *image, const struct uuid *company_id);

// Tells the observer, if there is one.
#define IMAGE_TELL(image, event, ...)                                         \
    do {                                                                      \
        if ((image)->observer)                                                \
            (image)->observer->event((image)->observer_context, __VA_ARGS__); \
    } while (0)

static inline struct company_cell *image_get_company_cell(const struct image *image, uint32_t number) {
    return slab_get(&image->company_cells, number);
}

static inline struct member_cell *image_get_member_cell(const struct image *image, uint32_t number) {
    return slab_get(&image->member_cells, number);
}

// The number of the company that owns it, or whose member does.
static inline uint32_t image_get_company_number(const struct image *image,
                                                const struct token_record *record) {
    return record->has_member ? image_get_member_cell(image, record->owner)->company : record->owner;
}

// The writer's own view of its last store.
static inline const struct permission_catalogue *image_get_own_catalogue(const struct image *image) {
    return atomic_load_explicit(&image->catalogue, memory_order_relaxed);
}

#endif
