// google.rpc.Status back into a fault. ErrorInfo, BadRequest and RetryInfo are read; other details are passed
// over.
#include "common/grpc_client/client_status.h"

#include <limits.h>

#include "common/grpc/percent.h"
#include "common/grpc/status_code.h"
#include "common/protobuf/base64.h"
#include "common/protobuf/field.h"
#include "common/protobuf/message.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define TYPE_URL_PREFIX "type.googleapis.com/"
#define METADATA_MAX 32
#define VIOLATIONS_MAX 1000
#define RETRY_AFTER_MAX_MS UINT32_MAX

struct details {
    const ProtobufCMessage *error_info;
    const ProtobufCMessage *bad_request;
    const ProtobufCMessage *retry_info;
};

// The message inside of a google.protobuf.Any if it is of the type, else NULL.
static const ProtobufCMessage *unwrap(const ProtobufCMessage *any, const ProtobufCMessageDescriptor *type,
                                      struct arena *arena) {
    struct bytes url = bytes_of_text(field_get_text(any, "type_url"));
    struct bytes prefix = BYTES_LITERAL(TYPE_URL_PREFIX);
    if (!bytes_has_prefix(url, prefix) ||
        !bytes_is_text(bytes_of(url.data + prefix.len, url.len - prefix.len), type->name))
        return NULL;
    ProtobufCMessage *message;
    const char *why;
    if (message_unpack(type, field_get_bytes(any, "value"), arena, &message, &why) != STATUS_OK)
        return NULL;
    return message;
}

static struct details read_details(struct bytes base64, struct arena *arena) {
    struct details found = {0};
    struct bytes packed;
    ProtobufCMessage *status;
    const char *why;
    if (base64_decode(arena, base64, &packed) != STATUS_OK ||
        message_unpack(&google__rpc__status__descriptor, packed, arena, &status, &why) != STATUS_OK)
        return found;
    for (size_t i = 0; i < field_get_count(status, "details"); i++) {
        const ProtobufCMessage *any = field_get_message_at(status, "details", i);
        if (!found.error_info)
            found.error_info = unwrap(any, &google__rpc__error_info__descriptor, arena);
        if (!found.bad_request)
            found.bad_request = unwrap(any, &google__rpc__bad_request__descriptor, arena);
        if (!found.retry_info)
            found.retry_info = unwrap(any, &google__rpc__retry_info__descriptor, arena);
    }
    return found;
}

// The domain's own name for what happened; where the peer gave none, the code's.
static const char *get_reason(const struct details *details, unsigned code) {
    const char *reason = details->error_info ? field_get_text(details->error_info, "reason") : "";
    if (reason[0])
        return reason;
    return code < GRPC_CODE_COUNT ? grpc_code_get_name((enum grpc_code)code) : "UNKNOWN";
}

// Two statuses share UNAVAILABLE on the wire; the reason tells them apart.
static enum status get_status(unsigned code, const char *reason) {
    if (code == GRPC_CODE_UNAVAILABLE && bytes_is_text(BYTES_LITERAL("OUTCOME_UNKNOWN"), reason))
        return STATUS_OUTCOME_UNKNOWN;
    return grpc_code_to_status(code);
}

static void add_metadata(struct fault *fault, const ProtobufCMessage *error_info) {
    size_t count = field_get_count(error_info, "metadata");
    for (size_t i = 0; i < count && i < METADATA_MAX; i++) {
        const ProtobufCMessage *pair = field_get_message_at(error_info, "metadata", i);
        fault_add_detail(fault, field_get_text(pair, "key"), "%s", field_get_text(pair, "value"));
    }
}

static void add_fields(struct fault *fault, const ProtobufCMessage *bad_request) {
    size_t count = field_get_count(bad_request, "field_violations");
    for (size_t i = 0; i < count && i < VIOLATIONS_MAX; i++) {
        const ProtobufCMessage *violation = field_get_message_at(bad_request, "field_violations", i);
        fault_add_field(fault, field_get_text(violation, "field"), "%s",
                        field_get_text(violation, "description"));
    }
}

static void set_retry(struct fault *fault, const ProtobufCMessage *retry_info) {
    int64_t ms = field_get_duration_ms(retry_info, "retry_delay");
    if (ms > 0)
        fault_set_retry_after_ms(fault, ms > RETRY_AFTER_MAX_MS ? UINT32_MAX : (uint32_t)ms);
}

enum status client_status_decode(unsigned code, struct bytes message, struct bytes details,
                                 struct fault *fault) {
    struct details found = read_details(details, fault->arena);
    const char *reason = get_reason(&found, code);
    struct bytes text = percent_decode(fault->arena, message);
    if (text.len > INT_MAX)
        text.len = INT_MAX;
    enum status status = fault_set(fault, get_status(code, reason), reason, "%.*s", BYTES_FORMAT(text));
    if (found.error_info)
        add_metadata(fault, found.error_info);
    if (found.bad_request)
        add_fields(fault, found.bad_request);
    if (found.retry_info)
        set_retry(fault, found.retry_info);
    return status;
}
