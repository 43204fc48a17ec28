#include "services/validator/image/image_compare.h"

#include <string.h>

#include "common/base/clock.h"
#include "services/validator/image/image_internal.h"

static const char *const names[] = {
#define LOST_CHANGE_NAME(name, text) [LOST_##name] = text,
    LOST_CHANGE_TABLE(LOST_CHANGE_NAME)
#undef LOST_CHANGE_NAME
};

const char *lost_change_get_name(enum lost_change_kind kind) {
    return names[kind];
}

struct comparison {
    const struct image *memory, *database;
    const struct image_compare_options *options;
    enum status (*tell)(void *context, const struct lost_change *change);
    void *context;
    enum status status; // once it is not OK nothing more is told
};

// Of a company that is gone only its tokens are left: they don't tell its lane.
static bool is_compared(const struct comparison *comparison, enum lost_change_kind kind,
                        struct uuid company_id) {
    const bool *lanes = comparison->options->lanes;
    if (kind == LOST_PERMISSIONS_SET)
        return lanes[LANE_DEPLOYMENT];
    return uuid_is_zero(company_id) || lanes[image_get_lane_of(&company_id)];
}

static void tell_until(struct comparison *comparison, enum lost_change_kind kind, struct uuid company_id,
                       struct uuid object_id, int64_t until_ms) {
    const struct lost_change change = {kind, company_id, object_id, until_ms};
    if (comparison->status == STATUS_OK && is_compared(comparison, kind, company_id))
        comparison->status = comparison->tell(comparison->context, &change);
}

static void tell(struct comparison *comparison, enum lost_change_kind kind, struct uuid company_id,
                 struct uuid object_id) {
    tell_until(comparison, kind, company_id, object_id, CLOCK_NEVER_MS);
}

// --- tokens ---

static const struct token_record *find_same_secret(const struct image *image,
                                                   const struct token_record *record) {
    uint32_t number = token_table_find_number(image->tokens, &record->fingerprint);
    return number == SLAB_NONE ? NULL : slab_get(&image->records, number);
}

static struct uuid get_company_id(const struct image *image, const struct token_record *record) {
    const struct company_facts *company = image_get_company(image, record);
    return company ? company->company_id : (struct uuid){{0}};
}

static const char *get_member_text(const struct image *image, const struct token_record *record) {
    const struct member_facts *member = record->has_member ? image_get_member(image, record) : NULL;
    return member ? member->id_text : "";
}

static int64_t get_not_before_ms(const struct image *image, const struct token_record *record) {
    const struct token_extra *extra = image_get_extra(image, record);
    return extra ? extra->not_before_ms : CLOCK_ALWAYS_MS;
}

// CLOCK_ALWAYS_MS: it is not suspended.
static int64_t get_suspended_until_ms(const struct image *image, const struct token_record *record) {
    const struct token_extra *extra = image_get_extra(image, record);
    if (!record->is_suspended)
        return CLOCK_ALWAYS_MS;
    return extra ? extra->suspended_until_ms : CLOCK_NEVER_MS;
}

static bool has_ended(const struct comparison *comparison, const struct token_record *record) {
    return record->is_deactivated || token_record_get_expires_at_ms(record) <= comparison->options->now_ms;
}

static bool is_policy_equal(const struct policy *a, const struct policy *b) {
    return bytes_is_equal(bytes_of(a->grants, a->grants_len), bytes_of(b->grants, b->grants_len)) &&
           domain_set_is_equal(a->domains, b->domains) && ip_set_is_equal(a->ips, b->ips);
}

static bool has_same_terms(const struct comparison *comparison, const struct token_record *ours,
                           const struct token_record *theirs) {
    const struct image *memory = comparison->memory, *database = comparison->database;
    return ours->kind == theirs->kind && ours->channels == theirs->channels &&
           ours->has_member == theirs->has_member &&
           strcmp(get_member_text(memory, ours), get_member_text(database, theirs)) == 0 &&
           get_not_before_ms(memory, ours) == get_not_before_ms(database, theirs) &&
           is_policy_equal(image_get_policy(memory, ours), image_get_policy(database, theirs));
}

// A secret that ends before another one of its token has been rotated away.
static void compare_expiry(struct comparison *comparison, const struct token_record *ours,
                           const struct token_record *theirs, struct uuid company_id) {
    int64_t until_ms = token_record_get_expires_at_ms(ours);
    if (until_ms >= token_record_get_expires_at_ms(theirs))
        return;
    const struct token_record *best = image_find_token_by_id(comparison->memory, &ours->token_id);
    if (until_ms < token_record_get_expires_at_ms(best))
        tell(comparison, LOST_TOKEN_ROTATED, company_id, ours->token_id);
    else
        tell_until(comparison, LOST_TOKEN_EXPIRY_SHORTENED, company_id, ours->token_id, until_ms);
}

