#include "services/validator/gateway/ext_authz_response.h"

#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/grpc/percent.h"
#include "common/grpc/status_code.h"
#include "common/protobuf/wire_writer.h"
#include "services/validator/gateway/ext_authz_request.h"

// Numbers of the fields, as in proto/envoy and google/protobuf/struct.proto.
enum { RESPONSE_STATUS = 1, RESPONSE_DENIED = 2, RESPONSE_OK = 3, RESPONSE_DYNAMIC_METADATA = 4 };
enum { STATUS_CODE = 1, STATUS_MESSAGE = 2 };
enum { DENIED_STATUS = 1, DENIED_HEADERS = 2, DENIED_BODY = 3, HTTP_STATUS_CODE = 1 };
enum { OK_HEADERS = 2, OK_HEADERS_TO_REMOVE = 5 };
enum { OPTION_HEADER = 1, OPTION_APPEND_ACTION = 3, HEADER_KEY = 1, HEADER_VALUE = 2 };
enum { OVERWRITE_IF_EXISTS_OR_ADD = 2 };
enum { STRUCT_FIELDS = 1, ENTRY_KEY = 1, ENTRY_VALUE = 2, VALUE_STRING = 3 };

enum {
    PERMISSIONS_TEXT_MAX = 2048, // gateways and services bound the headers of a request
    FIXED_ROOM = 256,            // all that is neither a header nor metadata
    HEADER_ROOM = 48,            // of one, beside its name and value: heads and lengths, each at most 5 bytes
};

// ---- parts ----

static void write_header(struct wire_writer *writer, uint32_t field, const char *name, struct bytes value) {
    if (value.len == 0)
        return;
    struct wire_mark option = wire_writer_mark(writer);
    wire_writer_number(writer, OPTION_APPEND_ACTION, OVERWRITE_IF_EXISTS_OR_ADD);
    struct wire_mark header = wire_writer_mark(writer);
    wire_writer_text(writer, HEADER_VALUE, value);
    wire_writer_text(writer, HEADER_KEY, bytes_of_text(name));
    wire_writer_wrap(writer, OPTION_HEADER, header);
    wire_writer_wrap(writer, field, option);
}

static void write_metadata(struct wire_writer *writer, const char *key, struct bytes text) {
    if (text.len == 0)
        return;
    struct wire_mark entry = wire_writer_mark(writer);
    struct wire_mark value = wire_writer_mark(writer);
    wire_writer_text(writer, VALUE_STRING, text);
    wire_writer_wrap(writer, ENTRY_VALUE, value);
    wire_writer_text(writer, ENTRY_KEY, bytes_of_text(key));
    wire_writer_wrap(writer, STRUCT_FIELDS, entry);
}

static void write_status(struct wire_writer *writer, unsigned code, const char *text) {
    struct wire_mark mark = wire_writer_mark(writer);
    wire_writer_text(writer, STATUS_MESSAGE, bytes_of_text(text));
    wire_writer_number(writer, STATUS_CODE, code);
    wire_writer_wrap(writer, RESPONSE_STATUS, mark);
}

struct room {
    struct wire_writer writer;
    size_t headroom;
};

static bool make_room(struct arena *arena, size_t headroom, size_t size, struct room *ret) {
    uint8_t *data = arena_allocate(arena, headroom + size);
    if (data)
        *ret = (struct room){wire_writer_of(data + headroom, size), headroom};
    return data != NULL;
}

static struct bytes finish(const struct room *room) {
    struct bytes written = wire_writer_get(&room->writer);
    return written.data ? bytes_of(written.data - room->headroom, written.len + room->headroom) : BYTES_EMPTY;
}

// ---- denial ----

static unsigned get_grpc_code(unsigned http_status) {
    switch (http_status) {
    case 400: return GRPC_CODE_INVALID_ARGUMENT;
    case 401: return GRPC_CODE_UNAUTHENTICATED;
    case 503: return GRPC_CODE_UNAVAILABLE;
    default: return GRPC_CODE_PERMISSION_DENIED;
    }
}

// {"code": ..., "message": ...}, as everywhere over HTTP.
static bool write_body(const struct ext_authz_denial *denial, struct buffer *body) {
    buffer_append_text(body, "{\"code\":");
    buffer_append_json(body, bytes_of_text(denial->code));
    buffer_append_text(body, ",\"message\":");
    buffer_append_json(body, bytes_of_text(denial->text));
    buffer_append_byte(body, '}');
    return !body->failed;
}

