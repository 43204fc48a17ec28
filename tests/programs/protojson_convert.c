// Converts messages for the test that compares us with another ProtoJSON (test_protojson.py). Each line of
// standard input is `wire TYPE JSON` or `json TYPE HEX`, TYPE the full name of a message; its answer is a
// line, `ok` and the result, or `refused` and the sentence.
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/hex.h"
#include "common/protobuf/message.h"
#include "common/protobuf/protojson.h"
#include "common/protobuf/protojson_types.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "latchkey/test/v1/everything.pb-c.h"
#include "latchkey/v1/audit.pb-c.h"
#include "latchkey/v1/company.pb-c.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "latchkey/v1/member.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/validation.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"

enum { ROOTS_MAX = 512, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static const ProtobufCServiceDescriptor *const services[] = {
    &latchkey__v1__audit_service__descriptor,      &latchkey__v1__company_service__descriptor,
    &latchkey__v1__invitation_service__descriptor, &latchkey__v1__member_service__descriptor,
    &latchkey__v1__token_service__descriptor,      &latchkey__v1__validation_service__descriptor,
    &latchkey__v1__whitelist_service__descriptor,
};

static const ProtobufCMessageDescriptor *const messages[] = {
    &latchkey__test__v1__everything__descriptor, &google__rpc__status__descriptor,
    &google__rpc__error_info__descriptor,        &google__rpc__bad_request__descriptor,
    &google__rpc__retry_info__descriptor,        &google__protobuf__file_descriptor_set__descriptor,
};

static struct protojson_types *make_types(void) {
    const ProtobufCMessageDescriptor *roots[ROOTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(messages); i++)
        roots[count++] = messages[i];
    for (size_t i = 0; i < ARRAY_LENGTH(services); i++) {
        for (unsigned method = 0; method < services[i]->n_methods; method++) {
            roots[count++] = services[i]->methods[method].input;
            roots[count++] = services[i]->methods[method].output;
        }
    }
    struct protojson_types *types;
    if (protojson_types_new(roots, count, &types) != STATUS_OK)
        abort();
    return types;
}

static const ProtobufCMessageDescriptor *find_type(const struct protojson_types *types, struct arena *arena,
                                                   struct bytes name) {
    return protojson_types_find_url(types, arena_format(arena, "/%.*s", BYTES_FORMAT(name)));
}

static void print(const char *word, struct bytes text) {
    printf("%s %.*s\n", word, BYTES_FORMAT(text));
}

static void to_wire(const ProtobufCMessageDescriptor *type, struct bytes text,
                    const struct protojson_options *options, struct arena *arena) {
    ProtobufCMessage *message;
    const char *sentence = NULL;
    if (protojson_unpack(type, text, options, arena, &message, &sentence) != STATUS_OK) {
        print("refused", bytes_of_text(sentence));
        return;
    }
    struct bytes packed = message_pack(message, 0, arena);
    char *hex = arena_allocate(arena, packed.len * 2 + 1);
    hex_format(packed, hex);
    print("ok", bytes_of(hex, packed.len * 2));
}

static void to_json(const ProtobufCMessageDescriptor *type, struct bytes hex,
                    const struct protojson_options *options, struct arena *arena) {
    ProtobufCMessage *message;
    const char *sentence = NULL;
    uint8_t *packed = arena_allocate(arena, hex.len / 2);
    struct bytes json;
    if (!hex_parse(hex, packed, hex.len / 2) ||
        message_unpack(type, bytes_of(packed, hex.len / 2), arena, &message, &sentence) != STATUS_OK)
        print("refused", bytes_of_text(sentence ? sentence : "no hexadecimal digits"));
    else if (protojson_pack(message, options, 0, arena, &json) != STATUS_OK)
        print("refused", BYTES_LITERAL("it has no JSON"));
    else
        print("ok", json);
}

static void convert(struct bytes line, const struct protojson_options *options, struct arena *arena) {
    struct bytes direction = bytes_split(&line, ' '), name = bytes_split(&line, ' ');
    const ProtobufCMessageDescriptor *type = find_type(options->types, arena, name);
    if (!type)
        print("unknown", name);
    else if (bytes_is_text(direction, "wire"))
        to_wire(type, line, options, arena);
    else
        to_json(type, line, options, arena);
}

int main(void) {
    struct protojson_types *types = make_types();
    struct protojson_options options = {.types = types};
    struct arena arena;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    arena_init(&arena, ARENA_BYTES_MAX);
    while ((len = getline(&line, &size, stdin)) > 0) {
        convert(bytes_of(line, (size_t)len - 1), &options, &arena);
        fflush(stdout);
        arena_reset(&arena);
    }
    free(line);
    arena_fini(&arena);
    protojson_types_free(types);
}