// `theirs` is the same secret or, with `is_same` false, another one of the token; it has not ended.
static void compare_token(struct comparison *comparison, const struct token_record *ours,
                          const struct token_record *theirs, bool is_same) {
    struct uuid company_id = get_company_id(comparison->memory, ours);
    if (ours->is_deactivated) {
        tell(comparison, LOST_TOKEN_DEACTIVATED, company_id, ours->token_id);
        return;
    }
    if (is_same)
        compare_expiry(comparison, ours, theirs, company_id);
    else
        tell(comparison, LOST_TOKEN_ROTATED, company_id, ours->token_id);
    int64_t until_ms = get_suspended_until_ms(comparison->memory, ours);
    if (until_ms > comparison->options->now_ms &&
        until_ms > get_suspended_until_ms(comparison->database, theirs))
        tell_until(comparison, LOST_TOKEN_SUSPENDED, company_id, ours->token_id, until_ms);
    if (!has_same_terms(comparison, ours, theirs))
        tell(comparison, LOST_TOKEN_UPDATED, company_id, ours->token_id);
}

static void look_for_ours(struct comparison *comparison, const struct token_record *ours) {
    const struct token_record *theirs = find_same_secret(comparison->database, ours);
    bool is_same = theirs != NULL;
    // The end of a secret alone, which the database may have forgotten, says nothing of the others.
    if (!is_same && has_ended(comparison, ours) && !ours->is_deactivated)
        return;
    if (!is_same)
        theirs = image_find_token_by_id(comparison->database, &ours->token_id);
    if (theirs && !has_ended(comparison, theirs))
        compare_token(comparison, ours, theirs, is_same);
    else if (!theirs && !has_ended(comparison, ours))
        tell(comparison, LOST_TOKEN_CREATED, get_company_id(comparison->memory, ours), ours->token_id);
}

static void look_for_theirs(struct comparison *comparison, const struct token_record *theirs) {
    if (has_ended(comparison, theirs) || find_same_secret(comparison->memory, theirs))
        return;
    const struct token_record *ours = image_find_token_by_id(comparison->memory, &theirs->token_id);
    enum lost_change_kind kind = !ours                  ? LOST_TOKEN_UNKNOWN
                                 : ours->is_deactivated ? LOST_TOKEN_DEACTIVATED
                                                        : LOST_TOKEN_ROTATED;
    tell(comparison, kind, get_company_id(comparison->database, theirs), theirs->token_id);
}

static void compare_tokens(struct comparison *comparison, const struct image *of,
                           void (*look)(struct comparison *comparison, const struct token_record *record)) {
    uint32_t number = SLAB_NONE;
    for (const struct token_record *record;
         comparison->status == STATUS_OK && (record = slab_next(&of->records, &number));)
        if (record->state != TOKEN_FREE)
            look(comparison, record);
}

// --- members ---

static bool has_role(const struct member *member, const struct uuid *role_id) {
    for (size_t i = 0; i < member->role_count; i++)
        if (uuid_is_equal(member->role_ids[i], *role_id))
            return true;
    return false;
}

static bool has_same_roles(const struct member *a, const struct member *b) {
    if (a->role_count != b->role_count)
        return false;
    for (size_t i = 0; i < a->role_count; i++)
        if (!has_role(b, &a->role_ids[i]))
            return false;
    return true;
}

// NULL: there is none that could let anybody in.
static const struct member *find_present(const struct image *image, const struct uuid *member_id) {
    const struct member *member = uuid_index_find(&image->members, member_id);
    return member && member->exists && !member->is_removed ? member : NULL;
}

// A list without entries may be no set or an empty one.
static bool is_list_equal(const struct interned *ours, const struct interned *theirs) {
    const struct ip_set *a = interned_get_object(ours), *b = interned_get_object(theirs);
    size_t count_a = a ? ip_set_get_count(a) : 0, count_b = b ? ip_set_get_count(b) : 0;
    return count_a == count_b && (count_a == 0 || ip_set_is_equal(a, b));
}

static void compare_member(struct comparison *comparison, const struct member *ours) {
    struct uuid company_id = ours->company->company_id;
    const struct member *theirs = find_present(comparison->database, &ours->member_id);
    if (!ours->exists)
        return;
    if (ours->is_removed) {
        if (theirs)
            tell(comparison, LOST_MEMBER_REMOVED, company_id, ours->member_id);
        return;
    }
    if (!theirs)
        tell(comparison, LOST_MEMBER_CREATED, company_id, ours->member_id);
    else if (!has_same_roles(ours, theirs) || !is_list_equal(ours->ips, theirs->ips))
        tell(comparison, LOST_MEMBER_UPDATED, company_id, ours->member_id);
}

static bool has_member(const struct image *image, const struct uuid *member_id) {
    const struct member *member = uuid_index_find(&image->members, member_id);
    return member && member->exists;
}

