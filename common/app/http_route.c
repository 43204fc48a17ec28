#include "common/app/http_route.h"

#include <stdarg.h>

#include "common/base/buffer.h"

struct bytes http_request_find_only(const struct http_request *request, const char *name) {
    return metadata_find_only(&request->fields, bytes_of_text(name));
}

bool http_request_has_type(const struct http_request *request, const char *type) {
    struct bytes rest = http_request_find_only(request, "content-type");
    return bytes_is_equal_ignoring_case(bytes_trim(bytes_split(&rest, ';')), bytes_of_text(type));
}

void http_answer_add(const struct http_request *request, struct http_answer *answer, const char *name,
                     struct bytes value) {
    (void)!metadata_add(&answer->fields, request->arena, bytes_of_text(name), value);
}

void http_answer_json(const struct http_request *request, struct http_answer *answer, unsigned status,
                      struct bytes body) {
    answer->status = status;
    answer->body = body;
    http_answer_add(request, answer, "content-type", BYTES_LITERAL("application/json"));
}

static struct bytes write_refusal(struct arena *arena, const char *code, struct bytes message) {
    struct buffer json = {0};
    buffer_append_format(&json, "{\"code\":\"%s\",\"message\":", code);
    buffer_append_json(&json, message);
    buffer_append_byte(&json, '}');
    const char *copy = json.failed ? NULL : arena_copy_bytes(arena, buffer_get_bytes(&json));
    struct bytes body = copy ? bytes_of(copy, json.len) : BYTES_LITERAL("{}");
    buffer_fini(&json);
    return body;
}

void http_answer_refuse(const struct http_request *request, struct http_answer *answer, unsigned status,
                        const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *message = arena_format_args(request->arena, format, args);
    va_end(args);
    http_answer_json(request, answer, status, write_refusal(request->arena, code, bytes_of_text(message)));
}
