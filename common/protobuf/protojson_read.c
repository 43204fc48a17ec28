// Reading: the tree is walked along the descriptor, and each value becomes a member in the arena.
#include <string.h>

#include "common/protobuf/field.h"
#include "common/protobuf/field_layout.h"
#include "common/protobuf/protojson_kind.h"
#include "common/protobuf/protojson_name.h"
#include "common/protobuf/protojson_reader.h"
#include "common/protobuf/protojson_text.h"
#include "common/protobuf/scan.h"

// ---- one value, a list, a map ----

static enum status read_value(struct protojson_reader *reader, const struct protojson_place *place,
                              json_t *value, const ProtobufCFieldDescriptor *field, void *at) {
    enum status status = protojson_count_field(reader);
    if (status != STATUS_OK)
        return status;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return protojson_read_message(reader, place, value, field->descriptor, at);
    return protojson_read_scalar(reader, place, value, field, at);
}

static enum status read_list(struct protojson_reader *reader, const struct protojson_place *place,
                             json_t *list, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message) {
    if (!json_is_array(list))
        return protojson_refuse(reader, place, "%s is not a list, which stands in [ and ]",
                                protojson_quote(reader, list));
    size_t size = field_layout_get_element_size(field->type), count = 0;
    char *elements = arena_allocate_array(reader->arena, json_array_size(list), size);
    if (!elements)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct protojson_place inner = {place, PROTOJSON_PLACE_ELEMENT, .index = i};
        json_t *value = json_array_get(list, i);
        if (json_is_null(value) && !protojson_kind_takes_null(field))
            return protojson_refuse(reader, &inner, "null is no element of a list");
        enum status status = read_value(reader, &inner, value, field, elements + count * size);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        count += status == STATUS_OK;
    }
    field_layout_set_list(message, field, elements, count);
    return STATUS_OK;
}

static enum status read_pair(struct protojson_reader *reader, const struct protojson_place *place,
                             json_t *value, const ProtobufCMessageDescriptor *type,
                             ProtobufCMessage **ret_pair) {
    const ProtobufCFieldDescriptor *fields = type->fields;
    ProtobufCMessage *pair = field_new_message(reader->arena, type);
    if (!pair)
        return STATUS_NO_MEMORY;
    if (json_is_null(value) && !protojson_kind_takes_null(&fields[1]))
        return protojson_refuse(reader, place, "null is no value of a map");
    enum status status = protojson_count_field(reader);
    if (status == STATUS_OK)
        status = protojson_count_field(reader); // the pair, and its key
    if (status == STATUS_OK)
        status =
            protojson_read_key(reader, place, place->name, &fields[0], field_layout_get(pair, &fields[0]));
    if (status == STATUS_OK)
        status = read_value(reader, place, value, &fields[1], field_layout_get(pair, &fields[1]));
    if (status == STATUS_OK)
        *ret_pair = pair;
    return status;
}

static enum status read_map(struct protojson_reader *reader, const struct protojson_place *place,
                            json_t *object, const ProtobufCFieldDescriptor *field,
                            ProtobufCMessage *message) {
    if (!json_is_object(object))
        return protojson_refuse(reader, place, "%s is not an object, which stands in { and }",
                                protojson_quote(reader, object));
    ProtobufCMessage **pairs = ARENA_NEW_ARRAY(reader->arena, ProtobufCMessage *, json_object_size(object));
    enum status status = pairs ? protojson_enter(reader) : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach(object, key, value) {
        struct protojson_place inner = {place, PROTOJSON_PLACE_KEY, .name = key};
        status = read_pair(reader, &inner, value, field->descriptor, &pairs[count]);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        count += status == STATUS_OK;
    }
    reader->depth--;
    field_layout_set_list(message, field, pairs, count);
    return STATUS_OK;
}

// ---- fields ----

static enum status refuse_second_of_oneof(struct protojson_reader *reader,
                                          const struct protojson_place *place,
                                          const ProtobufCFieldDescriptor *field,
                                          const ProtobufCMessage *message) {
    const ProtobufCFieldDescriptor *other =
        protobuf_c_message_descriptor_get_field(message->descriptor, field_layout_get_case(message, field));
    const char *name = protojson_name_to_camel(reader->arena, other->name);
    return protojson_refuse(reader, place, "only one of \"%s\" and this may be set",
                            name ? name : other->name);
}

