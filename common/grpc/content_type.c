#include "common/grpc/content_type.h"

static const struct row {
    struct bytes text;
    enum protocol protocol;
    enum codec codec;
} rows[CONTENT_TYPE_COUNT] = {
#define CONTENT_TYPE_ROW(name, text, protocol, codec) \
    [CONTENT_TYPE_##name] = {{(const uint8_t *)(text), sizeof(text) - 1}, PROTOCOL_##protocol, CODEC_##codec},
    CONTENT_TYPE_TABLE(CONTENT_TYPE_ROW)
#undef CONTENT_TYPE_ROW
};

static bool is_family(struct bytes type, struct bytes prefix) {
    return type.len >= prefix.len && bytes_is_equal_ignoring_case(bytes_of(type.data, prefix.len), prefix);
}

enum content_type content_type_parse(struct bytes value) {
    if (bytes_is_equal(value, rows[CONTENT_TYPE_GRPC].text))
        return CONTENT_TYPE_GRPC;
    struct bytes type = bytes_trim(bytes_split(&value, ';'));
    for (int i = CONTENT_TYPE_FOREIGN + 1; i < CONTENT_TYPE_COUNT; i++)
        if (bytes_is_equal_ignoring_case(type, rows[i].text))
            return (enum content_type)i;
    // application/grpcfoo is nothing of ours, nor is the text mode of gRPC-Web.
    if (is_family(type, BYTES_LITERAL("application/grpc+")))
        return CONTENT_TYPE_GRPC_UNKNOWN;
    if (is_family(type, BYTES_LITERAL("application/grpc-web+")))
        return CONTENT_TYPE_GRPC_WEB_UNKNOWN;
    return CONTENT_TYPE_FOREIGN;
}

enum protocol content_type_get_protocol(enum content_type type) {
    return rows[type].protocol;
}

enum codec content_type_get_codec(enum content_type type) {
    return rows[type].codec;
}
