// Writing: the message is walked along its descriptor, once to measure and once to write.
#include "common/protobuf/field_layout.h"
#include "common/protobuf/protojson_kind.h"
#include "common/protobuf/protojson_name.h"
#include "common/protobuf/protojson_writer.h"
#include "common/protobuf/scan.h"

void protojson_fail(struct protojson_writer *writer, enum status status) {
    if (writer->status == STATUS_OK)
        writer->status = status;
}

void protojson_put(struct protojson_writer *writer, const char *text) {
    protojson_sink_put(&writer->sink, bytes_of_text(text));
}

static void put_message(struct protojson_writer *writer, const ProtobufCMessage *message);

// A single member, or an element of a list, at `at`.
static void put_value(struct protojson_writer *writer, const ProtobufCFieldDescriptor *field,
                      const void *at) {
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        put_message(writer, *(const ProtobufCMessage *const *)at);
    else
        protojson_put_scalar(writer, field, at);
}

static const char *get_elements(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return *(const char *const *)field_layout_get_const(message, field);
}

static void put_list(struct protojson_writer *writer, const ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field) {
    size_t size = field_layout_get_element_size(field->type);
    protojson_put(writer, "[");
    for (size_t i = 0; i < field_layout_get_count(message, field); i++) {
        protojson_put(writer, i > 0 ? "," : "");
        put_value(writer, field, get_elements(message, field) + i * size);
    }
    protojson_put(writer, "]");
}

// Keys are texts in JSON, whatever their type.
static void put_key(struct protojson_writer *writer, const ProtobufCFieldDescriptor *field, const void *at) {
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        protojson_put_scalar(writer, field, at);
        return;
    }
    protojson_put(writer, "\"");
    protojson_put_bare(writer, field->type, at);
    protojson_put(writer, "\"");
}

// A key that is there twice is written twice: the last one counts, here as on the wire.
static void put_map(struct protojson_writer *writer, const ProtobufCMessage *message,
                    const ProtobufCFieldDescriptor *field) {
    const ProtobufCMessageDescriptor *type = field->descriptor;
    const ProtobufCMessage *const *pairs = (const void *)get_elements(message, field);
    protojson_put(writer, "{");
    for (size_t i = 0; i < field_layout_get_count(message, field); i++) {
        protojson_put(writer, i > 0 ? "," : "");
        put_key(writer, &type->fields[0], field_layout_get_const(pairs[i], &type->fields[0]));
        protojson_put(writer, ":");
        put_value(writer, &type->fields[1], field_layout_get_const(pairs[i], &type->fields[1]));
    }
    protojson_put(writer, "}");
}

void protojson_put_field(struct protojson_writer *writer, const ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field) {
    if (field_layout_is_map(field))
        put_map(writer, message, field);
    else if (field_layout_is_repeated(field))
        put_list(writer, message, field);
    else
        put_value(writer, field, field_layout_get_const(message, field));
}

// ---- which fields are there ----

static bool is_empty(const ProtobufCFieldDescriptor *field, const void *at) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: return !*(const char *const *)at || !**(const char *const *)at;
    case PROTOBUF_C_TYPE_BYTES: return ((const ProtobufCBinaryData *)at)->len == 0;
    case PROTOBUF_C_TYPE_FLOAT: return *(const float *)at == 0;
    case PROTOBUF_C_TYPE_DOUBLE: return *(const double *)at == 0;
    default: return field_layout_read_integer(at, field->type) == 0;
    }
}

static bool is_present(const struct protojson_writer *writer, const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field) {
    const void *at = field_layout_get_const(message, field);
    if (field_layout_is_repeated(field))
        return writer->options->empty_fields || field_layout_get_count(message, field) > 0;
    if (field_layout_is_in_oneof(field))
        return field_layout_get_case(message, field) == field->id;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(const void *const *)at != NULL;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        return field_layout_is_set(message, field);
    return writer->options->empty_fields || !is_empty(field, at);
}

static void put_name(struct protojson_writer *writer, const char *declared) {
    protojson_put(writer, "\"");
    if (writer->options->declared_names)
        protojson_put(writer, declared);
    else
        protojson_name_put_camel(&writer->sink, declared);
    protojson_put(writer, "\":");
}

void protojson_put_fields(struct protojson_writer *writer, const ProtobufCMessage *message, bool is_first) {
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; i < type->n_fields && writer->status == STATUS_OK; i++) {
        if (!is_present(writer, message, &type->fields[i]))
            continue;
        protojson_put(writer, is_first ? "" : ",");
        is_first = false;
        put_name(writer, type->fields[i].name);
        protojson_put_field(writer, message, &type->fields[i]);
    }
}

static bool is_plain(const struct protojson_writer *writer, const ProtobufCMessageDescriptor *type) {
    enum protojson_kind kind = protojson_kind_of(type);
    return kind == PROTOJSON_PLAIN || (kind == PROTOJSON_ANY && writer->options->opaque_any);
}

static void put_message(struct protojson_writer *writer, const ProtobufCMessage *message) {
    if (++writer->depth > SCAN_DEPTH_MAX) {
        protojson_fail(writer, STATUS_MALFORMED);
    } else if (is_plain(writer, message->descriptor)) {
        protojson_put(writer, "{");
        protojson_put_fields(writer, message, true);
        protojson_put(writer, "}");
    } else {
        protojson_put_known(writer, message);
    }
    writer->depth--;
}

// ---- public ----

enum status protojson_pack(const ProtobufCMessage *message, const struct protojson_options *options,
                           size_t headroom, struct arena *arena, struct bytes *ret_bytes) {
    struct protojson_writer measure = {.options = options, .arena = arena};
    struct protojson_writer write = {.options = options, .arena = arena};
    put_message(&measure, message);
    if (measure.status != STATUS_OK)
        return measure.status;
    uint8_t *memory = arena_allocate(arena, headroom + measure.sink.len);
    if (!memory)
        return STATUS_NO_MEMORY;
    write.sink.to = memory + headroom;
    put_message(&write, message);
    if (write.status != STATUS_OK)
        return write.status;
    *ret_bytes = bytes_of(memory, headroom + write.sink.len);
    return STATUS_OK;
}