static void write_denied_response(struct wire_writer *writer, const struct ext_authz_denial *denial,
                                  struct bytes body) {
    char seconds[16] = "";
    if (denial->retry_after_s > 0)
        snprintf(seconds, sizeof(seconds), "%u", denial->retry_after_s);
    struct wire_mark denied = wire_writer_mark(writer);
    wire_writer_text(writer, DENIED_BODY, body);
    write_header(writer, DENIED_HEADERS, "cache-control", BYTES_LITERAL("no-store"));
    write_header(writer, DENIED_HEADERS, "retry-after", bytes_of_text(seconds));
    write_header(writer, DENIED_HEADERS, "latchkey-reason", bytes_of_text(denial->reason));
    write_header(writer, DENIED_HEADERS, "www-authenticate", bytes_of_text(denial->challenge));
    write_header(writer, DENIED_HEADERS, "content-type", BYTES_LITERAL("application/json"));
    struct wire_mark status = wire_writer_mark(writer);
    wire_writer_number(writer, HTTP_STATUS_CODE, denial->status);
    wire_writer_wrap(writer, DENIED_STATUS, status);
    wire_writer_wrap(writer, RESPONSE_DENIED, denied);
}

struct bytes ext_authz_write_denial(const struct ext_authz_denial *denial, size_t headroom,
                                    struct arena *arena) {
    enum { DENIAL_HEADERS = 8 };
    struct buffer body = {0};
    struct room room;
    size_t text_len = strlen(denial->text);
    size_t size = FIXED_ROOM + DENIAL_HEADERS * 2 * HEADER_ROOM + 8 * text_len; // a byte is 6 in JSON at most
    struct bytes written = BYTES_EMPTY;
    if (write_body(denial, &body) && make_room(arena, headroom, size, &room)) {
        struct wire_mark metadata = wire_writer_mark(&room.writer);
        write_metadata(&room.writer, "reason", bytes_of_text(denial->reason));
        wire_writer_wrap(&room.writer, RESPONSE_DYNAMIC_METADATA, metadata);
        write_denied_response(&room.writer, denial, buffer_get_bytes(&body));
        write_status(&room.writer, get_grpc_code(denial->status), denial->text);
        written = finish(&room);
    }
    buffer_fini(&body);
    return written;
}

// ---- admission ----

#define IDENTITY_TABLE(X)                               \
    X(COMPANY, "company", "company_id")                 \
    X(COMPANY_EXTERNAL_ID, "company-external-id", NULL) \
    X(TOKEN, "token", "token_id")                       \
    X(TOKEN_EXTERNAL_ID, "token-external-id", NULL)     \
    X(MEMBER, "member", "member_id")                    \
    X(KIND, "kind", "kind")                             \
    X(PERMISSIONS, "permissions", NULL)                 \
    X(EXPIRES_AT, "expires-at", NULL)

enum identity {
#define IDENTITY_ENUM(name, header, key) IDENTITY_##name,
    IDENTITY_TABLE(IDENTITY_ENUM)
#undef IDENTITY_ENUM
        IDENTITY_COUNT
};

static const struct {
    const char *header;
    const char *key; // in the metadata; NULL = not there
} identities[] = {
#define IDENTITY_ROW(name, header, key) {EXT_AUTHZ_IDENTITY_PREFIX header, key},
    IDENTITY_TABLE(IDENTITY_ROW)
#undef IDENTITY_ROW
};

// Empty if there are none, or more than fit.
static struct bytes join_permissions(const struct validate_answer *answer, struct arena *arena) {
    struct bytes rest = answer->permissions, name;
    size_t len = 0;
    while (permission_tail_next(&rest, &name))
        len += name.len + 1;
    char *text = len > 0 && len <= PERMISSIONS_TEXT_MAX ? arena_allocate(arena, len) : NULL;
    if (!text)
        return BYTES_EMPTY;
    char *to = text;
    rest = answer->permissions;
    while (permission_tail_next(&rest, &name)) {
        memcpy(to, name.data, name.len);
        to += name.len;
        *to++ = ' ';
    }
    return bytes_of(text, len - 1);
}

static struct bytes format_time(int64_t at_ms, struct arena *arena) {
    char *text = arena_allocate(arena, TIME_TEXT_MAX + 1);
    if (!text || at_ms == CLOCK_NEVER_MS)
        return BYTES_EMPTY;
    time_text_format(at_ms, text);
    return bytes_of_text(text);
}

