#include "common/app/http_call.h"

#include "common/app/http_exchange.h"

size_t http_call_choose_loop(struct http_door *door) {
    size_t count = loop_group_get_count(door->options.loops);
    return atomic_fetch_add_explicit(&door->next_loop, 1, memory_order_relaxed) % count;
}

static bool copy_fields(struct arena *arena, const struct metadata *from, struct metadata *ret_to) {
    metadata_init(ret_to);
    for (const struct metadata_field *field = from->first; field; field = field->next)
        if (metadata_add(ret_to, arena, field->name, field->value) != STATUS_OK)
            return false;
    return true;
}

bool http_call_keep_response(const struct local_response *response, struct arena *arena,
                             struct local_response *ret_kept) {
    const char *body = arena_copy_bytes(arena, response->body);
    ret_kept->body = bytes_of(body, response->body.len);
    bool is_kept = body && copy_fields(arena, &response->fields, &ret_kept->fields) &&
                   copy_fields(arena, &response->trailers, &ret_kept->trailers);
    ret_kept->http_status = is_kept ? response->http_status : 0;
    return ret_kept->http_status != 0;
}
