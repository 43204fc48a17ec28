// The types of protobuf's own that have a JSON of their own. Their members are found by name: who generates
// them is not known here.

#include "common/protobuf/field.h"
#include "common/protobuf/field_layout.h"
#include "common/protobuf/message.h"
#include "common/protobuf/protojson_kind.h"
#include "common/protobuf/protojson_name.h"
#include "common/protobuf/protojson_reader.h"
#include "common/protobuf/protojson_text.h"
#include "common/protobuf/protojson_time.h"
#include "common/protobuf/protojson_types.h"

static struct bytes get_string(const json_t *value) {
    return bytes_of(json_string_value(value), json_string_length(value));
}

// ---- times and durations ----

static enum status count_two_fields(struct protojson_reader *reader) {
    enum status status = protojson_count_field(reader);
    return status == STATUS_OK ? protojson_count_field(reader) : status;
}

static enum status set_span(struct protojson_reader *reader, struct protojson_span span,
                            ProtobufCMessage *message) {
    enum status status = count_two_fields(reader);
    if (status == STATUS_OK)
        status = field_set_integer(message, "seconds", span.seconds);
    return status == STATUS_OK ? field_set_integer(message, "nanos", span.nanos) : status;
}

static enum status read_time(struct protojson_reader *reader, const struct protojson_place *place,
                             const json_t *value, ProtobufCMessage *message) {
    struct protojson_span time;
    if (!protojson_text_is_string(value) || !protojson_time_parse(get_string(value), &time))
        return protojson_refuse(reader, place, "%s is not a time; type one like 2026-11-26T07:00:00Z",
                                protojson_quote(reader, value));
    return set_span(reader, time, message);
}

static enum status read_duration(struct protojson_reader *reader, const struct protojson_place *place,
                                 const json_t *value, ProtobufCMessage *message) {
    struct protojson_span duration;
    if (!protojson_text_is_string(value) || !protojson_time_parse_duration(get_string(value), &duration))
        return protojson_refuse(reader, place, "%s is not a duration; type seconds like 90s or 1.5s",
                                protojson_quote(reader, value));
    return set_span(reader, duration, message);
}

// ---- field masks ----

// NULL for a path that is none; `*ret_status` is then MALFORMED or NO_MEMORY.
static char *new_snake_path(struct protojson_reader *reader, struct bytes path, enum status *ret_status) {
    struct protojson_sink sink = {0};
    *ret_status = STATUS_MALFORMED;
    if (!protojson_name_put_snake_path(&sink, path))
        return NULL;
    *ret_status = STATUS_NO_MEMORY;
    char *text = arena_allocate(reader->arena, sink.len + 1);
    if (!text)
        return NULL;
    text[sink.len] = '\0';
    sink = (struct protojson_sink){.to = (uint8_t *)text};
    *ret_status = protojson_name_put_snake_path(&sink, path) ? STATUS_OK : STATUS_MALFORMED;
    return text;
}

static size_t count_paths(struct bytes list) {
    size_t count = list.len > 0;
    for (size_t i = 0; i < list.len; i++)
        count += list.data[i] == ',';
    return count;
}

static enum status read_paths(struct protojson_reader *reader, const struct protojson_place *place,
                              struct bytes list, ProtobufCMessage *message) {
    size_t count = count_paths(list);
    char **paths = ARENA_NEW_ARRAY(reader->arena, char *, count);
    if (!paths)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct bytes path = bytes_split(&list, ',');
        enum status status = protojson_count_field(reader);
        if (status != STATUS_OK)
            return status;
        paths[i] = new_snake_path(reader, path, &status);
        if (status == STATUS_MALFORMED)
            return protojson_refuse(reader, place, "%s names no field; type names like label,expiresAt",
                                    protojson_quote_text(reader, path));
        if (status != STATUS_OK)
            return status;
    }
    field_layout_set_list(message, &message->descriptor->fields[0], paths, count);
    return STATUS_OK;
}

static enum status read_mask(struct protojson_reader *reader, const struct protojson_place *place,
                             const json_t *value, ProtobufCMessage *message) {
    if (!protojson_text_is_string(value))
        return protojson_refuse(reader, place, "%s is not a text of names like label,expiresAt",
                                protojson_quote(reader, value));
    return read_paths(reader, place, get_string(value), message);
}

// ---- Value ----

