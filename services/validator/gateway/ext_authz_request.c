#include "services/validator/gateway/ext_authz_request.h"

#include <string.h>

#include "common/protobuf/wire_reader.h"

// Numbers of the fields, as in proto/envoy.
enum { CHECK_REQUEST_ATTRIBUTES = 1 };
enum { ATTRIBUTES_SOURCE = 1, ATTRIBUTES_REQUEST = 4, ATTRIBUTES_CONTEXT_EXTENSIONS = 10 };
enum { PEER_ADDRESS = 1, ADDRESS_SOCKET = 1, ADDRESS_PIPE = 2, SOCKET_ADDRESS = 2 };
enum { REQUEST_HTTP = 2 };
enum { HTTP_METHOD = 2, HTTP_HEADERS = 3, HTTP_PATH = 4, HTTP_HOST = 5, HTTP_HEADER_MAP = 13 };
enum { HEADER_MAP_HEADERS = 1 };
enum { HEADER_KEY = 1, HEADER_VALUE = 2, HEADER_RAW_VALUE = 3 };

struct reading {
    struct ext_authz_request *request;
    struct ext_authz_extension **end; // of the extensions
    struct arena *arena;
    enum status status; // sticky
};

// ---- fields ----

typedef void (*field_reader)(struct reading *reading, uint32_t number, struct bytes value);

// Every field here that is wanted is a text or a message: whatever else there is is passed over.
static void read_each(struct reading *reading, struct bytes message, field_reader read) {
    struct wire_reader reader = wire_reader_of(message);
    while (reading->status == STATUS_OK && wire_reader_has_more(&reader)) {
        uint64_t tag = wire_reader_read_tag(&reader);
        if ((tag & 7) != WIRE_LENGTH || tag >> 3 == 0) {
            wire_reader_skip_unknown(&reader, tag, 0);
            continue;
        }
        struct bytes value = wire_reader_read_bytes(&reader);
        if (reader.status == STATUS_OK)
            read(reading, (uint32_t)(tag >> 3), value);
    }
    if (reading->status == STATUS_OK)
        reading->status = reader.status;
}

// Of a HeaderValue, or of a map's entry, which looks the same.
struct pair {
    struct bytes key, value;
};

static struct pair read_pair(struct reading *reading, struct bytes message) {
    struct wire_reader reader = wire_reader_of(message);
    struct pair pair = {0};
    struct bytes raw = BYTES_EMPTY;
    while (wire_reader_has_more(&reader)) {
        uint64_t tag = wire_reader_read_tag(&reader);
        switch (tag) {
        case WIRE_TAG(HEADER_KEY, WIRE_LENGTH): pair.key = wire_reader_read_bytes(&reader); break;
        case WIRE_TAG(HEADER_VALUE, WIRE_LENGTH): pair.value = wire_reader_read_bytes(&reader); break;
        case WIRE_TAG(HEADER_RAW_VALUE, WIRE_LENGTH): raw = wire_reader_read_bytes(&reader); break;
        default: wire_reader_skip_unknown(&reader, tag, 0);
        }
    }
    if (reading->status == STATUS_OK)
        reading->status = reader.status;
    if (raw.len > 0)
        pair.value = raw;
    return pair;
}

// ---- headers ----

static const char *const own[] = {"authorization", "x-access-token", "cookie", "origin", "x-forwarded-for"};

const char *const ext_authz_overrides[EXT_AUTHZ_OVERRIDE_COUNT] = {
    "x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override"};

static bool is_sign(uint8_t byte) {
    return !(byte >= '0' && byte <= '9') && !(ascii_to_lower(byte) >= 'a' && ascii_to_lower(byte) <= 'z');
}

// Many servers take "_" for "-", and those that hand on fields as CGI variables ("LATCHKEY_TOKEN") any sign.
static bool begins_like(struct bytes name, struct bytes prefix) {
    if (name.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if ((is_sign(name.data[i]) ? '-' : ascii_to_lower(name.data[i])) != prefix.data[i])
            return false;
    return true;
}

bool ext_authz_header_is_identity(struct bytes name) {
    return begins_like(name, BYTES_LITERAL(EXT_AUTHZ_IDENTITY_PREFIX));
}

bool ext_authz_header_is_override(struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(ext_authz_overrides); i++) {
        struct bytes listed = bytes_of_text(ext_authz_overrides[i]);
        if (name.len == listed.len && begins_like(name, listed))
            return true;
    }
    return false;
}

