#include <math.h>

#include "common/protobuf/field.h"
#include "common/protobuf/field_layout.h"
#include "common/protobuf/message.h"
#include "common/protobuf/protojson_kind.h"
#include "common/protobuf/protojson_name.h"
#include "common/protobuf/protojson_time.h"
#include "common/protobuf/protojson_types.h"
#include "common/protobuf/protojson_writer.h"
#include "common/protobuf/scan.h"

// ---- times and durations ----

typedef size_t span_format(struct protojson_span span, char ret_text[PROTOJSON_TIME_TEXT_MAX + 1]);

static void put_span(struct protojson_writer *writer, const ProtobufCMessage *message, span_format *format) {
    char text[PROTOJSON_TIME_TEXT_MAX + 1];
    struct protojson_span span = {field_get_integer(message, "seconds"),
                                  (int32_t)field_get_integer(message, "nanos")};
    size_t len = format(span, text);
    if (len == 0)
        protojson_fail(writer, STATUS_MALFORMED);
    protojson_put_string(writer, bytes_of(text, len));
}

// ---- field masks ----

static void put_mask(struct protojson_writer *writer, const ProtobufCMessage *message) {
    protojson_put(writer, "\"");
    for (size_t i = 0; i < field_get_count(message, "paths"); i++) {
        protojson_put(writer, i > 0 ? "," : "");
        struct bytes path = bytes_of_text(field_get_text_at(message, "paths", i));
        if (!protojson_name_put_camel_path(&writer->sink, path))
            protojson_fail(writer, STATUS_MALFORMED);
    }
    protojson_put(writer, "\"");
}

// ---- Value ----

// JSON has no NaN, and as a text it would come back as a text.
static bool is_without_json(const ProtobufCFieldDescriptor *member, const ProtobufCMessage *message) {
    return member->type == PROTOBUF_C_TYPE_DOUBLE &&
           !isfinite(*(const double *)field_layout_get_const(message, member));
}

static void put_any_json(struct protojson_writer *writer, const ProtobufCMessage *message) {
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const ProtobufCFieldDescriptor *member =
        protobuf_c_message_descriptor_get_field(type, field_layout_get_case(message, &type->fields[0]));
    if (!member || is_without_json(member, message))
        protojson_fail(writer, STATUS_MALFORMED);
    else
        protojson_put_field(writer, message, member);
}

// ---- Any ----

static void put_inner(struct protojson_writer *writer, const char *url, const ProtobufCMessage *inner) {
    bool is_plain = protojson_kind_of(inner->descriptor) == PROTOJSON_PLAIN;
    protojson_put(writer, "{\"@type\":");
    protojson_put_string(writer, bytes_of_text(url));
    if (is_plain) {
        protojson_put_fields(writer, inner, false);
    } else {
        protojson_put(writer, ",\"value\":");
        protojson_put_known(writer, inner);
    }
    protojson_put(writer, "}");
}

// What it holds has come from anywhere, and may hold another.
static void put_any(struct protojson_writer *writer, const ProtobufCMessage *message) {
    const char *url = field_get_text(message, "type_url"), *ignored;
    struct bytes value = field_get_bytes(message, "value");
    ProtobufCMessage *inner;
    if (!*url && value.len == 0) {
        protojson_put(writer, "{}");
        return;
    }
    const ProtobufCMessageDescriptor *type = protojson_types_find_url(writer->options->types, url);
    enum status status =
        type ? message_unpack(type, value, writer->arena, &inner, &ignored) : STATUS_MALFORMED;
    if (status != STATUS_OK) {
        protojson_fail(writer, status == STATUS_TOO_LARGE ? STATUS_NO_MEMORY : STATUS_MALFORMED);
        return;
    }
    if (++writer->depth > SCAN_DEPTH_MAX)
        protojson_fail(writer, STATUS_MALFORMED);
    else
        put_inner(writer, url, inner);
    writer->depth--;
}

void protojson_put_known(struct protojson_writer *writer, const ProtobufCMessage *message) {
    const ProtobufCMessageDescriptor *type = message->descriptor;
    switch (protojson_kind_of(type)) {
    case PROTOJSON_ONE_FIELD: protojson_put_field(writer, message, &type->fields[0]); return;
    case PROTOJSON_VALUE: put_any_json(writer, message); return;
    case PROTOJSON_TIME: put_span(writer, message, protojson_time_format); return;
    case PROTOJSON_DURATION: put_span(writer, message, protojson_time_format_duration); return;
    case PROTOJSON_FIELD_MASK: put_mask(writer, message); return;
    default: put_any(writer, message);
    }
}
