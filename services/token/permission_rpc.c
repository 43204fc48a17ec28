// SetPermissions: what there is to be granted in this deployment.
#include <string.h>

#include "common/app/audit.h"
#include "common/app/revision.h"
#include "common/base/buffer.h"
#include "common/base/typeid.h"
#include "services/token/permission_rules.h"
#include "services/token/permission_store.h"
#include "services/token/token_rpc.h"

enum {
    NAMED_BYTES_MAX = 3500,   // of uses in an error, so that it fits what clients accept
    AUDITED_BYTES_MAX = 3500, // of names on each side, so that they fit an event
};

// ---- what is still granted ----

static struct typeid get_holder(const struct permission_use *use) {
    return uuid_is_zero(use->token_id) ? typeid_of(TYPEID_ROLE, use->role_id)
                                       : typeid_of(TYPEID_TOKEN, use->token_id);
}

// "charges.create: tok_a, tok_b; charges.read: rol_c"
static void name_uses(const struct permission_replacement *replacement, struct buffer *text) {
    struct bytes permission = BYTES_EMPTY;
    for (size_t i = 0; i < replacement->use_count && text->len < NAMED_BYTES_MAX; i++) {
        const struct permission_use *use = &replacement->uses[i];
        bool is_next = !bytes_is_equal(permission, use->permission);
        if (is_next)
            buffer_append_format(text, "%s%.*s: ", i > 0 ? "; " : "", BYTES_FORMAT(use->permission));
        buffer_append_format(text, "%s%s", is_next ? "" : ", ", get_holder(use).text);
        permission = use->permission;
    }
}

static enum status refuse_uses(const struct permission_replacement *replacement, struct fault *fault) {
    const struct permission_use *first = &replacement->uses[0];
    struct buffer names = {0};
    name_uses(replacement, &names);
    if (!names.failed)
        fault_add_detail(fault, "uses", "%.*s", BYTES_FORMAT(buffer_get_bytes(&names)));
    buffer_fini(&names);
    return fault_set(fault, STATUS_FAILED_PRECONDITION, "PERMISSION_IN_USE",
                     "%.*s is still granted, to %s (%s)%s; take it from whoever holds it first",
                     BYTES_FORMAT(first->permission), get_holder(first).text, first->name,
                     replacement->use_count > 1 ? " and others" : "");
}

// ---- what the audit log is told ----

static bool is_among(const struct permission_entry *entry, const struct permission_entry *entries,
                     size_t count) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp((const char *)entries[middle].name.data, (const char *)entry->name.data);
        if (order == 0)
            return bytes_is_equal(entries[middle].description, entry->description);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

// The names of `entries` that `others` has not, or describes otherwise.
static size_t name_difference(const struct permission_entry *entries, size_t count,
                              const struct permission_entry *others, size_t other_count,
                              struct buffer *json) {
    size_t named = 0;
    buffer_append_text(json, "{\"permissions\":[");
    for (size_t i = 0; i < count; i++) {
        if (is_among(&entries[i], others, other_count))
            continue;
        if (json->len < AUDITED_BYTES_MAX)
            buffer_append_format(json, "%s\"%.*s\"", named > 0 ? "," : "", BYTES_FORMAT(entries[i].name));
        named++;
    }
    buffer_append_format(json, "],\"count\":%zu}", named);
    buffer_append_byte(json, '\0');
    return named;
}

static enum status note(struct app_call *call, const struct permission_replacement *got) {
    struct buffer before = {0}, after = {0};
    size_t gone = name_difference(got->before, got->before_count, got->after, got->after_count, &before);
    size_t come = name_difference(got->after, got->after_count, got->before, got->before_count, &after);
    enum status status = STATUS_OK;
    if (before.failed || after.failed)
        status = fault_set_no_memory(call->fault);
    else if (gone + come > 0)
        status = audit_note_text(call, "permissions.set", typeid_of(TYPEID_COMPANY, call->company_id).text,
                                 (const char *)before.data, (const char *)after.data);
    buffer_fini(&before);
    buffer_fini(&after);
    return status;
}

// ---- the method ----

static bool fill(Latchkey__V1__SetPermissionsResponse *response,
                 const struct permission_replacement *replacement, struct arena *arena) {
    size_t count = replacement->after_count;
    Latchkey__V1__Permission *permissions = ARENA_NEW_ARRAY(arena, Latchkey__V1__Permission, count);
    response->permissions = ARENA_NEW_ARRAY(arena, Latchkey__V1__Permission *, count);
    if (!permissions || !response->permissions)
        return false;
    for (size_t i = 0; i < count; i++) {
        latchkey__v1__permission__init(&permissions[i]);
        permissions[i].name = (char *)replacement->after[i].name.data;
        permissions[i].description = (char *)replacement->after[i].description.data;
        response->permissions[i] = &permissions[i];
    }
    response->n_permissions = count;
    return true;
}

static enum status replace(struct app_call *call, const Latchkey__V1__SetPermissionsRequest *request,
                           struct permission_replacement *ret_replacement) {
    size_t count = request->n_permissions;
    struct bytes *names = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    struct bytes *descriptions = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    if (!names || !descriptions)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < count; i++) {
        names[i] = bytes_of_text(request->permissions[i]->name);
        descriptions[i] = bytes_of_text(request->permissions[i]->description);
    }
    enum status status = permission_check_catalogue(names, descriptions, count, call->arena, call->fault);
    if (status == STATUS_OK)
        status = permission_store_replace(call, names, descriptions, count, ret_replacement);
    if (status == STATUS_OK && ret_replacement->use_count > 0)
        status = refuse_uses(ret_replacement, call->fault);
    return status;
}

enum status permission_rpc_set(struct app_call *call, const ProtobufCMessage *message,
                               ProtobufCMessage **ret_response) {
    Latchkey__V1__SetPermissionsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__SetPermissionsResponse);
    struct permission_replacement replacement;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__set_permissions_response__init(response);
    call->lane = LANE_DEPLOYMENT;
    enum status status = replace(call, (const Latchkey__V1__SetPermissionsRequest *)message, &replacement);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    if (!fill(response, &replacement, call->arena))
        return fault_set_no_memory(call->fault);
    return note(call, &replacement);
}