static bool is_own(struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(own); i++)
        if (bytes_is_equal_ignoring_case(name, bytes_of_text(own[i])))
            return true;
    return false;
}

// Most headers are told by their first letter.
static bool matters(struct bytes name) {
    if (name.len == 0 || !memchr("acolx", ascii_to_lower(name.data[0]), 5))
        return false;
    return is_own(name) || ext_authz_header_is_identity(name) || ext_authz_header_is_override(name);
}

static void add_header(struct reading *reading, struct bytes message) {
    struct pair pair = read_pair(reading, message);
    if (reading->status != STATUS_OK || !matters(pair.key))
        return;
    uint8_t *name = arena_allocate(reading->arena, pair.key.len);
    for (size_t i = 0; name && i < pair.key.len; i++)
        name[i] = ascii_to_lower(pair.key.data[i]);
    if (!name || metadata_add(&reading->request->headers, reading->arena, bytes_of(name, pair.key.len),
                              pair.value) != STATUS_OK)
        reading->status = STATUS_NO_MEMORY;
}

static void read_header_map(struct reading *reading, uint32_t number, struct bytes value) {
    if (number == HEADER_MAP_HEADERS)
        add_header(reading, value);
}

// ---- the rest, from the inside out ----

static void read_http(struct reading *reading, uint32_t number, struct bytes value) {
    switch (number) {
    case HTTP_METHOD: reading->request->method = value; break;
    case HTTP_PATH: reading->request->path = value; break;
    case HTTP_HOST: reading->request->host = value; break;
    case HTTP_HEADERS: add_header(reading, value); break;
    case HTTP_HEADER_MAP: read_each(reading, value, read_header_map); break;
    default: break;
    }
}

static void read_request(struct reading *reading, uint32_t number, struct bytes value) {
    if (number == REQUEST_HTTP)
        read_each(reading, value, read_http);
}

static void read_socket_address(struct reading *reading, uint32_t number, struct bytes value) {
    if (number == SOCKET_ADDRESS)
        reading->request->source_address = value;
}

static void read_address(struct reading *reading, uint32_t number, struct bytes value) {
    if (number == ADDRESS_SOCKET)
        read_each(reading, value, read_socket_address);
    else if (number == ADDRESS_PIPE)
        reading->request->source_address = BYTES_EMPTY; // one or the other, the last one counts
}

static void read_source(struct reading *reading, uint32_t number, struct bytes value) {
    if (number == PEER_ADDRESS)
        read_each(reading, value, read_address);
}

static void add_extension(struct reading *reading, struct bytes message) {
    struct pair pair = read_pair(reading, message);
    struct ext_authz_extension *extension = ARENA_NEW(reading->arena, struct ext_authz_extension);
    if (!extension) {
        reading->status = STATUS_NO_MEMORY;
        return;
    }
    *extension = (struct ext_authz_extension){.key = pair.key, .value = pair.value};
    *reading->end = extension;
    reading->end = &extension->next;
}

static void read_attributes(struct reading *reading, uint32_t number, struct bytes value) {
    switch (number) {
    case ATTRIBUTES_SOURCE: read_each(reading, value, read_source); break;
    case ATTRIBUTES_REQUEST: read_each(reading, value, read_request); break;
    case ATTRIBUTES_CONTEXT_EXTENSIONS: add_extension(reading, value); break;
    default: break;
    }
}

static void read_check_request(struct reading *reading, uint32_t number, struct bytes value) {
    if (number == CHECK_REQUEST_ATTRIBUTES)
        read_each(reading, value, read_attributes);
}

enum status ext_authz_request_read(struct bytes message, struct arena *arena,
                                   struct ext_authz_request *ret_request) {
    struct reading reading = {.request = ret_request, .end = &ret_request->extensions, .arena = arena};
    *ret_request = (struct ext_authz_request){0};
    metadata_init(&ret_request->headers);
    read_each(&reading, message, read_check_request);
    return reading.status;
}