static void compare_members(struct comparison *comparison) {
    size_t cursor = 0;
    for (const struct member *ours; (ours = uuid_index_next_of_all(&comparison->memory->members, &cursor));)
        compare_member(comparison, ours);
    cursor = 0;
    for (const struct member *theirs;
         (theirs = uuid_index_next_of_all(&comparison->database->members, &cursor));)
        if (theirs->exists && !theirs->is_removed && !has_member(comparison->memory, &theirs->member_id))
            tell(comparison, LOST_MEMBER_UNKNOWN, theirs->company->company_id, theirs->member_id);
}

// --- roles ---

static bool is_role_equal(const struct role *a, const struct role *b) {
    return a->is_administrator == b->is_administrator && a->grants_len == b->grants_len &&
           (a->grants_len == 0 || memcmp(a->grants, b->grants, a->grants_len) == 0);
}

static void compare_roles(struct comparison *comparison) {
    size_t cursor = 0;
    for (const struct role *ours; (ours = uuid_index_next_of_all(&comparison->memory->roles, &cursor));) {
        const struct role *theirs = uuid_index_find(&comparison->database->roles, &ours->role_id);
        if (!theirs)
            tell(comparison, LOST_ROLE_CREATED, ours->company->company_id, ours->role_id);
        else if (!is_role_equal(ours, theirs))
            tell(comparison, LOST_ROLE_UPDATED, ours->company->company_id, ours->role_id);
    }
    cursor = 0;
    for (const struct role *theirs; (theirs = uuid_index_next_of_all(&comparison->database->roles, &cursor));)
        if (!uuid_index_find(&comparison->memory->roles, &theirs->role_id))
            tell(comparison, LOST_ROLE_UNKNOWN, theirs->company->company_id, theirs->role_id);
}

// --- companies ---

static bool is_whitelist_equal(const struct company *a, const struct company *b) {
    return a->has_whitelist == b->has_whitelist && a->is_whitelist_enabled == b->is_whitelist_enabled &&
           a->whitelist_scope == b->whitelist_scope && is_list_equal(a->ips, b->ips);
}

static const struct company *find_company(const struct image *image, const struct uuid *company_id) {
    const struct company *company = uuid_index_find(&image->companies, company_id);
    return company && company->exists ? company : NULL;
}

static void compare_company(struct comparison *comparison, const struct company *ours) {
    struct uuid company_id = ours->company_id;
    const struct company *theirs = find_company(comparison->database, &company_id);
    if (!theirs) {
        tell(comparison, LOST_COMPANY_CREATED, company_id, company_id);
        return;
    }
    if (ours->is_suspended && !theirs->is_suspended)
        tell(comparison, LOST_COMPANY_SUSPENDED, company_id, company_id);
    if (!is_whitelist_equal(ours, theirs))
        tell(comparison, LOST_WHITELIST_UPDATED, company_id, company_id);
}

static void compare_companies(struct comparison *comparison) {
    size_t cursor = 0;
    for (const struct company *ours;
         (ours = uuid_index_next_of_all(&comparison->memory->companies, &cursor));)
        if (ours->exists)
            compare_company(comparison, ours);
    cursor = 0;
    for (const struct company *theirs;
         (theirs = uuid_index_next_of_all(&comparison->database->companies, &cursor));)
        if (theirs->exists && !find_company(comparison->memory, &theirs->company_id))
            tell(comparison, LOST_COMPANY_UNKNOWN, theirs->company_id, theirs->company_id);
}

// --- the catalogue ---

// What it has more grants more: `x.*` covers it.
static bool covers(const struct permission_catalogue *a, const struct permission_catalogue *b) {
    for (uint32_t id = 0; id < permission_catalogue_get_limit(b); id++) {
        const char *name = permission_catalogue_find_name(b, id);
        if (name && permission_catalogue_find_id(a, bytes_of_text(name)) == PERMISSION_ID_NONE)
            return false;
    }
    return true;
}

static void compare_catalogues(struct comparison *comparison) {
    const struct permission_catalogue *ours = image_get_own_catalogue(comparison->memory);
    const struct permission_catalogue *theirs = image_get_own_catalogue(comparison->database);
    const struct uuid none = {{0}};
    if (!covers(ours, theirs) || !covers(theirs, ours))
        tell(comparison, LOST_PERMISSIONS_SET, none, none);
}

enum status image_compare(const struct image *memory, const struct image *database,
                          const struct image_compare_options *options,
                          enum status (*tell_each)(void *context, const struct lost_change *change),
                          void *context) {
    struct comparison comparison = {
        .memory = memory, .database = database, .options = options, .tell = tell_each, .context = context};
    compare_catalogues(&comparison);
    compare_companies(&comparison);
    compare_roles(&comparison);
    compare_members(&comparison);
    compare_tokens(&comparison, memory, look_for_ours);
    compare_tokens(&comparison, database, look_for_theirs);
    return comparison.status;
}
