#include "common/grpc/connect_get.h"

#include "common/grpc/percent.h"
#include "common/protobuf/base64.h"

struct parameters {
    struct bytes version, encoding, compression, message;
    bool is_base64;
};

static void read_parameter(struct parameters *parameters, struct bytes name, struct bytes value) {
    if (bytes_is_text(name, "connect"))
        parameters->version = value;
    else if (bytes_is_text(name, "encoding"))
        parameters->encoding = value;
    else if (bytes_is_text(name, "compression"))
        parameters->compression = value;
    else if (bytes_is_text(name, "message"))
        parameters->message = value;
    else if (bytes_is_text(name, "base64"))
        parameters->is_base64 = bytes_is_text(value, "1");
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
    return ret_message->data && (!parameters->is_base64 || decode_base64(ret_message, arena));
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
    while (query.len > 0) {
        struct bytes value = bytes_split(&query, '&');
        struct bytes name = bytes_split(&value, '=');
        read_parameter(&parameters, name, value.data ? value : BYTES_LITERAL(""));
    }
    if (parameters.version.len > 0 && !bytes_is_text(parameters.version, "v1"))
        return false;
    ret_get->encoding = read_compression(parameters.compression);
    return read_encoding(&parameters, ret_get) && read_message(&parameters, arena, &ret_get->message);
}
