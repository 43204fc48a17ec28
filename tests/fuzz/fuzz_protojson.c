// Any text as ProtoJSON of a message with every kind of field, strictly and passing over what is unknown.
// What is read is a message that the wire carries, and is written as a text that stands for the same.
#include <assert.h>
#include <stdlib.h>

#include "common/protobuf/message.h"
#include "common/protobuf/protojson.h"
#include "latchkey/test/v1/everything.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

#define EVERYTHING (&latchkey__test__v1__everything__descriptor)

static struct protojson_types *get_types(void) {
    static const ProtobufCMessageDescriptor *const roots[] = {EVERYTHING};
    static struct protojson_types *types;
    if (!types && protojson_types_new(roots, ARRAY_LENGTH(roots), &types) != STATUS_OK)
        abort();
    return types;
}

static struct bytes write_json(const ProtobufCMessage *message, const struct protojson_options *options,
                               struct arena *arena) {
    struct bytes json = BYTES_EMPTY;
    enum status status = protojson_pack(message, options, 0, arena, &json);
    assert(status == STATUS_OK);
    return json;
}

static void check_message(const ProtobufCMessage *message, const struct protojson_options *options,
                          struct arena *arena) {
    struct bytes json = write_json(message, options, arena);
    ProtobufCMessage *received, *again;
    const char *text = "";
    enum status status = message_unpack(EVERYTHING, message_pack(message, 0, arena), arena, &received, &text);
    assert(status == STATUS_OK);
    assert(bytes_is_equal(write_json(received, options, arena), json));
    status = protojson_unpack(EVERYTHING, json, options, arena, &again, &text);
    assert(status == STATUS_OK);
    assert(bytes_is_equal(write_json(again, options, arena), json));
}

static void check_text(struct bytes text, struct protojson_options options) {
    struct arena arena;
    ProtobufCMessage *message;
    const char *sentence = NULL;
    arena_init(&arena, ARENA_BYTES_MAX);
    enum status status = protojson_unpack(EVERYTHING, text, &options, &arena, &message, &sentence);
    if (status == STATUS_OK)
        check_message(message, &options, &arena);
    else
        assert(sentence && bytes_is_utf8(bytes_of_text(sentence)));
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_text(bytes_of(data, size), (struct protojson_options){.types = get_types()});
    check_text(bytes_of(data, size), (struct protojson_options){
                                         .types = get_types(), .ignore_unknown = true, .empty_fields = true});
    return 0;
}
