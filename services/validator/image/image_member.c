// Members of an image: what their roles let them do at this moment, and where they may come from.
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
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

static struct member_facts *make_facts(const struct image *image, const struct member *member) {
    struct member_facts *facts = calloc(1, sizeof(*facts));
    struct permission_set *permissions = unite_roles(image, member);
    if (!facts || !permissions) {
        free(facts);
        permission_set_free(permissions);
        return NULL;
    }
    facts->is_removed = member->is_removed;
    facts->ips = member->ips;
    facts->permissions = permissions;
    memcpy(facts->id_text, typeid_of(TYPEID_MEMBER, member->member_id).text, sizeof(struct typeid));
    return facts;
}

static void free_facts(struct member_facts *facts) {
    if (facts)
        permission_set_free((struct permission_set *)facts->permissions);
    free(facts);
}

static void release_facts(void *owner, void *facts) {
    (void)owner;
    free_facts(facts);
}

enum status image_publish_member(struct image *image, struct member *member) {
    struct member_facts *facts = NULL;
    if (member->exists && !(facts = make_facts(image, member)))
        return STATUS_NO_MEMORY;
    struct member_cell *cell = image_get_member_cell(image, member->number);
    const struct member_facts *old = atomic_exchange_explicit(&cell->facts, facts, memory_order_acq_rel);
    reclaim_add(image->reclaim, release_facts, NULL, (void *)old);
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

static enum status make_ips(const struct member_row *row, struct ip_set **ret_ips) {
    *ret_ips = NULL;
    if (row->ip_count == 0)
        return STATUS_OK;
    struct ip_set_entry *entries = calloc(row->ip_count, sizeof(*entries));
    if (!entries)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < row->ip_count; i++)
        entries[i] = (struct ip_set_entry){.prefix = row->ips[i], .ends_at_ms = CLOCK_NEVER_MS};
    *ret_ips = ip_set_new(entries, row->ip_count);
    free(entries);
    return *ret_ips ? STATUS_OK : STATUS_NO_MEMORY;
}

static size_t get_list_bytes(const struct ip_set *ips) {
    return ips ? ip_set_get_size_bytes(ips) : 0;
}

enum status image_put_member(struct image *image, const struct member_row *row) {
    struct company *company = image_touch_company(image, &row->company_id);
    struct member *member = company ? image_touch_member(image, &row->member_id, company) : NULL;
    struct ip_set *ips;
    if (!member || make_ips(row, &ips) != STATUS_OK)
        return STATUS_NO_MEMORY;
    if (set_roles(member, row) != STATUS_OK) {
        ip_set_free(ips);
        return STATUS_NO_MEMORY;
    }
    struct ip_set *old = member->ips;
    member->ips = ips;
    member->generation = image->generation;
    member->exists = true;
    member->is_removed = row->is_removed;
    enum status status = image_publish_member(image, member);
    if (status != STATUS_OK) {
        member->ips = old; // which readers still see
        ip_set_free(ips);
        return status;
    }
    image->list_bytes += get_list_bytes(ips) - get_list_bytes(old);
    reclaim_add(image->reclaim, image_release_ip_set, NULL, old);
    return STATUS_OK;
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
        free_facts((struct member_facts *)atomic_load_explicit(&cell->facts, memory_order_relaxed));
        ip_set_free(member->ips);
        free(member->role_ids);
        free(member);
    }
    uuid_index_fini(&image->members);
}
