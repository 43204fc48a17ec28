// google.rpc.Status must fit what clients accept as trailers (8 KiB in all), so a long list of bad fields is
// halved until it does: the first fields matter most, and the message tells that there is more.
#include "common/grpc/status_details.h"

#include "common/grpc/percent.h"
#include "common/protobuf/base64.h"
#include "common/protobuf/message.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define TYPE_URL "type.googleapis.com/"

enum { DETAILS_MAX = 3, MESSAGE_BYTES_MAX = 1024 };

static bool add_detail(struct arena *arena, const ProtobufCMessage *detail, Google__Rpc__Status *status) {
    Google__Protobuf__Any *any = ARENA_NEW(arena, Google__Protobuf__Any);
    if (!any)
        return false;
    google__protobuf__any__init(any);
    any->type_url = arena_format(arena, TYPE_URL "%s", detail->descriptor->name);
    struct bytes packed = message_pack(detail, 0, arena);
    if (!any->type_url || !packed.data)
        return false;
    any->value = (ProtobufCBinaryData){packed.len, (uint8_t *)packed.data};
    status->details[status->n_details++] = any;
    return true;
}

static size_t count_details(const struct fault *fault) {
    size_t count = 0;
    for (const struct fault_detail *detail = fault->details; detail; detail = detail->next)
        count++;
    return count;
}

static bool add_error_info(const struct fault *fault, struct arena *arena, Google__Rpc__Status *status) {
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    info.reason = (char *)(fault->reason ? fault->reason : status_get_name(fault->status));
    info.domain = (char *)STATUS_DETAILS_DOMAIN;
    size_t count = count_details(fault);
    info.metadata = ARENA_NEW_ARRAY(arena, Google__Rpc__ErrorInfo__MetadataEntry *, count);
    Google__Rpc__ErrorInfo__MetadataEntry *entries =
        ARENA_NEW_ARRAY(arena, Google__Rpc__ErrorInfo__MetadataEntry, count);
    if (!info.metadata || !entries)
        return false;
    for (const struct fault_detail *detail = fault->details; detail; detail = detail->next) {
        Google__Rpc__ErrorInfo__MetadataEntry *entry = &entries[info.n_metadata];
        google__rpc__error_info__metadata_entry__init(entry);
        entry->key = (char *)detail->key;
        entry->value = (char *)detail->value;
        info.metadata[info.n_metadata++] = entry;
    }
    return add_detail(arena, &info.base, status);
}

static bool add_bad_request(const struct fault *fault, size_t fields_max, struct arena *arena,
                            Google__Rpc__Status *status) {
    if (!fault->fields || fields_max == 0)
        return true;
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
    bad.field_violations = ARENA_NEW_ARRAY(arena, Google__Rpc__BadRequest__FieldViolation *, fields_max);
    Google__Rpc__BadRequest__FieldViolation *violations =
        ARENA_NEW_ARRAY(arena, Google__Rpc__BadRequest__FieldViolation, fields_max);
    if (!bad.field_violations || !violations)
        return false;
    for (const struct fault_field *field = fault->fields; field && bad.n_field_violations < fields_max;
         field = field->next) {
        Google__Rpc__BadRequest__FieldViolation *violation = &violations[bad.n_field_violations];
        google__rpc__bad_request__field_violation__init(violation);
        violation->field = (char *)field->field;
        violation->description = (char *)field->description;
        bad.field_violations[bad.n_field_violations++] = violation;
    }
    return add_detail(arena, &bad.base, status);
}

static bool add_retry_info(const struct fault *fault, struct arena *arena, Google__Rpc__Status *status) {
    if (fault->retry_after_ms == 0)
        return true;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    delay.seconds = fault->retry_after_ms / 1000;
    delay.nanos = (int32_t)(fault->retry_after_ms % 1000) * 1000000;
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
    retry.retry_delay = &delay;
    return add_detail(arena, &retry.base, status);
}

// NULL when out of memory.
static Google__Rpc__Status *new_status(const struct fault *fault, const char *text, size_t fields_max,
                                       struct arena *arena) {
    Google__Rpc__Status *status = ARENA_NEW(arena, Google__Rpc__Status);
    if (!status)
        return NULL;
    google__rpc__status__init(status);
    status->code = (int32_t)grpc_code_from_status(fault->status);
    status->message = (char *)text;
    status->details = ARENA_NEW_ARRAY(arena, Google__Protobuf__Any *, DETAILS_MAX);
    bool is_whole = status->details && add_error_info(fault, arena, status) &&
                    add_bad_request(fault, fields_max, arena, status) && add_retry_info(fault, arena, status);
    return is_whole ? status : NULL;
}

