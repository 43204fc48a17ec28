#include "services/invitation/role_message_rpc.h"

#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"
#include "services/invitation/role_grant.h"

// A message with the parts of it that have a fixed size, so that one allocation makes it.
struct role_block {
    Latchkey__V1__Role message;
    struct typeid role_id;
    char etag[ETAG_MAX + 1];
    Google__Protobuf__Timestamp created_at;
};

// The built-in role shows what it allows at the moment, any other what was typed.
static bool list_permissions(const struct role *role, const struct permission_catalogue *catalogue,
                             struct arena *arena, const struct bytes **ret_names, size_t *ret_count) {
    *ret_names = role->grants;
    *ret_count = role->grant_count;
    if (!role->is_built_in)
        return true;
    const struct permission_set *set = role_get_permissions(role, catalogue, arena);
    return set && permission_catalogue_list(catalogue, set, arena, ret_names, ret_count);
}

static bool fill_permissions(Latchkey__V1__Role *message, const struct role *role,
                             const struct permission_catalogue *catalogue, struct arena *arena) {
    const struct bytes *names;
    size_t count;
    if (!list_permissions(role, catalogue, arena, &names, &count))
        return false;
    message->permissions = ARENA_NEW_ARRAY(arena, char *, count);
    for (size_t i = 0; message->permissions && i < count; i++)
        message->permissions[i] = (char *)names[i].data; // a NUL stands behind each
    message->n_permissions = message->permissions ? count : 0;
    return message->permissions != NULL;
}

Latchkey__V1__Role *role_message_new(const struct role *role, const struct permission_catalogue *catalogue,
                                     struct arena *arena) {
    struct role_block *block = ARENA_NEW(arena, struct role_block);
    if (!block)
        return NULL;
    Latchkey__V1__Role *message = &block->message;
    latchkey__v1__role__init(message);
    block->role_id = typeid_of(TYPEID_ROLE, role->role_id);
    etag_format(role->version, block->etag);
    message->role_id = block->role_id.text;
    message->name = (char *)role->name;
    message->built_in = role->is_built_in;
    message->created_at = timestamp_fill(&block->created_at, role->created_at_ms);
    message->etag = block->etag;
    return fill_permissions(message, role, catalogue, arena) ? message : NULL;
}
