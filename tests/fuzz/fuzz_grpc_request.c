// Any bytes as the request of any method of ours: the first byte chooses the method, the rest is the message.
// What is read packs and unpacks to the same bytes, and its JSON stands for the same message.
#include <assert.h>
#include <string.h>

#include "common/protobuf/message.h"
#include "common/protobuf/protojson.h"
#include "envoy/service/auth/v3/external_auth.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "latchkey/v1/audit.pb-c.h"
#include "latchkey/v1/company.pb-c.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "latchkey/v1/member.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/validation.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

// Methods are numbered through all of them: a new service goes to the end, or the corpus means others.
static const ProtobufCServiceDescriptor *const services[] = {
    &latchkey__v1__token_service__descriptor,
    &latchkey__v1__validation_service__descriptor,
    &latchkey__v1__company_service__descriptor,
    &latchkey__v1__member_service__descriptor,
    &latchkey__v1__invitation_service__descriptor,
    &latchkey__v1__whitelist_service__descriptor,
    &latchkey__v1__audit_service__descriptor,
    &grpc__health__v1__health__descriptor,
    &grpc__reflection__v1__server_reflection__descriptor,
    &envoy__service__auth__v3__authorization__descriptor,
};

static const ProtobufCMessageDescriptor *find_request(size_t number) {
    for (size_t i = 0; i < ARRAY_LENGTH(services); i++) {
        if (number < services[i]->n_methods)
            return services[i]->methods[number].input;
        number -= services[i]->n_methods;
    }
    return NULL;
}

static void check_wire(const ProtobufCMessage *message, struct arena *arena) {
    struct bytes packed = message_pack(message, 0, arena);
    ProtobufCMessage *again;
    const char *text = NULL;
    enum status status = message_unpack(message->descriptor, packed, arena, &again, &text);
    assert(status == STATUS_OK);
    assert(bytes_is_equal(message_pack(again, 0, arena), packed));
}

static bool is_about_a_key(const char *sentence) {
    static const char end[] = "a name is there twice";
    size_t len = strlen(sentence);
    return len >= strlen(end) && strcmp(sentence + len - strlen(end), end) == 0;
}

// A time of the year 10000 has no JSON; and a map's key may be there twice on the wire, but not in JSON.
static void check_json(const ProtobufCMessage *message, struct arena *arena) {
    static const struct protojson_options options = {.opaque_any = true};
    struct bytes json, json_again;
    ProtobufCMessage *again;
    const char *text = NULL;
    if (protojson_pack(message, &options, 0, arena, &json) != STATUS_OK)
        return;
    enum status status = protojson_unpack(message->descriptor, json, &options, arena, &again, &text);
    assert(status == STATUS_OK || status == STATUS_TOO_LARGE || is_about_a_key(text));
    if (status != STATUS_OK)
        return;
    status = protojson_pack(again, &options, 0, arena, &json_again);
    assert(status == STATUS_OK && bytes_is_equal(json, json_again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const ProtobufCMessageDescriptor *type = size > 0 ? find_request(data[0]) : NULL;
    if (!type)
        return 0;
    struct arena arena;
    ProtobufCMessage *message;
    const char *text = NULL;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (message_unpack(type, bytes_of(data + 1, size - 1), &arena, &message, &text) == STATUS_OK) {
        check_wire(message, &arena);
        check_json(message, &arena);
    } else {
        assert(text);
    }
    arena_fini(&arena);
    return 0;
}
