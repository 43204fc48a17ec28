// Members of an image: what their roles let them do at this moment, and where they may come from.
#include <stdlib.h>
#include <string.h>

#include "common/base/typeid.h"
#include "services/validator/image/image_internal.h"

static_assert(sizeof(struct typeid) <= sizeof(((struct member_facts *)0)->id_text), "an id fits");

struct member *image_touch_member(struct image *image, const struct uuid *member_id,
                                  struct company *company) {
    struct member *member = uuid_index_find(&image->members, member_id);
    if (member)
        return member;
    member = calloc(1, sizeof(*member));
    if (!member)
        return NULL;
    member->member_id = *member_id;
    member->company = company;
    member->number = slab_allocate(&image->member_cells);
    if (member->number == SLAB_NONE || uuid_index_add(&image->members, member) != STATUS_OK) {
        if (member->number != SLAB_NONE)
            slab_release(&image->member_cells, member->number);
        free(member);
        return NULL;
    }
    struct member_cell *cell = image_get_member_cell(image, member->number);
    atomic_init(&cell->facts, NULL);
    cell->company = company->number;
    member->next = company->members;
    company->members = member;
    return member;
}

static struct permission_set *unite_roles(const struct image *image, const struct member *member) {
    struct permission_set *set =
        permission_set_new(permission_catalogue_get_limit(image_get_own_catalogue(image)));
    for (size_t i = 0; set && i < member->role_count; i++) {
        const struct role *role = uuid_index_find(&image->roles, &member->role_ids[i]);
        if (role && role->company == member->company && role->permissions)
            permission_set_unite(set, role->permissions);
    }
    return set;
}

static struct member_facts *make_facts(const struct member *member,
                                       const struct permission_set *permissions) {
    struct member_facts *facts = calloc(1, sizeof(*facts));
    if (!facts)
        return NULL;
    facts->is_removed = member->is_removed;
    facts->ips = interned_get_object(member->ips);
    facts->permissions = permissions;
    memcpy(facts->id_text, typeid_of(TYPEID_MEMBER, member->member_id).text, sizeof(struct typeid));
    return facts;
}

static void publish_facts(struct image *image, struct member *member, const struct member_facts *facts,
                          struct interned *permissions) {
    struct member_cell *cell = image_get_member_cell(image, member->number);
    const struct member_facts *old = atomic_exchange_explicit(&cell->facts, facts, memory_order_acq_rel);
    reclaim_add_memory(image->reclaim, (void *)old);
    intern_table_retire(&image->pool.permission_sets, member->permissions);
    member->permissions = permissions;
}

enum status image_publish_member(struct image *image, struct member *member) {
    if (!member->exists) {
        publish_facts(image, member, NULL, NULL);
        return STATUS_OK;
    }
    struct interned *permissions;
    enum status status = content_pool_put_permissions(&image->pool, image_get_own_catalogue(image),
                                                      unite_roles(image, member), &permissions);
    if (status != STATUS_OK)
        return status;
    const struct member_facts *facts = make_facts(member, permissions->object);
    if (!facts) {
        intern_table_release(&image->pool.permission_sets, permissions);
        return STATUS_NO_MEMORY;
    }
    publish_facts(image, member, facts, permissions);
    return STATUS_OK;
}

static enum status set_roles(struct member *member, const struct member_row *row) {
    struct uuid *role_ids = malloc(row->role_count ? row->role_count * sizeof(role_ids[0]) : 1);
    if (!role_ids)
        return STATUS_NO_MEMORY;
    if (row->role_count > 0)
        memcpy(role_ids, row->role_ids, row->role_count * sizeof(role_ids[0]));
    free(member->role_ids);
    member->role_ids = role_ids;
    member->role_count = row->role_count;
    return STATUS_OK;
}

// What of the row readers see. On failure that is as before.
static enum status set_and_publish(struct image *image, struct member *member, const struct member_row *row,
                                   struct interned *ips) {
    struct interned *old = member->ips;
    member->ips = ips;
    member->generation = image->generation;
    member->exists = true;
    member->is_removed = row->is_removed;
    enum status status = image_publish_member(image, member);
    if (status != STATUS_OK) {
        member->ips = old;
        intern_table_release(&image->pool.ip_sets, ips);
        return status;
    }
    intern_table_retire(&image->pool.ip_sets, old);
    IMAGE_TELL(image, on_member, row);
    return STATUS_OK;
}

enum status image_put_member(struct image *image, const struct member_row *row) {
    if (!image_takes(image, &row->company_id))
        return STATUS_OK;
    struct company *company = image_touch_company(image, &row->company_id);
    struct member *member = company ? image_touch_member(image, &row->member_id, company) : NULL;
    if (!member || set_roles(member, row) != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct interned *ips;
    enum status status = content_pool_put_prefixes(&image->pool, row->ips, row->ip_count, &ips);
    return status == STATUS_OK ? set_and_publish(image, member, row, ips) : status;
}

static enum status remove_member(struct image *image, struct member *member) {
    member->exists = false;
    return image_publish_member(image, member);
}

enum status image_sweep_member(struct image *image, const struct uuid *member_id) {
    struct member *member = uuid_index_find(&image->members, member_id);
    if (!member || member->generation == image->generation)
        return STATUS_OK;
    return remove_member(image, member);
}

enum status image_sweep_members_of(struct image *image, const struct uuid *company_id) {
    struct company *company = uuid_index_find(&image->companies, company_id);
    for (struct member *member = company ? company->members : NULL; member; member = member->next) {
        enum status status =
            member->generation == image->generation ? STATUS_OK : remove_member(image, member);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

void image_free_members(struct image *image) {
    size_t cursor = 0;
    for (struct member *member; (member = uuid_index_next_of_all(&image->members, &cursor));) {
        struct member_cell *cell = image_get_member_cell(image, member->number);
        free((struct member_facts *)atomic_load_explicit(&cell->facts, memory_order_relaxed));
        intern_table_release(&image->pool.permission_sets, member->permissions);
        intern_table_release(&image->pool.ip_sets, member->ips);
        free(member->role_ids);
        free(member);
    }
    uuid_index_fini(&image->members);
}
