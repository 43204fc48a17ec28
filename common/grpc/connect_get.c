#include "common/grpc/connect_get.h"

#include "common/grpc/percent.h"
#include "common/protobuf/base64.h"

struct parameters {
    struct bytes version, encoding, compression, message, base64;
};

// NULL for one that is none of ours.
static struct bytes *find_place(struct parameters *parameters, struct bytes name) {
    const struct {
        const char *name;
        struct bytes *place;
    } places[] = {{"connect", &parameters->version},
                  {"encoding", &parameters->encoding},
                  {"compression", &parameters->compression},
                  {"message", &parameters->message},
                  {"base64", &parameters->base64}};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (bytes_is_text(name, places[i].name))
            return places[i].place;
    return NULL;
}

// False for the second of a name.
static bool read_parameter(struct parameters *parameters, struct bytes parameter) {
    struct bytes value = parameter;
    struct bytes *place = find_place(parameters, bytes_split(&value, '='));
    if (place && place->data)
        return false;
    if (place)
        *place = value.data ? value : BYTES_LITERAL("");
    return true;
}

// '+' is a space in a query, unlike in gRPC's messages.
static struct bytes decode_query(struct bytes value, struct arena *arena) {
    uint8_t *copy = (uint8_t *)arena_copy_bytes(arena, value);
    if (!copy)
        return BYTES_EMPTY;
    for (size_t i = 0; i < value.len; i++)
        if (copy[i] == '+')
            copy[i] = ' ';
    return percent_decode(arena, bytes_of(copy, value.len));
}

// From the alphabet of links to the standard one.
static bool decode_base64(struct bytes *message, struct arena *arena) {
    uint8_t *copy = (uint8_t *)arena_copy_bytes(arena, *message);
    if (!copy)
        return false;
    for (size_t i = 0; i < message->len; i++)
        copy[i] = copy[i] == '-' ? '+' : copy[i] == '_' ? '/' : copy[i];
    return base64_decode(arena, bytes_of(copy, message->len), message) == STATUS_OK;
}

static bool read_message(const struct parameters *parameters, struct arena *arena,
                         struct bytes *ret_message) {
    if (!parameters->message.data)
        return false;
    *ret_message = decode_query(parameters->message, arena);
    return ret_message->data &&
           (!bytes_is_text(parameters->base64, "1") || decode_base64(ret_message, arena));
}

static bool read_encoding(const struct parameters *parameters, struct connect_get *get) {
    if (bytes_is_text(parameters->encoding, "json"))
        get->content_type = CONTENT_TYPE_CONNECT_JSON;
    else if (bytes_is_text(parameters->encoding, "proto"))
        get->content_type = CONTENT_TYPE_CONNECT_PROTO;
    else
        return false;
    return true;
}

static enum message_encoding read_compression(struct bytes name) {
    if (name.len == 0 || bytes_is_text(name, "identity"))
        return MESSAGE_ENCODING_IDENTITY;
    return bytes_is_text(name, "gzip") ? MESSAGE_ENCODING_GZIP : MESSAGE_ENCODING_UNKNOWN;
}

bool connect_get_parse(struct bytes query, struct arena *arena, struct connect_get *ret_get) {
    struct parameters parameters = {0};
    while (query.len > 0)
        if (!read_parameter(&parameters, bytes_split(&query, '&')))
            return false;
    if (parameters.version.len > 0 && !bytes_is_text(parameters.version, "v1"))
        return false;
    ret_get->encoding = read_compression(parameters.compression);
    return read_encoding(&parameters, ret_get) && read_message(&parameters, arena, &ret_get->message);
}