enum status protojson_read_field(struct protojson_reader *reader, const struct protojson_place *place,
                                 json_t *value, const ProtobufCFieldDescriptor *field,
                                 ProtobufCMessage *message) {
    bool is_repeated = field_layout_is_repeated(field);
    if (json_is_null(value) && (is_repeated || !protojson_kind_takes_null(field)))
        return STATUS_OK;
    if (field_layout_is_map(field))
        return read_map(reader, place, value, field, message);
    if (is_repeated)
        return read_list(reader, place, value, field, message);
    if (field_layout_is_in_oneof(field) && field_layout_get_case(message, field) != 0)
        return refuse_second_of_oneof(reader, place, field, message);
    enum status status = read_value(reader, place, value, field, field_layout_get(message, field));
    if (status == STATUS_OK)
        field_layout_mark_as_set(message, field);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

// By the name that JSON has for it, or the contract's own.
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type, const char *key) {
    for (unsigned i = 0; i < type->n_fields; i++)
        if (protojson_name_is_camel_of(key, type->fields[i].name))
            return &type->fields[i];
    return protobuf_c_message_descriptor_get_field_by_name(type, key);
}

static enum status refuse_unknown(struct protojson_reader *reader, const struct protojson_place *place,
                                  const char *key, const ProtobufCMessageDescriptor *type) {
    const char **names = ARENA_NEW_ARRAY(reader->arena, const char *, type->n_fields);
    for (unsigned i = 0; names && i < type->n_fields; i++) {
        const char *name = protojson_name_to_camel(reader->arena, type->fields[i].name);
        names[i] = name ? name : type->fields[i].name;
    }
    return protojson_refuse(reader, place, "there is no field %s%s",
                            protojson_quote_text(reader, bytes_of_text(key)),
                            protojson_suggest(reader, key, names, names ? type->n_fields : 0));
}

// The library has seen to it that no key is there twice, but a field has two names.
static bool is_there_twice(const json_t *object, const char *key, const ProtobufCFieldDescriptor *field) {
    return strcmp(key, field->name) != 0 && json_object_get(object, field->name);
}

enum status protojson_read_fields(struct protojson_reader *reader, const struct protojson_place *place,
                                  json_t *object, const char *passed_over, ProtobufCMessage *message) {
    if (!json_is_object(object))
        return protojson_refuse(reader, place, "%s is not an object, which stands in { and }",
                                protojson_quote(reader, object));
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        const ProtobufCFieldDescriptor *field = find_field(message->descriptor, key);
        struct protojson_place inner = {place, PROTOJSON_PLACE_FIELD, .name = key};
        if (passed_over && strcmp(key, passed_over) == 0)
            continue;
        if (!field && !reader->options->ignore_unknown)
            return refuse_unknown(reader, place, key, message->descriptor);
        if (!field)
            continue;
        if (is_there_twice(object, key, field))
            return protojson_refuse(reader, &inner, "it is there twice, also as \"%s\"", field->name);
        enum status status = protojson_read_field(reader, &inner, value, field, message);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status protojson_read_message(struct protojson_reader *reader, const struct protojson_place *place,
                                   json_t *value, const ProtobufCMessageDescriptor *type,
                                   ProtobufCMessage **ret_message) {
    enum status status = protojson_enter(reader);
    if (status != STATUS_OK)
        return status;
    ProtobufCMessage *message = field_new_message(reader->arena, type);
    if (!message)
        return STATUS_NO_MEMORY;
    status = protojson_kind_of(type) == PROTOJSON_PLAIN
                 ? protojson_read_fields(reader, place, value, NULL, message)
                 : protojson_read_known(reader, place, value, message);
    if (status != STATUS_OK)
        return status;
    reader->depth--;
    *ret_message = message;
    return STATUS_OK;
}

// ---- public ----

enum status protojson_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes text,
                             const struct protojson_options *options, struct arena *arena,
                             ProtobufCMessage **ret_message, const char **ret_text) {
    struct protojson_reader reader = {.options = options, .arena = arena};
    json_t *tree = NULL;
    enum status status = protojson_text_load(text, arena, &tree, &reader.text);
    if (status == STATUS_OK)
        status = protojson_read_message(&reader, NULL, tree, descriptor, ret_message);
    json_decref(tree);
    if (status == STATUS_NO_MEMORY)
        *ret_text = "the message needs more memory than a request may take";
    else if (status != STATUS_OK)
        *ret_text = reader.text ? reader.text : "the JSON is none of a message of this type";
    return status == STATUS_NO_MEMORY ? STATUS_TOO_LARGE : status;
}
