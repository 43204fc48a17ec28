#include "common/app/http_head.h"

#include <ctype.h>
#include <string.h>

#include "common/grpc/request_head.h"

#define SCHEME BYTES_LITERAL("http://")

void http_head_set_uri(struct http_request *request, struct bytes uri) {
    request->target = uri;
    if (bytes_has_prefix(uri, SCHEME)) {
        struct bytes rest = bytes_of(uri.data + SCHEME.len, uri.len - SCHEME.len);
        struct bytes host = bytes_split(&rest, '/');
        size_t used = SCHEME.len + host.len;
        request->target = rest.data ? bytes_of(uri.data + used, uri.len - used) : BYTES_LITERAL("/");
    }
    request->query = request->target;
    request->path = bytes_split(&request->query, '?');
}

static bool is_printable(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < ' ' && text.data[i] != '\t') || text.data[i] == 0x7f)
            return false;
    return true;
}

// A token of HTTP's grammar: what a proxy takes for a field is not to be seen by another name here, or the
// other way round ("content-length : 40").
static bool is_name(struct bytes name) {
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum(name.data[i]) && (name.data[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", name.data[i])))
            return false;
    return name.len > 0;
}

static char *copy_in_lower_case(struct arena *arena, struct bytes name) {
    char *copy = arena_copy_bytes(arena, name);
    for (size_t i = 0; copy && i < name.len; i++)
        copy[i] = (char)ascii_to_lower((uint8_t)copy[i]);
    return copy;
}

enum http_head http_head_add(struct http_request *request, struct bytes name, struct bytes value) {
    struct metadata *fields = &request->fields;
    struct bytes text = bytes_trim(value);
    size_t size_bytes = fields->size_bytes + name.len + text.len + METADATA_FIELD_OVERHEAD;
    if (size_bytes > REQUEST_HEAD_BYTES_MAX || fields->count >= REQUEST_HEAD_FIELDS_MAX)
        return HTTP_HEAD_TOO_LARGE;
    const char *lower = copy_in_lower_case(request->arena, name);
    if (!lower || metadata_add(fields, request->arena, bytes_of(lower, name.len), text) != STATUS_OK)
        return HTTP_HEAD_TOO_LARGE;
    return is_name(name) && is_printable(text) ? HTTP_HEAD_GOOD : HTTP_HEAD_BAD;
}

static bool is_repeated(const struct metadata_field *field) {
    return metadata_find(field->next, field->name) != NULL;
}

static bool is_length(struct bytes text) {
    uint64_t ignored;
    return bytes_parse_unsigned(text, INT64_MAX, &ignored);
}

bool http_head_is_framing_clear(const struct http_request *request) {
    const struct metadata_field *first = request->fields.first;
    const struct metadata_field *length = metadata_find(first, BYTES_LITERAL("content-length"));
    const struct metadata_field *coding = metadata_find(first, BYTES_LITERAL("transfer-encoding"));
    if (length)
        return !coding && !is_repeated(length) && is_length(length->value);
    return !coding ||
           (!is_repeated(coding) && bytes_is_equal_ignoring_case(coding->value, BYTES_LITERAL("chunked")));
}

uint64_t http_head_get_length(const struct http_request *request) {
    uint64_t length = 0;
    (void)!bytes_parse_unsigned(http_request_find_only(request, "content-length"), INT64_MAX, &length);
    return length;
}