static const char *get_member_for(const json_t *value) {
    if (protojson_text_find_number(value))
        return "number_value";
    switch (json_typeof(value)) {
    case JSON_NULL: return "null_value";
    case JSON_OBJECT: return "struct_value";
    case JSON_ARRAY: return "list_value";
    case JSON_STRING: return "string_value";
    default: return "bool_value";
    }
}

static enum status read_any_json(struct protojson_reader *reader, const struct protojson_place *place,
                                 json_t *value, ProtobufCMessage *message) {
    const ProtobufCFieldDescriptor *member =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, get_member_for(value));
    return protojson_read_field(reader, place, value, member, message);
}

// ---- Any ----

static enum status refuse_more_than_value(struct protojson_reader *reader,
                                          const struct protojson_place *place, const json_t *object) {
    if (json_object_size(object) <= 2 || reader->options->ignore_unknown)
        return STATUS_OK;
    return protojson_refuse(reader, place, "a type with a JSON of its own has \"@type\" and \"value\" only");
}

static enum status read_beside_type(struct protojson_reader *reader, const struct protojson_place *place,
                                    json_t *object, const ProtobufCMessageDescriptor *type,
                                    ProtobufCMessage **ret_inner) {
    enum status status = protojson_enter(reader);
    if (status != STATUS_OK)
        return status;
    ProtobufCMessage *inner = field_new_message(reader->arena, type);
    if (!inner)
        return STATUS_NO_MEMORY;
    status = protojson_read_fields(reader, place, object, "@type", inner);
    if (status == STATUS_OK)
        *ret_inner = inner;
    reader->depth--;
    return status;
}

// A type with a JSON of its own stands in "value"; another's fields stand beside "@type". Of Empty both are
// written, by one library or the other.
static enum status read_inner(struct protojson_reader *reader, const struct protojson_place *place,
                              json_t *object, const ProtobufCMessageDescriptor *type,
                              ProtobufCMessage **ret_inner) {
    json_t *value = json_object_get(object, "value");
    bool is_empty = type->n_fields == 0 && value;
    if (protojson_kind_of(type) == PROTOJSON_PLAIN && !is_empty)
        return read_beside_type(reader, place, object, type, ret_inner);
    if (!value)
        return protojson_refuse(reader, place, "there is a \"@type\" but no \"value\" of that type");
    enum status status = refuse_more_than_value(reader, place, object);
    struct protojson_place inner = {place, PROTOJSON_PLACE_FIELD, .name = "value"};
    return status == STATUS_OK ? protojson_read_message(reader, &inner, value, type, ret_inner) : status;
}

static enum status read_any(struct protojson_reader *reader, const struct protojson_place *place,
                            json_t *object, ProtobufCMessage *message) {
    if (!json_is_object(object))
        return protojson_refuse(reader, place, "%s is not an object with an \"@type\"",
                                protojson_quote(reader, object));
    if (json_object_size(object) == 0)
        return STATUS_OK;
    const json_t *url = json_object_get(object, "@type");
    if (!url || !protojson_text_is_string(url))
        return protojson_refuse(reader, place, "there is no \"@type\" that is a text");
    const ProtobufCMessageDescriptor *type =
        protojson_types_find_url(reader->options->types, json_string_value(url));
    if (!type)
        return protojson_refuse(reader, place, "the type %s is not known", protojson_quote(reader, url));
    ProtobufCMessage *inner;
    enum status status = count_two_fields(reader);
    if (status == STATUS_OK)
        status = read_inner(reader, place, object, type, &inner);
    if (status != STATUS_OK)
        return status;
    struct bytes packed = message_pack(inner, 0, reader->arena);
    if (!packed.data)
        return STATUS_NO_MEMORY;
    status = field_set_text(reader->arena, message, "type_url", json_string_value(url));
    return status == STATUS_OK ? field_set_bytes(reader->arena, message, "value", packed) : status;
}

// ---- all ----

enum status protojson_read_known(struct protojson_reader *reader, const struct protojson_place *place,
                                 json_t *value, ProtobufCMessage *message) {
    switch (protojson_kind_of(message->descriptor)) {
    case PROTOJSON_ONE_FIELD:
        return protojson_read_field(reader, place, value, &message->descriptor->fields[0], message);
    case PROTOJSON_VALUE: return read_any_json(reader, place, value, message);
    case PROTOJSON_TIME: return read_time(reader, place, value, message);
    case PROTOJSON_DURATION: return read_duration(reader, place, value, message);
    case PROTOJSON_FIELD_MASK: return read_mask(reader, place, value, message);
    default: return read_any(reader, place, value, message);
    }
}
