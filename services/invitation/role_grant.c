#include "services/invitation/role_grant.h"

#include <stdlib.h>
#include <string.h>

#include "common/access/grant_list.h"
#include "common/base/typeid.h"

// ---- ids ----

static int compare_ids(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct uuid));
}

static void sort_out(struct role_ids *ids) {
    size_t kept = 0;
    qsort(ids->ids, ids->count, sizeof(ids->ids[0]), compare_ids);
    for (size_t i = 0; i < ids->count; i++)
        if (kept == 0 || !uuid_is_equal(ids->ids[kept - 1], ids->ids[i]))
            ids->ids[kept++] = ids->ids[i];
    ids->count = kept;
}

void role_ids_parse(char *const *texts, size_t count, const char *field, struct arena *arena,
                    struct fault *fault, struct role_ids *ret_ids) {
    *ret_ids = (struct role_ids){0};
    if (count > MEMBER_ROLES_MAX) {
        fault_add_field(fault, field, "type at most %d roles, not %zu", MEMBER_ROLES_MAX, count);
        return;
    }
    struct role_ids ids = {ARENA_NEW_ARRAY(arena, struct uuid, count), count};
    if (!ids.ids) {
        fault_set_no_memory(fault);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (!typeid_parse(bytes_of_text(texts[i]), TYPEID_ROLE, &ids.ids[i]))
            fault_add_field(fault, fault_path(fault, "%s[%zu]", field, i),
                            "type a role's id, such as rol_01h455vb4pex5vsknk084sn02q");
    sort_out(&ids);
    *ret_ids = ids;
}

bool role_ids_have(const struct role_ids *ids, struct uuid role_id) {
    for (size_t i = 0; i < ids->count; i++)
        if (uuid_is_equal(ids->ids[i], role_id))
            return true;
    return false;
}

enum status role_ids_subtract(const struct role_ids *ids, const struct role_ids *others, struct arena *arena,
                              struct role_ids *ret_ids) {
    struct role_ids rest = {.ids = ARENA_NEW_ARRAY(arena, struct uuid, ids->count)};
    if (!rest.ids)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < ids->count; i++)
        if (!role_ids_have(others, ids->ids[i]))
            rest.ids[rest.count++] = ids->ids[i];
    *ret_ids = rest;
    return STATUS_OK;
}

// ---- what they let do ----

static void add_permissions(const struct role *role, const struct permission_catalogue *catalogue,
                            struct permission_set *set) {
    if (role->is_built_in)
        permission_catalogue_expand_administrator(catalogue, set);
    for (size_t i = 0; i < role->grant_count; i++) {
        // A grant that the catalogue has lost covers nothing.
        bool covers_any = permission_catalogue_expand(catalogue, role->grants[i], set);
        (void)covers_any;
    }
}

static struct permission_set *get_permissions(const struct role_list *roles,
                                              const struct permission_catalogue *catalogue,
                                              struct arena *arena) {
    struct permission_set *set =
        permission_set_new_in_arena(arena, permission_catalogue_get_limit(catalogue));
    for (size_t i = 0; set && i < roles->count; i++)
        add_permissions(&roles->roles[i], catalogue, set);
    return set;
}

struct permission_set *role_get_permissions(const struct role *role,
                                            const struct permission_catalogue *catalogue,
                                            struct arena *arena) {
    struct role_list alone = {.roles = (struct role *)role, .count = 1};
    return get_permissions(&alone, catalogue, arena);
}

static bool get_groups(const struct role *role, const struct permission_catalogue *catalogue,
                       struct arena *arena, struct group_list *ret_list) {
    if (role->is_built_in)
        return permission_catalogue_list_administrator_groups(catalogue, arena, &ret_list->groups,
                                                              &ret_list->count);
    return group_list_pick(role->grants, role->grant_count, arena, ret_list);
}

bool role_list_get_reach(const struct role_list *roles, const struct permission_catalogue *catalogue,
                         struct arena *arena, struct reach *ret_reach) {
    struct reach reach = {.permissions = get_permissions(roles, catalogue, arena)};
    bool is_read = reach.permissions != NULL;
    for (size_t i = 0; is_read && i < roles->count; i++) {
        struct group_list more;
        is_read = get_groups(&roles->roles[i], catalogue, arena, &more) &&
                  group_list_unite(&reach.groups, &more, arena);
    }
    *ret_reach = reach;
    return is_read;
}

bool reach_of_grants(const struct bytes *grants, size_t count, const struct permission_catalogue *catalogue,
                     struct arena *arena, struct reach *ret_reach) {
    struct role role = {.grants = (struct bytes *)grants, .grant_count = count};
    struct role_list alone = {.roles = &role, .count = 1};
    return role_list_get_reach(&alone, catalogue, arena, ret_reach);
}

bool reach_intersect(struct reach *reach, const struct reach *others, struct arena *arena) {
    permission_set_intersect(reach->permissions, others->permissions);
    return group_list_intersect(&reach->groups, &others->groups, arena, &reach->groups);
}

// ---- never more than the caller ----

// What the caller and whoever had it before hold together.
static bool unite_holders(const struct reach *before, const struct caller *caller, struct arena *arena,
                          struct reach *ret_held) {
    const struct permission_set *callers = caller_get_permissions(caller, arena);
    struct reach held = {
        .permissions = permission_set_new_in_arena(arena, permission_catalogue_get_limit(caller->catalogue)),
        .groups = caller->groups};
    if (!callers || !held.permissions)
        return false;
    permission_set_unite(held.permissions, callers);
    if (before)
        permission_set_unite(held.permissions, before->permissions);
    *ret_held = held;
    return !before || group_list_unite(&ret_held->groups, &before->groups, arena);
}