// Left out when out of memory.
static void encode(const Google__Rpc__Status *status, struct arena *arena,
                   struct status_details *ret_details) {
    struct bytes packed = status ? message_pack(&status->base, 0, arena) : BYTES_EMPTY;
    ret_details->details = packed.data ? base64_encode(arena, packed) : BYTES_EMPTY;
    ret_details->status = ret_details->details.data ? &status->base : NULL;
}

// A sentence that was lengthened by its encoding takes from the details' room.
static bool is_within_limit(const struct status_details *details) {
    size_t len = details->message.len;
    size_t excess = len > MESSAGE_BYTES_MAX ? len - MESSAGE_BYTES_MAX : 0;
    return details->details.len + excess <= STATUS_DETAILS_BYTES_MAX;
}

void status_details_strip(struct status_details *details) {
    details->details = BYTES_EMPTY;
    details->status = NULL;
}

static void drop_too_large(struct status_details *details) {
    if (!is_within_limit(details))
        status_details_strip(details);
}

static void encode_within_limit(const struct fault *fault, const char *text, struct arena *arena,
                                struct status_details *ret_details) {
    encode(new_status(fault, text, fault->field_count, arena), arena, ret_details);
    for (size_t fields = fault->field_count / 2; !is_within_limit(ret_details); fields /= 2) {
        encode(new_status(fault, text, fields, arena), arena, ret_details);
        if (fields == 0)
            break;
    }
    drop_too_large(ret_details);
}

// Bad fields without a sentence of their own: the first of them, and how many more there are.
static const char *choose_text(const struct fault *fault, struct arena *arena) {
    if (fault->message)
        return fault->message;
    const struct fault_field *first = fault->fields;
    if (fault->status != STATUS_INVALID || !first)
        return status_get_text(fault->status);
    uint32_t others = fault->field_count - 1;
    const char *text = others ? arena_format(arena, "%s: %s (and %u more bad field%s)", first->field,
                                             first->description, others, others == 1 ? "" : "s")
                              : arena_format(arena, "%s: %s", first->field, first->description);
    return text ? text : status_get_text(fault->status);
}

// Cut between code points.
static struct bytes shorten(struct bytes text) {
    if (text.len <= MESSAGE_BYTES_MAX)
        return text;
    text.len = MESSAGE_BYTES_MAX;
    while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

static void set_text(struct status_details *details, const char *text, struct arena *arena) {
    details->text = shorten(bytes_of_text(text));
    details->message = percent_encode(arena, details->text);
}

void status_details_encode(const struct fault *fault, struct arena *arena,
                           struct status_details *ret_details) {
    *ret_details = (struct status_details){.code = GRPC_CODE_OK};
    if (!fault || fault->status == STATUS_OK)
        return;
    set_text(ret_details, choose_text(fault, arena), arena);
    const char *terminated = arena_copy_bytes(arena, ret_details->text);
    ret_details->code = grpc_code_from_status(fault->status);
    ret_details->has_retry = fault->retry_after_ms != 0;
    ret_details->retry_after_ms = fault->retry_after_ms;
    if (terminated)
        encode_within_limit(fault, terminated, arena, ret_details);
}

void status_details_encode_message(const ProtobufCMessage *message, struct arena *arena,
                                   struct status_details *ret_details) {
    const Google__Rpc__Status *status = (const Google__Rpc__Status *)message;
    bool is_known = status->code > GRPC_CODE_OK && status->code < GRPC_CODE_COUNT;
    *ret_details =
        (struct status_details){.code = is_known ? (enum grpc_code)status->code : GRPC_CODE_UNKNOWN};
    const char *text = arena_copy_text(arena, status->message);
    set_text(ret_details, text ? text : "", arena);
    encode(status, arena, ret_details);
    drop_too_large(ret_details);
}

ProtobufCMessage *status_details_new_message(const struct fault *fault, struct arena *arena) {
    Google__Rpc__Status *status = new_status(fault, choose_text(fault, arena), fault->field_count, arena);
    return status ? &status->base : NULL;
}
