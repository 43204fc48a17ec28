#include "common/grpc/connect_error.h"

#include "common/protobuf/base64.h"
#include "common/protobuf/message.h"
#include "common/protobuf/protojson_types.h"
#include "google/rpc/status.pb-c.h"

enum { DEBUG_BYTES_MAX = 1024 * 1024 };

static const struct row {
    const char *name, *http_status;
} rows[GRPC_CODE_COUNT] = {
    [GRPC_CODE_OK] = {"", "200"},
    [GRPC_CODE_CANCELLED] = {"canceled", "499"},
    [GRPC_CODE_UNKNOWN] = {"unknown", "500"},
    [GRPC_CODE_INVALID_ARGUMENT] = {"invalid_argument", "400"},
    [GRPC_CODE_DEADLINE_EXCEEDED] = {"deadline_exceeded", "504"},
    [GRPC_CODE_NOT_FOUND] = {"not_found", "404"},
    [GRPC_CODE_ALREADY_EXISTS] = {"already_exists", "409"},
    [GRPC_CODE_PERMISSION_DENIED] = {"permission_denied", "403"},
    [GRPC_CODE_RESOURCE_EXHAUSTED] = {"resource_exhausted", "429"},
    [GRPC_CODE_FAILED_PRECONDITION] = {"failed_precondition", "400"},
    [GRPC_CODE_ABORTED] = {"aborted", "409"},
    [GRPC_CODE_OUT_OF_RANGE] = {"out_of_range", "400"},
    [GRPC_CODE_UNIMPLEMENTED] = {"unimplemented", "501"},
    [GRPC_CODE_INTERNAL] = {"internal", "500"},
    [GRPC_CODE_UNAVAILABLE] = {"unavailable", "503"},
    [GRPC_CODE_DATA_LOSS] = {"data_loss", "500"},
    [GRPC_CODE_UNAUTHENTICATED] = {"unauthenticated", "401"},
};

struct bytes connect_error_get_http_status(enum grpc_code code) {
    return bytes_of_text(rows[code].http_status);
}

static struct bytes without_prefix(const char *type_url) {
    const char *slash = strrchr(type_url, '/');
    return bytes_of_text(slash ? slash + 1 : type_url);
}

// Left out where it cannot be had: "value" says the same.
static void append_debug(struct buffer *text, const Google__Protobuf__Any *detail,
                         const struct protojson_options *json, struct arena *arena) {
    const ProtobufCMessageDescriptor *type = protojson_types_find_url(json->types, detail->type_url);
    ProtobufCMessage *message;
    const char *why;
    struct bytes readable;
    if (!type ||
        message_unpack(type, bytes_of(detail->value.data, detail->value.len), arena, &message, &why) !=
            STATUS_OK ||
        protojson_pack(message, json, 0, arena, &readable) != STATUS_OK)
        return;
    buffer_append_text(text, ",\"debug\":");
    buffer_append(text, readable);
}

static void append_detail(struct buffer *text, const Google__Protobuf__Any *detail,
                          const struct protojson_options *json, struct arena *arena) {
    struct bytes value = base64_encode(arena, bytes_of(detail->value.data, detail->value.len));
    buffer_append_text(text, "{\"type\":");
    buffer_append_json(text, without_prefix(detail->type_url));
    buffer_append_text(text, ",\"value\":");
    buffer_append_json(text, value);
    append_debug(text, detail, json, arena);
    buffer_append_text(text, "}");
}

static void append_details(struct buffer *text, const Google__Rpc__Status *status,
                           const struct protojson_options *json) {
    struct arena arena;
    arena_init(&arena, DEBUG_BYTES_MAX);
    buffer_append_text(text, ",\"details\":[");
    for (size_t i = 0; i < status->n_details; i++) {
        buffer_append_text(text, i > 0 ? "," : "");
        append_detail(text, status->details[i], json, &arena);
    }
    buffer_append_text(text, "]");
    arena_fini(&arena);
}

void connect_error_append(struct buffer *text, const struct status_details *details,
                          const struct protojson_options *json) {
    const Google__Rpc__Status *status = (const Google__Rpc__Status *)details->status;
    buffer_append_text(text, "{\"code\":");
    buffer_append_json(text, bytes_of_text(rows[details->code].name));
    if (details->text.len > 0 && bytes_is_utf8(details->text)) {
        buffer_append_text(text, ",\"message\":");
        buffer_append_json(text, details->text);
    }
    if (status && status->n_details > 0)
        append_details(text, status, json);
    buffer_append_text(text, "}");
}
