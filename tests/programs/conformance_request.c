#include "tests/programs/conformance_request.h"

#include <stdlib.h>

#include "common/protobuf/message.h"

typedef Connectrpc__Conformance__V1__Header Header;

enum { NS_PER_MS = 1000000 };

void *conformance_need(void *allocated) {
    if (!allocated)
        abort();
    return allocated;
}

Google__Protobuf__Any *conformance_any(struct arena *arena, const ProtobufCMessage *message) {
    Google__Protobuf__Any *any = conformance_need(ARENA_NEW(arena, Google__Protobuf__Any));
    google__protobuf__any__init(any);
    any->type_url =
        conformance_need(arena_format(arena, "type.googleapis.com/%s", message->descriptor->name));
    struct bytes packed = message_pack(message, 0, arena);
    any->value = (ProtobufCBinaryData){packed.len, conformance_need((uint8_t *)packed.data)};
    return any;
}

void conformance_request_init(struct conformance_request *request, struct grpc_call *call) {
    *request = (struct conformance_request){.call = call};
}

static void add_untold(struct conformance_request *request, struct arena *arena, Google__Protobuf__Any *any) {
    if (request->untold_count == request->untold_capacity) {
        size_t capacity = 2 * request->untold_capacity + 1;
        Google__Protobuf__Any **grown =
            conformance_need(ARENA_NEW_ARRAY(arena, Google__Protobuf__Any *, capacity));
        if (request->untold_count > 0)
            memcpy(grown, request->untold, request->untold_count * sizeof(*grown));
        request->untold = grown;
        request->untold_capacity = capacity;
    }
    request->untold[request->untold_count++] = any;
}

const ProtobufCMessage *conformance_request_add(struct conformance_request *request,
                                                const ProtobufCMessage *message) {
    struct arena *arena = grpc_call_get_arena(request->call);
    Google__Protobuf__Any *any = conformance_any(arena, message);
    add_untold(request, arena, any);
    ProtobufCMessage *copy;
    const char *text;
    if (message_unpack(message->descriptor, bytes_of(any->value.data, any->value.len), arena, &copy, &text) !=
        STATUS_OK)
        abort();
    return copy;
}

static Header *find_header(const RequestInfo *info, const char *name) {
    for (size_t i = 0; i < info->n_request_headers; i++)
        if (strcmp(info->request_headers[i]->name, name) == 0)
            return info->request_headers[i];
    return NULL;
}

// `count` is of the call's metadata, so that no name and no value lacks room.
static Header *add_header(RequestInfo *info, struct arena *arena, const char *name, size_t count) {
    Header *header = conformance_need(ARENA_NEW(arena, Header));
    connectrpc__conformance__v1__header__init(header);
    header->name = (char *)name;
    header->value = conformance_need(ARENA_NEW_ARRAY(arena, char *, count));
    info->request_headers[info->n_request_headers++] = header;
    return header;
}

static void tell_metadata(RequestInfo *info, struct arena *arena, const struct metadata *metadata) {
    info->request_headers = conformance_need(ARENA_NEW_ARRAY(arena, Header *, metadata->count));
    for (const struct metadata_field *field = metadata->first; field; field = field->next) {
        const char *name = (const char *)field->name.data;
        Header *header = find_header(info, name);
        if (!header)
            header = add_header(info, arena, name, metadata->count);
        header->value[header->n_value++] = (char *)field->value.data;
    }
}

static void tell_timeout(RequestInfo *info, uint64_t timeout_ns) {
    if (timeout_ns == UINT64_MAX)
        return;
    info->timeout_case = CONNECTRPC__CONFORMANCE__V1__CONFORMANCE_PAYLOAD__REQUEST_INFO__TIMEOUT_TIMEOUT_MS;
    info->timeout_ms = (int64_t)(timeout_ns / NS_PER_MS);
}

RequestInfo *conformance_request_tell_rest(struct conformance_request *request) {
    RequestInfo *info = conformance_need(ARENA_NEW(grpc_call_get_arena(request->call), RequestInfo));
    connectrpc__conformance__v1__conformance_payload__request_info__init(info);
    info->requests = request->untold;
    info->n_requests = request->untold_count;
    conformance_request_init(request, request->call);
    return info;
}

RequestInfo *conformance_request_tell_all(struct conformance_request *request) {
    RequestInfo *info = conformance_request_tell_rest(request);
    tell_metadata(info, grpc_call_get_arena(request->call), grpc_call_get_metadata(request->call));
    tell_timeout(info, grpc_call_get_timeout_ns(request->call));
    return info;
}
