// Companies of an image: suspension, and the whitelist with its live entries.
#include <stdlib.h>
#include <string.h>

#include "common/access/decision.h"
#include "common/base/typeid.h"
#include "services/validator/image/image_internal.h"

static_assert(sizeof(struct typeid) <= sizeof(((struct company_facts *)0)->id_text), "an id fits");

struct company *image_touch_company(struct image *image, const struct uuid *company_id) {
    struct company *company = uuid_index_find(&image->companies, company_id);
    if (company)
        return company;
    company = calloc(1, sizeof(*company));
    if (!company)
        return NULL;
    company->company_id = *company_id;
    company->number = slab_allocate(&image->company_cells);
    if (company->number == SLAB_NONE || uuid_index_add(&image->companies, company) != STATUS_OK) {
        if (company->number != SLAB_NONE)
            slab_release(&image->company_cells, company->number);
        free(company);
        return NULL;
    }
    atomic_init(&image_get_company_cell(image, company->number)->facts, NULL);
    return company;
}

static struct company_facts *make_facts(const struct company *company) {
    struct company_facts *facts = calloc(1, sizeof(*facts) + company->external_id_len);
    if (!facts)
        return NULL;
    facts->company_id = company->company_id;
    facts->lane = image_get_lane_of(&company->company_id);
    facts->is_suspended = company->is_suspended;
    // Deny is zero: without a whitelist row, on and empty.
    facts->is_whitelist_enabled = !company->has_whitelist || company->is_whitelist_enabled;
    facts->whitelist_scope = company->has_whitelist ? company->whitelist_scope : WHITELIST_SCOPE_ALL;
    facts->ips = company->has_whitelist ? interned_get_object(company->ips) : NULL;
    memcpy(facts->id_text, typeid_of(TYPEID_COMPANY, company->company_id).text, sizeof(struct typeid));
    facts->external_id_len = company->external_id_len;
    if (company->external_id_len > 0)
        memcpy(facts->external_id, company->external_id, company->external_id_len);
    return facts;
}

// Makes the facts of a cell anew from what the writer has, and publishes them.
static enum status publish(struct image *image, struct company *company) {
    struct company_facts *facts = NULL;
    if (company->exists && !(facts = make_facts(company)))
        return STATUS_NO_MEMORY;
    struct company_cell *cell = image_get_company_cell(image, company->number);
    const struct company_facts *old = atomic_exchange_explicit(&cell->facts, facts, memory_order_acq_rel);
    reclaim_add_memory(image->reclaim, (void *)old);
    return STATUS_OK;
}

static enum status set_external_id(struct company *company, struct bytes external_id) {
    char *copy = NULL;
    if (external_id.len > 0) {
        copy = malloc(external_id.len);
        if (!copy)
            return STATUS_NO_MEMORY;
        memcpy(copy, external_id.data, external_id.len);
    }
    free(company->external_id);
    company->external_id = copy;
    company->external_id_len = external_id.len;
    return STATUS_OK;
}

enum status image_put_company(struct image *image, const struct company_row *row) {
    if (!image_takes(image, &row->company_id))
        return STATUS_OK;
    struct company *company = image_touch_company(image, &row->company_id);
    if (!company || set_external_id(company, row->external_id) != STATUS_OK)
        return STATUS_NO_MEMORY;
    company->generation = image->generation;
    company->exists = true;
    company->is_suspended = row->is_suspended;
    enum status status = publish(image, company);
    if (status == STATUS_OK)
        IMAGE_TELL(image, on_company, row);
    return status;
}

enum status image_put_whitelist(struct image *image, const struct whitelist_row *row) {
    if (!image_takes(image, &row->company_id))
        return STATUS_OK;
    struct company *company = image_touch_company(image, &row->company_id);
    if (!company)
        return STATUS_NO_MEMORY;
    company->whitelist_generation = image->generation;
    company->has_whitelist = true;
    company->is_whitelist_enabled = row->is_enabled;
    company->whitelist_scope = row->scope;
    company->live_list_id = row->live_list_id;
    enum status status = publish(image, company);
    if (status == STATUS_OK)
        IMAGE_TELL(image, on_whitelist, row);
    return status;
}

// Takes `ips`; NULL is out of memory.
static enum status publish_entries(struct image *image, struct company *company, struct ip_set *ips) {
    struct interned *old = company->ips;
    enum status status = intern_table_put(&image->pool.ip_sets, ips, &company->ips);
    if (status != STATUS_OK)
        return status;
    status = publish(image, company);
    if (status != STATUS_OK) {
        intern_table_release(&image->pool.ip_sets, company->ips);
        company->ips = old;
        return status;
    }
    intern_table_retire(&image->pool.ip_sets, old);
    return STATUS_OK;
}

enum status image_set_entries(struct image *image, const struct uuid *company_id,
                              const struct ip_set_entry *entries, size_t count) {
    if (!image_takes(image, company_id))
        return STATUS_OK;
    const struct ip_set_change change = {.entries = entries, .entry_count = count};
    struct company *company = image_touch_company(image, company_id);
    enum status status =
        company ? publish_entries(image, company, ip_set_new(entries, count)) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        IMAGE_TELL(image, on_entries, company_id, &change);
    return status;
}

enum status image_change_entries(struct image *image, const struct uuid *company_id,
                                 const struct ip_set_change *change) {
    if (!image_takes(image, company_id))
        return STATUS_OK;
    struct company *company = image_touch_company(image, company_id);
    if (!company)
        return STATUS_NO_MEMORY;
    struct ip_set *ips = company->ips ? ip_set_new_changed(company->ips->object, change)
                                      : ip_set_new(change->entries, change->entry_count);
    enum status status = publish_entries(image, company, ips);
    if (status == STATUS_OK)
        IMAGE_TELL(image, on_entries, company_id, change);
    return status;
}

struct uuid image_find_live_list(const struct image *image, const struct uuid *company_id) {
    const struct company *company = uuid_index_find(&image->companies, company_id);
    return company && company->has_whitelist ? company->live_list_id : (struct uuid){{0}};
}

enum status image_sweep_company(struct image *image, const struct uuid *company_id) {
    struct company *company = uuid_index_find(&image->companies, company_id);
    if (!company || company->generation == image->generation)
        return STATUS_OK;
    company->exists = false;
    return publish(image, company);
}

enum status image_sweep_whitelist(struct image *image, const struct uuid *company_id) {
    struct company *company = uuid_index_find(&image->companies, company_id);
    if (!company || company->whitelist_generation == image->generation)
        return STATUS_OK;
    company->has_whitelist = false;
    return publish(image, company);
}

void image_free_companies(struct image *image) {
    size_t cursor = 0;
    for (struct company *company; (company = uuid_index_next_of_all(&image->companies, &cursor));) {
        struct company_cell *cell = image_get_company_cell(image, company->number);
        free((struct company_facts *)atomic_load_explicit(&cell->facts, memory_order_relaxed));
        intern_table_release(&image->pool.ip_sets, company->ips);
        free(company->external_id);
        free(company);
    }
    uuid_index_fini(&image->companies);
}

bool image_has_company(const struct image *image, const struct uuid *company_id) {
    const struct company *company = uuid_index_find(&image->companies, company_id);
    return company && company->exists;
}
