// Roles of an image: readers never see them, only what they make of members.
#include <stdlib.h>
#include <string.h>

#include "services/validator/image/image_internal.h"

static void mark_changed(struct image *image, struct company *company) {
    if (company->roles_changed)
        return;
    company->roles_changed = true;
    company->next_changed = image->changed_companies;
    image->changed_companies = company;
}

static struct role *touch_role(struct image *image, const struct role_row *row) {
    struct role *role = uuid_index_find(&image->roles, &row->role_id);
    if (role)
        return role;
    struct company *company = image_touch_company(image, &row->company_id);
    role = company ? calloc(1, sizeof(*role)) : NULL;
    if (!role)
        return NULL;
    role->role_id = row->role_id;
    role->company = company;
    if (uuid_index_add(&image->roles, role) != STATUS_OK) {
        free(role);
        return NULL;
    }
    role->next = company->roles;
    company->roles = role;
    return role;
}

static enum status set_grants(struct role *role, const struct role_row *row) {
    size_t len = 0;
    for (size_t i = 0; i < row->grant_count; i++)
        len += row->grants[i].len + 1;
    char *grants = malloc(len ? len : 1), *to = grants;
    if (!grants)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < row->grant_count; i++) {
        memcpy(to, row->grants[i].data, row->grants[i].len);
        to += row->grants[i].len;
        *to++ = '\n';
    }
    free(role->grants);
    role->grants = grants;
    role->grants_len = len;
    return STATUS_OK;
}

static enum status expand(struct role *role, const struct permission_catalogue *catalogue) {
    struct permission_set *set = permission_set_new(permission_catalogue_get_limit(catalogue));
    if (!set)
        return STATUS_NO_MEMORY;
    if (role->is_administrator)
        permission_catalogue_expand_administrator(catalogue, set);
    struct bytes rest = bytes_of(role->grants, role->grants_len);
    while (rest.len > 0)
        // A grant that the catalogue does not know any more grants nothing.
        if (!permission_catalogue_expand(catalogue, bytes_split(&rest, '\n'), set))
            continue;
    permission_set_free(role->permissions);
    role->permissions = set;
    return STATUS_OK;
}

enum status image_put_role(struct image *image, const struct role_row *row) {
    if (!image_takes(image, &row->company_id))
        return STATUS_OK;
    struct role *role = touch_role(image, row);
    if (!role || set_grants(role, row) != STATUS_OK)
        return STATUS_NO_MEMORY;
    role->generation = image->generation;
    role->is_administrator = row->is_administrator;
    mark_changed(image, role->company);
    enum status status = expand(role, image_get_own_catalogue(image));
    if (status == STATUS_OK)
        IMAGE_TELL(image, on_role, row);
    return status;
}

static void free_role(struct role *role) {
    permission_set_free(role->permissions);
    free(role->grants);
    free(role);
}

static void remove_role(struct image *image, struct role *role) {
    struct role **link = &role->company->roles;
    while (*link != role)
        link = &(*link)->next;
    *link = role->next;
    mark_changed(image, role->company);
    uuid_index_remove(&image->roles, role);
    free_role(role);
}

enum status image_sweep_role(struct image *image, const struct uuid *role_id) {
    struct role *role = uuid_index_find(&image->roles, role_id);
    if (role && role->generation != image->generation)
        remove_role(image, role);
    return STATUS_OK;
}

enum status image_sweep_roles_of(struct image *image, const struct uuid *company_id) {
    struct company *company = uuid_index_find(&image->companies, company_id);
    for (struct role *role = company ? company->roles : NULL, *next; role; role = next) {
        next = role->next;
        if (role->generation != image->generation)
            remove_role(image, role);
    }
    return STATUS_OK;
}

enum status image_apply_roles(struct image *image) {
    while (image->changed_companies) {
        struct company *company = image->changed_companies;
        for (struct member *member = company->members; member; member = member->next) {
            enum status status = image_publish_member(image, member);
            if (status != STATUS_OK)
                return status;
        }
        image->changed_companies = company->next_changed;
        company->roles_changed = false;
    }
    return STATUS_OK;
}

enum status image_expand_roles(struct image *image) {
    size_t cursor = 0;
    for (struct role *role; (role = uuid_index_next_of_all(&image->roles, &cursor));) {
        enum status status = expand(role, image_get_own_catalogue(image));
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

void image_free_roles(struct image *image) {
    size_t cursor = 0;
    for (struct role *role; (role = uuid_index_next_of_all(&image->roles, &cursor));)
        free_role(role);
    uuid_index_fini(&image->roles);
}