static void identify(const struct validate_answer *answer, struct arena *arena,
                     struct bytes values[IDENTITY_COUNT]) {
    bool is_login = answer->kind == TOKEN_KIND_LOGIN;
    values[IDENTITY_COMPANY] = answer->company_id;
    values[IDENTITY_COMPANY_EXTERNAL_ID] = percent_encode(arena, answer->company_external_id);
    values[IDENTITY_TOKEN] = answer->token_id;
    values[IDENTITY_TOKEN_EXTERNAL_ID] = percent_encode(arena, answer->token_external_id);
    values[IDENTITY_MEMBER] = answer->member_id;
    values[IDENTITY_KIND] = is_login ? BYTES_LITERAL("login") : BYTES_LITERAL("access");
    values[IDENTITY_PERMISSIONS] = join_permissions(answer, arena);
    values[IDENTITY_EXPIRES_AT] = format_time(answer->expires_at_ms, arena);
}

// Gateways remove after they have set: what is set is not removed, and replaces what was there.
static bool is_set(struct bytes name, const struct bytes values[IDENTITY_COUNT]) {
    for (size_t i = 0; i < IDENTITY_COUNT; i++)
        if (bytes_is_text(name, identities[i].header))
            return values[i].len > 0;
    return false;
}

// The known ones also if the client does not seem to have sent them: a gateway may not tell all that it has.
static void write_removed(struct wire_writer *writer, const struct ext_authz_admission *admission,
                          const struct bytes values[IDENTITY_COUNT]) {
    for (size_t i = 0; i < admission->removed_count; i++)
        wire_writer_text(writer, OK_HEADERS_TO_REMOVE, admission->removed[i]);
    for (size_t i = 0; i < IDENTITY_COUNT; i++)
        if (values[i].len == 0)
            wire_writer_text(writer, OK_HEADERS_TO_REMOVE, bytes_of_text(identities[i].header));
    for (const struct metadata_field *field = admission->headers->first; field; field = field->next)
        if (ext_authz_header_is_identity(field->name) && !is_set(field->name, values))
            wire_writer_text(writer, OK_HEADERS_TO_REMOVE, field->name);
}

static void write_ok_response(struct wire_writer *writer, const struct ext_authz_admission *admission,
                              const struct bytes values[IDENTITY_COUNT]) {
    struct wire_mark ok = wire_writer_mark(writer);
    write_removed(writer, admission, values);
    if (admission->replaces_cookie)
        write_header(writer, OK_HEADERS, "cookie", admission->cookie);
    for (size_t i = IDENTITY_COUNT; i-- > 0;)
        write_header(writer, OK_HEADERS, identities[i].header, values[i]);
    wire_writer_wrap(writer, RESPONSE_OK, ok);
}

static size_t measure(const struct ext_authz_admission *admission,
                      const struct bytes values[IDENTITY_COUNT]) {
    size_t size = FIXED_ROOM + admission->cookie.len + HEADER_ROOM;
    for (size_t i = 0; i < IDENTITY_COUNT; i++)
        size += 2 * (values[i].len + HEADER_ROOM) + strlen(identities[i].header);
    for (size_t i = 0; i < admission->removed_count; i++)
        size += admission->removed[i].len + HEADER_ROOM;
    return size + admission->headers->size_bytes; // counts 32 bytes more for each
}

struct bytes ext_authz_write_admission(const struct ext_authz_admission *admission, size_t headroom,
                                       struct arena *arena) {
    struct bytes values[IDENTITY_COUNT] = {0};
    struct room room;
    if (admission->answer)
        identify(admission->answer, arena, values);
    if (!make_room(arena, headroom, measure(admission, values), &room))
        return BYTES_EMPTY;
    struct wire_mark metadata = wire_writer_mark(&room.writer);
    for (size_t i = IDENTITY_COUNT; i-- > 0;)
        if (identities[i].key)
            write_metadata(&room.writer, identities[i].key, values[i]);
    write_metadata(&room.writer, "reason", admission->answer ? BYTES_LITERAL("OK") : BYTES_LITERAL("PUBLIC"));
    wire_writer_wrap(&room.writer, RESPONSE_DYNAMIC_METADATA, metadata);
    write_ok_response(&room.writer, admission, values);
    write_status(&room.writer, GRPC_CODE_OK, NULL);
    return finish(&room);
}