static enum status check_groups(const struct group_list *wanted, const struct group_list *held,
                                const struct caller *caller, const char *what, struct arena *arena,
                                struct fault *fault) {
    const char *names;
    const char *excess = group_list_describe_excess(caller->catalogue, wanted, held, arena, fault, &names);
    if (!excess)
        return fault->status;
    fault_add_detail(fault, "groups", "%s", excess);
    return fault_set(fault, STATUS_PERMISSION_DENIED, "GRANT_EXCEEDS_CALLER",
                     "%s: %s covers what the catalogue gets later, too, which you do not hold%s%s", what,
                     excess, *names ? "; give the names instead: " : "", names);
}

static enum status check_held(const struct reach *wanted, const struct reach *held,
                              const struct caller *caller, const char *what, struct arena *arena,
                              struct fault *fault) {
    const char *excess =
        grant_list_describe_excess(caller->catalogue, wanted->permissions, held->permissions, arena, fault);
    if (!excess)
        return fault->status == STATUS_OK
                   ? check_groups(&wanted->groups, &held->groups, caller, what, arena, fault)
                   : fault->status;
    fault_add_detail(fault, "permissions", "%s", excess);
    return fault_set(fault, STATUS_PERMISSION_DENIED, "GRANT_EXCEEDS_CALLER",
                     "%s: that would let do what you may not do, %s", what, excess);
}

enum status role_check_reach(const struct reach *wanted, const struct reach *before,
                             const struct caller *caller, const char *what, struct arena *arena,
                             struct fault *fault) {
    struct reach held;
    if (!unite_holders(before, caller, arena, &held))
        return fault_set_no_memory(fault);
    return check_held(wanted, &held, caller, what, arena, fault);
}

// ---- verdicts ----

static int compare_verdicts(const void *a, const void *b) {
    const struct role_verdict *first = a, *second = b;
    return compare_ids(&first->role_id, &second->role_id);
}

static enum status judge(const struct role *role, const struct reach *held, const struct caller *caller,
                         struct arena *scratch, struct fault *fault) {
    struct role_list alone = {.roles = (struct role *)role, .count = 1};
    struct reach reach;
    const char *what = arena_format(scratch, "you can't give the role %s", role->name);
    if (!what || !role_list_get_reach(&alone, caller->catalogue, scratch, &reach))
        return fault_set_no_memory(fault);
    return check_held(&reach, held, caller, what, scratch, fault);
}

// What a role lets do is needed for its verdict alone, and there may be thousands: that goes to memory of its
// own, which each of them uses anew.
static enum status judge_all(const struct role_list *present, const struct reach *held,
                             const struct caller *caller, struct fault *fault,
                             struct role_verdict *verdicts) {
    struct arena scratch;
    enum status status = STATUS_OK;
    arena_init(&scratch, 0);
    for (size_t i = 0; i < present->count && status != STATUS_NO_MEMORY; i++) {
        verdicts[i].role_id = present->roles[i].role_id;
        fault_init(&verdicts[i].fault, fault->arena);
        status = judge(&present->roles[i], held, caller, &scratch, &verdicts[i].fault);
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
    return status == STATUS_NO_MEMORY ? fault_set_no_memory(fault) : STATUS_OK;
}

enum status role_judge_grants(const struct role_list *present, const struct caller *caller,
                              struct fault *fault, struct role_verdicts *ret_verdicts) {
    struct role_verdict *verdicts = ARENA_NEW_ARRAY(fault->arena, struct role_verdict, present->count);
    struct reach held;
    if (!verdicts || !unite_holders(NULL, caller, fault->arena, &held))
        return fault_set_no_memory(fault);
    enum status status = judge_all(present, &held, caller, fault, verdicts);
    if (status != STATUS_OK)
        return status;
    qsort(verdicts, present->count, sizeof(verdicts[0]), compare_verdicts);
    *ret_verdicts = (struct role_verdicts){verdicts, present->count};
    return STATUS_OK;
}

enum status role_read_verdicts(const struct role_ids *wanted, const struct role_verdicts *verdicts,
                               struct fault *fault) {
    for (size_t i = 0; i < wanted->count; i++) {
        const struct role_verdict key = {.role_id = wanted->ids[i]};
        const struct role_verdict *verdict = bsearch(&key, verdicts->verdicts, verdicts->count,
                                                     sizeof(verdicts->verdicts[0]), compare_verdicts);
        if (!verdict)
            return fault_set(fault, STATUS_NOT_FOUND, "ROLE_NOT_FOUND", "there is no role %s",
                             typeid_of(TYPEID_ROLE, wanted->ids[i]).text);
        if (verdict->fault.status != STATUS_OK) {
            *fault = verdict->fault;
            return fault->status;
        }
    }
    return STATUS_OK;
}

enum status role_check_grant(const struct role_ids *wanted, const struct role_list *present,
                             const struct caller *caller, struct fault *fault) {
    struct role_verdicts verdicts;
    enum status status = role_judge_grants(present, caller, fault, &verdicts);
    return status == STATUS_OK ? role_read_verdicts(wanted, &verdicts, fault) : status;
}
